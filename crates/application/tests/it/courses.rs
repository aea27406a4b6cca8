//! A class's Moodle course.

use mzi_domain::FieldValue;
use mzi_ports::{
    LmsError,
    testing::fake_lms::{LmsFault, LmsVerb},
};

use crate::{
    ids::{CLASS, OTHER_CLASS, PROGRAM},
    world::{World, lookup, text},
};

#[tokio::test]
async fn a_lost_answer_to_a_creation_leaves_exactly_one_course() {
    let world = World::new();
    world.has_active_class();
    world
        .lms
        .script(Some(LmsVerb::CreateCourse), LmsFault::LoseAnswer);

    world.notify_and_settle("BTEC_Classes", CLASS).await;

    assert_eq!(world.lms.courses().len(), 1);
    world.has_nothing_left_to_do().await;
}

#[tokio::test]
async fn a_class_renamed_before_the_lost_course_is_found_again_gives_it_its_new_name() {
    let world = World::new();
    world.has_active_class();
    world
        .lms
        .script(Some(LmsVerb::CreateCourse), LmsFault::LoseAnswer);
    world.notify("BTEC_Classes", CLASS).await;
    world.work().await;

    let name = text("Programming, evening");
    world.edit("BTEC_Classes", CLASS, "Class_Name", name).await;
    world.settle().await;

    let course = world.lms.course(world.course_of(CLASS)).unwrap();
    assert_eq!(course.found.fullname, "Programming, evening");
}

#[tokio::test]
async fn a_short_name_that_is_taken_is_an_issue_until_it_is_changed() {
    let world = World::new();
    world.has_active_class();
    world.lms.add_course("", "prog-a", "An older course");

    world.notify_and_settle("BTEC_Classes", CLASS).await;
    let issue = world.the_issue("shortname_taken").await;
    assert!(
        issue.message.contains("An older course"),
        "{}",
        issue.message
    );
    assert!(issue.message.contains("Class PROG-A"), "{}", issue.message);

    world
        .edit("BTEC_Classes", CLASS, "Class_Short_Name", text("PROG-A2"))
        .await;
    world.settle().await;
    assert_eq!(world.issue_codes().await, [""; 0]);
    world.course_of(CLASS);
}

#[tokio::test]
async fn two_classes_with_one_short_name_make_one_course_and_one_issue() {
    for together in [false, true] {
        let world = World::new();
        world.has_active_class();
        world.has_class(OTHER_CLASS, "PROG-A", "Active");

        world.notify("BTEC_Classes", CLASS).await;
        if !together {
            world.settle().await;
        }
        world.notify_and_settle("BTEC_Classes", OTHER_CLASS).await;

        assert_eq!(world.lms.courses().len(), 1, "{together}");
        world.the_issue("shortname_taken").await;
    }
}

#[tokio::test]
async fn a_course_follows_its_class() {
    let world = World::new();
    world.has_active_class();
    world.notify_and_settle("BTEC_Classes", CLASS).await;

    world
        .edit(
            "BTEC_Classes",
            CLASS,
            "Class_Name",
            text("Programming, evening"),
        )
        .await;
    world
        .edit("BTEC_Classes", CLASS, "Start_Date", text("2026-12-01"))
        .await;
    world.settle().await;

    let course = world.lms.course(world.course_of(CLASS)).unwrap();
    assert_eq!(course.found.fullname, "Programming, evening");
    let midnight_in_amman = "2026-11-30T21:00:00+00:00";
    assert_eq!(course.starts_at.unwrap().to_rfc3339(), midnight_in_amman);
}

#[tokio::test]
async fn a_course_moves_when_its_programme_gets_a_category() {
    let world = World::new();
    world.has_active_class();
    world
        .crm
        .seed("Products", PROGRAM, [("Product_Name", text("Computing"))]);
    world
        .crm
        .edit("BTEC_Classes", CLASS, [("BTEC_Program", lookup(PROGRAM))]);
    world.notify_and_settle("BTEC_Classes", CLASS).await;
    let category = |world: &World| {
        world
            .lms
            .course(world.course_of(CLASS))
            .unwrap()
            .category
            .get()
    };
    assert_eq!(category(&world), 1);

    let computing = mzi_domain::MoodleCategoryId::new(7).unwrap();
    world.lms.add_category(computing, "Computing");
    world.edit("Products", PROGRAM, "MoodleID", text("7")).await;
    world.settle().await;

    assert_eq!(category(&world), 7);
}

#[tokio::test]
async fn a_category_that_does_not_exist_is_an_issue_until_it_does() {
    let world = World::new();
    world.has_active_class();
    world
        .crm
        .seed("Products", PROGRAM, [("MoodleID", text("99"))]);
    world
        .crm
        .edit("BTEC_Classes", CLASS, [("BTEC_Program", lookup(PROGRAM))]);
    world.notify("Products", PROGRAM).await;
    world.notify_and_settle("BTEC_Classes", CLASS).await;
    world.the_issue("category_unknown").await;

    world.edit("Products", PROGRAM, "MoodleID", text("1")).await;
    world.settle().await;

    assert_eq!(world.issue_codes().await, [""; 0]);
    world.course_of(CLASS);
}

#[tokio::test]
async fn a_course_zoho_names_is_never_taken_over_unless_adoption_is_allowed() {
    for (allowed, idnumber, name) in [
        (false, "", "Class PROG-A"),
        (true, "somebody-elses", "Class PROG-A"),
        (true, "", "Quite another"),
    ] {
        let world = World::with(|policy| policy.courses.adopt = allowed);
        world.has_active_class();
        let course = world.lms.add_course(idnumber, "OLD-1", name);
        world.crm.edit(
            "BTEC_Classes",
            CLASS,
            [("Moodle_Class_ID", text(&course.to_string()))],
        );

        world.notify_and_settle("BTEC_Classes", CLASS).await;

        world.the_issue("adoption_needed").await;
        assert_eq!(world.lms.course(course).unwrap().found.idnumber, idnumber);
        assert_eq!(world.lms.courses().len(), 1);
    }
}

#[tokio::test]
async fn a_free_course_of_the_same_name_is_adopted_when_that_is_allowed() {
    let world = World::with(|policy| policy.courses.adopt = true);
    world.has_active_class();
    let course = world.lms.add_course("", "OLD-1", "class prog-a");
    world.crm.edit(
        "BTEC_Classes",
        CLASS,
        [("Moodle_Class_ID", text(&course.to_string()))],
    );

    world.notify_and_settle("BTEC_Classes", CLASS).await;

    assert_eq!(world.course_of(CLASS), course);
}

#[tokio::test]
async fn a_missing_permission_names_itself_and_stops_only_its_own_work() {
    let world = World::new();
    world.has_active_class();
    world.has_lina();
    world.lms.fail_next_of(
        LmsVerb::CreateCourse,
        LmsError::Forbidden {
            operation: "core_course_create_courses".into(),
            code: "nopermissions".into(),
        },
    );

    world.notify("BTEC_Classes", CLASS).await;
    world
        .notify_and_settle("BTEC_Students", crate::ids::LINA)
        .await;

    let issue = world.the_issue("not_allowed").await;
    assert!(issue.message.contains("core_course_create_courses"));
    world.user_of(crate::ids::LINA);
}

#[tokio::test]
async fn a_class_without_any_name_is_an_issue() {
    let world = World::new();
    world.has_active_class();
    let unnamed = [
        ("Class_Name", FieldValue::Null),
        ("Class_Short_Name", FieldValue::Null),
    ];
    world.crm.edit("BTEC_Classes", CLASS, unnamed);

    world.notify_and_settle("BTEC_Classes", CLASS).await;

    world.the_issue("missing_course_name").await;
    assert!(world.lms.courses().is_empty());
}
