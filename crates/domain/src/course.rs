//! A class's Moodle course: when it is due, what it should be, and whether it exists already.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{
    columns::Values,
    ids::{MoodleCategoryId, MoodleCourseId, ZohoId},
    issue::{Issue, IssueCode},
    text::clipped,
};

/// Moodle's limits (`mdl_course.fullname` 1333 from 5.0, 254 before; `shortname` 255).
const FULLNAME_LIMIT: usize = 254;
const SHORTNAME_LIMIT: usize = 255;
/// What is taken of a long class name when the class has no short name.
const NAME_AS_SHORTNAME: usize = 50;

/// Settings that shape Moodle courses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoursePolicy {
    /// The category of classes whose programme names none.
    pub default_category: MoodleCategoryId,
    /// The zone in which a start date begins.
    pub zone: Tz,
    /// Whether a course that Zoho names and whose name matches may be taken over.
    pub adopt: bool,
}

/// What a class asks of Moodle, as far as the class alone can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredCourse {
    /// `zoho:<class id>`.
    pub idnumber: String,
    /// The class's name.
    pub fullname: String,
    /// The class's short name.
    pub shortname: String,
    /// The programme, whose category the course goes into.
    pub program: Option<ZohoId>,
    /// First day.
    pub starts_on: Option<NaiveDate>,
    /// Whether a missing course is created now.
    pub due: bool,
    /// The course Zoho says this class already is.
    pub claimed: Option<MoodleCourseId>,
}

impl DesiredCourse {
    /// Reads it off the class's values, or says what is missing.
    pub fn plan(id: &ZohoId, class: &Values) -> Result<Self, Issue> {
        let name = class.text("class_name");
        let Some(fullname) = name.or(class.text("class_short_name")) else {
            let message = "The class has neither a name nor a short name.";
            return Err(Issue::new(IssueCode::MissingCourseName, message).about("class_name"));
        };
        let shortname = match class.text("class_short_name") {
            Some(short) => clipped(short, SHORTNAME_LIMIT),
            None => clipped(fullname, NAME_AS_SHORTNAME),
        };
        Ok(Self {
            idnumber: course_idnumber(id),
            fullname: clipped(fullname, FULLNAME_LIMIT),
            shortname,
            program: class
                .text("program_zoho_id")
                .and_then(|raw| ZohoId::parse(raw).ok()),
            starts_on: class.date("start_date"),
            due: is_status(class, "active"),
            claimed: class
                .text("moodle_class_id")
                .and_then(|raw| MoodleCourseId::parse(raw).ok()),
        })
    }
}

/// The ID number by which a class's course is known.
pub fn course_idnumber(class: &ZohoId) -> String {
    format!("zoho:{class}")
}

/// Whether the class is over: its status says so, or its last day is past.
///
/// Access is then left as it is; nobody is enrolled or suspended any more.
pub fn has_ended(class: &Values, today: NaiveDate) -> bool {
    is_status(class, "end") || class.date("end_date").is_some_and(|last| last < today)
}

/// Midnight of a date in a zone; where the clock skips midnight, the first moment of that day.
pub fn start_of_day(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = date.and_time(NaiveTime::MIN);
    zone.from_local_datetime(&midnight)
        .earliest()
        .or_else(|| {
            zone.from_local_datetime(&(midnight + chrono::Duration::hours(1)))
                .earliest()
        })
        .map_or_else(|| midnight.and_utc(), |at| at.with_timezone(&Utc))
}

/// A Moodle course as a look-up returned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCourse {
    /// Moodle's id.
    pub id: MoodleCourseId,
    /// Its ID number; empty if nobody set one.
    pub idnumber: String,
    /// Its short name.
    pub shortname: String,
    /// Its full name.
    pub fullname: String,
}

/// What look-ups found for a class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundCourses {
    /// Courses with the class's ID number.
    pub by_idnumber: Vec<FoundCourse>,
    /// Courses with the class's short name.
    pub by_shortname: Vec<FoundCourse>,
    /// The course Zoho names.
    pub claimed: Option<FoundCourse>,
}

/// What to do about a class's course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CourseDecision {
    /// This course carries the class's ID number already.
    Ours(FoundCourse),
    /// Zoho names this course, it belongs to nobody and adoption was accepted.
    Adopt(FoundCourse),
    /// No course exists and one is due.
    Create,
    /// No course exists and none is due yet.
    NotDue,
}

/// Finds the class's course, or says whom to ask.
pub fn decide_course(
    desired: &DesiredCourse,
    found: &FoundCourses,
    policy: &CoursePolicy,
) -> Result<CourseDecision, Issue> {
    match found.by_idnumber.as_slice() {
        [ours] => return Ok(CourseDecision::Ours(ours.clone())),
        [] => {}
        many => {
            let ids: Vec<_> = many.iter().map(|course| course.id.to_string()).collect();
            let message = format!(
                "Courses {} all have ID number {}.",
                ids.join(", "),
                desired.idnumber
            );
            return Err(Issue::new(IssueCode::CourseAmbiguous, message));
        }
    }
    if let Some(claimed) = &found.claimed {
        return adoption(desired, claimed, policy);
    }
    if !desired.due {
        return Ok(CourseDecision::NotDue);
    }
    if let Some(other) = found.by_shortname.first() {
        return Err(shortname_taken(desired, Some(other)));
    }
    Ok(CourseDecision::Create)
}

/// The issue for a short name another course has.
pub fn shortname_taken(desired: &DesiredCourse, other: Option<&FoundCourse>) -> Issue {
    let holder = other.map_or_else(
        || "another course".to_owned(),
        |course| format!("course {} ({})", course.id, course.fullname),
    );
    let message = format!(
        "The short name {} of {} ({}) is already that of {holder} in Moodle.",
        desired.shortname, desired.fullname, desired.idnumber
    );
    Issue::new(IssueCode::ShortnameTaken, message).about("class_short_name")
}

/// What a class's course is known to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedCourse {
    /// Moodle's id.
    pub course: MoodleCourseId,
    /// Its name as we last wrote it.
    pub fullname: String,
    /// Its short name as we last wrote it.
    pub shortname: String,
    /// Its category as we last wrote it.
    pub category: MoodleCategoryId,
    /// Its first moment as we last wrote it.
    pub starts_at: Option<DateTime<Utc>>,
}

fn adoption(
    desired: &DesiredCourse,
    claimed: &FoundCourse,
    policy: &CoursePolicy,
) -> Result<CourseDecision, Issue> {
    let folded = |text: &str| text.trim().to_lowercase();
    let same_name = folded(&claimed.shortname) == folded(&desired.shortname)
        || folded(&claimed.fullname) == folded(&desired.fullname);
    if policy.adopt && same_name && claimed.idnumber.trim().is_empty() {
        return Ok(CourseDecision::Adopt(claimed.clone()));
    }
    let message = format!(
        "Zoho says {} ({}) is Moodle course {}, which is {} with ID number '{}'.",
        desired.fullname, desired.idnumber, claimed.id, claimed.fullname, claimed.idnumber
    );
    Err(Issue::new(IssueCode::AdoptionNeeded, message).about("moodle_class_id"))
}

fn is_status(class: &Values, word: &str) -> bool {
    class
        .text("class_status")
        .is_some_and(|status| status.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Value;

    fn class(pairs: &[(&'static str, &str)]) -> Values {
        pairs
            .iter()
            .map(|(name, raw)| (*name, Some(Value::Text((*raw).to_owned()))))
            .collect()
    }

    fn id() -> ZohoId {
        ZohoId::parse("900000000000301").unwrap()
    }

    fn desired() -> DesiredCourse {
        let values = class(&[
            ("class_name", "Programming, autumn"),
            ("class_short_name", "PROG-A"),
            ("class_status", "Active"),
        ]);
        DesiredCourse::plan(&id(), &values).unwrap()
    }

    fn policy(adopt: bool) -> CoursePolicy {
        CoursePolicy {
            default_category: MoodleCategoryId::new(1).unwrap(),
            zone: Tz::Asia__Amman,
            adopt,
        }
    }

    fn course(idnumber: &str) -> FoundCourse {
        FoundCourse {
            id: MoodleCourseId::new(12).unwrap(),
            idnumber: idnumber.into(),
            shortname: "prog-a".into(),
            fullname: "Programming".into(),
        }
    }

    #[test]
    fn a_course_is_due_only_while_the_class_is_active() {
        assert!(desired().due);
        let pending = class(&[("class_name", "X"), ("class_status", "Pending")]);
        assert!(!DesiredCourse::plan(&id(), &pending).unwrap().due);
        let decision = decide_course(
            &DesiredCourse {
                due: false,
                ..desired()
            },
            &FoundCourses::default(),
            &policy(false),
        );
        assert_eq!(decision, Ok(CourseDecision::NotDue));
    }

    #[test]
    fn a_course_with_our_id_number_is_ours() {
        let found = FoundCourses {
            by_idnumber: vec![course("zoho:900000000000301")],
            ..FoundCourses::default()
        };
        let decision = decide_course(&desired(), &found, &policy(false)).unwrap();
        assert_eq!(
            decision,
            CourseDecision::Ours(course("zoho:900000000000301"))
        );
    }

    #[test]
    fn a_taken_short_name_is_an_issue_that_names_the_holder() {
        let found = FoundCourses {
            by_shortname: vec![course("")],
            ..FoundCourses::default()
        };
        let issue = decide_course(&desired(), &found, &policy(false)).unwrap_err();
        assert_eq!(issue.code, IssueCode::ShortnameTaken);
        assert!(issue.message.contains("course 12"));
    }

    #[test]
    fn a_course_zoho_names_is_adopted_only_when_allowed_free_and_of_that_name() {
        let claimed = |idnumber| FoundCourses {
            claimed: Some(course(idnumber)),
            ..FoundCourses::default()
        };
        let decide = |found, adopt| decide_course(&desired(), &found, &policy(adopt));
        assert_eq!(
            decide(claimed(""), true),
            Ok(CourseDecision::Adopt(course("")))
        );
        assert_eq!(
            decide(claimed(""), false).unwrap_err().code,
            IssueCode::AdoptionNeeded
        );
        assert_eq!(
            decide(claimed("other"), true).unwrap_err().code,
            IssueCode::AdoptionNeeded
        );
    }

    #[test]
    fn a_class_without_a_short_name_uses_the_start_of_its_name() {
        let long = "L".repeat(80);
        let values = class(&[("class_name", &long), ("class_status", "active")]);
        assert_eq!(
            DesiredCourse::plan(&id(), &values).unwrap().shortname.len(),
            50
        );
    }

    #[test]
    fn a_day_begins_at_the_organisations_midnight() {
        let date = NaiveDate::from_ymd_opt(2026, 9, 1).unwrap();
        assert_eq!(
            start_of_day(date, Tz::Asia__Amman).to_rfc3339(),
            "2026-08-31T21:00:00+00:00"
        );
        // Cairo skips midnight when summer time begins.
        let skipped = NaiveDate::from_ymd_opt(2024, 4, 26).unwrap();
        assert_eq!(
            start_of_day(skipped, Tz::Africa__Cairo).to_rfc3339(),
            "2024-04-25T22:00:00+00:00"
        );
    }

    #[test]
    fn a_class_ends_by_status_or_by_date() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        assert!(has_ended(&class(&[("class_status", "End")]), today));
        let mut dated = class(&[("class_status", "Active")]);
        dated.set("end_date", Some(Value::Date(today)));
        assert!(!has_ended(&dated, today));
        dated.set("end_date", Some(Value::Date(today.pred_opt().unwrap())));
        assert!(has_ended(&dated, today));
    }
}
