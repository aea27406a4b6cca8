//! The XML Moodle answers when `moodlewsrestformat` is not `json`.

use std::fmt::Write;

use serde_json::Value;

use crate::moodle::refusal::Refusal;

const PROLOGUE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n";

/// A refusal, to the byte as recorded (fixture `auth_wrong_format_xml`).
pub(in crate::moodle) fn refusal(refusal: &Refusal) -> String {
    format!(
        "{PROLOGUE}<EXCEPTION class=\"{}\">\n<ERRORCODE>{}</ERRORCODE>\n<MESSAGE>{}</MESSAGE>\n</EXCEPTION>\n",
        refusal.exception,
        escaped(&refusal.errorcode),
        escaped(&refusal.message)
    )
}

/// A result, in the four elements of the protocol.
pub(in crate::moodle) fn result(value: &Value) -> String {
    let mut body = String::from(PROLOGUE);
    body.push_str("<RESPONSE>\n");
    element(&mut body, value);
    body.push_str("</RESPONSE>\n");
    body
}

fn element(body: &mut String, value: &Value) {
    match value {
        Value::Null => body.push_str("<VALUE null=\"null\"/>\n"),
        Value::Array(items) => {
            body.push_str("<MULTIPLE>\n");
            items.iter().for_each(|item| element(body, item));
            body.push_str("</MULTIPLE>\n");
        }
        Value::Object(keys) => {
            body.push_str("<SINGLE>\n");
            for (key, inner) in keys {
                // Writing to a String cannot fail.
                let _ = write!(body, "<KEY name=\"{}\">", escaped(key));
                element(body, inner);
                body.push_str("</KEY>\n");
            }
            body.push_str("</SINGLE>\n");
        }
        leaf => {
            let _ = writeln!(body, "<VALUE>{}</VALUE>", escaped(&text_of(leaf)));
        }
    }
}

/// PHP writes `true` as 1 and `false` as nothing.
fn text_of(leaf: &Value) -> String {
    match leaf {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "1".to_owned(),
        Value::Bool(false) => String::new(),
        other => other.to_string(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_lists_and_leaves_have_their_elements() {
        let xml = result(&json!([{"id": 57, "name": "O'Neil & Sons", "suspended": false}]));

        assert!(xml.contains("<KEY name=\"id\"><VALUE>57</VALUE>"));
        assert!(xml.contains("<VALUE>O'Neil &amp; Sons</VALUE>"));
        assert!(xml.contains("<KEY name=\"suspended\"><VALUE></VALUE>"));
        assert!(xml.ends_with("</MULTIPLE>\n</RESPONSE>\n"));
    }
}
