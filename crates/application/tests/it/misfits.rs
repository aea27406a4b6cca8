//! Values and ids that do not fit: shown to a person, and nothing is lost for it.

use mzi_domain::{Entity, FieldValue, Value};
use mzi_ports::{
    CrmError, Ledger,
    testing::fake_crm::{CrmFault, CrmVerb},
};

use crate::{
    ids::{CLASS, LINA, OMAR, SEAT},
    world::{World, text, zoho},
};

#[tokio::test]
async fn a_bad_value_keeps_the_old_one_and_is_shown() {
    let world = World::new();
    world.has_lina();
    world
        .crm
        .edit("BTEC_Students", LINA, [("Birth_Date", text("2004-05-17"))]);
    world.notify_and_settle("BTEC_Students", LINA).await;

    world
        .edit("BTEC_Students", LINA, "Birth_Date", text("next Tuesday"))
        .await;
    world
        .edit("BTEC_Students", LINA, "City", text("Irbid"))
        .await;
    world.settle().await;

    let issue = world.the_issue("bad_value").await;
    assert!(issue.message.contains("Birth_Date"), "{}", issue.message);
    assert!(
        !issue.message.contains("Tuesday"),
        "values do not belong into issues"
    );
    let held = world
        .store
        .stored(Entity::Students, &[zoho(LINA)])
        .await
        .unwrap();
    let born = held[0].values.date("date_of_birth").unwrap();
    assert_eq!(born.to_string(), "2004-05-17");
    assert_eq!(held[0].values.text("city"), Some("Irbid"));

    world
        .edit("BTEC_Students", LINA, "Birth_Date", text("2004-05-18"))
        .await;
    world.settle().await;
    assert_eq!(world.issue_codes().await, [""; 0]);
}

#[tokio::test]
async fn an_id_zoho_does_not_know_is_an_issue_and_disturbs_nobody() {
    let world = World::new();
    world.has_lina();
    let body = format!(r#"{{"module":"BTEC_Students","ids":["900000000000999","{LINA}"]}}"#);

    world.receive("BTEC_Students", &body).await;
    world.settle().await;

    let issue = world.the_issue("record_not_found").await;
    assert_eq!(issue.zoho_id.as_deref(), Some("900000000000999"));
    world.user_of(LINA);
}

#[tokio::test]
async fn an_id_that_turns_up_later_resolves_its_issue() {
    let world = World::new();
    world
        .crm
        .seed("BTEC_Students", OMAR, [("Name", text("A102"))]);
    world.notify_and_settle("BTEC_Students", LINA).await;
    world.the_issue("record_not_found").await;

    world.has_lina();
    world.notify_and_settle("BTEC_Students", LINA).await;

    assert_eq!(world.issue_codes().await, [""; 0]);
}

#[tokio::test]
async fn a_list_that_leaves_a_record_out_says_nothing_about_it() {
    let world = World::new();
    world.has_lina_enrolled();
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;

    world
        .crm
        .script(Some(CrmVerb::Records), CrmFault::LeaveOut(zoho(SEAT)));
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;

    assert!(world.takes_part(LINA, CLASS));
    assert_eq!(world.issue_codes().await, [""; 0]);
}

#[tokio::test]
async fn a_field_that_is_hidden_from_us_clears_nothing() {
    let world = World::new();
    world.has_lina();
    world
        .crm
        .edit("BTEC_Students", LINA, [("City", text("Amman"))]);
    world.notify_and_settle("BTEC_Students", LINA).await;

    world.crm.hide_field("BTEC_Students", "City");
    world.crm.hide_field("BTEC_Students", "Academic_Email");
    world
        .edit("BTEC_Students", LINA, "Address", text("1 Hill Street"))
        .await;
    world.settle().await;

    world
        .is_up_to_date(Entity::Students, LINA, "city", "Amman")
        .await;
    world
        .is_up_to_date(Entity::Students, LINA, "address", "1 Hill Street")
        .await;
    assert_eq!(world.issue_codes().await, [""; 0]);
}

#[tokio::test]
async fn an_emptied_field_is_cleared_and_history_says_what_it_was() {
    let world = World::new();
    world.has_lina();
    world
        .crm
        .edit("BTEC_Students", LINA, [("City", text("Amman"))]);
    world.notify_and_settle("BTEC_Students", LINA).await;

    world
        .edit("BTEC_Students", LINA, "City", FieldValue::Null)
        .await;
    world.settle().await;

    let history = world.store.history(Entity::Students, &zoho(LINA));
    let city = history.iter().flat_map(|entry| &entry.fields);
    let city: Vec<_> = city.filter(|field| field.column == "city").collect();
    assert_eq!(city.len(), 2);
    assert_eq!(city[1].before, Some(Value::Text("Amman".into())));
    assert_eq!(city[1].after, None);
}

#[tokio::test]
async fn two_edits_within_one_second_both_arrive() {
    let world = World::new();
    world.has_lina();
    world.notify_and_settle("BTEC_Students", LINA).await;
    let notice = |time: &str| {
        format!(r#"{{"id":"{LINA}","Modified_Time":"{time}","First_Name":"ignored"}}"#)
    };
    let time = "2026-11-22T12:20:00+00:00";

    world
        .crm
        .edit("BTEC_Students", LINA, [("City", text("Amman"))]);
    world.receive("BTEC_Students", &notice(time)).await;
    world.work().await;
    // The second edit has the same Modified_Time, so that its notice is taken for a repeat.
    world
        .crm
        .edit("BTEC_Students", LINA, [("City", text("Irbid"))]);
    world.receive("BTEC_Students", &notice(time)).await;
    world.settle().await;

    world
        .is_up_to_date(Entity::Students, LINA, "city", "Irbid")
        .await;
}

#[tokio::test]
async fn a_module_that_may_not_be_read_stops_only_its_own_records() {
    let world = World::new();
    world.has_lina();
    world.has_active_class();
    world.crm.fail_next_of(
        CrmVerb::Records,
        CrmError::Forbidden {
            operation: "BTEC_Students".into(),
            code: "NO_PERMISSION".into(),
        },
    );

    world.notify("BTEC_Students", LINA).await;
    world.work().await;
    world.notify_and_settle("BTEC_Classes", CLASS).await;

    let issue = world.the_issue("not_allowed").await;
    assert!(issue.message.contains("BTEC_Students"), "{}", issue.message);
    world.course_of(CLASS);
}

#[tokio::test]
async fn a_write_back_that_zoho_refuses_is_an_issue_and_keeps_the_account() {
    let world = World::new();
    world.has_lina();
    let error = CrmError::Rejected {
        operation: "update BTEC_Students".into(),
        code: "INVALID_DATA".into(),
        message: "Student_Moodle_ID: invalid data".into(),
    };
    world
        .crm
        .script(Some(CrmVerb::Write), CrmFault::RefuseItem { at: 0, error });

    world.notify_and_settle("BTEC_Students", LINA).await;

    let issue = world.the_issue("refused").await;
    assert_eq!(issue.operation.as_deref(), Some("write_back:students"));
    world.user_of(LINA);
}
