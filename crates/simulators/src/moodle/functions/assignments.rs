//! Assignments and their grades before the gradebook.

use serde_json::{Value, json};

use super::{Call, Function};
use crate::moodle::{
    access::Capability,
    options::MoodleVersion,
    refusal::Refusal,
    site::{Assignment, AssignmentGrade, Course},
    wire::{
        clean::Kind,
        params::{Arg, Args, list, optional, or, required},
    },
};

pub(super) fn get_assignments() -> Function {
    Function {
        name: "mod_assign_get_assignments",
        fields: vec![
            optional("courseids", list(Kind::Int.into())),
            optional("capabilities", list(Kind::Raw.into())),
            or("includenotenrolledcourses", Kind::Bool, Arg::Flag(false)),
        ],
        look: None,
        run: assignments,
    }
}

pub(super) fn get_grades() -> Function {
    Function {
        name: "mod_assign_get_grades",
        fields: vec![
            required("assignmentids", list(Kind::Int.into())),
            or("since", Kind::Int, Arg::Int(0)),
        ],
        look: None,
        run: grades,
    }
}

/// Without the flag only courses the caller is enrolled in are shown, and the bridge's user is in
/// none (`contracts/moodle.md` §4).
fn assignments(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    let not_enrolled_too = args.flag("includenotenrolledcourses") == Some(true);
    let mut courses = Vec::new();
    let mut warnings = Vec::new();
    for id in asked_courses(call, args) {
        match call.enter(id) {
            Err(refusal) if call.site.courses.get(id).is_none() => {
                let message = format!("No access rights in course context {}", refusal.message);
                warnings.push(Refusal::moodle("1", message).warning("course", id));
            }
            Ok(course) if call.is_enrolled(id) || not_enrolled_too => {
                courses.push(with_assignments(call, course));
            }
            _ => {
                let message = "User is not enrolled or does not have requested capability";
                warnings.push(Refusal::moodle("2", message).warning("course", id));
            }
        }
    }
    Ok(json!({"courses": courses, "warnings": warnings}))
}

fn asked_courses(call: &Call<'_>, args: &Args) -> Vec<u64> {
    if args.has("courseids") {
        return args.ids("courseids").collect();
    }
    let own = call.site.enrolments.of_user(call.token.user_id);
    own.filter(|enrolment| enrolment.is_active(call.now))
        .map(|e| e.course_id)
        .collect()
}

fn with_assignments(call: &Call<'_>, course: &Course) -> Value {
    let shown = call.site.gradebook.assignments_in(course.id);
    let assignments: Vec<Value> = shown.map(|a| assignment(a, call.site.version)).collect();
    json!({
        "id": course.id,
        "fullname": course.fullname,
        "shortname": course.shortname,
        "timemodified": course.time_modified,
        "assignments": assignments,
    })
}

fn assignment(assignment: &Assignment, version: MoodleVersion) -> Value {
    let mut shown = json!({
        "id": assignment.id,
        "cmid": assignment.cmid,
        "course": assignment.course_id,
        "name": assignment.name,
        "nosubmissions": 0,
        "submissiondrafts": 0,
        "sendnotifications": 0,
        "sendlatenotifications": 0,
        "sendstudentnotifications": 1,
        "duedate": assignment.due_date,
        "allowsubmissionsfromdate": assignment.opens,
        "grade": assignment.grade,
        "timemodified": assignment.time_modified,
        "completionsubmit": 0,
        "cutoffdate": 0,
        "gradingduedate": 0,
        "teamsubmission": u8::from(assignment.team),
        "requireallteammemberssubmit": 0,
        "teamsubmissiongroupingid": 0,
        "blindmarking": 0,
        "hidegrader": 0,
        "revealidentities": 0,
        "attemptreopenmethod": "manual",
        "maxattempts": 3,
        "markingworkflow": 0,
        "markingallocation": 0,
        "markinganonymous": 0,
        "requiresubmissionstatement": 0,
        "preventsubmissionnotingroup": 0,
        "configs": configs(),
        "intro": assignment.intro,
        "introformat": 1,
        "introfiles": [],
        "introattachments": [],
        "timelimit": 0,
        "submissionattachments": 0,
    });
    if version == MoodleVersion::V5_1
        && let Some(keys) = shown.as_object_mut()
    {
        keys.insert("gradepenalty".to_owned(), 0.into());
    }
    shown
}

/// Online text in, comments out: the settings of the recorded assignments.
fn configs() -> Vec<Value> {
    [
        ("onlinetext", "assignsubmission", "enabled", "1"),
        ("onlinetext", "assignsubmission", "wordlimit", "0"),
        ("onlinetext", "assignsubmission", "wordlimitenabled", "0"),
        ("comments", "assignsubmission", "enabled", "0"),
        ("comments", "assignfeedback", "enabled", "1"),
        ("comments", "assignfeedback", "commentinline", "0"),
    ]
    .into_iter()
    .map(|(plugin, subtype, name, value)| {
        json!({"plugin": plugin, "subtype": subtype, "name": name, "value": value})
    })
    .collect()
}

/// Refusals are warnings; one answer, "No grades found", covers an unknown assignment, nothing
/// graded, nothing newer, teams and reopened attempts.
fn grades(call: &mut Call<'_>, args: &Args) -> Result<Value, Refusal> {
    let since = args.int("since").unwrap_or(0);
    let book = &call.site.gradebook;
    let mut assignments = Vec::new();
    let mut warnings = Vec::new();
    for id in args.ids("assignmentids") {
        if book.assignment(id).is_some() && !may_see_grades(call, id) {
            let refusal = Refusal::moodle("1", "No access rights in module context");
            warnings.push(refusal.warning("assignment", id));
            continue;
        }
        let found: Vec<Value> = book.grades_by_submission(id, since).map(grade).collect();
        if found.is_empty() {
            warnings.push(Refusal::moodle("3", "No grades found").warning("assignment", id));
        } else {
            assignments.push(json!({"assignmentid": id, "grades": found}));
        }
    }
    Ok(json!({"assignments": assignments, "warnings": warnings}))
}

fn may_see_grades(call: &Call<'_>, assignment_id: u64) -> bool {
    let assignment = call.site.gradebook.assignment(assignment_id);
    call.token.may(Capability::ViewAssignmentGrades)
        && assignment.is_some_and(|assignment| call.may_enter(assignment.course_id))
}

fn grade(grade: &AssignmentGrade) -> Value {
    json!({
        "id": grade.id,
        "userid": grade.user_id,
        "attemptnumber": grade.attempt,
        "timecreated": grade.time_created,
        "timemodified": grade.time_modified,
        "grader": grade.grader,
        "grade": format!("{:.5}", grade.grade),
    })
}
