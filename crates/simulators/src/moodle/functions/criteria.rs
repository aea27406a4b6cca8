//! The criteria of `core_user_get_users`, read once per call.

use std::str::Chars;

use crate::moodle::site::{Site, User, folded};

/// One condition on a user.
pub(super) enum Criterion {
    /// None when the text is no number: then nobody fits.
    Id(Option<u64>),
    Username(String),
    Idnumber(String),
    Auth(String),
    Email(Like),
    Firstname(Like),
    Lastname(Like),
}

impl Criterion {
    /// The condition, or none for a key Moodle does not search by.
    pub(super) fn read(key: &str, value: &str) -> Option<Self> {
        match key {
            "id" => Some(Self::Id(value.parse().ok())),
            "username" => Some(Self::Username(folded(value))),
            "idnumber" => Some(Self::Idnumber(folded(value))),
            "auth" => Some(Self::Auth(value.to_owned())),
            "email" => Some(Self::Email(Like::new(value))),
            "firstname" => Some(Self::Firstname(Like::new(value))),
            "lastname" => Some(Self::Lastname(Like::new(value))),
            _ => None,
        }
    }

    fn fits(&self, user: &User) -> bool {
        match self {
            Self::Id(id) => *id == Some(user.id),
            Self::Username(name) => folded(&user.username) == *name,
            Self::Idnumber(number) => folded(&user.idnumber) == *number,
            Self::Auth(auth) => user.auth == *auth,
            Self::Email(like) => like.matches(&user.email),
            Self::Firstname(like) => like.matches(&user.firstname),
            Self::Lastname(like) => like.matches(&user.lastname),
        }
    }

    /// The users it may fit, where there is an index for it.
    fn candidates<'a>(&self, site: &'a Site) -> Option<Vec<&'a User>> {
        let users = &site.users;
        match self {
            Self::Id(id) => Some(id.and_then(|id| users.get(id)).into_iter().collect()),
            Self::Username(name) => Some(users.with_username(name).into_iter().collect()),
            Self::Idnumber(number) => Some(users.with_idnumber(number).collect()),
            Self::Email(like) => Some(users.with_email(like.literal()?).collect()),
            Self::Auth(_) | Self::Firstname(_) | Self::Lastname(_) => None,
        }
    }
}

/// The users that meet all criteria, by id.
pub(super) fn matching<'a>(site: &'a Site, criteria: &[Criterion]) -> Vec<&'a User> {
    let narrowed = criteria
        .iter()
        .find_map(|criterion| criterion.candidates(site));
    let mut users = narrowed.unwrap_or_else(|| site.users.iter().collect());
    users.retain(|user| criteria.iter().all(|criterion| criterion.fits(user)));
    users
}

/// SQL's LIKE without case: `%` is any run of characters, `_` any one, `\` takes the next as is.
pub(super) struct Like {
    text: String,
    pattern: Vec<char>,
}

impl Like {
    fn new(text: &str) -> Self {
        let text = folded(text);
        Self {
            pattern: text.chars().collect(),
            text,
        }
    }

    /// The pattern as plain text, if it has no wildcard.
    fn literal(&self) -> Option<&str> {
        (!self.text.contains(['%', '_', '\\'])).then_some(self.text.as_str())
    }

    fn matches(&self, text: &str) -> bool {
        matches(text.chars(), &self.pattern)
    }
}

fn matches(mut text: Chars<'_>, pattern: &[char]) -> bool {
    match pattern {
        [] => text.next().is_none(),
        ['%', rest @ ..] => {
            matches(text.clone(), rest) || (text.next().is_some() && matches(text, pattern))
        }
        ['_', rest @ ..] => text.next().is_some() && matches(text, rest),
        ['\\', wanted, rest @ ..] | [wanted, rest @ ..] => {
            text.next().is_some_and(|c| c.to_lowercase().eq([*wanted])) && matches(text, rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Like;

    fn like(text: &str, pattern: &str) -> bool {
        Like::new(pattern).matches(text)
    }

    #[test]
    fn percent_and_underscore_are_wildcards_unless_escaped() {
        assert!(like("amira.ellwood@x.example", "%ellwood@x.example"));
        assert!(like("amira.ellwood@x.example", "a%ell%"));
        assert!(like("a-b@x.example", "a_b@x.example"));
        assert!(!like("a-b@x.example", r"a\_b@x.example"));
        assert!(like("50%", r"50\%"));
        assert!(!like("amira", "ami"));
    }

    #[test]
    fn case_does_not_count() {
        assert!(like("Amira", "aMIRA"));
        assert!(like("ÉMILE", "émi%"));
    }
}
