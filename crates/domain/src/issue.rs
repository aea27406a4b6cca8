//! Work that a person must see: what happened, why, and what to do.

use serde::{Deserialize, Serialize};

macro_rules! issue_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $hint:literal;)*) => {
        /// Every reason for which work stops until a person looks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum IssueCode {
            $($(#[$doc])* #[serde(rename = $code)] $variant,)*
        }

        impl IssueCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable word in the API, the log and the database.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What a person can do about it.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$variant => $hint,)* }
            }
        }
    };
}

issue_codes! {
    /// Zoho has no record with the id an event named.
    RecordNotFound = "record_not_found",
        "Check that the id and the module belong together; if the record was deleted in Zoho, nothing is to be done.";
    /// A record we hold is no longer readable, and nothing says it was deleted.
    RecordVanished = "record_vanished",
        "Check in Zoho whether the record was deleted or hidden from the API user; local data is kept until a deletion is certain.";
    /// A value of the record does not fit its column.
    BadValue = "bad_value",
        "Correct the field in Zoho or change its mapping; the record is read again on its next change.";
    /// The student has no usable e-mail address.
    MissingEmail = "missing_email",
        "Fill in the student's e-mail address in Zoho.";
    /// First and last name are blank and the display name does not help.
    MissingName = "missing_name",
        "Fill in the student's first and last name in Zoho.";
    /// Nothing is left of the mapped username.
    MissingUsername = "missing_username",
        "Fill in the field that gives the username in Zoho.";
    /// A Moodle user with this username belongs to somebody else.
    UsernameTaken = "username_taken",
        "Compare both people: correct the username in Zoho, or clear or correct the ID number of the Moodle user.";
    /// A Moodle user with this e-mail address belongs to somebody else.
    EmailTaken = "email_taken",
        "Compare both people: correct the e-mail address in Zoho, or clear or correct the ID number of the Moodle user.";
    /// More than one Moodle user fits.
    AccountAmbiguous = "account_ambiguous",
        "Merge or correct the Moodle users so that one fits, then retry.";
    /// The Moodle user that fits is a guest or site administrator.
    AccountProtected = "account_protected",
        "Give the person a Moodle account that is neither guest nor site administrator.";
    /// No Moodle user fits and the bridge may not create one.
    AccountNotAllowed = "account_not_allowed",
        "Create the Moodle account by hand, or allow the bridge to create accounts (MOODLE_CREATE_USERS).";
    /// The Moodle user or course belongs to another Zoho record already.
    LinkTaken = "link_taken",
        "Two Zoho records lead to the same Moodle user or course: merge or correct them in Zoho, then retry.";
    /// The class lacks a name or short name.
    MissingCourseName = "missing_course_name",
        "Fill in the class's name in Zoho.";
    /// Another course has the short name.
    ShortnameTaken = "shortname_taken",
        "Change the class's short name in Zoho, or set the existing course's ID number to the one shown to adopt it.";
    /// More than one course has our ID number.
    CourseAmbiguous = "course_ambiguous",
        "Two Moodle courses carry the same ID number; correct one of them, then retry.";
    /// Zoho names a Moodle course that is not known to be this class.
    AdoptionNeeded = "adoption_needed",
        "If the named course is this class, set its ID number to the one shown, or allow adoption (MOODLE_ADOPT_COURSES).";
    /// The category does not exist in Moodle.
    CategoryUnknown = "category_unknown",
        "Correct the programme's Moodle category id in Zoho, or MOODLE_DEFAULT_CATEGORY_ID.";
    /// The class's teacher has no Moodle account.
    TeacherWithoutAccount = "teacher_without_account",
        "Create the teacher's Moodle account with the same e-mail address or username, then retry.";
    /// A parent record did not turn up in time.
    ParentMissing = "parent_missing",
        "Check the lookup in Zoho: the record it names cannot be read or has an open issue of its own.";
    /// A lookup that the record needs is empty.
    LookupEmpty = "lookup_empty",
        "Fill in the empty lookup in Zoho.";
    /// The enrolment existed before the bridge; it is not ours to suspend.
    SeatNotOurs = "seat_not_ours",
        "The enrolment was made by somebody else: suspend it in Moodle by hand if that is wanted.";
    /// The other side refused what we sent.
    Refused = "refused",
        "The message names what was refused; correct it at its source, then retry.";
    /// A web-service function or capability is missing.
    NotAllowed = "not_allowed",
        "Give the bridge's account the missing permission: in Moodle add the function to the external service and the capability to its role, in Zoho extend the scopes.";
    /// It kept failing for too long.
    GaveUp = "gave_up",
        "The other system failed for three days; retry when it is well again.";
    /// The answer of the other system makes no sense.
    Protocol = "protocol_error",
        "The other system answered something unexpected; look at its version and its own log.";
    /// Credentials are refused; the whole connection waits.
    ConnectionRefused = "connection_refused_credentials",
        "Renew the credentials of the connection; everything waits and nothing is lost.";
    /// The Zoho organisation or Moodle site is not the stored one.
    PlaceChanged = "place_changed",
        "All writing has stopped. If it is the same place under another address accept it (`mzi connection accept`), else point the bridge back.";
    /// A notification channel could not be registered.
    ChannelFailed = "channel_failed",
        "Check WEBHOOK_BASE_URL and the scope ZohoCRM.notifications.ALL; until then Zoho does not tell of changes in this module.";
    /// A mapped field does not exist in the module.
    FieldMissing = "field_missing",
        "Map the column to another field, or ignore this if the account does not have it.";
}

/// One thing that needs a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// The reason, stable and countable.
    pub code: IssueCode,
    /// What happened, in a sentence a registrar understands; both sides where two disagree.
    pub message: String,
    /// The field or thing it is about, which groups issues together with the code.
    pub subject: Option<String>,
}

impl Issue {
    /// An issue about nothing in particular.
    pub fn new(code: IssueCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            subject: None,
        }
    }

    /// The same issue, about `subject`.
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }
}
