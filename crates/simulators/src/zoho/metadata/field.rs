//! One field's metadata.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::minified;
use crate::{
    joined,
    zoho::schema::{DataType, Field, Schema, Source, Target},
};

pub(super) fn json(schemas: &[Arc<Schema>], schema: &Schema, field: &Field, number: i64) -> Value {
    let computed = field.source != Source::Written && !field.only_in_single_reads();
    let displays = schema.display.and_then(|number| schema.field(number));
    let json = json!({
        "id": field.id.to_string(), "api_name": field.api_name, "field_label": field.label,
        "display_label": field.label, "data_type": field.data_type.name(), "json_type": field.data_type.json_type(),
        "length": field.length, "decimal_place": decimals(field), "system_mandatory": field.mandatory,
        "custom_field": is_custom(field), "read_only": false, "field_read_only": computed,
        "visible": !field.removed, "type": if field.removed { "unused" } else { "used" }, "sequence_number": number,
        "display_field": displays.is_some_and(|shown| shown.id == field.id),
        "unique": if field.unique { json!({"casesensitive": "false"}) } else { json!({}) },
        "pick_list_values": picks(field), "lookup": lookup(schemas, field),
        "multiselectlookup": links(schemas, schema, field), "associated_module": associated(schemas, field),
        "subform": associated(schemas, field).as_object().map(|module| json!({
            "module": module.get("module"), "id": module.get("id"),
        })),
        "currency": currency(field), "formula": formula(field), "auto_number": auto_number(field),
        "view_type": {"view": true, "edit": !computed, "quick_create": field.mandatory, "create": !computed},
        "operation_type": {
            "web_update": !computed, "api_create": !computed, "web_create": !computed, "api_update": !computed,
        },
    });
    let plain = joined(
        PLAIN.clone(),
        json!({"column_name": field.api_name.to_uppercase()}),
    );
    joined(json, plain)
}

/// What the bridge never looks at, but Zoho always sends.
static PLAIN: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("plain_field.json")).unwrap_or_default());

fn decimals(field: &Field) -> Value {
    match field.data_type {
        DataType::Double | DataType::Currency => json!(2),
        _ => Value::Null,
    }
}

fn is_custom(field: &Field) -> bool {
    matches!(field.source, Source::Written | Source::Rows | Source::Links)
        && !["Name", "Product_Name", "Email", "Record_Image"].contains(&field.api_name.as_str())
}

fn picks(field: &Field) -> Vec<Value> {
    (1..)
        .zip(&field.picks)
        .map(|(number, value)| {
            json!({
                "display_value": value, "actual_value": value, "reference_value": value, "sequence_number": number,
                "id": (field.id + number).to_string(), "type": "used", "colour_code": null,
            })
        })
        .collect()
}

fn lookup(schemas: &[Arc<Schema>], field: &Field) -> Value {
    match &field.target {
        Target::Module(module) if field.data_type == DataType::Lookup => {
            let Some(target) = find(schemas, module) else {
                return json!({});
            };
            json!({
                "module": minified(target), "display_label": target.plural, "api_name": null,
                "id": (field.id + 50).to_string(), "query_details": {}, "revalidate_filter_during_edit": false,
                "show_fields": [],
            })
        }
        _ => json!({}),
    }
}

fn links(schemas: &[Arc<Schema>], schema: &Schema, field: &Field) -> Value {
    let Target::Links(links) = &field.target else {
        return json!({});
    };
    let Some(linking) = find(schemas, &links.module) else {
        return json!({});
    };
    let connected = linking
        .field_named(&links.other)
        .and_then(|(_, other)| match &other.target {
            Target::Module(module) => find(schemas, module),
            _ => None,
        });
    json!({
        "display_label": field.label, "linking_module": minified(linking),
        "connected_module": connected.map(minified), "lookup_apiname": links.own,
        "api_name": schema.api_name, "connectedfield_apiname": links.other, "connectedlookup_apiname": links.other,
        "id": (field.id + 50).to_string(), "record_access": false,
    })
}

/// Sub-forms and uploads surface a module of their own.
fn associated(schemas: &[Arc<Schema>], field: &Field) -> Value {
    match &field.target {
        Target::Module(module) if field.source == Source::Rows => match find(schemas, module) {
            Some(found) => joined(minified(found), json!({"module": found.api_name})),
            None => Value::Null,
        },
        _ => Value::Null,
    }
}

fn currency(field: &Field) -> Value {
    match field.data_type {
        DataType::Currency => json!({"rounding_option": "normal", "precision": 2}),
        _ => json!({}),
    }
}

fn formula(field: &Field) -> Value {
    match field.data_type {
        DataType::Formula => json!({"return_type": "currency", "expression": "${Amount}"}),
        _ => json!({}),
    }
}

fn auto_number(field: &Field) -> Value {
    match field.data_type {
        DataType::AutoNumber => {
            json!({"prefix": "", "start_number": 1, "suffix": "", "starting_number_length": 6})
        }
        _ => json!({}),
    }
}

fn find<'a>(schemas: &'a [Arc<Schema>], api_name: &str) -> Option<&'a Schema> {
    schemas
        .iter()
        .find(|schema| schema.api_name == api_name)
        .map(|schema| &**schema)
}
