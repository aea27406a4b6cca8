//! Moodle's parameter types: a value is refused when cleaning it would change it.

use super::params::Arg;

/// The sign-in methods a new account may name; `oidc` and `saml2` are common add-ons.
const AUTH_PLUGINS: [&str; 11] = [
    "db",
    "email",
    "ldap",
    "lti",
    "manual",
    "nologin",
    "none",
    "oauth2",
    "oidc",
    "saml2",
    "shibboleth",
];

/// The language packs installed.
pub(in crate::moodle) const LANGUAGES: [&str; 2] = ["en", "ar"];

/// The themes installed.
const THEMES: [&str; 2] = ["boost", "classic"];

/// What Moodle's documentation calls a PARAM type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::moodle) enum Kind {
    /// Whole number, written as PHP would write it back.
    Int,
    /// `0` or `1`, nothing else.
    Bool,
    /// Any text.
    Raw,
    /// Any text without white space around it.
    RawTrimmed,
    /// Text without tags.
    NoTags,
    /// Letters.
    Alpha,
    /// Letters, digits, `_` and `-`.
    AlphaNumExt,
    /// Lower-case letters, digits and `. _ @ -`; capitals are refused, not folded.
    Username,
    /// An installed sign-in method.
    Auth,
    /// An installed language pack, or empty.
    Lang,
    /// An installed theme, or empty.
    Theme,
    /// The name of a plug-in, installed or not.
    Plugin,
}

impl Kind {
    /// The value, or none when Moodle would refuse it.
    pub(in crate::moodle) fn accept(self, text: &str) -> Option<Arg> {
        match self {
            Self::Int => canonical_int(text).map(Arg::Int),
            Self::Bool => match text {
                "0" => Some(Arg::Flag(false)),
                "1" => Some(Arg::Flag(true)),
                _ => None,
            },
            _ => self.fits(text).then(|| Arg::Text(text.to_owned())),
        }
    }

    fn fits(self, text: &str) -> bool {
        match self {
            Self::Int | Self::Bool | Self::Raw => true,
            Self::RawTrimmed => text.trim() == text,
            Self::NoTags => !holds_a_tag(text),
            Self::Alpha => text.bytes().all(|b| b.is_ascii_alphabetic()),
            Self::AlphaNumExt => text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')),
            Self::Username => text.bytes().all(is_username_byte),
            Self::Auth => AUTH_PLUGINS.contains(&text),
            Self::Lang => text.is_empty() || LANGUAGES.contains(&text),
            Self::Theme => text.is_empty() || THEMES.contains(&text),
            Self::Plugin => text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
        }
    }
}

fn is_username_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'@' | b'-')
}

/// `05`, ` 5` and `+5` are refused: PHP would write them back as `5`.
fn canonical_int(text: &str) -> Option<i64> {
    text.parse::<i64>()
        .ok()
        .filter(|number| number.to_string() == text)
}

/// PHP takes `<` for the start of a tag unless white space follows.
fn holds_a_tag(text: &str) -> bool {
    text.split('<')
        .skip(1)
        .any(|after| after.chars().next().is_some_and(|c| !c.is_whitespace()))
}

/// Whether Moodle takes the text for an e-mail address.
pub(in crate::moodle) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    !local.is_empty()
        && !local.starts_with('.')
        && !local.ends_with('.')
        && local
            .chars()
            .all(|c| !c.is_whitespace() && !"()<>[]:;,\\\"@".contains(c))
        && domain.contains('.')
        && domain.split('.').all(is_domain_label)
}

fn is_domain_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_must_be_written_as_php_writes_them() {
        for good in ["0", "5", "-1", "4102444800"] {
            assert!(Kind::Int.accept(good).is_some(), "{good}");
        }
        for bad in ["", "abc", "05", " 5", "+5", "5.0", "1e3"] {
            assert_eq!(Kind::Int.accept(bad), None, "{bad}");
        }
    }

    #[test]
    fn booleans_are_zero_or_one() {
        assert_eq!(Kind::Bool.accept("1"), Some(Arg::Flag(true)));
        for bad in ["true", "false", "", "yes", "2"] {
            assert_eq!(Kind::Bool.accept(bad), None, "{bad}");
        }
    }

    #[test]
    fn capitals_in_a_username_are_refused_not_folded() {
        assert!(
            Kind::Username
                .accept("mail.name@students.example")
                .is_some()
        );
        assert_eq!(Kind::Username.accept("Upper.Case"), None);
        assert_eq!(Kind::Username.accept("bad user!"), None);
    }

    #[test]
    fn tags_in_names_are_refused_but_a_lone_angle_bracket_is_not() {
        assert_eq!(Kind::NoTags.accept("<b>Bold</b>"), None);
        assert!(Kind::NoTags.accept("a < b").is_some());
        assert!(Kind::NoTags.accept("O'Neil & Sons").is_some());
    }

    #[test]
    fn email_addresses_need_a_local_part_and_a_dotted_domain() {
        assert!(is_email("amira.ashdown@students.northfield.example"));
        for bad in [
            "",
            "nope",
            "@x.example",
            "a@b",
            "a b@x.example",
            ".a@x.example",
            "a@-x.example",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
