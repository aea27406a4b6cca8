//! Search criteria: `((Field:operator:value)and(…))` (`zoho.md` §3.4).

use crate::zoho::{
    refusal::Refusal,
    schema::{DataType, Field, FieldNo, Schema, Source},
    store::{Record, Stored},
};

/// The most conditions of one search.
const MAX_CONDITIONS: usize = 10;

/// A tree of conditions.
#[derive(Debug, PartialEq)]
pub(super) enum Criteria {
    All(Vec<Criteria>),
    Any(Vec<Criteria>),
    Condition {
        field: FieldNo,
        operator: Operator,
        values: Vec<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equals,
    NotEqual,
    StartsWith,
    In,
    GreaterEqual,
    GreaterThan,
    LessEqual,
    LessThan,
    Between,
}

const OPERATORS: [(&str, Operator); 9] = [
    ("equals", Operator::Equals),
    ("not_equal", Operator::NotEqual),
    ("starts_with", Operator::StartsWith),
    ("in", Operator::In),
    ("greater_equal", Operator::GreaterEqual),
    ("greater_than", Operator::GreaterThan),
    ("less_equal", Operator::LessEqual),
    ("less_than", Operator::LessThan),
    ("between", Operator::Between),
];

/// Reads criteria; anything malformed is one refusal, as in Zoho.
pub(super) fn parse(text: &str, schema: &Schema) -> Result<Criteria, Refusal> {
    let refused = || Refusal::new(400, "INVALID_QUERY", "invalid query formed");
    let mut reader = Reader {
        rest: text.trim(),
        schema,
        conditions: 0,
    };
    let criteria = reader.group().ok_or_else(refused)?;
    let whole = reader.rest.trim().is_empty();
    if whole && reader.conditions <= MAX_CONDITIONS {
        Ok(criteria)
    } else {
        Err(refused())
    }
}

struct Reader<'a> {
    rest: &'a str,
    schema: &'a Schema,
    conditions: usize,
}

impl Reader<'_> {
    /// `(…)`, one condition or several groups joined by one word.
    fn group(&mut self) -> Option<Criteria> {
        self.eat("(")?;
        if !self.rest.trim_start().starts_with('(') {
            let condition = self.condition()?;
            self.eat(")")?;
            return Some(condition);
        }
        let mut parts = vec![self.group()?];
        let mut joint = None;
        while self.eat(")").is_none() {
            let word = self
                .eat("and")
                .map(|()| "and")
                .or_else(|| self.eat("or").map(|()| "or"))?;
            if joint.is_some_and(|joint| joint != word) {
                return None;
            }
            joint = Some(word);
            parts.push(self.group()?);
        }
        Some(if joint == Some("or") {
            Criteria::Any(parts)
        } else {
            Criteria::All(parts)
        })
    }

    fn condition(&mut self) -> Option<Criteria> {
        let (name, rest) = self.rest.split_once(':')?;
        let (operator, rest) = rest.split_once(':')?;
        let field = self.schema.number(name.trim())?;
        let (_, operator) = OPERATORS
            .iter()
            .find(|(word, _)| *word == operator.trim())?;
        self.rest = rest;
        self.conditions += 1;
        Some(Criteria::Condition {
            field,
            operator: *operator,
            values: self.values()?,
        })
    }

    /// Values up to the closing bracket; a backslash keeps the next character.
    fn values(&mut self) -> Option<Vec<String>> {
        let mut values = vec![String::new()];
        let mut characters = self.rest.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                ')' => {
                    self.rest = self.rest.get(at..)?;
                    return Some(values);
                }
                ',' => values.push(String::new()),
                '\\' => values.last_mut()?.push(characters.next()?.1),
                other => values.last_mut()?.push(other),
            }
        }
        None
    }

    fn eat(&mut self, word: &str) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(word)?;
        Some(())
    }
}

impl Criteria {
    /// A lookup that every match must have, for the index.
    pub(super) fn required_lookup(&self, schema: &Schema) -> Option<(FieldNo, u64)> {
        match self {
            Self::All(parts) => parts.iter().find_map(|part| part.required_lookup(schema)),
            Self::Condition {
                field,
                operator: Operator::Equals,
                values,
            } if schema.field(*field)?.data_type == DataType::Lookup => {
                Some((*field, values.first()?.parse().ok()?))
            }
            Self::Any(_) | Self::Condition { .. } => None,
        }
    }

    pub(super) fn matches(&self, schema: &Schema, record: &Record) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(schema, record)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(schema, record)),
            Self::Condition {
                field: number,
                operator,
                values,
            } => {
                let Some(field) = schema.field(*number) else {
                    return false;
                };
                let held = held(field, *number, record);
                let compare = |value: &String| comparison(field, held.as_deref(), value);
                let first = values.first().map(String::as_str).unwrap_or_default();
                match operator {
                    Operator::Equals => equals(field, held.as_deref(), first),
                    Operator::NotEqual => !equals(field, held.as_deref(), first),
                    Operator::In => values
                        .iter()
                        .any(|value| equals(field, held.as_deref(), value)),
                    Operator::StartsWith => {
                        held.is_some_and(|held| held.starts_with(&first.to_lowercase()))
                    }
                    Operator::GreaterEqual => {
                        values.first().and_then(compare).is_some_and(|o| o.is_ge())
                    }
                    Operator::GreaterThan => {
                        values.first().and_then(compare).is_some_and(|o| o.is_gt())
                    }
                    Operator::LessEqual => {
                        values.first().and_then(compare).is_some_and(|o| o.is_le())
                    }
                    Operator::LessThan => {
                        values.first().and_then(compare).is_some_and(|o| o.is_lt())
                    }
                    Operator::Between => {
                        let from = values
                            .first()
                            .and_then(compare)
                            .is_some_and(|order| order.is_ge());
                        from && values
                            .get(1)
                            .and_then(compare)
                            .is_some_and(|order| order.is_le())
                    }
                }
            }
        }
    }
}

/// A record's value in lower case.
fn held(field: &Field, number: FieldNo, record: &Record) -> Option<String> {
    match field.source {
        Source::CreatedTime => Some(record.created.to_string()),
        Source::ModifiedTime => Some(record.modified.to_string()),
        _ => record.value(number).map(Stored::folded),
    }
}

/// `equals` finds a text inside longer text too: Zoho's search behaves like "contains".
fn equals(field: &Field, held: Option<&str>, wanted: &str) -> bool {
    let text = matches!(
        field.data_type,
        DataType::Text
            | DataType::Textarea
            | DataType::Email
            | DataType::Website
            | DataType::AutoNumber
    );
    match held {
        None => wanted.is_empty() || wanted == "null" || wanted == "${EMPTY}",
        Some(held) if text => held.contains(&wanted.to_lowercase()),
        Some(_) => comparison(field, held, wanted).is_some_and(|order| order.is_eq()),
    }
}

fn comparison(field: &Field, held: Option<&str>, wanted: &str) -> Option<std::cmp::Ordering> {
    let held = held?;
    match field.data_type {
        DataType::Integer | DataType::Double | DataType::Currency | DataType::Bigint => held
            .parse::<f64>()
            .ok()?
            .partial_cmp(&wanted.parse::<f64>().ok()?),
        DataType::DateTime => {
            let wanted = chrono::DateTime::parse_from_rfc3339(wanted)
                .ok()?
                .timestamp();
            Some(held.parse::<i64>().ok()?.cmp(&wanted))
        }
        _ => Some(held.cmp(wanted.to_lowercase().as_str())),
    }
}
