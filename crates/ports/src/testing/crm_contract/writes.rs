//! Promises about writing records.

use mzi_domain::FieldValue;

use super::{
    CrmHarness, Failure, GRADES, KEY, NAME, inserted, is_now, names, nobody, record, refusal_of,
    text, updated,
};
use crate::{
    crm::{PageRequest, RecordWrite, WriteMode},
    error::CrmError,
};

/// More than one call's worth; the n-th outcome is the n-th record's.
pub async fn every_record_of_a_large_write_has_its_outcome_in_order(world: &dyn CrmHarness) {
    let records: Vec<_> = (0..230)
        .map(|n| record([(NAME, text(&format!("unit {n}")))]))
        .collect();
    let outcomes = world
        .crm()
        .write(GRADES, &WriteMode::Insert, &records)
        .await;
    let outcomes = outcomes.unwrap();
    assert_eq!(outcomes.len(), 230);
    for n in [0, 99, 100, 229] {
        let receipt = outcomes[n].as_ref().unwrap();
        assert!(is_now(world, receipt.modified_at), "{receipt:?}");
        let read = world
            .crm()
            .record(GRADES, &names(&[NAME]), &receipt.id)
            .await;
        let read = read.unwrap().unwrap();
        assert_eq!(read.fields.get(NAME), Some(&text(&format!("unit {n}"))));
    }
}

/// Zoho takes the good records of a batch, whatever the status of the answer.
pub async fn a_refused_record_does_not_hold_up_the_others(world: &dyn CrmHarness) {
    inserted(world, GRADES, [(KEY, text("1_2_3"))]).await;
    let records = [
        record([(KEY, text("1_2_4"))]),
        record([(KEY, text("1_2_3"))]),
        record([(KEY, text("1_2_5"))]),
    ];
    let outcomes = world
        .crm()
        .write(GRADES, &WriteMode::Insert, &records)
        .await;
    let good: Vec<bool> = outcomes.unwrap().iter().map(Result::is_ok).collect();
    assert_eq!(good, [true, false, true]);
}

/// The refusal names the field, or nobody can mend it.
pub async fn a_repeated_value_of_a_unique_field_is_refused(world: &dyn CrmHarness) {
    inserted(world, GRADES, [(KEY, text("1_2_3"))]).await;
    let again = record([(KEY, text("1_2_3"))]);
    let outcomes = world
        .crm()
        .write(GRADES, &WriteMode::Insert, &[again])
        .await;
    let (code, message) = refusal_of(outcomes.unwrap().remove(0));
    assert_eq!(code, "DUPLICATE_DATA");
    assert!(message.contains(KEY), "{message}");
}

/// The same grade sent twice stays one record.
pub async fn an_upsert_finds_its_record_by_a_unique_field(world: &dyn CrmHarness) {
    let mode = WriteMode::Upsert {
        keys: names(&[KEY]),
    };
    let mut ids = Vec::new();
    for name in ["first", "second"] {
        let grade = record([(KEY, text("1_2_3")), (NAME, text(name))]);
        let outcomes = world.crm().write(GRADES, &mode, &[grade]).await;
        ids.push(outcomes.unwrap().remove(0).unwrap().id);
    }
    assert_eq!(ids[0], ids[1]);
    let read = world.crm().record(GRADES, &names(&[NAME]), &ids[0]).await;
    assert_eq!(
        read.unwrap().unwrap().fields.get(NAME),
        Some(&text("second"))
    );
}

/// Absent leaves alone, null clears.
pub async fn an_update_leaves_other_fields_alone_and_null_clears(world: &dyn CrmHarness) {
    let fields = [(NAME, text("Unit 1")), ("Feedback", text("well done"))];
    let id = inserted(world, GRADES, fields).await;
    world.later().await;
    updated(world, GRADES, &id, [("Feedback", FieldValue::Null)]).await;
    let asked = names(&[NAME, "Feedback"]);
    let read = world
        .crm()
        .record(GRADES, &asked, &id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read.fields.get(NAME), Some(&text("Unit 1")));
    assert_eq!(read.fields.get("Feedback"), Some(&FieldValue::Null));
    assert!(is_now(world, read.modified_at), "{:?}", read.modified_at);
}

/// An update never makes a record.
pub async fn an_update_of_an_unknown_record_is_refused(world: &dyn CrmHarness) {
    let change = RecordWrite {
        id: Some(nobody()),
        ..record([(NAME, text("ghost"))])
    };
    let outcomes = world
        .crm()
        .write(GRADES, &WriteMode::Update, &[change])
        .await;
    let (code, _) = refusal_of(outcomes.unwrap().remove(0));
    assert_eq!(code, "INVALID_DATA");
}

/// Repeating the insert blindly would make a second record.
pub async fn an_insert_whose_answer_is_lost_is_of_unknown_outcome(world: &dyn CrmHarness) {
    // A first call, so that what is lost is this write's answer and not a token's.
    world.crm().modules().await.unwrap();
    world.fail_next(Failure::AnswerLost).await;
    let record = record([(KEY, text("1_2_3"))]);
    let outcome = world
        .crm()
        .write(GRADES, &WriteMode::Insert, &[record])
        .await;
    assert!(
        matches!(outcome, Err(CrmError::UnknownOutcome { .. })),
        "{outcome:?}"
    );
    let request = PageRequest {
        module: GRADES.into(),
        fields: names(&[KEY]),
        modified_since: None,
        page_token: None,
    };
    let page = world.crm().page(&request).await.unwrap();
    assert_eq!(page.records.len(), 1);
}
