//! One module's metadata.

use serde_json::{Value, json};

use super::minified;
use crate::{
    joined,
    zoho::{
        read::user,
        schema::{Kind, Schema, Source, Target},
        store::{Editor, Store},
    },
};

pub(super) fn json(store: &Store, schema: &Schema, number: i64) -> Value {
    let own = schema.kind != Kind::Subform;
    let module = json!({
        "id": schema.id.to_string(), "api_name": schema.api_name, "module_name": module_name(schema, number),
        "singular_label": schema.singular, "plural_label": schema.plural, "generated_type": generated_type(schema),
        "api_supported": true, "creatable": own, "editable": own, "deletable": own, "viewable": own,
        "visible": true, "visibility": 1, "status": "visible", "show_as_tab": own, "quick_create": own,
        "sequence_number": number, "parent_module": parent(store, schema), "display_field": display(schema),
        "profile_count": 1, "profiles": [{"name": "Administrator", "id": "810000000000101"}],
        "has_more_profiles": false, "modified_by": user(Editor::Registrar, true), "modified_time": null,
        "description": null, "web_link": null, "per_page": 10, "activity_badge": null,
        "business_card_field_limit": 5, "business_card_fields": [], "search_layout_fields": [],
    });
    joined(module, abilities(schema))
}

/// What the bridge never looks at, but Zoho always sends.
fn abilities(schema: &Schema) -> Value {
    let own = schema.kind != Kind::Subform;
    json!({
        "common.search_supported": own, "recycle_bin_on_delete": own, "triggers_supported": own,
        "filter_supported": own, "filter_status": own, "track_current_data": false, "feeds_required": false,
        "chart_view": false, "chart_view_supported": own, "kanban_view": false, "kanban_view_supported": own,
        "zia_view": false, "inventory_template_supported": false, "presence_sub_menu": false,
        "sub_menu_available": false, "isBlueprintSupported": own, "convertable": false,
        "emailTemplate_support": own, "email_parser_supported": false, "scoring_supported": own,
        "webform_supported": own, "arguments": [], "$field_states": [], "$properties": [],
        "$on_demand_properties": [], "related_lists": [], "layouts": [], "fields": [],
        "layout_associations": [], "default_mapping_fields": [], "custom_view": null,
        "lookup_field_properties": {"fields": []},
        "related_list_properties": {"sort_by": null, "fields": [], "sort_order": null},
    })
}

fn generated_type(schema: &Schema) -> &'static str {
    match schema.kind {
        Kind::Default => "default",
        Kind::Custom => "custom",
        Kind::Linking => "linking",
        Kind::Subform => "subform",
    }
}

/// Custom modules have an internal name of their own.
fn module_name(schema: &Schema, number: i64) -> String {
    match schema.kind {
        Kind::Default => schema.api_name.clone(),
        Kind::Custom => format!("CustomModule{number}"),
        Kind::Linking => format!("LinkingModule{number}"),
        Kind::Subform => schema.api_name.clone(),
    }
}

fn display(schema: &Schema) -> Value {
    match schema.display.and_then(|number| schema.field(number)) {
        Some(field) => json!({"api_name": field.api_name, "id": field.id.to_string()}),
        None => Value::Null,
    }
}

/// A sub-form's module names the module it belongs to.
fn parent(store: &Store, schema: &Schema) -> Value {
    let holds = |other: &&std::sync::Arc<Schema>| {
        other.fields.iter().any(|field| {
            field.source == Source::Rows && field.target == Target::Module(schema.api_name.clone())
        })
    };
    match store.schemas().find(holds) {
        Some(parent) if schema.kind == Kind::Subform => minified(parent),
        _ => json!({}),
    }
}
