//! Who may call what: tokens, the functions of their service, the capabilities of their owners.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::functions;

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident = $key:literal, $label:literal;)*) => {
        /// A capability that changes what a function answers (`contracts/moodle.md` §4).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Capability {
            $($(#[$doc])* #[serde(rename = $key)] $name,)*
        }

        impl Capability {
            /// Every capability known here: what a well set-up service user holds.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The words of a `nopermissions` message.
            pub(super) fn label(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)*
                }
            }
        }
    };
}

capabilities! {
    /// Without it every call is an `accessexception`.
    UseRest = "webservice/rest:use", "Use REST protocol";
    /// Without it users are not found: an empty answer, no error.
    ViewUsers = "moodle/user:viewdetails", "View user profiles";
    CreateUsers = "moodle/user:create", "Create users";
    UpdateUsers = "moodle/user:update", "Update user profiles";
    /// Without it no course can be entered.
    ViewCourses = "moodle/course:view", "View courses without participation";
    CreateCourses = "moodle/course:create", "Create courses";
    UpdateCourses = "moodle/course:update", "Update course settings";
    /// Without it categories cannot be searched by idnumber, and idnumbers are left out.
    ManageCategories = "moodle/category:manage", "Manage categories";
    /// Without it a user's courses are not listed: an empty answer, no error.
    ViewParticipants = "moodle/course:viewparticipants", "View participants";
    /// Needed for the option `onlyactive`.
    ReviewEnrolments = "moodle/course:enrolreview", "Review course enrolments";
    Enrol = "enrol/manual:enrol", "Enrol users";
    Unenrol = "enrol/manual:unenrol", "Unenrol users from the course";
    /// Without it a call answers a warning in place of grades.
    ViewAssignmentGrades = "mod/assign:viewgrades", "View grades";
    ViewGradeReport = "gradereport/user:view", "View user report";
    ViewAllGrades = "moodle/grade:viewall", "View grades of other users";
}

/// What is the matter with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenState {
    /// Nothing.
    #[default]
    Valid,
    /// Past its date: refused once, then its row is gone.
    Expired,
    /// Restricted to other addresses.
    AddressRefused,
    /// Its service is switched off.
    ServiceDisabled,
}

/// A token with its service and its owner's rights.
#[derive(Debug, Clone)]
pub struct Token {
    /// The owner.
    pub user_id: u64,
    /// What is the matter with it.
    pub state: TokenState,
    /// The functions of its service, in the service's order.
    pub functions: Arc<Vec<String>>,
    /// What the owner may do, everywhere.
    pub capabilities: Arc<BTreeSet<Capability>>,
    /// The roles the owner may assign; real sites keep managers out of it.
    pub assignable_roles: Arc<BTreeSet<u64>>,
}

impl Token {
    /// A valid token with every function and capability known here.
    #[must_use]
    pub fn of(user_id: u64) -> Self {
        let names = functions::names().map(str::to_owned).collect();
        Self {
            user_id,
            state: TokenState::Valid,
            functions: Arc::new(names),
            capabilities: Arc::new(Capability::ALL.iter().copied().collect()),
            assignable_roles: Arc::new(BTreeSet::from([
                role::EDITING_TEACHER,
                role::TEACHER,
                role::STUDENT,
            ])),
        }
    }

    /// A valid token whose owner may use the protocol and nothing else.
    #[must_use]
    pub fn without_rights(user_id: u64) -> Self {
        Self {
            capabilities: Arc::new(BTreeSet::from([Capability::UseRest])),
            assignable_roles: Arc::default(),
            ..Self::of(user_id)
        }
    }

    /// Whether the owner holds the capability.
    #[must_use]
    pub fn may(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// Gives the owner's role a capability, or takes it away.
    pub fn set_capability(&mut self, capability: Capability, held: bool) {
        let capabilities = Arc::make_mut(&mut self.capabilities);
        if held {
            capabilities.insert(capability);
        } else {
            capabilities.remove(&capability);
        }
    }

    /// Adds a function to the service, or takes it out.
    pub fn set_function(&mut self, name: &str, offered: bool) {
        let functions = Arc::make_mut(&mut self.functions);
        functions.retain(|known| known != name);
        if offered {
            functions.push(name.to_owned());
        }
    }
}

/// Moodle's archetypal roles by their ids on a fresh site.
pub mod role {
    /// Manager.
    pub const MANAGER: u64 = 1;
    /// Teacher who may edit the course.
    pub const EDITING_TEACHER: u64 = 3;
    /// Teacher who may not.
    pub const TEACHER: u64 = 4;
    /// Student.
    pub const STUDENT: u64 = 5;

    /// A role's short name.
    pub(in crate::moodle) fn short_name(id: u64) -> &'static str {
        match id {
            MANAGER => "manager",
            EDITING_TEACHER => "editingteacher",
            TEACHER => "teacher",
            STUDENT => "student",
            _ => "",
        }
    }
}

/// All tokens of a site.
pub(super) type Tokens = HashMap<String, Token>;
