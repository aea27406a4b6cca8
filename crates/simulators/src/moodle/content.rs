//! What a site holds at first. Every name is invented.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    access::{Token, role},
    options::{Content, MoodleOptions},
    site::{
        Assignment, AssignmentGrade, Category, Course, Enrolment, Grade, GradeItem, Site,
        Submission, User,
    },
};

const SERVICE_USER: u64 = 3;
const DAY: i64 = 86_400;

/// A fresh site for these options.
pub(super) fn site(options: &MoodleOptions, now: i64) -> Site {
    let mut site = bare(options, now);
    if options.content == Content::Demo {
        fill(&mut site, now);
    }
    site
}

fn bare(options: &MoodleOptions, now: i64) -> Site {
    let mut site = Site {
        name: "Northfield College Moodle".to_owned(),
        version: options.version,
        ..Site::default()
    };
    site.tokens
        .insert(options.token.clone(), Token::of(SERVICE_USER));
    site.add_category(Category {
        name: "Category 1".to_owned(),
        ..category(0, now)
    });
    site.courses.insert(Course {
        category_id: 0,
        sort_order: 1,
        fullname: site.name.clone(),
        shortname: "NFC".to_owned(),
        format: "site".to_owned(),
        summary_format: 0,
        sections: 1,
        news_items: 3,
        time_created: now,
        time_modified: now,
        ..Course::default()
    });
    let accounts = [
        ("guest", "Guest user", " ", "root@localhost", false),
        ("admin", "Admin", "User", "admin@northfield.example", true),
        (
            "bridge_ws",
            "Bridge",
            "Service",
            "bridge@northfield.example",
            false,
        ),
    ];
    for (username, firstname, lastname, email, site_admin) in accounts {
        let named = user(username, firstname, lastname, email, now);
        add(
            &mut site,
            User {
                site_admin,
                ..named
            },
        );
    }
    site
}

fn category(parent: u64, now: i64) -> Category {
    Category {
        parent,
        time_modified: now,
        ..Category::default()
    }
}

fn user(username: &str, firstname: &str, lastname: &str, email: &str, now: i64) -> User {
    User {
        username: username.to_owned(),
        firstname: firstname.to_owned(),
        lastname: lastname.to_owned(),
        email: email.to_owned(),
        time_created: now,
        time_modified: now,
        ..User::default()
    }
}

/// Adds an account whose username is not taken.
fn add(site: &mut Site, user: User) -> u64 {
    site.users.insert(user).unwrap_or_default()
}

fn fill(site: &mut Site, now: i64) {
    site.profile_fields = vec![
        ("zoho_student_id".to_owned(), "Zoho student ID".to_owned()),
        ("btec_programme".to_owned(), "BTEC programme".to_owned()),
    ];
    let courses = demo_courses(site, now);
    let teacher = user(
        "teacher01",
        "Tara",
        "Teacher",
        "tara.teacher@northfield.example",
        now,
    );
    let teacher = add(site, teacher);
    for course in &courses {
        enrol(site, *course, teacher, role::EDITING_TEACHER);
    }
    let students = demo_students(site, now);
    for (position, student) in students.iter().enumerate() {
        // Everyone is in the first course; the others take turns.
        for (place, course) in courses.iter().enumerate() {
            if place == 0 || position % courses.len() == place {
                enrol(site, *course, *student, role::STUDENT);
            }
        }
    }
    if let Some(first) = courses.first() {
        demo_grades(site, *first, teacher, &students, now);
    }
}

fn demo_courses(site: &mut Site, now: i64) -> Vec<u64> {
    let named = |name: &str, idnumber: &str, parent| Category {
        name: name.to_owned(),
        idnumber: Some(idnumber.to_owned()),
        ..category(parent, now)
    };
    let btec = site.add_category(named("BTEC", "BTEC", 0));
    let computing = site.add_category(named("Computing", "BTEC-COMP", btec));
    let business = site.add_category(named("Business", "BTEC-BUS", btec));
    [
        (computing, "COMP-U01", "Programming"),
        (computing, "COMP-U02", "Networking"),
        (business, "BUS-U01", "Marketing"),
    ]
    .into_iter()
    .map(|(category_id, shortname, topic)| {
        site.courses.insert(Course {
            category_id,
            fullname: format!("BTEC Unit: {topic}"),
            shortname: shortname.to_owned(),
            idnumber: format!("CLS-2026-{shortname}"),
            summary: format!("Invented unit on {topic}."),
            start_date: now - 30 * DAY,
            end_date: now + 150 * DAY,
            time_created: now,
            time_modified: now,
            ..Course::default()
        })
    })
    .collect()
}

fn demo_students(site: &mut Site, now: i64) -> Vec<u64> {
    let firstnames = ["Amira", "Ben", "Chloe", "Dawit", "Elif", "Farah"];
    let mut ids = Vec::new();
    for (firstname, number) in firstnames.into_iter().zip(1_u32..) {
        let email = format!(
            "{}.ashdown@students.northfield.example",
            firstname.to_lowercase()
        );
        let zoho_id = format!("9000000000000{number:05}");
        let named = user(
            &format!("student{number:02}"),
            firstname,
            "Ashdown",
            &email,
            now,
        );
        let student = User {
            idnumber: format!("NFC01{number:03}"),
            city: "Northfield".to_owned(),
            custom_fields: BTreeMap::from([("zoho_student_id".to_owned(), zoho_id)]),
            ..named
        };
        ids.push(add(site, student));
    }
    ids
}

fn enrol(site: &mut Site, course_id: u64, user_id: u64, role: u64) {
    let roles = BTreeSet::from([role]);
    site.enrolments.put(Enrolment {
        course_id,
        user_id,
        roles,
        ..Enrolment::default()
    });
}

/// One assignment by points and one by a scale, graded for all but the last student.
fn demo_grades(site: &mut Site, course_id: u64, grader: u64, students: &[u64], now: i64) {
    let scale = ["Refer", "Pass", "Merit", "Distinction"]
        .map(str::to_owned)
        .to_vec();
    let columns = [
        (1, "A1 Points assignment", 100, Vec::new()),
        (2, "A2 BTEC scale assignment", -3, scale),
    ];
    for (id, name, points, scale) in columns {
        let cmid = 5 + id;
        site.gradebook.put_assignment(Assignment {
            id,
            cmid,
            course_id,
            name: name.to_owned(),
            intro: "Invented task.".to_owned(),
            grade: points,
            due_date: now + 7 * DAY,
            opens: now - 14 * DAY,
            time_modified: now,
            team: false,
        });
        let by_scale = !scale.is_empty();
        site.gradebook.put_item(GradeItem {
            id: id + 1,
            course_id,
            name: name.to_owned(),
            idnumber: format!("COMP-U01-A{id}"),
            assignment_id: id,
            cmid,
            max: if by_scale { 4.0 } else { 100.0 },
            scale,
        });
        for (student, number) in students
            .split_last()
            .map_or(&[][..], |(_, rest)| rest)
            .iter()
            .zip(0_u32..)
        {
            let value = if by_scale {
                f64::from(number % 4 + 1)
            } else {
                f64::from(45 + number * 11)
            };
            grade(site, (id, *student), (grader, value), now);
        }
    }
    site.gradebook.put_total(course_id, 1, 1);
}

fn grade(
    site: &mut Site,
    (assignment_id, user_id): (u64, u64),
    (grader, value): (u64, f64),
    now: i64,
) {
    site.gradebook.put_submission(Submission {
        assignment_id,
        user_id,
        attempt: 0,
    });
    site.gradebook.put_assignment_grade(AssignmentGrade {
        id: assignment_id * 1_000 + user_id,
        assignment_id,
        user_id,
        grader,
        grade: value,
        time_created: now,
        time_modified: now,
        attempt: 0,
    });
    site.gradebook.put_grade(Grade {
        item_id: assignment_id + 1,
        user_id,
        value,
        feedback: "Invented feedback.".to_owned(),
        graded_at: now,
        ..Grade::default()
    });
}
