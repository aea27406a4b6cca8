//! The part of the recorded site that no simulated function writes: assignments and grades.

use std::collections::BTreeMap;

use mzi_simulators::moodle::{
    Assignment, AssignmentGrade, Grade, GradeItem, MoodleSimulator, Submission,
};
use serde_json::Value;

use super::fixtures::{Recorded, id, items, seconds, text};

pub fn seed_assignments(site: &MoodleSimulator, recorded: &Recorded) {
    for course in items(&recorded.answer("assignments_not_enrolled_flag")["courses"]) {
        for shown in items(&course["assignments"]) {
            site.put_assignment(Assignment {
                id: id(shown, "id"),
                cmid: id(shown, "cmid"),
                course_id: id(shown, "course"),
                name: text(shown, "name"),
                intro: text(shown, "intro"),
                grade: seconds(shown, "grade"),
                team: id(shown, "teamsubmission") == 1,
                due_date: seconds(shown, "duedate"),
                opens: seconds(shown, "allowsubmissionsfromdate"),
                time_modified: seconds(shown, "timemodified"),
            });
        }
    }
    for fixture in recorded.fixtures.values() {
        for assignment in items(&fixture.response["assignments"]) {
            for grade in items(&assignment["grades"]) {
                seed_assignment_grade(site, id(assignment, "assignmentid"), grade);
            }
        }
    }
}

fn seed_assignment_grade(site: &MoodleSimulator, assignment_id: u64, shown: &Value) {
    let (user_id, attempt) = (id(shown, "userid"), id(shown, "attemptnumber"));
    site.put_submission(Submission {
        assignment_id,
        user_id,
        attempt,
    });
    site.put_assignment_grade(AssignmentGrade {
        id: id(shown, "id"),
        assignment_id,
        user_id,
        attempt,
        grader: id(shown, "grader"),
        grade: text(shown, "grade").parse().expect("a number"),
        time_created: seconds(shown, "timecreated"),
        time_modified: seconds(shown, "timemodified"),
    });
}

pub fn seed_gradebook(site: &MoodleSimulator, recorded: &Recorded) {
    let reports: Vec<&Value> = [
        "grade_items_all_users",
        "grade_items_guide_course",
        "grade_items_team_and_reopened",
    ]
    .iter()
    .flat_map(|name| items(&recorded.answer(name)["usergrades"]))
    .collect();
    let scale = scale_words(&reports);
    for report in reports {
        let course_id = id(report, "courseid");
        for shown in items(&report["gradeitems"]) {
            if shown["itemtype"] == "course" {
                site.set_course_total(course_id, id(shown, "id"), id(shown, "iteminstance"));
                continue;
            }
            site.put_grade_item(grade_item(course_id, shown, &scale));
            if let Some(value) = shown["graderaw"].as_f64() {
                let user_id = id(report, "userid");
                site.put_grade(grade(user_id, value, shown));
                lose_what_assignments_lose(site, user_id, value, shown);
            }
        }
    }
}

/// The words of the one scale, read off all grades given by it.
fn scale_words(reports: &[&Value]) -> Vec<String> {
    let lines = reports
        .iter()
        .flat_map(|report| items(&report["gradeitems"]));
    let words: BTreeMap<u64, String> = lines
        .filter(|line| is_by_scale(line) && !line["graderaw"].is_null())
        .map(|line| (id(line, "graderaw"), text(line, "gradeformatted")))
        .collect();
    words.into_values().collect()
}

fn is_by_scale(line: &Value) -> bool {
    line["grademin"] == 1
}

fn grade_item(course_id: u64, shown: &Value, scale: &[String]) -> GradeItem {
    GradeItem {
        id: id(shown, "id"),
        course_id,
        name: text(shown, "itemname"),
        idnumber: text(shown, "idnumber"),
        assignment_id: id(shown, "iteminstance"),
        cmid: id(shown, "cmid"),
        max: shown["grademax"].as_f64().expect("a number"),
        scale: if is_by_scale(shown) {
            scale.to_vec()
        } else {
            Vec::new()
        },
    }
}

fn grade(user_id: u64, value: f64, shown: &Value) -> Grade {
    Grade {
        item_id: id(shown, "id"),
        user_id,
        value,
        feedback: text(shown, "feedback"),
        graded_at: seconds(shown, "gradedategraded"),
        submitted_at: shown["gradedatesubmitted"].as_i64(),
        ..Grade::default()
    }
}

/// A team's grade has no submission of the learner's own; a reopened one belongs to an attempt
/// that is no longer the latest. Both are in the recorded gradebook.
fn lose_what_assignments_lose(site: &MoodleSimulator, user_id: u64, value: f64, shown: &Value) {
    let assignment_id = id(shown, "iteminstance");
    let name = text(shown, "itemname");
    let (team, reopened) = (name.contains("Team"), name.contains("Reopened"));
    if !team && !reopened {
        return;
    }
    site.put_assignment(Assignment {
        id: assignment_id,
        cmid: id(shown, "cmid"),
        course_id: 3,
        name,
        grade: 100,
        team,
        ..Assignment::default()
    });
    site.put_assignment_grade(AssignmentGrade {
        id: 9_000 + assignment_id,
        assignment_id,
        user_id,
        grade: value,
        ..AssignmentGrade::default()
    });
    if reopened {
        site.put_submission(Submission {
            assignment_id,
            user_id,
            attempt: 1,
        });
    }
}
