//! JSON values of records to the bridge's [`FieldValue`]s and back (contracts/zoho.md §2.1).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use mzi_domain::FieldValue;
use serde_json::{Number, Value, json};

use crate::wire::Object;

/// A field's value; nothing for a shape that has no meaning here, which leaves the field unread.
///
/// An empty list is [`FieldValue::Many`] of nothing, whether the field holds choices or rows:
/// Zoho writes `[]` for both.
pub(crate) fn from_json(value: Value) -> Option<FieldValue> {
    match value {
        Value::Null => Some(FieldValue::Null),
        Value::Bool(flag) => Some(FieldValue::Bool(flag)),
        Value::Number(number) => Some(FieldValue::Number(number.to_string())),
        Value::String(text) => Some(FieldValue::Text(text)),
        Value::Object(object) => lookup(object),
        Value::Array(items) => Some(many(items)),
    }
}

/// Links and owners are `{id, name, …}`; the name may be missing.
fn lookup(mut object: Object) -> Option<FieldValue> {
    let id = match object.remove("id")? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let name = match object.remove("name") {
        Some(Value::String(name)) => Some(name),
        _ => None,
    };
    Some(FieldValue::Lookup { id, name })
}

fn many(items: Vec<Value>) -> FieldValue {
    let all_rows = !items.is_empty() && items.iter().all(Value::is_object);
    if all_rows {
        FieldValue::Rows(items.into_iter().filter_map(row).collect())
    } else {
        FieldValue::Many(items.into_iter().filter_map(from_json).collect())
    }
}

/// Every field of a row, system keys left out.
fn row(item: Value) -> Option<BTreeMap<String, FieldValue>> {
    let Value::Object(object) = item else {
        return None;
    };
    let own = object.into_iter().filter(|(key, _)| !key.starts_with('$'));
    let fields = own.filter_map(|(key, value)| Some((key, from_json(value)?)));
    Some(fields.collect())
}

/// What a write sends for a value.
pub(crate) fn to_json(value: &FieldValue) -> Value {
    match value {
        FieldValue::Null => Value::Null,
        FieldValue::Text(text) => json!(text),
        // A text that is no number after all is sent as it is, and Zoho's refusal names the field.
        FieldValue::Number(digits) => digits
            .parse::<Number>()
            .map_or_else(|_| json!(digits), Value::Number),
        FieldValue::Bool(flag) => json!(flag),
        FieldValue::Lookup { id, .. } => json!({ "id": id }),
        FieldValue::Many(items) => items.iter().map(to_json).collect(),
        FieldValue::Rows(rows) => rows.iter().map(object).collect(),
    }
}

/// Fields as a JSON object.
pub(crate) fn object(fields: &BTreeMap<String, FieldValue>) -> Value {
    let fields = fields.iter();
    fields
        .map(|(key, value)| (key.clone(), to_json(value)))
        .collect()
}

/// A moment as Zoho writes it: an offset, whole seconds.
pub(crate) fn moment(value: Option<&Value>) -> Option<DateTime<Utc>> {
    let text = value?.as_str()?;
    let parsed = DateTime::parse_from_rfc3339(text).ok()?;
    Some(parsed.to_utc())
}

/// A moment as Zoho reads it.
pub(crate) fn moment_text(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<FieldValue> {
        from_json(serde_json::from_str(json).unwrap())
    }

    fn text(raw: &str) -> FieldValue {
        FieldValue::Text(raw.into())
    }

    #[test]
    fn numbers_keep_their_digits_and_long_integers_stay_text() {
        assert_eq!(read("1250.1"), Some(FieldValue::Number("1250.1".into())));
        assert_eq!(read("-3"), Some(FieldValue::Number("-3".into())));
        assert_eq!(
            read(r#""900000000000000101""#),
            Some(text("900000000000000101"))
        );
        let long = FieldValue::Number("900000000000000101".into());
        assert_eq!(to_json(&long).to_string(), "900000000000000101");
    }

    #[test]
    fn a_link_may_lack_its_name_and_an_object_without_id_means_nothing() {
        let owner = read(r#"{"name":"Ada Poe","id":"900","email":"ada@college.example"}"#);
        let name = Some("Ada Poe".to_owned());
        assert_eq!(
            owner,
            Some(FieldValue::Lookup {
                id: "900".into(),
                name
            })
        );
        let bare = FieldValue::Lookup {
            id: "900".into(),
            name: None,
        };
        assert_eq!(read(r#"{"id":"900","name":null}"#), Some(bare));
        assert_eq!(read(r#"{"currency":"USD"}"#), None);
    }

    #[test]
    fn rows_lose_their_system_keys() {
        let rows = read(r#"[{"id":"1","Amount":5,"$in_merge":false,"Paid":["a","b"]}]"#);
        let paid = FieldValue::Many(vec![text("a"), text("b")]);
        let row = BTreeMap::from([
            ("id".to_owned(), text("1")),
            ("Amount".to_owned(), FieldValue::Number("5".into())),
            ("Paid".to_owned(), paid),
        ]);
        assert_eq!(rows, Some(FieldValue::Rows(vec![row])));
        assert_eq!(read("[]"), Some(FieldValue::Many(Vec::new())));
    }

    #[test]
    fn what_is_written_is_what_zoho_takes() {
        let link = FieldValue::Lookup {
            id: "900".into(),
            name: Some("x".into()),
        };
        assert_eq!(to_json(&link), json!({"id": "900"}));
        let gone = BTreeMap::from([
            ("id".to_owned(), text("1")),
            ("_delete".to_owned(), FieldValue::Null),
        ]);
        assert_eq!(
            to_json(&FieldValue::Rows(vec![gone])),
            json!([{"id": "1", "_delete": null}])
        );
        assert_eq!(to_json(&FieldValue::Number("1,5".into())), json!("1,5"));
    }
}
