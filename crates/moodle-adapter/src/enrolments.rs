//! Enrolments by the manual method, and who is enrolled.

use mzi_domain::{MoodleCourseId, MoodleUserId};
use mzi_ports::{
    LmsError,
    lms::{Enrolment, refusal},
};

use crate::{
    MoodleWs,
    batch::{Outcomes, Sending},
    exception::{self, INVALID_PARAMETER, WRITE_REFUSED, rejection_code, unwell_if_write_refused},
    form::Form,
    function::Function,
    wire,
};

/// How many people one page of a class list holds; nearly every class fits on one.
const PAGE: usize = 500;

impl MoodleWs {
    pub(crate) async fn enrol_each(&self, enrolments: &[Enrolment]) -> Result<Outcomes, LmsError> {
        let mut sending = Sending::new(enrolments, blames_a_row);
        while let Some(batch) = sending.next() {
            let answer = self.request_enrolments(batch).await;
            sending.note(answer.map(|()| vec![Ok(()); batch.len()]))?;
        }
        let outcomes = sending.outcomes().into_iter();
        Ok(outcomes.map(|outcome| outcome.map_err(explained)).collect())
    }

    /// Enrolling is repeatable, so a lost race is simply run again.
    async fn request_enrolments(&self, batch: &[Enrolment]) -> Result<(), LmsError> {
        let form = Form::default().with_rows("enrolments", batch.iter().map(row));
        let function = Function::EnrolUsers;
        match self.transport.call(function, form.clone()).await {
            Err(error) if rejection_code(&error) == Some(WRITE_REFUSED) => {
                self.transport.call(function, form).await
            }
            outcome => outcome,
        }
    }

    pub(crate) async fn list_enrolled(
        &self,
        course: MoodleCourseId,
    ) -> Result<Vec<MoodleUserId>, LmsError> {
        let mut people: Vec<MoodleUserId> = Vec::new();
        loop {
            let form = Form::default()
                .with("courseid", course)
                .with_rows("options", options(people.len()));
            let page: Vec<wire::UserRef> =
                self.transport.call(Function::EnrolledUsers, form).await?;
            let is_last = page.len() < PAGE;
            people.extend(page.into_iter().map(|user| user.id));
            if is_last {
                return Ok(people);
            }
        }
    }

    pub(crate) async fn list_courses_of(
        &self,
        user: MoodleUserId,
    ) -> Result<Vec<MoodleCourseId>, LmsError> {
        let form = Form::default()
            .with("userid", user)
            .with_flag("returnusercount", false);
        let answer: Result<Vec<wire::CourseRef>, _> =
            self.transport.call(Function::UsersCourses, form).await;
        Ok(answer?.into_iter().map(|course| course.id).collect())
    }
}

/// `suspend` is always said: left out, it would lift a suspension. Times are never said: they
/// are the teacher's.
fn row(enrolment: &Enrolment) -> Form {
    Form::default()
        .with("roleid", enrolment.role)
        .with("userid", enrolment.user)
        .with("courseid", enrolment.course)
        .with_flag("suspend", enrolment.suspended)
}

fn options(from: usize) -> [Form; 4] {
    let option =
        |name: &str, value: String| Form::default().with("name", name).with("value", value);
    [
        option("limitfrom", from.to_string()),
        option("limitnumber", PAGE.to_string()),
        option("sortby", "id".into()),
        option("userfields", "id".into()),
    ]
}

/// Whether one row may have caused it: the batch is rolled back as a whole, whoever is to blame.
fn blames_a_row(error: &LmsError) -> bool {
    match error {
        LmsError::Rejected { .. } => true,
        LmsError::Forbidden { code, .. } => matches!(
            code.as_str(),
            "nopermissions" | "requireloginerror" | "wsusercannotassign" | "wscannotenrol"
        ),
        _ => false,
    }
}

/// Names of a single row what its code leaves open: an unknown course is an invalid parameter
/// (`enrol_unknown_course`).
fn explained(error: LmsError) -> LmsError {
    if rejection_code(&error) == Some(INVALID_PARAMETER) {
        return exception::rejected(
            Function::EnrolUsers,
            refusal::UNKNOWN_COURSE,
            "the course does not exist",
        );
    }
    unwell_if_write_refused(error)
}
