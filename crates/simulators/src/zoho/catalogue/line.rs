//! Reads one line of a module's file.

use crate::zoho::schema::{DataType, Field, Links, Target};

/// The field a line describes; none when the line is malformed.
pub(super) fn field(id: u64, text: &str) -> Option<Field> {
    let (head, picks) = cut(text, " {", "}");
    let (head, label) = cut(head, " \"", "\"");
    let mut words = head.split_whitespace();
    let api_name = words.next()?.to_owned();
    let kind = words.next()?;
    let data_type = DataType::parse(kind.trim_end_matches('!'))?;
    let target = match (words.next(), words.next()) {
        (None, _) => Target::None,
        (Some("->"), Some(name)) => target(name)?,
        _ => return None,
    };
    let label = label.map_or_else(|| api_name.replace('_', " "), ToOwned::to_owned);
    let picks = picks.map(|list| list.split('|').map(ToOwned::to_owned).collect());
    Some(Field {
        mandatory: kind.ends_with('!'),
        picks: picks.unwrap_or_default(),
        target,
        ..Field::new(id, api_name, label, data_type)
    })
}

/// Splits off an ending that starts with `from` and ends the line with `to`.
fn cut<'a>(text: &'a str, from: &str, to: &str) -> (&'a str, Option<&'a str>) {
    match text.strip_suffix(to).and_then(|text| text.split_once(from)) {
        Some((head, inner)) => (head, Some(inner)),
        None => (text, None),
    }
}

fn target(name: &str) -> Option<Target> {
    let mut parts = name.split('.').map(ToOwned::to_owned);
    let module = parts.next()?;
    match (parts.next(), parts.next()) {
        (Some(own), Some(other)) => Some(Target::Links(Links { module, own, other })),
        (None, _) => Some(Target::Module(module)),
        _ => None,
    }
}
