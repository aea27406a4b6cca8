//! What a function expects, and the check of what was sent against it.
//!
//! Any mismatch — an unknown key, a missing one, a wrong type — is the same `invalidparameter`
//! while debugging is off (`contracts/moodle.md` §3).

use std::collections::BTreeMap;

use super::{
    clean::Kind,
    form::{Input, Inputs},
};
use crate::moodle::refusal::Refusal;

/// The form of one value.
#[derive(Debug)]
pub(in crate::moodle) enum Shape {
    Value(Kind),
    List(Box<Shape>),
    Record(Vec<Field>),
}

/// One key of a record.
#[derive(Debug)]
pub(in crate::moodle) struct Field {
    name: &'static str,
    shape: Shape,
    need: Need,
}

#[derive(Debug)]
enum Need {
    Required,
    Optional,
    Default(Arg),
}

pub(in crate::moodle) fn list(of: Shape) -> Shape {
    Shape::List(Box::new(of))
}

/// A list of records, the form of every batch.
pub(in crate::moodle) fn rows(of: Vec<Field>) -> Shape {
    list(Shape::Record(of))
}

pub(in crate::moodle) fn required(name: &'static str, shape: impl Into<Shape>) -> Field {
    Field {
        name,
        shape: shape.into(),
        need: Need::Required,
    }
}

pub(in crate::moodle) fn optional(name: &'static str, shape: impl Into<Shape>) -> Field {
    Field {
        name,
        shape: shape.into(),
        need: Need::Optional,
    }
}

pub(in crate::moodle) fn or(name: &'static str, kind: Kind, default: Arg) -> Field {
    Field {
        name,
        shape: kind.into(),
        need: Need::Default(default),
    }
}

impl From<Kind> for Shape {
    fn from(kind: Kind) -> Self {
        Self::Value(kind)
    }
}

/// A checked value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::moodle) enum Arg {
    Text(String),
    Int(i64),
    Flag(bool),
    List(Vec<Arg>),
    Record(Args),
}

/// The checked values of one record. Optional keys that were not sent are absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::moodle) struct Args(BTreeMap<&'static str, Arg>);

impl Args {
    /// Checks what was sent against what is expected.
    pub(in crate::moodle) fn check(fields: &[Field], sent: &Inputs) -> Result<Self, Refusal> {
        if sent
            .iter()
            .any(|(key, _)| !fields.iter().any(|field| field.name == key))
        {
            return Err(Refusal::invalid_parameter());
        }
        let mut args = BTreeMap::new();
        for field in fields {
            let value = match (sent.get(field.name), &field.need) {
                (Some(input), _) => Some(field.shape.check(input)?),
                (None, Need::Optional) => None,
                (None, Need::Default(value)) => Some(value.clone()),
                (None, Need::Required) => return Err(Refusal::invalid_parameter()),
            };
            if let Some(value) = value {
                args.insert(field.name, value);
            }
        }
        Ok(Self(args))
    }

    pub(in crate::moodle) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Arg::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(in crate::moodle) fn int(&self, name: &str) -> Option<i64> {
        match self.0.get(name) {
            Some(Arg::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// A number as an id; a negative one names nothing, like 0.
    pub(in crate::moodle) fn id(&self, name: &str) -> u64 {
        self.int(name)
            .and_then(|number| u64::try_from(number).ok())
            .unwrap_or(0)
    }

    pub(in crate::moodle) fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name) {
            Some(Arg::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    pub(in crate::moodle) fn records(&self, name: &str) -> impl Iterator<Item = &Args> {
        self.items(name).filter_map(|item| match item {
            Arg::Record(args) => Some(args),
            _ => None,
        })
    }

    pub(in crate::moodle) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.items(name).filter_map(|item| match item {
            Arg::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    pub(in crate::moodle) fn ids(&self, name: &str) -> impl Iterator<Item = u64> {
        self.items(name).filter_map(|item| match item {
            Arg::Int(number) => Some(u64::try_from(*number).unwrap_or(0)),
            _ => None,
        })
    }

    pub(in crate::moodle) fn record(&self, name: &str) -> Option<&Args> {
        match self.0.get(name) {
            Some(Arg::Record(args)) => Some(args),
            _ => None,
        }
    }

    pub(in crate::moodle) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn items(&self, name: &str) -> impl Iterator<Item = &Arg> {
        match self.0.get(name) {
            Some(Arg::List(items)) => items.iter(),
            _ => [].iter(),
        }
    }
}

impl Shape {
    fn check(&self, sent: &Input) -> Result<Arg, Refusal> {
        match (self, sent) {
            (Self::Value(kind), Input::Text(text)) => {
                kind.accept(text).ok_or_else(Refusal::invalid_parameter)
            }
            (Self::List(of), Input::Nested(items)) => items
                .iter()
                .map(|(_, item)| of.check(item))
                .collect::<Result<_, _>>()
                .map(Arg::List),
            (Self::Record(fields), Input::Nested(inner)) => {
                Args::check(fields, inner).map(Arg::Record)
            }
            _ => Err(Refusal::invalid_parameter()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sent: &[(&str, &str)]) -> Result<Args, Refusal> {
        let fields = [
            required("userid", Kind::Int),
            optional("values", list(Kind::Raw.into())),
            optional("rows", rows(vec![required("key", Kind::Alpha)])),
            or("returnusercount", Kind::Bool, Arg::Flag(true)),
        ];
        let pairs = sent.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Args::check(&fields, &Inputs::from_pairs(pairs))
    }

    #[test]
    fn what_fits_is_read_and_defaults_are_filled_in() {
        let args = check(&[("userid", "7"), ("values[0]", "a"), ("rows[0][key]", "id")]).unwrap();

        assert_eq!(
            (args.id("userid"), args.flag("returnusercount")),
            (7, Some(true))
        );
        assert_eq!(args.texts("values").collect::<Vec<_>>(), ["a"]);
        assert_eq!(
            args.records("rows")
                .filter_map(|row| row.text("key"))
                .count(),
            1
        );
    }

    #[test]
    fn a_missing_unknown_or_mistyped_key_is_the_same_refusal() {
        let wrong: [&[(&str, &str)]; 6] = [
            &[],
            &[("userid", "abc")],
            &[("userid", "7"), ("nosuch", "1")],
            &[("userid", "7"), ("rows[0][other]", "x")],
            &[("userid", "7"), ("values", "not a list")],
            &[("userid[0]", "7")],
        ];
        for sent in wrong {
            assert_eq!(check(sent), Err(Refusal::invalid_parameter()), "{sent:?}");
        }
    }

    #[test]
    fn an_empty_list_is_a_missing_key() {
        let fields = [required(
            "users",
            rows(vec![required("username", Kind::Username)]),
        )];

        assert!(Args::check(&fields, &Inputs::default()).is_err());
    }
}
