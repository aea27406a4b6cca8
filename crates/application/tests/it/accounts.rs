//! A student's Moodle user: found, linked or created, once, and nobody else's is touched.

use mzi_domain::FieldValue;
use mzi_ports::{
    LmsError,
    lms::refusal,
    testing::fake_lms::{LmsFault, LmsVerb},
};

use crate::{
    ids::{LINA, OMAR},
    world::{World, text},
};

const ADDRESS: &str = "lina.haddad@students.college.example";
const NEW_ADDRESS: &str = "l.haddad@students.college.example";

#[tokio::test]
async fn a_lost_answer_to_a_creation_leaves_exactly_one_user() {
    let world = World::new();
    world.has_lina();
    world
        .lms
        .script(Some(LmsVerb::CreateUser), LmsFault::LoseAnswer);

    world.notify_and_settle("BTEC_Students", LINA).await;

    assert_eq!(world.lms.users().len(), 1);
    world.has_nothing_left_to_do().await;
    // It is known to be ours: a corrected address reaches Moodle.
    world
        .edit("BTEC_Students", LINA, "Academic_Email", text(NEW_ADDRESS))
        .await;
    world.settle().await;
    let user = world.lms.user(world.user_of(LINA)).unwrap();
    assert_eq!(user.email, NEW_ADDRESS);
}

#[tokio::test]
async fn a_free_account_with_the_username_or_address_is_linked() {
    for (username, email) in [(ADDRESS, "somewhere@else.example"), ("lhaddad", ADDRESS)] {
        let world = World::new();
        world.has_lina();
        let user = world.lms.add_user(username, email, "");

        world.notify_and_settle("BTEC_Students", LINA).await;

        assert_eq!(world.user_of(LINA), user);
        assert_eq!(world.lms.count(LmsVerb::CreateUser), 0);
    }
}

#[tokio::test]
async fn a_linked_account_keeps_its_address_and_username() {
    let world = World::new();
    world.has_lina();
    let user = world.lms.add_user("lhaddad", ADDRESS, "");
    world.notify_and_settle("BTEC_Students", LINA).await;

    world
        .edit("BTEC_Students", LINA, "Academic_Email", text(NEW_ADDRESS))
        .await;
    world
        .edit("BTEC_Students", LINA, "Last_Name", text("Haddad-Aziz"))
        .await;
    world.settle().await;

    let user = world.lms.user(user).unwrap();
    assert_eq!(
        (user.username.as_str(), user.email.as_str()),
        ("lhaddad", ADDRESS)
    );
    assert_eq!(user.last_name, "Haddad-Aziz");
}

#[tokio::test]
async fn an_account_given_our_id_number_by_hand_is_linked_and_not_ours_to_rename() {
    let world = World::new();
    world.has_lina();
    let user = world.lms.add_user(ADDRESS, ADDRESS, "X-17");
    world.call_user(user, "Lina", "Haddad").await;
    world.notify_and_settle("BTEC_Students", LINA).await;
    world.the_issue("username_taken").await;

    // The administrator follows the hint.
    world.give_idnumber(user, LINA).await;
    world.notify_and_settle("BTEC_Students", LINA).await;
    assert_eq!(world.issue_codes().await, [""; 0]);
    world
        .edit("BTEC_Students", LINA, "Academic_Email", text(NEW_ADDRESS))
        .await;
    world.settle().await;

    let user = world.lms.user(user).unwrap();
    assert_eq!(
        (user.username.as_str(), user.email.as_str()),
        (ADDRESS, ADDRESS)
    );
}

#[tokio::test]
async fn an_account_of_somebody_else_is_never_linked() {
    for (username, email, code) in [
        (ADDRESS, "somewhere@else.example", "username_taken"),
        ("lhaddad", ADDRESS, "email_taken"),
    ] {
        let world = World::new();
        world.has_lina();
        let user = world.lms.add_user(username, email, "X-17");

        world.notify_and_settle("BTEC_Students", LINA).await;

        let issue = world.the_issue(code).await;
        assert!(issue.message.contains("Lina Haddad"), "{}", issue.message);
        assert!(issue.message.contains("X-17"), "{}", issue.message);
        assert_eq!(world.lms.user(user).unwrap().idnumber, "X-17");
        assert_eq!(world.lms.users().len(), 1);
    }
}

#[tokio::test]
async fn guest_and_administrator_are_never_linked() {
    for address in ["root@localhost.example", "admin@college.example"] {
        let world = World::new();
        world.has_lina();
        world
            .crm
            .edit("BTEC_Students", LINA, [("Academic_Email", text(address))]);

        world.notify_and_settle("BTEC_Students", LINA).await;

        world.the_issue("account_protected").await;
        assert!(world.lms.users().is_empty());
    }
}

#[tokio::test]
async fn two_accounts_that_fit_are_left_to_a_person() {
    let world = World::new();
    world.has_lina();
    world.lms.add_user("lhaddad", ADDRESS, "");
    world.lms.add_user("lina.h", ADDRESS, "");

    world.notify_and_settle("BTEC_Students", LINA).await;

    world.the_issue("account_ambiguous").await;
}

#[tokio::test]
async fn link_only_never_creates() {
    let world = World::with(|policy| policy.accounts.create = false);
    world.has_lina();

    world.notify_and_settle("BTEC_Students", LINA).await;

    world.the_issue("account_not_allowed").await;
    assert!(world.lms.users().is_empty());
}

/// Lina has her account, Omar was given the same address; `together` says whether both arrive in
/// one batch.
async fn shared_address(together: bool) -> World {
    let world = World::new();
    world.has_lina();
    world.has_student(OMAR, "Omar", "Aziz");
    world
        .crm
        .edit("BTEC_Students", OMAR, [("Academic_Email", text(ADDRESS))]);
    world.notify("BTEC_Students", LINA).await;
    if !together {
        world.settle().await;
    }
    world.notify_and_settle("BTEC_Students", OMAR).await;
    world
}

#[tokio::test]
async fn two_students_with_one_address_are_an_issue_that_names_both() {
    for together in [false, true] {
        let world = shared_address(together).await;

        let issue = world.the_issue("username_taken").await;
        for name in ["Lina", "Omar"] {
            assert!(
                issue.message.contains(name),
                "{together}: {}",
                issue.message
            );
        }
        assert_eq!(world.lms.users().len(), 1);
    }
}

#[tokio::test]
async fn a_shared_address_corrected_in_zoho_resolves_the_issue() {
    for together in [false, true] {
        let world = shared_address(together).await;
        let troubled = world.the_issue("username_taken").await.zoho_id.unwrap();

        world
            .edit(
                "BTEC_Students",
                &troubled,
                "Academic_Email",
                text(NEW_ADDRESS),
            )
            .await;
        world.settle().await;

        assert_eq!(world.issue_codes().await, [""; 0]);
        assert_eq!(world.lms.users().len(), 2);
    }
}

#[tokio::test]
async fn a_shared_address_given_up_by_its_holder_resolves_the_issue_of_the_other() {
    let world = shared_address(false).await;

    world
        .edit("BTEC_Students", LINA, "Academic_Email", text(NEW_ADDRESS))
        .await;
    world.settle().await;

    assert_eq!(world.issue_codes().await, [""; 0]);
    assert_eq!(
        world.lms.user(world.user_of(LINA)).unwrap().email,
        NEW_ADDRESS
    );
    assert_eq!(world.lms.user(world.user_of(OMAR)).unwrap().email, ADDRESS);
}

#[tokio::test]
async fn an_address_changed_to_somebody_elses_is_an_issue_that_names_both() {
    let world = World::new();
    world.has_lina();
    world.has_student(OMAR, "Omar", "Aziz");
    world.notify("BTEC_Students", LINA).await;
    world.notify_and_settle("BTEC_Students", OMAR).await;

    world
        .edit("BTEC_Students", OMAR, "Academic_Email", text(ADDRESS))
        .await;
    world.settle().await;

    let issue = world.the_issue("username_taken").await;
    for name in ["Lina", "Omar"] {
        assert!(issue.message.contains(name), "{}", issue.message);
    }
    let omar = world.lms.user(world.user_of(OMAR)).unwrap();
    assert_eq!(omar.email, "omar.aziz@students.college.example");
}

#[tokio::test]
async fn a_changed_name_reaches_the_account_once() {
    let world = World::new();
    world.has_lina();
    world.notify_and_settle("BTEC_Students", LINA).await;

    world
        .edit("BTEC_Students", LINA, "First_Name", text("Leena"))
        .await;
    world.settle().await;
    world.notify_and_settle("BTEC_Students", LINA).await;

    assert_eq!(
        world.lms.user(world.user_of(LINA)).unwrap().first_name,
        "Leena"
    );
    assert_eq!(world.lms.count(LmsVerb::UpdateUsers), 1);
}

#[tokio::test]
async fn a_student_without_an_address_is_an_issue_until_one_is_filled_in() {
    let world = World::new();
    world.has_lina();
    world.crm.edit(
        "BTEC_Students",
        LINA,
        [("Academic_Email", FieldValue::Null)],
    );

    world.notify_and_settle("BTEC_Students", LINA).await;
    world.the_issue("missing_email").await;
    assert!(world.lms.users().is_empty());

    world
        .edit("BTEC_Students", LINA, "Academic_Email", text(ADDRESS))
        .await;
    world.settle().await;
    assert_eq!(world.issue_codes().await, [""; 0]);
    world.user_of(LINA);
}

#[tokio::test]
async fn an_emptied_address_keeps_the_account_as_it_is() {
    let world = World::new();
    world.has_lina();
    world.notify_and_settle("BTEC_Students", LINA).await;

    world
        .edit("BTEC_Students", LINA, "Academic_Email", FieldValue::Null)
        .await;
    world.settle().await;

    world.the_issue("missing_email").await;
    assert_eq!(world.lms.user(world.user_of(LINA)).unwrap().email, ADDRESS);
}

#[tokio::test]
async fn one_bad_student_does_not_keep_the_others_of_a_batch_back() {
    let world = World::new();
    world.has_lina();
    world.has_student(OMAR, "Omar", "Aziz");
    world.lms.fail_next_of(
        LmsVerb::CreateUser,
        LmsError::Rejected {
            operation: "core_user_create_users".into(),
            code: "invalidparameter".into(),
            message: "Invalid parameter value detected".into(),
        },
    );

    world.notify("BTEC_Students", LINA).await;
    world.notify_and_settle("BTEC_Students", OMAR).await;

    assert_eq!(world.lms.users().len(), 1);
    world.the_issue("refused").await;
}

#[tokio::test]
async fn a_look_up_that_hides_everybody_makes_no_second_user() {
    let world = World::new();
    world.has_lina();
    world.lms.add_user(ADDRESS, ADDRESS, "");
    world.lms.hide_users(true);

    world.notify_and_settle("BTEC_Students", LINA).await;

    assert_eq!(world.lms.users().len(), 1);
    let issue = world.the_issue("username_taken").await;
    assert!(
        issue.message.contains(refusal::USERNAME_TAKEN),
        "{}",
        issue.message
    );
}
