//! Writes records as JSON, without a tree of values in between: a page is up to 10 000 values.

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::whole::Whole;
use crate::{
    joined,
    zoho::{
        schema::{DataType, Field, FieldNo, Schema, Source},
        store::{Editor, Names, Record, Stored},
    },
};

/// A record as a single read shows it: sub-forms, links and system keys included.
pub(in crate::zoho) fn full(whole: &Whole, only: Option<&[FieldNo]>, zone: FixedOffset) -> Vec<u8> {
    let Whole {
        schema,
        record,
        names,
        rows,
        links,
    } = whole;
    let mut object = Object::open(Vec::with_capacity(4096));
    object.entry("id", &record.id.to_string());
    let wanted = |number: &FieldNo| only.is_none_or(|only| only.contains(number));
    for (number, field) in (0..).zip(&schema.fields) {
        if !wanted(&number) || field.removed {
            continue;
        }
        object.key(&field.api_name);
        if let Some((_, schema, rows)) = rows.iter().find(|(sub_form, ..)| *sub_form == number) {
            object.list(rows, |buffer, row| {
                write_row(buffer, schema, row, names, zone)
            });
        } else if let Some((_, links)) = links.iter().find(|(lookup, _)| *lookup == number) {
            object.list(links, |buffer, link| {
                let other = reference(names, link.other);
                write(
                    buffer,
                    &json!({"id": link.id.to_string(), link.field.as_str(): other}),
                );
            });
        } else {
            write_value(&mut object.buffer, field, number, record, names, zone);
        }
    }
    for (key, value) in system_keys() {
        object.entry(key, &value);
    }
    object.close()
}

fn write_row(
    buffer: &mut Vec<u8>,
    schema: &Schema,
    row: &Record,
    names: &Names,
    zone: FixedOffset,
) {
    let mut object = Object::open(std::mem::take(buffer));
    object.entry("id", &row.id.to_string());
    for (number, field) in (0..)
        .zip(&schema.fields)
        .filter(|(_, field)| !field.removed)
    {
        object.key(&field.api_name);
        write_value(&mut object.buffer, field, number, row, names, zone);
    }
    object.entry("$in_merge", &false);
    object.entry("$field_states", &Value::Null);
    *buffer = object.close();
}

/// A record as lists show it: the id and the wanted fields.
pub(super) fn write_listed(
    buffer: &mut Vec<u8>,
    schema: &Schema,
    wanted: &[FieldNo],
    record: &Record,
    names: &Names,
    zone: FixedOffset,
) {
    let mut object = Object::open(std::mem::take(buffer));
    object.entry("id", &record.id.to_string());
    for number in wanted {
        let Some(field) = schema.field(*number) else {
            continue;
        };
        object.key(&field.api_name);
        write_value(&mut object.buffer, field, *number, record, names, zone);
    }
    *buffer = object.close();
}

fn write_value(
    buffer: &mut Vec<u8>,
    field: &Field,
    number: FieldNo,
    record: &Record,
    names: &Names,
    zone: FixedOffset,
) {
    match field.source {
        Source::CreatedTime => write(buffer, &time(record.created, zone)),
        Source::ModifiedTime => write(buffer, &time(record.modified, zone)),
        Source::CreatedBy | Source::Owner => write(buffer, &user(record.created_by, true)),
        Source::ModifiedBy => write(buffer, &user(record.modified_by, true)),
        Source::Tag => buffer.extend_from_slice(b"[]"),
        Source::Locked => buffer.extend_from_slice(b"false"),
        Source::Rows | Source::Links | Source::Nothing => buffer.extend_from_slice(b"null"),
        Source::Written | Source::AutoNumber => match record.value(number) {
            None if field.data_type == DataType::Boolean => buffer.extend_from_slice(b"false"),
            None => buffer.extend_from_slice(b"null"),
            Some(Stored::Text(text)) => write(buffer, text),
            Some(Stored::Flag(flag)) => write(buffer, flag),
            Some(Stored::Number(number)) => write(buffer, number),
            Some(Stored::Instant(seconds)) => write(buffer, &time(*seconds, zone)),
            Some(Stored::Reference(id)) => write(buffer, &reference(names, *id)),
            Some(Stored::Texts(texts)) => write(buffer, texts),
            Some(Stored::Json(value)) => write(buffer, value),
        },
    }
}

/// A lookup's value; null once the record it leads to is deleted.
fn reference(names: &Names, id: u64) -> Value {
    match names.get(&id) {
        Some(name) => json!({"name": &**name, "id": id.to_string()}),
        None => Value::Null,
    }
}

/// A user as records show them; the e-mail address is missing in answers to writes.
pub(in crate::zoho) fn user(editor: Editor, with_email: bool) -> Value {
    let (name, id, email) = match editor {
        Editor::Integration => (
            "Bridge Integration",
            "810000000000001",
            "integration@college.example",
        ),
        Editor::Registrar => (
            "Rana Registrar",
            "810000000000002",
            "registrar@college.example",
        ),
    };
    let user = json!({"name": name, "id": id});
    if with_email {
        joined(user, json!({"email": email}))
    } else {
        user
    }
}

/// A time as Zoho writes it: the user's offset, no fractions.
pub(in crate::zoho) fn time(seconds: i64, zone: FixedOffset) -> String {
    let utc: DateTime<Utc> = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    utc.with_timezone(&zone)
        .to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// What every single read carries beside the fields (`zoho.md` §2.1).
fn system_keys() -> [(&'static str, Value); 7] {
    [
        ("$currency_symbol", json!("$")),
        ("$field_states", Value::Null),
        ("$editable", json!(true)),
        ("$approval_state", json!("approved")),
        ("$in_merge", json!(false)),
        ("$review", Value::Null),
        ("$has_more", json!({})),
    ]
}

/// Appends a value; nothing that is written here can fail to serialise into memory.
fn write(buffer: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let before = buffer.len();
    if serde_json::to_writer(&mut *buffer, value).is_err() {
        buffer.truncate(before);
        buffer.extend_from_slice(b"null");
    }
}

/// A JSON object that is being written.
struct Object {
    buffer: Vec<u8>,
    empty: bool,
}

impl Object {
    fn open(mut buffer: Vec<u8>) -> Self {
        buffer.push(b'{');
        Self {
            buffer,
            empty: true,
        }
    }

    fn key(&mut self, key: &str) {
        if !self.empty {
            self.buffer.push(b',');
        }
        self.empty = false;
        write(&mut self.buffer, key);
        self.buffer.push(b':');
    }

    fn entry(&mut self, key: &str, value: &(impl Serialize + ?Sized)) {
        self.key(key);
        write(&mut self.buffer, value);
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Vec<u8>, &T)) {
        list(&mut self.buffer, items, &mut each);
    }

    fn close(mut self) -> Vec<u8> {
        self.buffer.push(b'}');
        self.buffer
    }
}

/// Writes a JSON array, item by item.
pub(super) fn list<T>(buffer: &mut Vec<u8>, items: &[T], mut each: impl FnMut(&mut Vec<u8>, &T)) {
    buffer.push(b'[');
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            buffer.push(b',');
        }
        each(buffer, item);
    }
    buffer.push(b']');
}
