//! The main job: a change in Zoho reaches Moodle and the student API.

use crate::harness::{
    ALL_STEPS, Backend, World, a_class, enrol, eventually, on_each_database, register,
};

on_each_database!(
    an_enrolment_notice_alone_brings_student_class_and_seat_to_moodle,
    notifications_of_registered_channels_carry_changes_by_themselves,
    nothing_is_written_before_go_live_and_all_of_it_after,
);

async fn an_enrolment_notice_alone_brings_student_class_and_seat_to_moodle(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let class = a_class(&world.zoho, "PROG-A");
    let student = register(&world.zoho, 1);
    let enrolment = enrol(&world.zoho, &student, &class);

    let answer = bridge.notify("BTEC_Enrollments", &enrolment).await;
    assert_eq!(answer.status, 202, "{}", answer.text);

    let user = eventually(|| async {
        world
            .moodle
            .users()
            .into_iter()
            .find(|user| user.idnumber == student)
    })
    .await
    .expect("the student became no user");
    assert_eq!(user.username, "lina.1@students.northfield.example");
    let seat = eventually(|| async {
        world
            .moodle
            .enrolments()
            .into_iter()
            .find(|seat| seat.user_id == user.id)
    })
    .await
    .expect("the student was not enrolled");
    assert!(!seat.suspended);

    let written_back = eventually(|| async {
        let record = world.zoho.record("BTEC_Students", &student)?;
        record.get("Student_Moodle_ID")?.as_str().map(str::to_owned)
    });
    assert_eq!(written_back.await, Some(user.id.to_string()));

    let profile = bridge
        .student(&world, user.id, "/api/v1/student/profile")
        .await;
    assert_eq!(profile.status, 200, "{}", profile.text);
    assert_eq!(profile.json["data"]["names"]["last"], "O'Hara 1");
    let classes = eventually(|| async {
        let classes = bridge
            .student(&world, user.id, "/api/v1/student/classes")
            .await
            .json;
        (classes["data"]["items"][0]["enrolment"]["status"] == "active").then_some(classes)
    })
    .await
    .expect("the class is not active in the student API");
    assert_eq!(classes["data"]["items"][0]["unit"]["code"], "COMP-U01");
    assert_eq!(bridge.stop().await, Some(0));
}

async fn notifications_of_registered_channels_carry_changes_by_themselves(backend: Backend) {
    let world = World::new(backend).await.with_channels();
    let _bridge = world.start().await;
    eventually(|| async { (world.zoho.channels().len() >= 10).then_some(()) })
        .await
        .expect("no channels");

    let class = a_class(&world.zoho, "PROG-A");
    let student = register(&world.zoho, 1);
    let enrolment = enrol(&world.zoho, &student, &class);
    let seat = eventually(|| async {
        let users = world.moodle.users();
        let user = users.iter().find(|user| user.idnumber == student)?;
        world
            .moodle
            .enrolments()
            .into_iter()
            .find(|seat| seat.user_id == user.id)
    });
    assert!(!seat.await.expect("not enrolled").suspended);

    world.zoho.delete("BTEC_Enrollments", &enrolment).unwrap();
    let suspended = eventually(|| async {
        world
            .moodle
            .enrolments()
            .into_iter()
            .find(|seat| seat.suspended)
    });
    assert!(suspended.await.is_some(), "the withdrawal did not suspend");
}

async fn nothing_is_written_before_go_live_and_all_of_it_after(backend: Backend) {
    let mut world = World::new(backend).await;
    world.set("SETUP_COMPLETED_STEPS", "backend,zoho,moodle");
    let bridge = world.start().await;
    let class = a_class(&world.zoho, "PROG-A");
    let student = register(&world.zoho, 1);
    let enrolment = enrol(&world.zoho, &student, &class);
    let before = world.moodle.users().len();
    bridge.notify("BTEC_Enrollments", &enrolment).await;
    eventually(|| async {
        let queue = bridge.health().await["queue"].clone();
        let held_back = queue["outbox"].as_i64()? > 0;
        (queue["pending"] == 0 && queue["leased"] == 0 && held_back).then_some(())
    })
    .await
    .expect("nothing was held back");
    assert_eq!(world.moodle.users().len(), before);
    assert_eq!(bridge.stop().await, Some(0));

    world.set("SETUP_COMPLETED_STEPS", ALL_STEPS);
    let _bridge = world.start().await;
    let seat = eventually(|| async { world.moodle.enrolments().into_iter().next() });
    assert!(seat.await.is_some(), "what was held back was not delivered");
}
