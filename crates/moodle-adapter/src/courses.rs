//! Courses and their categories.

use mzi_domain::{MoodleCourseId, course::FoundCourse};
use mzi_ports::{
    LmsError,
    lms::{Category, CourseKey, CourseUpdate, NewCourse},
};

use crate::{
    MoodleWs,
    exception::{self, rejection_code, unwell_if_write_refused},
    form::Form,
    function::Function,
    wire,
};

/// A course created here is laid out by week, as the bridge's predecessor did.
const FORMAT: &str = "weeks";
/// How many weeks it shows.
const SECTIONS: u8 = 12;
/// The front page is a course to Moodle (`get_courses_by_field_empty_lists_all`).
const FRONT_PAGE: i64 = 1;

impl MoodleWs {
    pub(crate) async fn find_courses(
        &self,
        key: CourseKey,
        value: &str,
    ) -> Result<Vec<FoundCourse>, LmsError> {
        let value = value.trim();
        // A blank value would find every course without one.
        if value.is_empty() {
            return Ok(Vec::new());
        }
        let form = Form::default()
            .with("field", field(key))
            .with("value", value);
        let answer: wire::Courses = self.transport.call(Function::CoursesByField, form).await?;
        let courses = answer.courses.into_iter();
        let courses = courses.filter(|course| course.id.get() != FRONT_PAGE);
        let found: Vec<_> = courses.map(wire::Course::found).collect::<Result<_, _>>()?;
        Ok(found
            .into_iter()
            .filter(|course| fits(course, key, value))
            .collect())
    }

    pub(crate) async fn create_course_once(
        &self,
        course: &NewCourse,
    ) -> Result<MoodleCourseId, LmsError> {
        let keys = [
            format!("idnumber {}", course.idnumber),
            format!("shortname {}", course.shortname.to_lowercase()),
        ];
        let _alone = self.places.hold(keys).await;
        if let Some(existing) = self.our_course(course).await? {
            return Ok(existing);
        }
        let error = match self.request_course(course).await {
            Ok(id) => return Ok(id),
            Err(error) => error,
        };
        if !may_exist_nevertheless(&error) {
            return Err(error);
        }
        match self.our_course(course).await {
            Ok(Some(id)) => Ok(id),
            Ok(None) | Err(_) => Err(unwell_if_write_refused(error)),
        }
    }

    async fn our_course(&self, course: &NewCourse) -> Result<Option<MoodleCourseId>, LmsError> {
        let found = self
            .find_courses(CourseKey::IdNumber, &course.idnumber)
            .await?;
        Ok(found.iter().map(|course| course.id).min())
    }

    async fn request_course(&self, course: &NewCourse) -> Result<MoodleCourseId, LmsError> {
        let row = Form::default()
            .with("fullname", &course.fullname)
            .with("shortname", &course.shortname)
            .with("categoryid", course.category)
            .with("idnumber", &course.idnumber)
            .with("format", FORMAT)
            .with("numsections", SECTIONS)
            .with_some("startdate", course.starts_at.map(|at| at.timestamp()));
        let form = Form::default().with_rows("courses", [row]);
        let made: Vec<wire::CourseRef> = self.transport.call(Function::CreateCourses, form).await?;
        let first = made.first().map(|course| course.id);
        first.ok_or_else(|| LmsError::Protocol {
            detail: format!(
                "{}: no course in the answer",
                Function::CreateCourses.name()
            ),
        })
    }

    pub(crate) async fn change_course(
        &self,
        id: MoodleCourseId,
        update: &CourseUpdate,
    ) -> Result<(), LmsError> {
        let row = Form::default()
            .with("id", id)
            .with_some("fullname", update.fullname.as_ref())
            .with_some("shortname", update.shortname.as_ref())
            .with_some("categoryid", update.category)
            .with_some("idnumber", update.idnumber.as_ref())
            .with_some("startdate", update.starts_at.map(|at| at.timestamp()));
        let form = Form::default().with_rows("courses", [row]);
        let function = Function::UpdateCourses;
        let answer: wire::Updated = self.transport.call(function, form).await?;
        answer.warnings.first().map_or(Ok(()), |warning| {
            let error = exception::refused(function, &warning.warningcode, &warning.message);
            Err(unwell_if_write_refused(error))
        })
    }

    pub(crate) async fn list_categories(&self) -> Result<Vec<Category>, LmsError> {
        let answer: Vec<wire::CourseCategory> = self
            .transport
            .call(Function::Categories, Form::default())
            .await?;
        Ok(answer.into_iter().map(Category::from).collect())
    }
}

fn field(key: CourseKey) -> &'static str {
    match key {
        CourseKey::Id => "id",
        CourseKey::IdNumber => "idnumber",
        CourseKey::ShortName => "shortname",
    }
}

/// Whether the course has the value, whatever the database took for the same. Short names differ
/// in more than case.
fn fits(course: &FoundCourse, key: CourseKey, value: &str) -> bool {
    match key {
        CourseKey::Id => course.id.to_string() == value,
        CourseKey::IdNumber => course.idnumber == value,
        CourseKey::ShortName => course.shortname.to_lowercase() == value.to_lowercase(),
    }
}

/// Whether a look is needed: the answer was lost, or somebody was faster.
fn may_exist_nevertheless(error: &LmsError) -> bool {
    match error {
        LmsError::UnknownOutcome { .. } | LmsError::Protocol { .. } => true,
        _ => matches!(
            rejection_code(error),
            Some(
                "shortnametaken"
                    | "courseidnumbertaken"
                    | exception::INVALID_PARAMETER
                    | exception::WRITE_REFUSED
            )
        ),
    }
}
