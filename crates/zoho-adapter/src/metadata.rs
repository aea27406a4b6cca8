//! What the account looks like: organisation, modules, fields (contracts/zoho.md §2).

use mzi_ports::{
    CrmError,
    crm::{CrmField, CrmModule, Organisation},
};
use serde_json::Value;

use crate::{
    call::{Call, module_path, scope},
    refusal,
    transport::Transport,
    wire,
};

/// Which organisation the credentials belong to.
pub(crate) async fn organisation(transport: &Transport) -> Result<Organisation, CrmError> {
    let call = Call::read("read the organisation", scope::ORG, "org".into());
    let answer = transport.ask::<wire::Organisations>(&call).await?;
    let first = answer.body.and_then(|body| body.org.into_iter().next());
    let org = first.ok_or_else(|| refusal::of_nonsense(&call, "no organisation in the answer"))?;
    Ok(Organisation {
        id: org.zgid,
        name: org.company_name,
        time_zone: org.time_zone,
    })
}

/// The modules the API user can see.
pub(crate) async fn modules(transport: &Transport) -> Result<Vec<CrmModule>, CrmError> {
    let call = Call::read("list modules", scope::SETTINGS, "settings/modules".into());
    let answer = transport.ask::<wire::Modules>(&call).await?;
    let modules = answer.body.map(|body| body.modules).unwrap_or_default();
    Ok(modules.into_iter().filter_map(module).collect())
}

/// The fields of a module; none when there is nothing to show.
pub(crate) async fn fields(transport: &Transport, name: &str) -> Result<Vec<CrmField>, CrmError> {
    let operation = format!("list fields of {name}");
    let call = Call::read(operation, scope::SETTINGS, "settings/fields".into())
        .with("module", module_path(name)?);
    let answer = transport.ask::<wire::Fields>(&call).await?;
    let fields = answer.body.map(|body| body.fields).unwrap_or_default();
    Ok(fields.into_iter().map(field).collect())
}

/// A module without an API name cannot be asked for and is left out.
fn module(module: wire::Module) -> Option<CrmModule> {
    let api_name = module.api_name?;
    Some(CrmModule {
        label: module.plural_label.unwrap_or_else(|| api_name.clone()),
        api_name,
        generated_type: module.generated_type.unwrap_or_default(),
        api_supported: module.api_supported.unwrap_or(true),
    })
}

fn field(field: wire::Field) -> CrmField {
    let label = field.display_label.or(field.field_label);
    let read_only = field.read_only.unwrap_or(false) || field.field_read_only.unwrap_or(false);
    let values = field.pick_list_values.unwrap_or_default().into_iter();
    CrmField {
        label: label.unwrap_or_else(|| field.api_name.clone()),
        api_name: field.api_name,
        data_type: field.data_type.unwrap_or_default(),
        length: length(&field.length),
        unique: is_unique(&field.unique),
        read_only,
        lookup_module: lookup_module(&field.lookup),
        picklist: values
            .filter_map(|value| value.actual_value.or(value.display_value))
            .collect(),
    }
}

fn length(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64()?.try_into().ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// `{}` means that duplicates are allowed, `{"casesensitive":…}` that they are not.
fn is_unique(value: &Value) -> bool {
    match value {
        Value::Object(rule) => !rule.is_empty(),
        Value::Bool(flag) => *flag,
        _ => false,
    }
}

/// An object from v3 on, a plain name before.
fn lookup_module(lookup: &Value) -> Option<String> {
    let module = lookup.get("module")?;
    let name = module.get("api_name").unwrap_or(module).as_str()?;
    Some(name.to_owned())
}
