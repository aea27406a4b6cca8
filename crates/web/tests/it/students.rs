//! What a student sees: shapes to the key, freshness, and nothing of anybody else.

use actix_web::http::Method;
use chrono::{Duration, NaiveDate};
use mzi_domain::{
    Entity, IssueCode, Lane, MoodleCourseId, MoodleUserId, Value, Values, WorkKey, ZohoId,
    seat::ConfirmedSeat,
};
use mzi_ports::{
    Clock, Ledger,
    ledger::{ConfirmedState, Effects, Link, LinkKind, Verdict},
    testing::{memory_store::StoreCall, store_contract::samples::texts},
};
use serde_json::json;

use crate::{
    bridge::{Answer, Bridge, bearing, request},
    tokens::token,
};

const LINK: &str = "/api/v1/student/link";
const PROFILE: &str = "/api/v1/student/profile";
const CLASSES: &str = "/api/v1/student/classes";
/// Lina's user in Moodle.
const LINA: u32 = 42;

async fn read(bridge: &Bridge, user: u32, target: &str) -> Answer {
    bridge.get_as(&token(user, target), target).await
}

/// A record belongs to this Moodle id.
async fn linked(bridge: &Bridge, lane: Lane, kind: LinkKind, id: &ZohoId, moodle_id: i64) {
    let effects = Effects {
        link: Some(Link {
            kind,
            id: id.clone(),
            moodle_id,
        }),
        ..Effects::default()
    };
    let key = WorkKey::new(lane, id.clone());
    bridge.does(key, Verdict::Done, effects).await;
}

fn date(raw: &str) -> Option<Value> {
    NaiveDate::parse_from_str(raw, "%Y-%m-%d")
        .ok()
        .map(Value::Date)
}

/// Lina with everything filled in.
fn full() -> Values {
    let mut values = texts(&[
        ("student_id", "A0101"),
        ("first_name", "Lina"),
        ("last_name", "Haddad"),
        ("first_name_native", "لينا"),
        ("last_name_native", "حداد"),
        ("academic_email", "lina.haddad@students.college.example"),
        ("personal_email", "lina@home.example"),
        ("phone_number", "+962 6 000 0000"),
        ("nationality", "Jordanian"),
        ("address", "1 Hill Street"),
        ("city", "Amman"),
        ("status", "Active"),
        ("national_id", "9901234567"),
        ("academic_program", "Computing"),
        ("major", "Software"),
        ("sub_major", "Web"),
        ("study_language", "English"),
        ("study_mode", "On site"),
        ("intake", "Autumn 2026"),
        ("registration_number", "BT-7"),
        ("emergency_contact_name", "Rana Haddad"),
        ("emergency_contact_phone", "+962 6 000 0001"),
    ]);
    values.set("date_of_birth", date("2004-05-17"));
    values
}

/// A bridge that knows Lina, with these values.
async fn with_lina(values: Values) -> (Bridge, ZohoId) {
    let bridge = Bridge::new();
    let lina = bridge.holds(Entity::Students, 101, values).await;
    linked(&bridge, Lane::Account, LinkKind::User, &lina, LINA.into()).await;
    (bridge, lina)
}

/// A class, its unit and its course; answers the class.
async fn with_class(bridge: &Bridge) -> ZohoId {
    let unit = texts(&[
        ("unit_code", "U-1"),
        ("unit_name", "Programming"),
        ("level", "4"),
    ]);
    let unit = bridge.holds(Entity::Units, 251, unit).await;
    let mut values = texts(&[
        ("class_name", "Programming, autumn"),
        ("class_short_name", "PROG-A"),
        ("class_status", "Active"),
        ("teacher_name", "Sami Nasser"),
        ("unit_zoho_id", unit.as_str()),
    ]);
    values.set("start_date", date("2026-09-01"));
    values.set("end_date", date("2027-01-31"));
    let class = bridge.holds(Entity::Classes, 301, values).await;
    linked(bridge, Lane::Course, LinkKind::Course, &class, 12).await;
    class
}

/// An enrolment of Lina's.
async fn with_seat(bridge: &Bridge, number: u64, lina: &ZohoId, class: &ZohoId) -> ZohoId {
    let mut values = texts(&[
        ("student_zoho_id", lina.as_str()),
        ("class_zoho_id", class.as_str()),
        ("enrollment_type", "Normal"),
    ]);
    values.set("start_date", date("2026-09-02"));
    bridge.holds(Entity::Enrollments, number, values).await
}

async fn seated(bridge: &Bridge, seat: &ZohoId, suspended: bool) {
    let confirmed = ConfirmedSeat {
        user: MoodleUserId::new(LINA.into()).unwrap(),
        course: MoodleCourseId::new(12).unwrap(),
        suspended,
        ours: true,
    };
    let effects = Effects {
        confirmed: Some(ConfirmedState {
            confirmed: serde_json::to_string(&confirmed).unwrap(),
            outcome: "enrolled",
        }),
        ..Effects::default()
    };
    let key = WorkKey::new(Lane::Seat, seat.clone());
    bridge.does(key, Verdict::Done, effects).await;
}

#[actix_web::test]
async fn a_user_without_a_student_is_told_so_and_gets_nothing_else() {
    let bridge = Bridge::new();
    let answer = read(&bridge, 7, LINK).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({
            "data": {"linked": false, "student_ref": null, "display_id": null},
            "as_of": "2026-11-22T12:00:00Z",
            "stale": false,
        })
    );
    for target in [PROFILE, CLASSES] {
        let answer = read(&bridge, 7, target).await;
        assert_eq!(answer.problem(), (404, "not_linked".into()));
    }
}

#[actix_web::test]
async fn a_link_shows_our_reference_and_never_the_zoho_id() {
    let (bridge, lina) = with_lina(full()).await;
    let answer = read(&bridge, LINA, LINK).await;
    let data = &answer.json()["data"];

    assert_eq!(data["linked"], true);
    assert_eq!(data["display_id"], "A0101");
    assert!(
        data["student_ref"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    for target in [LINK, PROFILE, CLASSES] {
        let body = read(&bridge, LINA, target).await.body;
        assert!(!body.contains(lina.as_str()), "{target}: {body}");
    }
}

#[actix_web::test]
async fn a_full_profile_has_this_shape() {
    let (bridge, _) = with_lina(full()).await;
    let answer = read(&bridge, LINA, PROFILE).await;
    insta::assert_snapshot!("full_profile", pretty(&answer));
}

#[actix_web::test]
async fn an_empty_profile_has_the_same_keys_with_nulls() {
    let (full, _) = with_lina(full()).await;
    let (empty, _) = with_lina(texts(&[("student_id", "A0101")])).await;
    let full = read(&full, LINA, PROFILE).await.json();
    let empty = read(&empty, LINA, PROFILE).await.json();

    assert_eq!(keys(&empty["data"]), keys(&full["data"]));
    for part in ["names", "emails", "programme"] {
        assert_eq!(
            keys(&empty["data"][part]),
            keys(&full["data"][part]),
            "{part}"
        );
    }
    assert_eq!(empty["data"]["phone"], json!(null));
    assert_eq!(empty["data"]["emergency_contact"], json!(null));
}

#[actix_web::test]
async fn classes_have_this_shape() {
    let (bridge, lina) = with_lina(full()).await;
    let class = with_class(&bridge).await;
    let seat = with_seat(&bridge, 401, &lina, &class).await;
    seated(&bridge, &seat, false).await;
    let answer = read(&bridge, LINA, CLASSES).await;
    insta::assert_snapshot!("classes", pretty(&answer));
}

#[actix_web::test]
async fn an_enrolment_whose_class_is_not_known_yet_has_the_same_keys_with_nulls() {
    let (bridge, lina) = with_lina(full()).await;
    let class = with_class(&bridge).await;
    with_seat(&bridge, 401, &lina, &class).await;
    with_seat(
        &bridge,
        402,
        &lina,
        &ZohoId::parse("900000000000399").unwrap(),
    )
    .await;
    let answer = read(&bridge, LINA, CLASSES).await.json();
    let items = answer["data"]["items"].as_array().unwrap();

    let unknown = items.iter().find(|item| item["name"].is_null()).unwrap();
    let known = items.iter().find(|item| !item["name"].is_null()).unwrap();
    assert_eq!(keys(unknown), keys(known));
    assert_eq!(keys(&unknown["unit"]), keys(&known["unit"]));
    assert_eq!(unknown["moodle_course_id"], json!(null));
    assert_eq!(unknown["enrolment"]["status"], "pending");
    assert_eq!(answer["data"]["next_cursor"], json!(null));
}

#[actix_web::test]
async fn a_place_in_a_class_is_pending_active_or_suspended() {
    let (bridge, lina) = with_lina(full()).await;
    let class = with_class(&bridge).await;
    let seat = with_seat(&bridge, 401, &lina, &class).await;
    let status = async || {
        let answer = read(&bridge, LINA, CLASSES).await.json();
        answer["data"]["items"][0]["enrolment"]["status"].clone()
    };
    assert_eq!(status().await, "pending");
    seated(&bridge, &seat, false).await;
    assert_eq!(status().await, "active");
    seated(&bridge, &seat, true).await;
    assert_eq!(status().await, "suspended");
}

#[actix_web::test]
async fn every_id_is_text() {
    let (bridge, lina) = with_lina(full()).await;
    let class = with_class(&bridge).await;
    with_seat(&bridge, 401, &lina, &class).await;
    let link = read(&bridge, LINA, LINK).await.json();
    let classes = read(&bridge, LINA, CLASSES).await.json();

    assert!(link["data"]["student_ref"].is_string());
    let item = &classes["data"]["items"][0];
    assert_eq!(item["moodle_course_id"], "12");
    assert!(item["ref"].is_string());
}

#[actix_web::test]
async fn an_unchanged_answer_is_304_until_the_data_change() {
    let (bridge, _) = with_lina(full()).await;
    let first = read(&bridge, LINA, PROFILE).await;
    let tag = first.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "strong: {tag}");

    bridge.clock.advance(Duration::hours(1));
    for given in [
        tag.clone(),
        format!("\"other\", {tag}"),
        format!("W/{tag}"),
        "*".into(),
    ] {
        let request = bearing(request(Method::GET, PROFILE), &token(LINA, PROFILE));
        let answer = bridge
            .send(request.insert_header(("If-None-Match", given.clone())))
            .await;
        assert_eq!(answer.status, 304, "{given}");
        assert_eq!(answer.body, "");
        assert_eq!(answer.header("etag"), Some(tag.as_str()));
    }

    let mut moved = full();
    moved.set("city", Some(Value::Text("Irbid".into())));
    bridge.holds(Entity::Students, 101, moved).await;
    let request = bearing(request(Method::GET, PROFILE), &token(LINA, PROFILE));
    let answer = bridge
        .send(request.insert_header(("If-None-Match", tag.clone())))
        .await;
    assert_eq!(answer.status, 200);
    assert_ne!(answer.header("etag"), Some(tag.as_str()));
}

#[actix_web::test]
async fn the_tag_depends_on_data_and_language_and_not_on_the_time() {
    let (bridge, lina) = with_lina(full()).await;
    let tag = async |language: &str| {
        let request = bearing(request(Method::GET, PROFILE), &token(LINA, PROFILE));
        let answer = bridge
            .send(request.insert_header(("Accept-Language", language)))
            .await;
        (
            answer.header("etag").unwrap().to_owned(),
            answer.json()["as_of"].clone(),
        )
    };
    let (english, then) = tag("en").await;
    assert_ne!(tag("ar").await.0, english);
    bridge.clock.advance(Duration::minutes(5));
    let key = WorkKey::new(Lane::Refresh(Entity::Students), lina);
    bridge.does(key, Verdict::Done, Effects::default()).await;
    let (again, now) = tag("en").await;
    assert_eq!(again, english);
    assert_ne!(now, then);
}

#[actix_web::test]
async fn answers_are_private_and_say_their_contract() {
    let (bridge, _) = with_lina(full()).await;
    let answer = read(&bridge, LINA, PROFILE).await;
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    assert_eq!(answer.header("mzi-contract"), Some("1"));
}

#[actix_web::test]
async fn data_are_stale_while_a_change_is_unprocessed() {
    let (bridge, lina) = with_lina(full()).await;
    let key = WorkKey::new(Lane::Refresh(Entity::Students), lina);
    bridge
        .store
        .mark(std::slice::from_ref(&key), bridge.clock.now())
        .await
        .unwrap();

    assert_eq!(read(&bridge, LINA, PROFILE).await.json()["stale"], true);
    bridge.does(key, Verdict::Done, Effects::default()).await;
    assert_eq!(read(&bridge, LINA, PROFILE).await.json()["stale"], false);
}

#[actix_web::test]
async fn data_are_stale_when_zoho_was_silent_for_a_quarter_of_an_hour() {
    let (bridge, _) = with_lina(full()).await;
    bridge.zoho_is_down();
    bridge.clock.advance(Duration::minutes(14));
    assert_eq!(read(&bridge, LINA, PROFILE).await.json()["stale"], false);
    bridge.clock.advance(Duration::minutes(1));
    assert_eq!(read(&bridge, LINA, PROFILE).await.json()["stale"], true);
    assert_eq!(read(&bridge, 7, LINK).await.json()["stale"], true);
}

#[actix_web::test]
async fn only_the_tokens_subject_decides_whose_data_are_read() {
    let (bridge, _) = with_lina(full()).await;
    for target in [
        "/api/v1/student/profile?user=42",
        "/api/v1/student/profile?sub=moodle:user:42",
        "/api/v1/student/profile?student_ref=ref-00000001",
    ] {
        let answer = read(&bridge, 7, target).await;
        assert_eq!(answer.problem(), (404, "not_linked".into()), "{target}");
    }
}

#[actix_web::test]
async fn a_store_that_fails_is_told_from_a_student_that_is_not_there() {
    let (bridge, _) = with_lina(full()).await;
    for target in [LINK, PROFILE, CLASSES] {
        bridge.store.fail_next(StoreCall::Read);
        let answer = read(&bridge, LINA, target).await;
        assert_eq!(answer.problem(), (503, "not_stored".into()), "{target}");
        assert_eq!(answer.header("retry-after"), Some("5"));
    }
}

#[actix_web::test]
async fn an_issue_of_the_student_is_not_shown_to_them() {
    let (bridge, lina) = with_lina(full()).await;
    let issue = mzi_domain::Issue::new(IssueCode::EmailTaken, "somebody else's address");
    let key = WorkKey::new(Lane::WriteBack(Entity::Students), lina);
    bridge
        .does(
            key,
            Verdict::Stopped { issue, on: None },
            Effects::default(),
        )
        .await;
    for target in [LINK, PROFILE, CLASSES] {
        let body = read(&bridge, LINA, target).await.body;
        assert!(!body.contains("somebody else"), "{body}");
    }
}

fn keys(value: &serde_json::Value) -> Vec<&String> {
    value.as_object().unwrap().keys().collect()
}

fn pretty(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::to_string_pretty(&answer.json()).unwrap()
}
