//! Identifiers. Each belongs to one place; none is a bare string or number inside the bridge.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::Invalid;

/// A Zoho CRM record id: decimal digits, longer than a 53-bit number allows, so text end to end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ZohoId(Box<str>);

impl ZohoId {
    /// Accepts 1 to 30 ASCII digits, white space around them ignored.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let text = raw.trim();
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if text.is_empty() || text.len() > 30 || !digits {
            return Err(Invalid::new("Zoho record id", "1 to 30 digits"));
        }
        Ok(Self(text.into()))
    }

    /// The id as Zoho writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ZohoId {
    type Error = Invalid;

    fn try_from(raw: String) -> Result<Self, Invalid> {
        Self::parse(&raw)
    }
}

impl From<ZohoId> for String {
    fn from(id: ZohoId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for ZohoId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

macro_rules! moodle_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Accepts the positive numbers Moodle gives out.
            pub fn new(raw: i64) -> Result<Self, Invalid> {
                if raw < 1 {
                    return Err(Invalid::new($what, "a number above zero"));
                }
                Ok(Self(raw))
            }

            /// Accepts a positive decimal number, white space around it ignored.
            pub fn parse(raw: &str) -> Result<Self, Invalid> {
                let number = raw
                    .trim()
                    .parse()
                    .ok()
                    .ok_or(Invalid::new($what, "a number above zero"))?;
                Self::new(number)
            }

            /// The number Moodle knows it by.
            pub fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }
    };
}

moodle_id!(
    /// `mdl_user.id`.
    MoodleUserId,
    "Moodle user id"
);
moodle_id!(
    /// `mdl_course.id`.
    MoodleCourseId,
    "Moodle course id"
);
moodle_id!(
    /// `mdl_course_categories.id`.
    MoodleCategoryId,
    "Moodle category id"
);
moodle_id!(
    /// `mdl_role.id`; core web services cannot resolve short names, so roles are settings.
    MoodleRoleId,
    "Moodle role id"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zoho_id_is_digits_only() {
        assert_eq!(
            ZohoId::parse(" 900000000000101 ").unwrap().as_str(),
            "900000000000101"
        );
        for raw in [
            "",
            "12a",
            "${!BTEC_Students.Id}",
            "-1",
            "１２",
            &"9".repeat(31),
        ] {
            assert!(ZohoId::parse(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_moodle_id_is_above_zero() {
        assert_eq!(MoodleUserId::parse("42").unwrap().get(), 42);
        for raw in ["0", "-3", "", "4.2", "x"] {
            assert!(MoodleUserId::parse(raw).is_err(), "{raw}");
        }
    }
}
