//! Bracketed form parameters to nested values, as PHP reads them.
//!
//! `users[0][customfields][0][type]=x` becomes lists inside records. Moodle sees nothing else: an
//! empty list cannot be sent and every leaf is text (`contracts/moodle.md` §3).

/// One parameter as PHP hands it to Moodle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::moodle) enum Input {
    /// A leaf.
    Text(String),
    /// What had brackets after its name.
    Nested(Inputs),
}

/// Parameters by key, in the order of first appearance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::moodle) struct Inputs(Vec<(String, Input)>);

impl Inputs {
    /// Builds the tree. A key sent twice keeps the last value, as in PHP.
    pub(in crate::moodle) fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut tree = Self::default();
        for (name, value) in pairs {
            let (first, rest) = path_of(&name);
            if !first.is_empty() {
                tree.put(first, &rest, value);
            }
        }
        tree
    }

    pub(in crate::moodle) fn iter(&self) -> impl Iterator<Item = (&str, &Input)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub(in crate::moodle) fn get(&self, key: &str) -> Option<&Input> {
        self.0
            .iter()
            .find_map(|(known, value)| (known == key).then_some(value))
    }

    /// Takes a leaf out, as the protocol does with its own parameters.
    pub(in crate::moodle) fn take_text(&mut self, key: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == key)?;
        match self.0.remove(at) {
            (_, Input::Text(text)) => Some(text),
            (_, Input::Nested(_)) => None,
        }
    }

    fn put(&mut self, key: String, rest: &[String], value: String) {
        let key = if key.is_empty() {
            self.next_index()
        } else {
            key
        };
        let slot = self.slot(key);
        match rest.split_first() {
            None => *slot = Input::Text(value),
            Some((next, deeper)) => slot.nested().put(next.clone(), deeper, value),
        }
    }

    /// Rows of a batch arrive one after another, so the last entry is tried first.
    fn slot(&mut self, key: String) -> &mut Input {
        let at = match self.0.iter().rposition(|(known, _)| *known == key) {
            Some(at) => at,
            None => {
                self.0.push((key, Input::Text(String::new())));
                self.0.len() - 1
            }
        };
        #[expect(
            clippy::indexing_slicing,
            reason = "the position was just found or pushed"
        )]
        &mut self.0[at].1
    }

    fn next_index(&self) -> String {
        let used = self
            .0
            .iter()
            .filter_map(|(key, _)| key.parse::<u64>().ok())
            .max();
        used.map_or(0, |last| last + 1).to_string()
    }
}

impl Input {
    fn nested(&mut self) -> &mut Inputs {
        match self {
            Self::Nested(inner) => inner,
            leaf => {
                *leaf = Self::Nested(Inputs::default());
                leaf.nested()
            }
        }
    }
}

/// Splits `users[0][name]` into `users` and `0`, `name`. PHP turns dots and spaces of the first
/// part into underscores and ignores whatever follows the last closed bracket.
fn path_of(name: &str) -> (String, Vec<String>) {
    let (first, mut rest) = match name.find('[') {
        Some(at) if at > 0 => name.split_at(at),
        _ => (name, ""),
    };
    let mut keys = Vec::new();
    while let Some((key, after)) = rest
        .strip_prefix('[')
        .and_then(|inside| inside.split_once(']'))
    {
        keys.push(key.to_owned());
        rest = after;
    }
    (first.replace(['.', ' '], "_"), keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(pairs: &[(&str, &str)]) -> Inputs {
        Inputs::from_pairs(
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
        )
    }

    fn at<'a>(inputs: &'a Inputs, path: &[&str]) -> Option<&'a str> {
        let (last, parents) = path.split_last()?;
        let mut level = inputs;
        for key in parents {
            match level.get(key)? {
                Input::Nested(inner) => level = inner,
                Input::Text(_) => return None,
            }
        }
        match level.get(last)? {
            Input::Text(text) => Some(text),
            Input::Nested(_) => None,
        }
    }

    #[test]
    fn brackets_become_records_inside_lists() {
        let inputs = tree(&[
            ("users[0][username]", "amira"),
            ("users[0][customfields][0][type]", "zoho_student_id"),
            ("users[1][username]", "ben"),
        ]);

        assert_eq!(at(&inputs, &["users", "0", "username"]), Some("amira"));
        assert_eq!(
            at(&inputs, &["users", "0", "customfields", "0", "type"]),
            Some("zoho_student_id")
        );
        assert_eq!(at(&inputs, &["users", "1", "username"]), Some("ben"));
    }

    #[test]
    fn empty_brackets_append_after_the_largest_index() {
        let inputs = tree(&[("values[]", "a"), ("values[7]", "b"), ("values[]", "c")]);

        assert_eq!(at(&inputs, &["values", "0"]), Some("a"));
        assert_eq!(at(&inputs, &["values", "8"]), Some("c"));
    }

    #[test]
    fn a_key_sent_twice_keeps_the_last_value() {
        assert_eq!(
            at(&tree(&[("field", "id"), ("field", "email")]), &["field"]),
            Some("email")
        );
    }

    #[test]
    fn an_unclosed_bracket_ends_the_path() {
        assert_eq!(
            at(&tree(&[("values[0][x", "a")]), &["values", "0"]),
            Some("a")
        );
    }

    #[test]
    fn dots_and_spaces_of_a_name_become_underscores() {
        assert_eq!(at(&tree(&[("a.b c", "x")]), &["a_b_c"]), Some("x"));
    }

    #[test]
    fn a_leaf_gives_way_to_brackets_of_the_same_name() {
        assert_eq!(
            at(&tree(&[("a", "x"), ("a[0]", "y")]), &["a", "0"]),
            Some("y")
        );
    }
}
