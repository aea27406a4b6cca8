//! I4 and I6, looked at from Moodle and by students.

use std::collections::{BTreeMap, BTreeSet};

use mzi_simulators::moodle::User;

use super::load::Memory;
use crate::harness::{Bridge, World};

/// How many students look at their page.
const LOOKING: usize = 20;

/// A suspension Moodle was asked for: course and user.
pub type Suspension = (u64, u64);

/// Gives the classes' teacher an account, so that nothing needs a person.
pub fn prepare(world: &World) {
    let teacher = User {
        username: "tara@northfield.example".into(),
        email: "tara@northfield.example".into(),
        firstname: "Tara".into(),
        lastname: "Teacher".into(),
        ..User::default()
    };
    world.moodle.add_user(teacher).unwrap();
}

/// I4 and I5: one user a student, one course a class, and a seat for each living enrolment.
pub fn everybody_is_there_once(world: &World, memory: &Memory) {
    let users = world.moodle.users();
    let mut by_student: BTreeMap<&str, Vec<&User>> = BTreeMap::new();
    for user in &users {
        by_student.entry(&user.idnumber).or_default().push(user);
    }
    let courses = world.moodle.courses();
    let course_of = |class: &str| {
        let own: Vec<_> = courses
            .iter()
            .filter(|course| course.idnumber.ends_with(class))
            .collect();
        assert_eq!(own.len(), 1, "I4: class {class} has {} courses", own.len());
        own[0]
    };
    for (enrolment, (student, class)) in &memory.enrolments {
        let own = by_student
            .get(student.as_str())
            .map_or(&[][..], Vec::as_slice);
        assert!(
            own.len() <= 1,
            "I4: student {student} has {} users",
            own.len()
        );
        let gone = memory.deleted.contains(enrolment);
        let seat = own
            .first()
            .and_then(|user| world.moodle.enrolment(course_of(class).id, user.id));
        match (gone, seat) {
            (false, Some(seat)) => assert!(!seat.suspended, "I6: {enrolment} is suspended"),
            (false, None) => panic!("I5: {enrolment} has no seat"),
            (true, Some(seat)) => assert!(seat.suspended, "I5: {enrolment} still has access"),
            (true, None) => {}
        }
    }
    for class in memory
        .records
        .iter()
        .filter(|(module, _)| *module == "BTEC_Classes")
    {
        let named = world.zoho.record("BTEC_Classes", &class.1).unwrap()["Class_Name"].clone();
        assert_eq!(
            named,
            course_of(&class.1).fullname.as_str(),
            "I5: class {}",
            class.1
        );
    }
    for student in memory
        .records
        .iter()
        .filter(|(module, _)| *module == "BTEC_Students")
    {
        let named = world.zoho.record("BTEC_Students", &student.1).unwrap()["First_Name"].clone();
        let user = by_student[student.1.as_str()][0];
        assert_eq!(named, user.firstname.as_str(), "I5: student {}", student.1);
        assert!(!user.suspended, "I6: student {} is suspended", student.1);
    }
    let names: BTreeSet<_> = users.iter().map(|user| &user.username).collect();
    assert_eq!(names.len(), users.len());
}

/// I6: every suspension ever asked for belongs to a withdrawal.
pub fn only_withdrawals_suspended(world: &World, memory: &Memory) {
    let users: BTreeMap<String, u64> = world
        .moodle
        .users()
        .into_iter()
        .map(|user| (user.idnumber, user.id))
        .collect();
    let courses = world.moodle.courses();
    let allowed: BTreeSet<Suspension> = memory
        .deleted
        .iter()
        .filter_map(|enrolment| {
            let (student, class) = &memory.enrolments[enrolment];
            let course = courses
                .iter()
                .find(|course| course.idnumber.ends_with(class.as_str()))?;
            Some((course.id, *users.get(student)?))
        })
        .collect();
    let mut asked = memory.suspensions.clone();
    asked.extend(suspensions(world));
    let wrong: Vec<_> = asked.difference(&allowed).collect();
    assert!(
        wrong.is_empty(),
        "I6: suspended without a withdrawal: {wrong:?}"
    );
    let deleted = world.moodle.calls().of("core_user_delete_users");
    let unenrolled = world.moodle.calls().of("enrol_manual_unenrol_users");
    assert_eq!((deleted, unenrolled), (0, 0), "I6");
}

/// Suspensions among the calls Moodle still remembers.
pub fn suspensions(world: &World) -> BTreeSet<Suspension> {
    let mut found = BTreeSet::new();
    for call in world.moodle.calls().last {
        if call.operation != "enrol_manual_enrol_users" {
            continue;
        }
        let pairs: BTreeMap<String, String> =
            form_urlencoded::parse(&call.body).into_owned().collect();
        let number = |index: usize, name: &str| -> Option<u64> {
            pairs
                .get(&format!("enrolments[{index}][{name}]"))?
                .parse()
                .ok()
        };
        let all = (0..).map_while(|index| Some((index, number(index, "userid")?)));
        found.extend(all.filter_map(|(index, user)| {
            let suspends = number(index, "suspend") == Some(1);
            suspends.then_some((number(index, "courseid")?, user))
        }));
    }
    found
}

/// Students see what Zoho says, and nothing is unprocessed.
pub async fn students_see_what_zoho_says(world: &World, bridge: &Bridge, memory: &Memory) {
    let users = world.moodle.users();
    let students = memory
        .records
        .iter()
        .filter(|(module, _)| *module == "BTEC_Students");
    for (_, student) in students.take(LOOKING) {
        let user = users.iter().find(|user| user.idnumber == *student).unwrap();
        let profile = bridge
            .student(world, user.id, "/api/v1/student/profile")
            .await;
        assert_eq!(profile.status, 200, "{}", profile.text);
        let named = world.zoho.record("BTEC_Students", student).unwrap()["First_Name"].clone();
        assert_eq!(profile.json["data"]["names"]["first"], named);
        assert_eq!(profile.json["stale"], false, "{}", profile.text);
    }
}
