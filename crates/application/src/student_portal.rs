//! What a student sees of themselves. The student comes from the signed token, never from the
//! request.

use std::sync::Arc;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use mzi_domain::{MoodleUserId, Upstream, Values};
use mzi_ports::{
    Clock, StoreError, Views,
    views::{ClassView, StudentView},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::breaker::Breakers;

/// Data is called stale when Zoho has not been reached for this long.
const STALE_AFTER_MINUTES: i64 = 15;

/// Serves the student API.
pub struct StudentPortal {
    views: Arc<dyn Views>,
    breakers: Arc<Breakers>,
    clock: Arc<dyn Clock>,
}

/// An answer with how fresh it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Answer<T> {
    /// The data.
    pub data: T,
    /// When it was last read from Zoho.
    pub as_of: DateTime<Utc>,
    /// Whether something newer is known to exist, or Zoho has been silent too long.
    pub stale: bool,
}

/// Whether a Moodle user is a student.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LinkData {
    /// Whether they are.
    pub linked: bool,
    /// Our opaque id of the student.
    pub student_ref: Option<String>,
    /// The student number people know.
    pub display_id: Option<String>,
}

/// A list with its cursor.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Items<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

/// A student's profile.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Profile {
    /// The student number people know.
    pub student_number: Option<String>,
    /// Their names.
    pub names: Names,
    /// Their addresses.
    pub emails: Emails,
    /// Their phone number.
    pub phone: Option<String>,
    /// Their date of birth.
    pub date_of_birth: Option<NaiveDate>,
    /// Their nationality.
    pub nationality: Option<String>,
    /// Where they live.
    pub address: Option<String>,
    /// The city they live in.
    pub city: Option<String>,
    /// Their status in Zoho.
    pub status: Option<String>,
    /// What they study.
    pub programme: Programme,
    /// Their national id with all but the last three characters hidden.
    pub national_id_masked: Option<String>,
    /// Whom to call.
    pub emergency_contact: Option<EmergencyContact>,
    /// Fields they may ask to have changed.
    pub editable_fields: Vec<&'static str>,
}

/// Names in both scripts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Names {
    /// Given name.
    pub first: Option<String>,
    /// Family name.
    pub last: Option<String>,
    /// The full name in the student's own script.
    pub native: Option<String>,
}

/// E-mail addresses.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Emails {
    /// The institution's.
    pub academic: Option<String>,
    /// The student's own.
    pub personal: Option<String>,
}

/// A study programme as the student has it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Programme {
    /// Its name.
    pub name: Option<String>,
    /// The major.
    pub major: Option<String>,
    /// The major's part.
    pub sub_major: Option<String>,
    /// The language of study.
    pub study_language: Option<String>,
    /// Online, on site or blended.
    pub study_mode: Option<String>,
    /// The intake.
    pub intake: Option<String>,
    /// The registration number.
    pub registration_number: Option<String>,
}

/// Whom to call in an emergency.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EmergencyContact {
    /// Their name.
    pub name: Option<String>,
    /// Their number.
    pub phone: Option<String>,
}

/// A class as its student sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClassItem {
    /// Our opaque id of the enrolment.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The class's name.
    pub name: Option<String>,
    /// Its short name.
    pub short_name: Option<String>,
    /// Its unit.
    pub unit: UnitItem,
    /// The unit's level.
    pub level: Option<String>,
    /// The teacher's name.
    pub teacher: Option<String>,
    /// First day.
    pub starts_on: Option<NaiveDate>,
    /// Last day.
    pub ends_on: Option<NaiveDate>,
    /// Its status in Zoho.
    pub status: Option<String>,
    /// The student's place in it.
    pub enrolment: EnrolmentItem,
    /// The course in Moodle, as text like every id.
    pub moodle_course_id: Option<String>,
    /// Released grades.
    pub grades: Vec<GradeItem>,
}

/// A unit's code and name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UnitItem {
    /// Its code.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// The student's place in a class.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EnrolmentItem {
    /// Normal, Recording, Self-Study, Not Graded.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// `active`, `suspended`, `pending` or `withdrawn`.
    pub status: &'static str,
    /// Since when.
    pub on: Option<NaiveDate>,
}

/// A released grade; none are served before grades are carried.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GradeItem {}

impl StudentPortal {
    /// Serves from `views`.
    pub fn new(views: Arc<dyn Views>, breakers: Arc<Breakers>, clock: Arc<dyn Clock>) -> Self {
        Self {
            views,
            breakers,
            clock,
        }
    }

    /// Whether a Moodle user is a student; never an error for one who is not.
    pub async fn link(&self, user: MoodleUserId) -> Result<Answer<LinkData>, StoreError> {
        Ok(match self.views.student_of(user).await? {
            Some(student) => {
                let data = LinkData {
                    linked: true,
                    student_ref: Some(student.student_ref.clone()),
                    display_id: text(&student.record.values, "student_id"),
                };
                self.answer(&student, data)
            }
            None => Answer {
                data: LinkData {
                    linked: false,
                    student_ref: None,
                    display_id: None,
                },
                as_of: self.clock.now(),
                stale: self.zoho_is_silent(),
            },
        })
    }

    /// The profile of the student behind a Moodle user, if there is one.
    pub async fn profile(&self, user: MoodleUserId) -> Result<Option<Answer<Profile>>, StoreError> {
        let student = self.views.student_of(user).await?;
        Ok(student.map(|student| self.answer(&student, profile(&student.record.values))))
    }

    /// The classes of the student behind a Moodle user, if there is one.
    pub async fn classes(
        &self,
        user: MoodleUserId,
    ) -> Result<Option<Answer<Items<ClassItem>>>, StoreError> {
        let Some(student) = self.views.student_of(user).await? else {
            return Ok(None);
        };
        let classes = self.views.classes_of(&student.record.id).await?;
        let items = classes.iter().map(class_item).collect();
        Ok(Some(self.answer(
            &student,
            Items {
                items,
                next_cursor: None,
            },
        )))
    }

    fn answer<T>(&self, student: &StudentView, data: T) -> Answer<T> {
        Answer {
            data,
            as_of: student.as_of,
            stale: student.pending || self.zoho_is_silent(),
        }
    }

    fn zoho_is_silent(&self) -> bool {
        let down_since = self.breakers.state(Upstream::Zoho).down_since;
        let limit = Duration::minutes(STALE_AFTER_MINUTES);
        down_since.is_some_and(|since| self.clock.now() - since >= limit)
    }
}

fn text(values: &Values, column: &str) -> Option<String> {
    values.text(column).map(str::to_owned)
}

fn profile(values: &Values) -> Profile {
    let native = [
        values.text("first_name_native"),
        values.text("last_name_native"),
    ];
    let native: Vec<&str> = native.into_iter().flatten().collect();
    let contact = EmergencyContact {
        name: text(values, "emergency_contact_name"),
        phone: text(values, "emergency_contact_phone"),
    };
    Profile {
        student_number: text(values, "student_id"),
        names: Names {
            first: text(values, "first_name"),
            last: text(values, "last_name"),
            native: (!native.is_empty()).then(|| native.join(" ")),
        },
        emails: Emails {
            academic: text(values, "academic_email"),
            personal: text(values, "personal_email"),
        },
        phone: text(values, "phone_number"),
        date_of_birth: values.date("date_of_birth"),
        nationality: text(values, "nationality"),
        address: text(values, "address"),
        city: text(values, "city"),
        status: text(values, "status"),
        programme: programme(values),
        national_id_masked: values.text("national_id").map(masked),
        emergency_contact: (contact.name.is_some() || contact.phone.is_some()).then_some(contact),
        editable_fields: vec![
            "phone",
            "address",
            "city",
            "personal_email",
            "emergency_contact",
        ],
    }
}

fn programme(values: &Values) -> Programme {
    Programme {
        name: text(values, "academic_program"),
        major: text(values, "major"),
        sub_major: text(values, "sub_major"),
        study_language: text(values, "study_language"),
        study_mode: text(values, "study_mode"),
        intake: text(values, "intake"),
        registration_number: text(values, "registration_number"),
    }
}

/// Everything but the last three characters, hidden; a short id is hidden whole.
fn masked(id: &str) -> String {
    let length = id.chars().count();
    let shown = if length > 6 { 3 } else { 0 };
    id.chars()
        .enumerate()
        .map(|(at, c)| if at + shown >= length { c } else { '•' })
        .collect()
}

fn class_item(view: &ClassView) -> ClassItem {
    let none = Values::new();
    let enrolment = &view.enrolment.values;
    let class = view.class.as_ref().map_or(&none, |class| &class.values);
    let unit = view.unit.as_ref().map_or(&none, |unit| &unit.values);
    ClassItem {
        reference: view.seat_ref.clone(),
        name: text(class, "class_name").or_else(|| text(enrolment, "class_name")),
        short_name: text(class, "class_short_name"),
        unit: UnitItem {
            code: text(unit, "unit_code"),
            name: text(unit, "unit_name").or_else(|| text(class, "unit_name")),
        },
        level: text(unit, "level"),
        teacher: text(class, "teacher_name"),
        starts_on: class.date("start_date"),
        ends_on: class.date("end_date"),
        status: text(class, "class_status"),
        enrolment: EnrolmentItem {
            kind: text(enrolment, "enrollment_type"),
            status: enrolment_status(view),
            on: enrolment.date("start_date"),
        },
        moodle_course_id: view.moodle_course_id.map(|id| id.to_string()),
        grades: Vec::new(),
    }
}

fn enrolment_status(view: &ClassView) -> &'static str {
    match (view.enrolment.deleted_at, view.seat_active) {
        (Some(_), _) => "withdrawn",
        (None, Some(true)) => "active",
        (None, Some(false)) => "suspended",
        (None, None) => "pending",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_national_id_shows_at_most_its_end() {
        assert_eq!(masked("9901234567"), "•••••••567");
        assert_eq!(masked("123456"), "••••••");
    }
}
