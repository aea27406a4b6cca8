//! What every CRM behind the port must do, one function a promise.
//!
//! Run it with [`crm_contract!`](crate::crm_contract): over the fake, over a simulator. Records
//! are made through the port itself, so a harness only does what the port cannot.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a contract test stops at the first surprise"
)]

mod channels;
mod failures;
mod lists;
mod reads;
mod writes;

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use mzi_domain::{FieldValue, ZohoId};

pub use self::{channels::*, failures::*, lists::*, reads::*, writes::*};
use crate::{
    crm::{Crm, RecordWrite, WriteMode},
    error::CrmError,
};

/// The module most promises are tried on.
///
/// Its fields `BTEC_Grade_Name`, `Feedback` and `Moodle_Grade_Composite_Key` are text, the last
/// one unique; `Attempt_Number` is a whole number.
pub const GRADES: &str = "BTEC_Grades";

/// A module with a sub-form, `Payment_Schedule`, whose rows hold a whole number
/// `Installment_No` and an amount `Installment_Amount`.
pub const REGISTRATIONS: &str = "BTEC_Registrations";

/// A module with more than fifty text fields.
pub const STUDENTS: &str = "BTEC_Students";

/// The unique field of [`GRADES`].
pub const KEY: &str = "Moodle_Grade_Composite_Key";

/// A plain text field of [`GRADES`].
pub const NAME: &str = "BTEC_Grade_Name";

/// One CRM to hold to its promises. It begins without records.
#[async_trait]
pub trait CrmHarness: Send + Sync {
    /// The CRM.
    fn crm(&self) -> &dyn Crm;

    /// What time it is for the CRM. It may move on by itself.
    fn now(&self) -> DateTime<Utc>;

    /// Lets ten seconds pass for the CRM.
    async fn later(&self);

    /// Deletes a record as a person would.
    async fn delete(&self, module: &str, id: &ZohoId);

    /// Makes the next call fail.
    async fn fail_next(&self, failure: Failure);
}

/// How a call can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The CRM says it is unwell; nothing happens.
    Unwell,
    /// Too many calls; nothing happens.
    Throttled,
    /// The credentials lack a scope; nothing happens.
    ScopeMissing,
    /// The call takes effect, but its answer is lost on the way.
    AnswerLost,
}

/// Makes one test of each promise.
///
/// Takes the path of an `async fn() -> impl CrmHarness`; the calling crate needs tokio's test
/// macro.
#[macro_export]
macro_rules! crm_contract {
    ($harness:path) => {
        $crate::crm_contract! { @each $harness,
            the_organisation_has_an_id,
            modules_are_listed_with_their_names,
            fields_say_what_they_are,
            a_module_that_does_not_exist_is_refused,
            records_are_read_with_the_fields_asked_for_and_no_others,
            records_that_are_not_there_are_left_out,
            an_empty_field_is_null,
            a_number_keeps_its_digits,
            more_fields_than_one_call_may_name_are_joined,
            lists_leave_sub_forms_out_and_a_read_of_one_record_has_them,
            a_record_that_is_gone_is_none,
            a_refusal_is_never_taken_for_absence,
            pages_come_oldest_change_first,
            a_page_carries_on_exactly_where_the_one_before_ended,
            only_what_changed_since_a_moment_is_listed,
            deletions_are_listed_since_a_moment,
            every_record_of_a_large_write_has_its_outcome_in_order,
            a_refused_record_does_not_hold_up_the_others,
            a_repeated_value_of_a_unique_field_is_refused,
            an_upsert_finds_its_record_by_a_unique_field,
            an_update_leaves_other_fields_alone_and_null_clears,
            an_update_of_an_unknown_record_is_refused,
            an_insert_whose_answer_is_lost_is_of_unknown_outcome,
            a_channel_is_kept_as_it_was_asked_for,
            a_channel_asked_to_live_too_long_lives_for_an_hour,
            subscribing_again_replaces_the_channel,
            ending_a_channel_twice_is_no_error,
            a_channel_token_that_is_too_long_is_refused,
            an_unwell_crm_is_unavailable,
            too_many_calls_are_told_apart,
            a_missing_scope_is_forbidden_and_names_what_was_attempted,
        }
    };
    (@each $harness:path, $($promise:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $promise() {
                $crate::testing::crm_contract::$promise(&$harness().await).await;
            }
        )*
    };
}

/// A text value.
pub fn text(value: &str) -> FieldValue {
    FieldValue::Text(value.into())
}

/// A number as it is written.
pub fn number(digits: &str) -> FieldValue {
    FieldValue::Number(digits.into())
}

/// A record to insert.
pub fn record<'a>(fields: impl IntoIterator<Item = (&'a str, FieldValue)>) -> RecordWrite {
    RecordWrite {
        id: None,
        fields: fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    }
}

/// Field names as the port takes them.
pub fn names(fields: &[&str]) -> Vec<String> {
    fields.iter().map(|&name| name.to_owned()).collect()
}

/// Inserts one record and answers its id.
async fn inserted<'a>(
    world: &dyn CrmHarness,
    module: &str,
    fields: impl IntoIterator<Item = (&'a str, FieldValue)>,
) -> ZohoId {
    let record = record(fields);
    let outcome = world
        .crm()
        .write(module, &WriteMode::Insert, &[record])
        .await;
    let mut outcomes = outcome.unwrap();
    outcomes.remove(0).unwrap().id
}

/// Changes fields of a record.
async fn updated<'a>(
    world: &dyn CrmHarness,
    module: &str,
    id: &ZohoId,
    fields: impl IntoIterator<Item = (&'a str, FieldValue)>,
) {
    let change = RecordWrite {
        id: Some(id.clone()),
        ..record(fields)
    };
    let outcome = world
        .crm()
        .write(module, &WriteMode::Update, &[change])
        .await;
    let mut outcomes = outcome.unwrap();
    outcomes.remove(0).unwrap();
}

/// Whether a moment is the present one, give or take how long a call takes.
fn is_now(world: &dyn CrmHarness, moment: Option<DateTime<Utc>>) -> bool {
    moment.is_some_and(|at| (world.now() - at).abs() < Duration::seconds(5))
}

/// An id that no record has.
fn nobody() -> ZohoId {
    ZohoId::parse("999999999999999").unwrap()
}

/// The code and message of a refusal.
fn refusal_of<T: std::fmt::Debug>(outcome: Result<T, CrmError>) -> (String, String) {
    match outcome.unwrap_err() {
        CrmError::Rejected { code, message, .. } => (code, message),
        other => (format!("not a refusal: {other:?}"), String::new()),
    }
}
