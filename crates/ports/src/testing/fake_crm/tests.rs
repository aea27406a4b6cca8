//! The fake holds the promises of every CRM, and does as it is told.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::Duration;

use super::*;
use crate::testing::crm_contract::{
    CrmHarness, Failure, GRADES, KEY, NAME, REGISTRATIONS, STUDENTS, names, number, record, text,
};

struct World {
    clock: Arc<ManualClock>,
    crm: FakeCrm,
}

async fn world() -> World {
    let clock = Arc::new(ManualClock::new());
    let crm = FakeCrm::new(clock.clone());
    let student: Vec<String> = (0..70).map(|n| format!("Answer_{n}")).collect();
    crm.define(STUDENTS, student.iter().map(|name| field(name)).collect());
    crm.define(REGISTRATIONS, Vec::new());
    let grade = [NAME, "Feedback", KEY, "Attempt_Number"];
    crm.define(GRADES, grade.map(field).into());
    crm.make_unique(GRADES, KEY);
    World { clock, crm }
}

#[async_trait]
impl CrmHarness for World {
    fn crm(&self) -> &dyn Crm {
        &self.crm
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    async fn later(&self) {
        self.clock.advance(Duration::seconds(10));
    }

    async fn delete(&self, module: &str, id: &ZohoId) {
        self.crm.delete(module, id.as_str());
    }

    async fn fail_next(&self, failure: Failure) {
        self.crm.script(
            None,
            match failure {
                Failure::Unwell => CrmFault::Refuse(CrmError::Unavailable {
                    reason: "INTERNAL_ERROR".into(),
                }),
                Failure::Throttled => CrmFault::Refuse(CrmError::RateLimited { after: None }),
                Failure::ScopeMissing => CrmFault::Refuse(CrmError::Forbidden {
                    operation: "list modules".into(),
                    code: "OAUTH_SCOPE_MISMATCH".into(),
                }),
                Failure::AnswerLost => CrmFault::LoseAnswer,
            },
        );
    }
}

crate::crm_contract!(world);

#[tokio::test]
async fn a_scripted_fault_meets_one_call_of_its_verb() {
    let crm = FakeCrm::default();
    crm.seed(GRADES, "900000000000101", [(NAME, text("Unit 1"))]);
    let down = CrmError::Unavailable {
        reason: "down".into(),
    };
    crm.fail_next_of(CrmVerb::Page, down.clone());

    assert!(crm.modules().await.is_ok());
    let request = PageRequest {
        module: GRADES.into(),
        fields: names(&[NAME]),
        modified_since: None,
        page_token: None,
    };
    assert_eq!(crm.page(&request).await, Err(down.clone()));
    assert_eq!(crm.page(&request).await.unwrap().records.len(), 1);

    crm.set_outage(Some(down.clone()));
    assert_eq!(crm.modules().await, Err(down));
    crm.set_outage(None);
    assert!(crm.modules().await.is_ok());
    assert_eq!((crm.count(CrmVerb::Page), crm.calls().len()), (2, 5));
}

#[tokio::test]
async fn one_record_of_a_batch_can_be_refused_and_one_left_out() {
    let crm = FakeCrm::default();
    crm.define(GRADES, Vec::new());
    let error = CrmError::Forbidden {
        operation: "write".into(),
        code: "NO_PERMISSION".into(),
    };
    crm.script(
        None,
        CrmFault::RefuseItem {
            at: 1,
            error: error.clone(),
        },
    );
    let records = ["a", "b", "c"].map(|name| record([(NAME, text(name))]));

    let outcomes = crm
        .write(GRADES, &WriteMode::Insert, &records)
        .await
        .unwrap();

    assert_eq!(outcomes[1], Err(error));
    let ids = crm.ids(GRADES);
    assert_eq!(ids.len(), 2);
    assert_eq!(crm.writes()[0].records, records);
    crm.script(Some(CrmVerb::Records), CrmFault::LeaveOut(ids[0].clone()));
    let reading = crm.records(GRADES, &names(&[NAME]), &ids).await.unwrap();
    assert_eq!(reading.records.len(), 1);
}

#[tokio::test]
async fn a_hidden_field_is_absent_and_an_edit_moves_the_time() {
    let clock = Arc::new(ManualClock::new());
    let crm = FakeCrm::new(clock.clone());
    let id = "900000000000101";
    crm.seed(GRADES, id, [("Attempt_Number", number("1"))]);
    clock.advance(Duration::seconds(10));
    crm.edit(GRADES, id, [("Attempt_Number", number("2"))]);
    crm.hide_field(GRADES, "Feedback");

    let asked = names(&["Attempt_Number", "Feedback", "Modified_Time"]);
    let read = crm
        .record(GRADES, &asked, &known(id))
        .await
        .unwrap()
        .unwrap();

    let expected = BTreeMap::from([
        ("Attempt_Number".to_owned(), number("2")),
        (
            "Modified_Time".to_owned(),
            text("2026-11-22T12:00:10+00:00"),
        ),
    ]);
    assert_eq!(read.fields, expected);
    assert_eq!(read.modified_at, Some(clock.now()));
}

#[tokio::test]
async fn a_slow_call_outlives_the_patience_of_its_caller() {
    let crm = FakeCrm::default();
    crm.set_latency(std::time::Duration::from_secs(40));
    let patience = std::time::Duration::from_millis(1);
    let call = tokio::time::timeout(patience, crm.modules());
    assert!(call.await.is_err());
}

fn field(name: &str) -> CrmField {
    CrmField {
        api_name: name.into(),
        label: name.replace('_', " "),
        data_type: "text".into(),
        length: Some(255),
        unique: false,
        read_only: false,
        lookup_module: None,
        picklist: Vec::new(),
    }
}
