//! Promises of [`Views`](crate::Views).

use chrono::NaiveDate;
use mzi_domain::{Entity, Lane, MoodleCourseId, MoodleUserId, Value, WorkKey, seat::ConfirmedSeat};

use super::{
    Subject,
    samples::{
        account, created, done_with, mark, mark_and_claim, noon, noon_plus, read_student, stop,
        store_record, texts, wait_for, written, zoho_id,
    },
};
use crate::{
    Views,
    ledger::{ConfirmedState, Effects, Link, LinkKind, Verdict},
    views::{QueueCounts, StoreHealth, StudentView},
};

fn user(number: i64) -> MoodleUserId {
    MoodleUserId::new(number).unwrap_or_else(|reason| panic!("{reason}"))
}

fn key(lane: Lane, number: u64) -> WorkKey {
    WorkKey::new(lane, zoho_id(number))
}

async fn student_of<S: Subject>(subject: &S, number: i64) -> Option<StudentView> {
    let found = subject.store().student_of(user(number)).await;
    found.unwrap_or_else(|reason| panic!("{reason}"))
}

async fn is_pending<S: Subject>(subject: &S) -> bool {
    student_of(subject, 41)
        .await
        .is_some_and(|view| view.pending)
}

fn link(kind: LinkKind, number: u64, moodle_id: i64) -> Effects {
    Effects {
        link: Some(Link {
            kind,
            id: zoho_id(number),
            moodle_id,
        }),
        ..Effects::default()
    }
}

/// Student 1 is user 41, has seat 21 in class 11 of unit 31 and course 51, and seat 22 in a class
/// we do not hold.
async fn furnish<S: Subject>(subject: &S) {
    let student = zoho_id(1);
    let records = [
        created(
            Entity::Students,
            1,
            texts(&[("first_name", "Lina"), ("last_name", "Haddad")]),
        ),
        created(Entity::Units, 31, texts(&[("unit_name", "Networks")])),
        created(
            Entity::Classes,
            11,
            texts(&[
                ("class_name", "Networks A"),
                ("unit_zoho_id", zoho_id(31).as_str()),
            ]),
        ),
        seat_record(21, student.as_str(), 11, (2026, 2, 1)),
        seat_record(22, student.as_str(), 12, (2026, 9, 1)),
        seat_record(23, zoho_id(2).as_str(), 11, (2026, 9, 1)),
    ];
    for record in records {
        store_record(subject, record, noon()).await;
    }
    done_with(subject, &account(1), link(LinkKind::User, 1, 41), noon()).await;
    let course = link(LinkKind::Course, 11, 51);
    done_with(subject, &key(Lane::Course, 11), course, noon()).await;
}

fn seat_record(
    number: u64,
    student: &str,
    class: u64,
    (year, month, day): (i32, u32, u32),
) -> mzi_domain::RecordChange {
    let mut values = texts(&[
        ("student_zoho_id", student),
        ("class_zoho_id", zoho_id(class).as_str()),
    ]);
    let start = NaiveDate::from_ymd_opt(year, month, day);
    values.set("start_date", start.map(Value::Date));
    created(Entity::Enrollments, number, values)
}

/// No link, no student; a link without a record neither.
pub async fn a_user_without_a_student_is_nobody<S: Subject>(subject: &mut S) {
    assert_eq!(student_of(subject, 41).await, None);
    done_with(subject, &account(1), link(LinkKind::User, 1, 41), noon()).await;
    done_with(
        subject,
        &key(Lane::Course, 1),
        link(LinkKind::Course, 1, 42),
        noon(),
    )
    .await;
    assert_eq!(student_of(subject, 41).await, None);
    assert_eq!(student_of(subject, 42).await, None);
}

/// Our own id of the student: stable, never the Zoho id.
pub async fn a_student_has_a_stable_opaque_reference<S: Subject>(subject: &mut S) {
    furnish(subject).await;
    let before = student_of(subject, 41).await;
    let Some(before) = before else {
        panic!("no student")
    };
    assert_eq!(before.record.values.text("first_name"), Some("Lina"));
    assert!(!before.student_ref.is_empty());
    assert!(!before.student_ref.contains(zoho_id(1).as_str()));
    let renamed = created(Entity::Students, 1, texts(&[("first_name", "Lena")]));
    store_record(subject, renamed, noon_plus(60)).await;

    subject.restart().await;

    let after = student_of(subject, 41).await;
    let reference = after.as_ref().map(|view| view.student_ref.clone());
    assert_eq!(reference, Some(before.student_ref));
    let name = after
        .as_ref()
        .and_then(|view| view.record.values.text("first_name"));
    assert_eq!(name, Some("Lena"));
}

/// When the record was last read, changed or not.
pub async fn as_of_moves_when_an_unchanged_record_is_read<S: Subject>(subject: &mut S) {
    furnish(subject).await;
    let as_of = student_of(subject, 41).await.map(|view| view.as_of);
    assert_eq!(as_of, Some(noon()));
    done_with(
        subject,
        &read_student(1),
        Effects::default(),
        noon_plus(300),
    )
    .await;
    let as_of = student_of(subject, 41).await.map(|view| view.as_of);
    assert_eq!(as_of, Some(noon_plus(300)));
}

/// Whether a known change of the student, or of their enrolments or classes, is unprocessed.
pub async fn a_student_is_pending_while_anything_of_theirs_is_unsettled<S: Subject>(
    subject: &mut S,
) {
    furnish(subject).await;
    assert!(!is_pending(subject).await);
    let theirs = [
        read_student(1),
        account(1),
        key(Lane::Refresh(Entity::Enrollments), 21),
        key(Lane::Seat, 22),
        key(Lane::Refresh(Entity::Classes), 11),
        key(Lane::Refresh(Entity::Classes), 12),
        key(Lane::Course, 11),
    ];
    for theirs in theirs {
        let lease = mark_and_claim(subject, &theirs, noon()).await;
        assert!(is_pending(subject).await, "{theirs} leased");
        let wait = wait_for(&account(9));
        written(subject, lease, wait, Effects::default(), noon()).await;
        assert!(is_pending(subject).await, "{theirs} waiting");
        done_with(subject, &theirs, Effects::default(), noon()).await;
        assert!(!is_pending(subject).await, "{theirs} done");
    }
    let others = [
        read_student(2),
        account(2),
        key(Lane::Refresh(Entity::Enrollments), 23),
        key(Lane::Refresh(Entity::Classes), 13),
        key(Lane::Refresh(Entity::Payments), 1),
        key(Lane::WriteBack(Entity::Students), 1),
    ];
    for other in others {
        mark(subject, &other, noon()).await;
        assert!(!is_pending(subject).await, "{other}");
    }
}

/// A refresh that a person must see leaves a change unprocessed; a delivery only Moodle behind.
pub async fn a_stopped_delivery_is_not_pending_but_a_stopped_refresh_is<S: Subject>(
    subject: &mut S,
) {
    furnish(subject).await;
    let lease = mark_and_claim(subject, &account(1), noon()).await;
    written(subject, lease, stop(None), Effects::default(), noon()).await;
    assert!(!is_pending(subject).await);
    let lease = mark_and_claim(subject, &read_student(1), noon()).await;
    written(subject, lease, stop(None), Effects::default(), noon()).await;
    assert!(is_pending(subject).await);
}

/// The student's enrolments with their classes, newest start first.
pub async fn classes_come_with_unit_course_and_seat_newest_first<S: Subject>(subject: &mut S) {
    furnish(subject).await;
    let seat = ConfirmedSeat {
        user: user(41),
        course: MoodleCourseId::new(51).unwrap_or_else(|reason| panic!("{reason}")),
        suspended: true,
        ours: true,
    };
    let confirmed = Effects {
        confirmed: Some(ConfirmedState {
            confirmed: serde_json::to_string(&seat).unwrap_or_default(),
            outcome: "suspended",
        }),
        ..Effects::default()
    };
    done_with(subject, &key(Lane::Seat, 21), confirmed, noon()).await;

    let classes = subject.store().classes_of(&zoho_id(1)).await;

    let classes = classes.unwrap_or_else(|reason| panic!("{reason}"));
    let [newer, older] = classes.as_slice() else {
        panic!("expected two, got {classes:?}")
    };
    assert_eq!(newer.enrolment.id, zoho_id(22));
    assert_eq!((&newer.class, &newer.unit), (&None, &None));
    assert_eq!((newer.moodle_course_id, newer.seat_active), (None, None));
    assert_eq!(older.enrolment.id, zoho_id(21));
    let class = older.class.as_ref();
    let class_name = class.and_then(|class| class.values.text("class_name"));
    assert_eq!(class_name, Some("Networks A"));
    let unit = older.unit.as_ref();
    let unit_name = unit.and_then(|unit| unit.values.text("unit_name"));
    assert_eq!(unit_name, Some("Networks"));
    assert_eq!(
        (older.moodle_course_id, older.seat_active),
        (Some(51), Some(false))
    );
    assert!(!older.seat_ref.is_empty());
    assert_ne!(older.seat_ref, newer.seat_ref);
    assert!(!older.seat_ref.contains(zoho_id(21).as_str()));
    let nobody = subject.store().classes_of(&zoho_id(9)).await;
    assert_eq!(nobody, Ok(vec![]));
}

/// Ready refreshes, work in hand, waiting work, ready deliveries, open issues.
pub async fn the_queue_is_counted_by_what_rows_do<S: Subject>(subject: &mut S) {
    assert_eq!(subject.store().queue().await, Ok(QueueCounts::default()));
    for number in 1..=3 {
        mark(subject, &read_student(number), noon()).await;
    }
    let retried = mark_and_claim(subject, &key(Lane::Course, 1), noon()).await;
    let retry = Verdict::Retry {
        at: noon_plus(600),
        reason: "not now".into(),
        counts: true,
    };
    written(subject, retried, retry, Effects::default(), noon()).await;
    let waiting = mark_and_claim(subject, &key(Lane::Seat, 1), noon()).await;
    let wait = wait_for(&account(9));
    written(subject, waiting, wait, Effects::default(), noon()).await;
    let stopped = mark_and_claim(subject, &account(1), noon()).await;
    written(subject, stopped, stop(None), Effects::default(), noon()).await;
    mark_and_claim(subject, &account(2), noon()).await;
    done_with(subject, &account(3), Effects::default(), noon()).await;

    let expected = QueueCounts {
        pending: 3,
        leased: 1,
        waiting: 1,
        outbox: 1,
        issues: 1,
    };
    assert_eq!(subject.store().queue().await, Ok(expected));
}

/// MUST really write.
pub async fn a_probe_writes<S: Subject>(subject: &mut S) {
    let fit = StoreHealth {
        writable: true,
        migrations_current: true,
    };
    for _ in 0..2 {
        assert_eq!(subject.store().probe().await, Ok(fit));
    }
}
