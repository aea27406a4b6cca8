//! Promises about metadata and about reading records by id.

use mzi_domain::FieldValue;

use super::{
    CrmHarness, Failure, GRADES, KEY, NAME, REGISTRATIONS, STUDENTS, inserted, is_now, names,
    nobody, number, refusal_of, text,
};

/// Ids are stored under it.
pub async fn the_organisation_has_an_id(world: &dyn CrmHarness) {
    let organisation = world.crm().organisation().await.unwrap();
    assert!(!organisation.id.is_empty());
}

/// A person picks modules by their labels.
pub async fn modules_are_listed_with_their_names(world: &dyn CrmHarness) {
    let modules = world.crm().modules().await.unwrap();
    let grades = modules.iter().find(|module| module.api_name == GRADES);
    let grades = grades.unwrap();
    assert!(!grades.label.is_empty());
    assert!(grades.api_supported);
}

/// The mapping editor needs types, and upserts need to know what is unique.
pub async fn fields_say_what_they_are(world: &dyn CrmHarness) {
    let fields = world.crm().fields(GRADES).await.unwrap();
    let find = |name: &str| fields.iter().find(|field| field.api_name == name).unwrap();
    assert_eq!(find(NAME).data_type, "text");
    assert!(!find(NAME).unique);
    assert!(find(KEY).unique);
}

/// A wrong mapping must be told from an empty module.
pub async fn a_module_that_does_not_exist_is_refused(world: &dyn CrmHarness) {
    let fields = names(&[NAME]);
    let ids = [nobody()];
    let outcome = world.crm().records("No_Such_Module", &fields, &ids).await;
    let (code, _) = refusal_of(outcome);
    assert_eq!(code, "INVALID_MODULE");
}

/// What was not asked for is neither stored nor logged.
pub async fn records_are_read_with_the_fields_asked_for_and_no_others(world: &dyn CrmHarness) {
    let fields = [(NAME, text("Unit 1")), ("Feedback", text("kept to itself"))];
    let id = inserted(world, GRADES, fields).await;
    let ids = [id.clone()];
    let asked = names(&[NAME]);
    let reading = world.crm().records(GRADES, &asked, &ids).await.unwrap();
    let record = &reading.records[0];
    assert_eq!(record.id, id);
    assert!(
        is_now(world, record.modified_at),
        "{:?}",
        record.modified_at
    );
    let read: Vec<_> = record.fields.iter().collect();
    assert_eq!(read, [(&NAME.to_owned(), &text("Unit 1"))]);
    assert!(
        is_now(world, reading.server_time),
        "{:?}",
        reading.server_time
    );
}

/// A record missing from a list says nothing; it must not hide the others.
pub async fn records_that_are_not_there_are_left_out(world: &dyn CrmHarness) {
    let id = inserted(world, GRADES, [(NAME, text("Unit 1"))]).await;
    let ids = [nobody(), id.clone()];
    let asked = names(&[NAME]);
    let reading = world.crm().records(GRADES, &asked, &ids).await.unwrap();
    let found: Vec<_> = reading
        .records
        .into_iter()
        .map(|record| record.id)
        .collect();
    assert_eq!(found, [id]);
    let none = world.crm().records(GRADES, &asked, &[nobody()]).await;
    assert!(none.unwrap().records.is_empty());
}

/// Null was read and is empty; absent was not read.
pub async fn an_empty_field_is_null(world: &dyn CrmHarness) {
    let id = inserted(world, GRADES, [(NAME, text("Unit 1"))]).await;
    let asked = names(&["Feedback"]);
    let read = world
        .crm()
        .record(GRADES, &asked, &id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read.fields.get("Feedback"), Some(&FieldValue::Null));
}

/// Money must not change on the way.
pub async fn a_number_keeps_its_digits(world: &dyn CrmHarness) {
    let id = inserted(world, GRADES, [("Attempt_Number", number("2"))]).await;
    let asked = names(&["Attempt_Number"]);
    let read = world
        .crm()
        .record(GRADES, &asked, &id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read.fields.get("Attempt_Number"), Some(&number("2")));
}

/// One call names fifty fields at most; a student has more.
pub async fn more_fields_than_one_call_may_name_are_joined(world: &dyn CrmHarness) {
    let fields = world.crm().fields(STUDENTS).await.unwrap();
    let plain = fields
        .iter()
        .filter(|field| field.data_type == "text" && !field.read_only);
    let asked: Vec<String> = plain.map(|field| field.api_name.clone()).take(60).collect();
    assert_eq!(asked.len(), 60);
    let ends = [asked[0].as_str(), asked[59].as_str()];
    let id = inserted(world, STUDENTS, ends.map(|name| (name, text("at an end")))).await;
    let reading = world
        .crm()
        .records(STUDENTS, &asked, std::slice::from_ref(&id));
    let reading = reading.await.unwrap();
    let alone = world
        .crm()
        .record(STUDENTS, &asked, &id)
        .await
        .unwrap()
        .unwrap();
    for record in [&reading.records[0], &alone] {
        assert_eq!(record.fields.len(), 60);
        for end in ends {
            assert_eq!(record.fields.get(end), Some(&text("at an end")), "{end}");
        }
    }
}

/// An absent sub-form clears nothing; one that was read is complete.
pub async fn lists_leave_sub_forms_out_and_a_read_of_one_record_has_them(world: &dyn CrmHarness) {
    let row = |no: &str, amount: &str| {
        let fields = [
            ("Installment_No", number(no)),
            ("Installment_Amount", number(amount)),
        ];
        fields.map(|(name, value)| (name.to_owned(), value)).into()
    };
    let rows = FieldValue::Rows(vec![row("1", "1250.5"), row("2", "900")]);
    let fields = [("Payment_Schedule", rows), ("First_Name", text("Nadia"))];
    let id = inserted(world, REGISTRATIONS, fields).await;
    let asked = names(&["Payment_Schedule", "First_Name"]);

    let listed = world
        .crm()
        .records(REGISTRATIONS, &asked, std::slice::from_ref(&id));
    let listed = listed.await.unwrap();
    assert_eq!(listed.records[0].fields.get("Payment_Schedule"), None);
    assert_eq!(
        listed.records[0].fields.get("First_Name"),
        Some(&text("Nadia"))
    );

    let alone = world.crm().record(REGISTRATIONS, &asked, &id).await;
    let alone = alone.unwrap().unwrap();
    let Some(FieldValue::Rows(rows)) = alone.fields.get("Payment_Schedule") else {
        panic!("no rows in {alone:?}");
    };
    let amounts: Vec<_> = rows
        .iter()
        .map(|row| row.get("Installment_Amount"))
        .collect();
    assert_eq!(amounts, [Some(&number("1250.5")), Some(&number("900"))]);
}

/// Only this is a positive "no such record".
pub async fn a_record_that_is_gone_is_none(world: &dyn CrmHarness) {
    let id = inserted(world, GRADES, [(NAME, text("Unit 1"))]).await;
    world.delete(GRADES, &id).await;
    for gone in [id, nobody()] {
        let outcome = world.crm().record(GRADES, &names(&[NAME]), &gone).await;
        assert_eq!(outcome, Ok(None), "{gone}");
    }
}

/// A failure deletes nothing.
pub async fn a_refusal_is_never_taken_for_absence(world: &dyn CrmHarness) {
    let id = inserted(world, GRADES, [(NAME, text("Unit 1"))]).await;
    let failures = [Failure::Unwell, Failure::Throttled, Failure::ScopeMissing];
    for failure in failures {
        world.fail_next(failure).await;
        let outcome = world.crm().record(GRADES, &names(&[NAME]), &id).await;
        assert!(outcome.is_err(), "{failure:?} was read as {outcome:?}");
    }
}
