//! JSON as PHP writes it: `\/`, `\u00e9`, whole floats without a fraction.

use std::io;

use serde::Serialize;
use serde_json::{Serializer, Value, ser::Formatter};

/// Writes an answer's body.
pub(in crate::moodle) fn to_bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    let mut serializer = Serializer::with_formatter(&mut bytes, Php);
    if let Err(error) = value.serialize(&mut serializer) {
        tracing::error!(%error, "an answer could not be written");
    }
    bytes
}

struct Php;

impl Formatter for Php {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut units = [0; 2];
        let mut plain = fragment;
        while let Some(at) = plain.find(|c: char| c == '/' || !c.is_ascii()) {
            let (before, after) = plain.split_at(at);
            writer.write_all(before.as_bytes())?;
            let mut rest = after.chars();
            match rest.next() {
                Some('/') => writer.write_all(b"\\/")?,
                Some(other) => {
                    for unit in other.encode_utf16(&mut units) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
                None => {}
            }
            plain = rest.as_str();
        }
        writer.write_all(plain.as_bytes())
    }

    fn write_f64<W>(&mut self, writer: &mut W, value: f64) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        write!(writer, "{value}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(value: Value) -> String {
        String::from_utf8(to_bytes(&value)).unwrap()
    }

    #[test]
    fn slashes_and_other_alphabets_are_escaped() {
        let text = json!({"siteurl": "http://x/", "lastname": "Müller-محمد", "smile": "😀"});

        assert_eq!(
            written(text),
            r#"{"lastname":"M\u00fcller-\u0645\u062d\u0645\u062f","siteurl":"http:\/\/x\/","smile":"\ud83d\ude00"}"#
        );
    }

    #[test]
    fn whole_floats_have_no_fraction() {
        assert_eq!(
            written(json!([47.0, 0.4902, 0.01961])),
            "[47,0.4902,0.01961]"
        );
    }

    #[test]
    fn quotes_and_control_characters_are_escaped_too() {
        assert_eq!(written(json!("a\"b\\c\nd")), r#""a\"b\\c\nd""#);
    }

    #[test]
    fn a_client_reads_back_what_was_written() {
        let value = json!({"a": ["é/\u{1}", null, true, -3, 0.5]});

        assert_eq!(
            serde_json::from_slice::<Value>(&to_bytes(&value)).unwrap(),
            value
        );
    }
}
