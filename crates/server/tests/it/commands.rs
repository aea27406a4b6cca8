//! The command line: what each command answers, and with which exit code.

use reqwest::Method;
use serde_json::Value;

use mzi_simulators::moodle::SiteMode;

use crate::harness::{Backend, World, answer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_ends_with_0_when_all_is_well_and_names_what_is_not() {
    let world = World::new(Backend::Sqlite).await;
    let well = world.run(&["doctor"]).await;
    assert_eq!(well.code, Some(0), "{}", well.out);

    world.moodle.set_function("enrol_manual_enrol_users", false);
    let lacking = world.run(&["doctor"]).await;
    assert_eq!(lacking.code, Some(1));
    assert!(
        lacking.out.contains("enrol_manual_enrol_users"),
        "{}",
        lacking.out
    );
    world.moodle.set_function("enrol_manual_enrol_users", true);

    world.moodle.set_mode(SiteMode::WebServicesOff);
    let off = world.run(&["doctor", "--json"]).await;
    assert_eq!(off.code, Some(1));
    let findings: Value = serde_json::from_str(&off.out).unwrap();
    let moodle = findings
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["check"] == "Moodle");
    assert_eq!(moodle.unwrap()["ok"], false);
    assert!(
        moodle.unwrap()["fix"]
            .as_str()
            .unwrap()
            .contains("Web services"),
        "{}",
        off.out
    );
    world.moodle.set_mode(SiteMode::Open);

    world.zoho.revoke_token(world.zoho.refresh_token());
    let revoked = world.run(&["doctor"]).await;
    assert_eq!(revoked.code, Some(1));
    assert!(
        revoked.out.contains("mzi zoho token --code"),
        "{}",
        revoked.out
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_says_what_is_missing_where_nothing_is_set() {
    let mut world = World::new(Backend::Sqlite).await;
    for name in [
        "ZOHO_CLIENT_ID",
        "ZOHO_CLIENT_SECRET",
        "ZOHO_REFRESH_TOKEN",
        "MOODLE_TOKEN",
    ] {
        world.unset(name);
    }
    let doctor = world.run(&["doctor"]).await;
    assert_eq!(doctor.code, Some(1));
    for name in ["ZOHO_CLIENT_ID", "MOODLE_TOKEN"] {
        assert!(doctor.out.contains(name), "{}", doctor.out);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_code_becomes_a_refresh_token_once() {
    let mut world = World::new(Backend::Sqlite).await;
    world.unset("ZOHO_REFRESH_TOKEN");
    let code = world.zoho.grant_code();

    let good = world.run(&["zoho", "token", "--code", code]).await;
    assert_eq!(good.code, Some(0), "{}", good.err);
    let token = good
        .out
        .trim()
        .strip_prefix("ZOHO_REFRESH_TOKEN=")
        .unwrap()
        .to_owned();

    let used = world.run(&["zoho", "token", "--code", code]).await;
    assert_eq!(used.code, Some(1));
    assert!(used.err.contains("invalid_code"), "{}", used.err);
    assert!(!used.err.contains(code) && !used.err.contains(world.zoho.client_secret()));
    assert_eq!(used.err.trim().lines().count(), 1, "{}", used.err);

    world.set("ZOHO_REFRESH_TOKEN", token);
    let doctor = world.run(&["doctor"]).await;
    assert_eq!(doctor.code, Some(0), "{}", doctor.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_does_not_exist_ends_with_2_and_one_that_fails_with_1() {
    let mut world = World::new(Backend::Sqlite).await;
    assert_eq!(world.run(&["dance"]).await.code, Some(2));
    assert_eq!(world.run(&["serve", "--loudly"]).await.code, Some(2));
    assert_eq!(world.run(&["--version"]).await.code, Some(0));
    world.set("DATABASE_URL", "oracle://somewhere");
    let failed = world.run(&["migrate"]).await;
    assert_eq!(failed.code, Some(1));
    assert!(failed.err.contains("oracle"), "{}", failed.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_opens_nothing() {
    let world = World::new(Backend::Sqlite).await;
    let bridge = world.start().await;
    let key = world.api_key().await;
    let ask = async || {
        let issues = bridge
            .request(Method::GET, "/api/v1/admin/issues")
            .bearer_auth(&key);
        answer(issues).await.status
    };
    assert_eq!(ask().await, 200);
    let listed = world.run(&["api-key", "list"]).await;
    let secret = key.rsplit('_').next().unwrap();
    assert!(!listed.out.contains(secret), "the list shows the secret");

    let id = key.split('_').nth(1).unwrap();
    assert_eq!(world.run(&["api-key", "revoke", id]).await.code, Some(0));
    assert_eq!(ask().await, 401);
    assert_eq!(world.run(&["api-key", "revoke", id]).await.code, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_printed_document_is_the_served_one() {
    let world = World::new(Backend::Sqlite).await;
    let bridge = world.start().await;
    let printed = world.run(&["openapi"]).await;
    let printed: Value = serde_json::from_str(&printed.out).unwrap();
    assert_eq!(bridge.get("/api/v1/openapi.json").await.json, printed);
}
