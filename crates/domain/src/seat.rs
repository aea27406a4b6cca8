//! A student's seat in a class: whether the enrolment is wanted, suspended or left alone.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    columns::Values,
    course::has_ended,
    ids::{MoodleCourseId, MoodleUserId, ZohoId},
    issue::{Issue, IssueCode},
};

/// What an enrolment record asks for by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// The student takes part.
    Enrol,
    /// The student has left: the enrolment is suspended, never removed.
    Suspend,
    /// Whatever is there stays as it is.
    Leave,
}

/// What an enrolment asks of Moodle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredSeat {
    /// The student.
    pub student: ZohoId,
    /// The class.
    pub class: ZohoId,
    /// What is wanted.
    pub access: Access,
    /// Last day of the enrolment itself.
    pub ends_on: Option<NaiveDate>,
}

impl DesiredSeat {
    /// Reads it off the enrolment's values; a certain deletion is a withdrawal.
    ///
    /// The real module has no status: existence and dates count. An account that does have one
    /// is understood; an unknown word leaves everything as it is and is an issue.
    pub fn plan(enrolment: &Values, deleted: bool) -> Result<Self, Issue> {
        let student = lookup(enrolment, "student_zoho_id", "student")?;
        let class = lookup(enrolment, "class_zoho_id", "class")?;
        let access = if deleted {
            Access::Suspend
        } else {
            access_of(enrolment)?
        };
        Ok(Self {
            student,
            class,
            access,
            ends_on: enrolment.date("end_date"),
        })
    }

    /// What is to be done today, given the class: an ended class or enrolment is left alone.
    pub fn effective(&self, class: &Values, today: NaiveDate) -> Access {
        let over = self.ends_on.is_some_and(|last| last < today) || has_ended(class, today);
        match self.access {
            Access::Enrol if over => Access::Leave,
            access => access,
        }
    }
}

/// What a seat is known to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedSeat {
    /// The enrolled user.
    pub user: MoodleUserId,
    /// The course.
    pub course: MoodleCourseId,
    /// Whether the enrolment is suspended.
    pub suspended: bool,
    /// Whether the bridge made the enrolment; only then may it suspend it.
    pub ours: bool,
}

/// What a class's teacher asks of Moodle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredTeaching {
    /// The teacher, if the class has one.
    pub teacher: Option<ZohoId>,
}

impl DesiredTeaching {
    /// Reads it off the class's values.
    pub fn plan(class: &Values) -> Self {
        let teacher = class
            .text("teacher_zoho_id")
            .and_then(|raw| ZohoId::parse(raw).ok());
        Self { teacher }
    }
}

fn access_of(enrolment: &Values) -> Result<Access, Issue> {
    let Some(status) = enrolment.text("status") else {
        return Ok(Access::Enrol);
    };
    match status.to_lowercase().as_str() {
        "active" | "enrolled" | "new" | "special" => Ok(Access::Enrol),
        "withdraw" | "withdrawn" | "blocked" | "freeze" | "frozen" | "dropped" | "cancelled"
        | "suspended" => Ok(Access::Suspend),
        "completed" | "graduated" | "end" => Ok(Access::Leave),
        _ => {
            let message = format!("The enrolment's status '{status}' is not one the bridge knows.");
            Err(Issue::new(IssueCode::BadValue, message).about("status"))
        }
    }
}

fn lookup(values: &Values, column: &'static str, what: &str) -> Result<ZohoId, Issue> {
    values
        .text(column)
        .and_then(|raw| ZohoId::parse(raw).ok())
        .ok_or_else(|| {
            let message = format!("The enrolment names no {what}.");
            Issue::new(IssueCode::LookupEmpty, message).about(column)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Value;

    fn values(pairs: &[(&'static str, &str)]) -> Values {
        pairs
            .iter()
            .map(|(name, raw)| (*name, Some(Value::Text((*raw).to_owned()))))
            .collect()
    }

    fn enrolment(status: Option<&str>) -> Values {
        let mut pairs = vec![("student_zoho_id", "9001"), ("class_zoho_id", "9301")];
        pairs.extend(status.map(|status| ("status", status)));
        values(&pairs)
    }

    fn day(raw: &str) -> NaiveDate {
        NaiveDate::parse_from_str(raw, "%Y-%m-%d").unwrap()
    }

    #[test]
    fn an_enrolment_that_exists_enrols_and_a_deleted_one_suspends() {
        let plan = |deleted| DesiredSeat::plan(&enrolment(None), deleted).unwrap().access;
        assert_eq!(plan(false), Access::Enrol);
        assert_eq!(plan(true), Access::Suspend);
    }

    #[test]
    fn each_status_has_its_meaning_and_an_unknown_one_is_an_issue() {
        let plan = |status| DesiredSeat::plan(&enrolment(Some(status)), false);
        assert_eq!(plan("Active").unwrap().access, Access::Enrol);
        assert_eq!(plan("Withdrawn").unwrap().access, Access::Suspend);
        assert_eq!(plan("Completed").unwrap().access, Access::Leave);
        assert_eq!(plan("Perhaps").unwrap_err().code, IssueCode::BadValue);
    }

    #[test]
    fn an_ended_class_is_left_alone_but_a_withdrawal_still_counts() {
        let today = day("2026-11-22");
        let ended = values(&[("class_status", "End")]);
        let seat = DesiredSeat::plan(&enrolment(None), false).unwrap();
        assert_eq!(seat.effective(&ended, today), Access::Leave);
        assert_eq!(
            seat.effective(&values(&[("class_status", "Active")]), today),
            Access::Enrol
        );
        let left = DesiredSeat::plan(&enrolment(None), true).unwrap();
        assert_eq!(left.effective(&ended, today), Access::Suspend);
    }

    #[test]
    fn an_enrolment_without_a_student_is_an_issue() {
        let issue = DesiredSeat::plan(&values(&[("class_zoho_id", "9301")]), false).unwrap_err();
        assert_eq!(issue.code, IssueCode::LookupEmpty);
    }
}
