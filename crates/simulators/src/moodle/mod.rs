//! A Moodle site as its REST web services show it.
//!
//! It answers as Moodle 4.5 LTS and 5.1 do, surprises included: every refusal has HTTP status 200,
//! bad data and duplicates look alike, `update_*` report failures as warnings only, batches that
//! create or enrol keep all rows or none, and a missing capability often looks like an empty
//! answer. What it does follows `docs/contracts/moodle-fixtures`, requests and answers recorded on
//! real sites with invented data; a test replays every one of them.
//!
//! Not simulated: function versions of add-ons, debugging messages, files, and the HTML around the
//! texts of `gradereport_user_get_grades_table`.

mod access;
mod content;
mod control;
mod edits;
mod functions;
mod options;
mod password;
mod refusal;
mod server;
mod simulator;
mod site;
mod wire;

pub use access::{Capability, Token, TokenState, role};
pub use options::{Content, MoodleOptions, MoodleVersion};
pub use simulator::MoodleSimulator;
pub use site::{
    Assignment, AssignmentGrade, Category, Course, Enrolment, Grade, GradeItem, Group, SiteMode,
    Submission, User,
};
