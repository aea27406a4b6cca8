//! Parameters as Moodle reads them: a form whose keys carry brackets,
//! `users[0][customfields][0][type]` (contracts/moodle.md §3).

use std::fmt::Display;

use form_urlencoded::Serializer;

/// Parameters of a call, or of one row in a list of rows.
///
/// An empty list cannot be sent: it is a missing key to Moodle. It leaves no trace here, so
/// whoever may have nothing to say must not call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Adds a text or a number.
    pub(crate) fn with(mut self, name: &str, value: impl Display) -> Self {
        self.0.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a text or a number unless there is none.
    pub(crate) fn with_some(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a yes or no, which Moodle reads as 1 and 0.
    pub(crate) fn with_flag(self, name: &str, value: bool) -> Self {
        self.with(name, u8::from(value))
    }

    /// Adds `name[0]`, `name[1]`, …
    pub(crate) fn with_list(mut self, name: &str, values: &[String]) -> Self {
        for (place, value) in values.iter().enumerate() {
            self.0.push((format!("{name}[{place}]"), value.clone()));
        }
        self
    }

    /// Adds `name[0][…]`, `name[1][…]`, … with the parameters of each row.
    pub(crate) fn with_rows(mut self, name: &str, rows: impl IntoIterator<Item = Self>) -> Self {
        for (place, row) in rows.into_iter().enumerate() {
            for (key, value) in row.0 {
                self.0
                    .push((format!("{name}[{place}]{}", nested(&key)), value));
            }
        }
        self
    }

    /// The body of the request.
    pub(crate) fn encode(&self) -> String {
        Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }
}

/// `type` becomes `[type]`, `customfields[0][type]` becomes `[customfields][0][type]`.
fn nested(key: &str) -> String {
    match key.split_once('[') {
        Some((head, rest)) => format!("[{head}][{rest}"),
        None => format!("[{key}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_lists_and_flags_take_the_shape_moodle_reads() {
        let field = Form::default().with("type", "zoho_student_id");
        let user = Form::default()
            .with("username", "new.student")
            .with_flag("createpassword", true)
            .with_some("city", None::<&str>)
            .with_rows("customfields", [field]);
        let form = Form::default()
            .with("field", "email")
            .with_list("values", &["a".into(), "b".into()])
            .with_rows("users", [user, Form::default().with("id", 57)]);
        let expected = [
            ("field", "email"),
            ("values[0]", "a"),
            ("values[1]", "b"),
            ("users[0][username]", "new.student"),
            ("users[0][createpassword]", "1"),
            ("users[0][customfields][0][type]", "zoho_student_id"),
            ("users[1][id]", "57"),
        ];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(form, Form(expected.to_vec()));
    }

    #[test]
    fn the_body_is_that_of_the_recorded_request() {
        // Fixture create_users_ok, shortened.
        let user = Form::default()
            .with("username", "new.student")
            .with("email", "nadia.newman@students.northfield.example")
            .with("lastname", "O'Neil & Sons");
        let body = Form::default().with_rows("users", [user]).encode();
        assert_eq!(
            body,
            "users%5B0%5D%5Busername%5D=new.student\
             &users%5B0%5D%5Bemail%5D=nadia.newman%40students.northfield.example\
             &users%5B0%5D%5Blastname%5D=O%27Neil+%26+Sons"
        );
    }

    #[test]
    fn an_empty_list_leaves_no_trace() {
        assert_eq!(Form::default().with_list("values", &[]).encode(), "");
    }
}
