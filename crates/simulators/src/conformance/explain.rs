//! Says where a body is wrong, also inside alternatives.

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde_json::Value;

/// The longest text of one problem; a mismatch repeats the value it is about.
const LONGEST: usize = 300;

/// What is wrong with a body.
pub(super) fn mismatches(validator: &Validator, body: &[u8]) -> Vec<String> {
    let body: Value = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => return vec![format!("not JSON: {error}")],
    };
    let mut problems = Vec::new();
    for error in validator.iter_errors(&body) {
        explain(&error, &mut problems);
    }
    problems
}

/// Of several alternatives the one is explained that fits furthest down.
fn explain(error: &ValidationError<'_>, problems: &mut Vec<String>) {
    let alternatives = match &error.kind {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            context
        }
        _ => return problems.push(line(error)),
    };
    let closest = alternatives
        .iter()
        .max_by_key(|errors| errors.iter().map(depth).min());
    match closest {
        Some(errors) if !errors.is_empty() => {
            errors.iter().for_each(|error| explain(error, problems))
        }
        _ => problems.push(line(error)),
    }
}

fn depth(error: &ValidationError<'_>) -> usize {
    error.instance_path.as_str().matches('/').count()
}

fn line(error: &ValidationError<'_>) -> String {
    let text = error.to_string();
    let shown: String = match text.char_indices().nth(LONGEST) {
        // The end says what was expected.
        Some((cut, _)) => {
            let tail = text.len().saturating_sub(LONGEST / 2).max(cut);
            let tail = text.get(tail..).unwrap_or_default();
            format!("{} … {tail}", text.get(..cut / 2).unwrap_or_default())
        }
        None => text,
    };
    format!("at {}: {shown}", error.instance_path)
}
