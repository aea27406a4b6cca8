//! Records that cannot simply be carried over: each is a sentence to a person, and mends itself
//! once the person has acted.

use std::time::Duration;

use mzi_simulators::moodle::{Course, User};
use serde_json::json;

use crate::harness::{
    Backend, Bridge, World, a_class, a_student, enrol, eventually, on_each_database, register,
};

on_each_database!(
    a_student_without_an_email_is_named_and_enrolled_once_it_is_filled_in,
    a_strangers_email_is_not_taken_over_and_the_issue_names_both_sides,
    a_strangers_username_is_not_taken_over,
    a_taken_short_name_is_named_and_the_class_follows_once_it_is_changed,
    an_account_without_an_id_number_is_linked_and_left_as_it_is,
    a_site_administrator_is_never_linked,
    a_suspension_made_by_hand_is_kept,
    two_students_with_one_address_become_one_user_and_one_issue,
);

const QUICK: Duration = Duration::from_secs(30);

fn stranger(username: &str, email: &str) -> User {
    User {
        username: username.into(),
        email: email.into(),
        idnumber: "staff-7".into(),
        firstname: "Sami".into(),
        lastname: "Stranger".into(),
        ..User::default()
    }
}

async fn user_of(world: &World, student: &str) -> Option<User> {
    eventually(|| async {
        world
            .moodle
            .users()
            .into_iter()
            .find(|user| user.idnumber == student)
    })
    .await
}

async fn a_student_without_an_email_is_named_and_enrolled_once_it_is_filled_in(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let key = world.api_key().await;
    let class = a_class(&world.zoho, "PROG-A");
    let mut fields = a_student(1);
    fields["Academic_Email"] = json!(null);
    let student = world.zoho.insert("BTEC_Students", &fields).unwrap();
    let enrolment = enrol(&world.zoho, &student, &class);
    bridge.notify("BTEC_Enrollments", &enrolment).await;

    let issue = bridge.issue(&key, "missing_email").await;
    assert_eq!(issue["zoho_id"], student.as_str());

    let mended = json!({"Academic_Email": "lina@students.northfield.example"});
    world
        .zoho
        .update("BTEC_Students", &student, &mended)
        .unwrap();
    bridge.notify("BTEC_Students", &student).await;
    let user = user_of(&world, &student)
        .await
        .expect("the mended student became no user");
    let seat = eventually(|| async {
        world
            .moodle
            .enrolments()
            .into_iter()
            .find(|seat| seat.user_id == user.id)
    });
    assert!(seat.await.is_some(), "the mended student was not enrolled");
    bridge.resolved(&key, "missing_email", QUICK).await;
}

async fn a_strangers_email_is_not_taken_over_and_the_issue_names_both_sides(backend: Backend) {
    let world = World::new(backend).await;
    let before = stranger("sami", "lina.1@students.northfield.example");
    let id = world.moodle.add_user(before.clone()).unwrap();
    let bridge = world.start().await;
    let key = world.api_key().await;
    let student = register(&world.zoho, 1);
    bridge.notify("BTEC_Students", &student).await;

    let issue = bridge.issue(&key, "email_taken").await;
    let message = issue["message"].as_str().unwrap();
    assert!(
        message.contains(&format!("user {id}")) && message.contains("Stranger"),
        "{message}"
    );
    assert_eq!(issue["zoho_id"], student.as_str());
    assert_eq!(the_same(&world, id, &before), Ok(()));

    // The stranger gets another address: a notice is enough to carry on.
    let moved = |user: &mut User| user.email = "sami@northfield.example".into();
    assert!(world.moodle.edit_user(id, moved));
    bridge.notify("BTEC_Students", &student).await;
    assert!(user_of(&world, &student).await.is_some());
    bridge.resolved(&key, "email_taken", QUICK).await;
}

fn the_same(world: &World, id: u64, before: &User) -> Result<(), String> {
    let now = world.moodle.user(id).ok_or("the user is gone")?;
    let fields = |user: &User| {
        [
            &user.username,
            &user.email,
            &user.idnumber,
            &user.firstname,
            &user.lastname,
        ]
        .map(String::clone)
    };
    if fields(&now) == fields(before) && !now.suspended {
        Ok(())
    } else {
        Err(format!("{now:?}"))
    }
}

async fn a_strangers_username_is_not_taken_over(backend: Backend) {
    let world = World::new(backend).await;
    let before = stranger(
        "lina.1@students.northfield.example",
        "sami@northfield.example",
    );
    let id = world.moodle.add_user(before.clone()).unwrap();
    let bridge = world.start().await;
    let key = world.api_key().await;
    let student = register(&world.zoho, 1);
    bridge.notify("BTEC_Students", &student).await;

    let issue = bridge.issue(&key, "username_taken").await;
    assert!(
        issue["message"]
            .as_str()
            .unwrap()
            .contains(&format!("user {id}")),
        "{issue}"
    );
    assert_eq!(the_same(&world, id, &before), Ok(()));
}

async fn a_taken_short_name_is_named_and_the_class_follows_once_it_is_changed(backend: Backend) {
    let world = World::new(backend).await;
    let taken = Course {
        fullname: "Somebody else's course".into(),
        shortname: "PROG-A".into(),
        ..Course::default()
    };
    let course = world.moodle.add_course(taken);
    let bridge = world.start().await;
    let key = world.api_key().await;
    let class = a_class(&world.zoho, "PROG-A");
    let student = register(&world.zoho, 1);
    let enrolment = enrol(&world.zoho, &student, &class);
    bridge.notify("BTEC_Enrollments", &enrolment).await;

    let issue = bridge.issue(&key, "shortname_taken").await;
    assert_eq!(issue["zoho_id"], class.as_str());
    let untouched = world.moodle.course(course).unwrap();
    assert_eq!(
        (untouched.idnumber.as_str(), untouched.fullname.as_str()),
        ("", "Somebody else's course")
    );

    world
        .zoho
        .update(
            "BTEC_Classes",
            &class,
            &json!({"Class_Short_Name": "PROG-B"}),
        )
        .unwrap();
    bridge.notify("BTEC_Classes", &class).await;
    let seat = eventually(|| async { world.moodle.enrolments().into_iter().next() });
    let seat = seat.await.expect("the seat did not follow its class");
    assert_ne!(seat.course_id, course);
    bridge.resolved(&key, "shortname_taken", QUICK).await;
}

async fn an_account_without_an_id_number_is_linked_and_left_as_it_is(backend: Backend) {
    let world = World::new(backend).await;
    let own = User {
        idnumber: String::new(),
        ..stranger("l.ohara", "lina.1@students.northfield.example")
    };
    let id = world.moodle.add_user(own).unwrap();
    let bridge = world.start().await;
    let student = register(&world.zoho, 1);
    bridge.notify("BTEC_Students", &student).await;

    let user = user_of(&world, &student)
        .await
        .expect("the account was not linked");
    assert_eq!((user.id, user.username.as_str()), (id, "l.ohara"));
    // A later change of the address is not carried into an account somebody else made.
    let renamed = json!({"Academic_Email": "other@students.northfield.example"});
    world
        .zoho
        .update("BTEC_Students", &student, &renamed)
        .unwrap();
    bridge.notify("BTEC_Students", &student).await;
    is_read(&world, &student, "other@students.northfield.example").await;
    bridge.settles(QUICK).await;
    let user = world.moodle.user(id).unwrap();
    assert_eq!(
        (user.username.as_str(), user.email.as_str()),
        ("l.ohara", "lina.1@students.northfield.example")
    );
    assert_eq!(
        world
            .moodle
            .users()
            .iter()
            .filter(|user| user.idnumber == student)
            .count(),
        1
    );
}

/// Waits until the change has reached our own table.
async fn is_read(world: &World, student: &str, email: &str) {
    let sql = format!("SELECT academic_email FROM students WHERE zoho_id = '{student}'");
    let read =
        eventually(|| async { (world.database.rows(&sql).await == [[email]]).then_some(()) });
    read.await.expect("the change was not read");
}

async fn a_site_administrator_is_never_linked(backend: Backend) {
    let world = World::new(backend).await;
    let administrator = User {
        idnumber: String::new(),
        site_admin: true,
        ..stranger("root", "lina.1@students.northfield.example")
    };
    let id = world.moodle.add_user(administrator).unwrap();
    let bridge = world.start().await;
    let key = world.api_key().await;
    let student = register(&world.zoho, 1);
    bridge.notify("BTEC_Students", &student).await;

    let issue = bridge.issue(&key, "account_protected").await;
    assert_eq!(issue["zoho_id"], student.as_str());
    assert_eq!(world.moodle.user(id).unwrap().idnumber, "");
}

async fn a_suspension_made_by_hand_is_kept(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let student = register(&world.zoho, 1);
    bridge.notify("BTEC_Students", &student).await;
    let user = user_of(&world, &student).await.unwrap();
    bridge.settles(QUICK).await;
    assert!(world.moodle.suspend_user(user.id, true));

    rename(&world, &bridge, &student, "Renamed").await;

    let renamed = eventually(|| async {
        world
            .moodle
            .user(user.id)
            .filter(|user| user.firstname == "Renamed")
    });
    assert!(
        renamed
            .await
            .expect("the new name did not arrive")
            .suspended
    );
}

async fn rename(world: &World, bridge: &Bridge, student: &str, name: &str) {
    world
        .zoho
        .update("BTEC_Students", student, &json!({"First_Name": name}))
        .unwrap();
    bridge.notify("BTEC_Students", student).await;
}

async fn two_students_with_one_address_become_one_user_and_one_issue(backend: Backend) {
    let world = World::new(backend).await;
    // Both in one batch, on a site where looking and writing are a moment apart.
    world
        .moodle
        .set_race_window(Some(Duration::from_millis(50)));
    let bridge = world.start().await;
    let key = world.api_key().await;
    let twins = [register(&world.zoho, 1), register(&world.zoho, 1)];
    for student in &twins {
        assert_eq!(bridge.notify("BTEC_Students", student).await.status, 202);
    }

    let issue = bridge.issue(&key, "username_taken").await;
    bridge.settles(QUICK).await;
    let users = world.moodle.users();
    let users: Vec<_> = users
        .iter()
        .filter(|user| {
            user.email
                .eq_ignore_ascii_case("lina.1@students.northfield.example")
        })
        .collect();
    assert_eq!(users.len(), 1, "{users:?}");
    let (one, other) = (
        users[0].idnumber.as_str(),
        issue["zoho_id"].as_str().unwrap(),
    );
    assert!(one != other && twins.iter().all(|id| id == one || id == other));
}
