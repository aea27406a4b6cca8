//! The language of the bridge: types, rules and pure decisions.
//!
//! Nothing here waits, reads a clock, rolls dice or touches a network: the same input gives the
//! same answer. Whatever needs the world lives behind a port (`mzi-ports`) and asks this crate
//! what to do.
//!
//! | word | meaning |
//! |---|---|
//! | *record* | one row of a Zoho module, named by its [`ZohoId`] |
//! | *entity* | the bridge's name for a kind of record ([`Entity`]) |
//! | *event* | a notice that a record may have changed; never a source of values |
//! | *lane* | one kind of work: refresh a record, or converge one thing elsewhere ([`Lane`]) |
//! | *account, course, teaching, seat* | what a student, a class, a class's teacher and an enrolment are in Moodle |
//! | *desired / confirmed* | what the other side should look like, and what it is known to look like |
//! | *issue* | work that a person must see before it can go on |

pub mod account;
pub mod columns;
pub mod course;
pub mod entity;
pub mod event;
pub mod ids;
pub mod issue;
pub mod lane;
pub mod mapping;
pub mod mapping_defaults;
pub mod record;
pub mod role;
pub mod seat;
pub mod setup;
pub mod text;
pub mod transform;
pub mod upstream;

pub use columns::{Column, Kind, Value, Values};
pub use entity::Entity;
pub use event::{Operation, Provenance};
pub use ids::{MoodleCategoryId, MoodleCourseId, MoodleRoleId, MoodleUserId, ZohoId};
pub use issue::{Issue, IssueCode};
pub use lane::{Lane, WorkKey};
pub use mapping::{Mapping, Rule};
pub use record::{CrmRecord, FieldValue, RecordChange, StoredRecord};
pub use text::Invalid;
pub use transform::Transform;
pub use upstream::Upstream;
