//! What senders get wrong, by mistake or on purpose.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::harness::{
    Answer, Backend, Bridge, World, answer, eventually, on_each_database, register,
};

on_each_database!(
    an_unusable_notice_is_refused_by_its_code_and_kept_for_inspection,
    poisoned_bodies_hold_nobody_else_up,
    an_id_zoho_does_not_know_becomes_a_visible_issue,
);

const PATH: &str = "/api/v1/webhooks/students";
const TEN_MEGABYTES: usize = 10 * 1024 * 1024;

async fn raw(bridge: &Bridge, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    answer(
        bridge
            .notice(PATH)
            .header("content-type", content_type)
            .body(body),
    )
    .await
}

async fn an_unusable_notice_is_refused_by_its_code_and_kept_for_inspection(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let cases = [
        ("{\"zoho_id\": ", "malformed_body"),
        ("[1,2,3]", "malformed_body"),
        ("{}", "no_record_id"),
        ("{\"zoho_id\":\"\"}", "no_record_id"),
        (
            "{\"zoho_id\":\"${BTEC_Students.BTEC_Student Id}\"}",
            "merge_field_not_substituted",
        ),
        ("{\"zoho_id\":\"drop table students\"}", "bad_record_id"),
        ("{\"zoho_id\":\"-5\"}", "bad_record_id"),
    ];
    for (body, code) in cases {
        let refused = raw(&bridge, "application/json", body).await;
        assert_eq!((refused.status, refused.code()), (400, code), "{body}");
    }
    let sql = "SELECT code FROM integration_events_log WHERE status = 'rejected'";
    let kept = world.database.rows(sql).await;
    let mut kept: Vec<&str> = kept.iter().map(|row| row[0].as_str()).collect();
    let mut expected: Vec<&str> = cases.iter().map(|(_, code)| *code).collect();
    kept.sort_unstable();
    expected.sort_unstable();
    assert_eq!(kept, expected);
    assert_eq!(
        world
            .database
            .count("SELECT COUNT(*) FROM work_items")
            .await,
        0
    );
}

async fn poisoned_bodies_hold_nobody_else_up(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let long = format!("{{\"zoho_id\":\"{}\"}}", "9".repeat(100_000));
    let many: Vec<String> = (1..=1_001).map(|id| id.to_string()).collect();
    let bodies: Vec<Vec<u8>> = vec![
        b"\xff\xfe\x00\x01".to_vec(),
        b"{\"zoho_id\":\"1\0\"}".to_vec(),
        b"{\"zoho_id\":1e400}".to_vec(),
        b"{\"zoho_id\":99999999999999999999999999999999999999999}".to_vec(),
        format!("{{\"zoho_id\":{deep}}}").into_bytes(),
        long.into_bytes(),
        "{\"zoho_id\":\"\u{202e}123\u{1f4a5}\"}".as_bytes().to_vec(),
        json!({"ids": many}).to_string().into_bytes(),
        json!({"zoho_id": {"zoho_id": "1"}})
            .to_string()
            .into_bytes(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let refused = raw(&bridge, "application/json", body).await;
        assert_eq!(refused.status, 400, "{shown}: {}", refused.text);
    }
    // Text that is genuine, strange and storable goes through, whatever a database thinks of NUL.
    let strange = json!({"zoho_id": "77", "Name": "\u{0}\u{202e}Ömer \u{1f4a5}"});
    assert_eq!(bridge.post(PATH, &strange).await.status, 202);
    let student = register(&world.zoho, 1);
    assert_eq!(bridge.notify("BTEC_Students", &student).await.status, 202);
    let arrived = eventually(|| async {
        world
            .moodle
            .users()
            .into_iter()
            .find(|user| user.idnumber == student)
    });
    assert!(arrived.await.is_some());
    assert!(!world.log().contains("panicked"), "something panicked");
}

async fn an_id_zoho_does_not_know_becomes_a_visible_issue(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let key = world.api_key().await;
    assert_eq!(
        bridge
            .notify("BTEC_Students", "900000000000404")
            .await
            .status,
        202
    );

    let issue = bridge.issue(&key, "record_not_found").await;
    assert_eq!(issue["zoho_id"], "900000000000404");
    assert_eq!(issue["entity"], "students");
    assert!(!issue["hint"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn refusals_come_in_the_order_the_contract_names() {
    let world = World::new(Backend::Sqlite).await;
    let bridge = world.start().await;

    let unknown = bridge
        .post("/api/v1/webhooks/spaceships", &json!({"zoho_id": "1"}))
        .await;
    assert_eq!((unknown.status, unknown.code()), (404, "not_found"));
    assert_eq!(bridge.get("/api/v1/webhooks/spaceships").await.status, 404);
    assert_eq!(bridge.get(PATH).await.status, 405);
    // Too large comes before the type, the type before the proof.
    let large = bridge
        .request(Method::POST, PATH)
        .header("content-encoding", "gzip");
    assert_eq!(answer(large.body(vec![b' '; 300_000])).await.status, 413);
    let zipped = bridge
        .request(Method::POST, PATH)
        .header("content-encoding", "gzip")
        .body("x");
    assert_eq!(answer(zipped).await.status, 415);
    assert_eq!(raw(&bridge, "image/png", "x").await.status, 415);
    let unproven = bridge.request(Method::POST, PATH).body("{not json");
    assert_eq!(answer(unproven).await.status, 401);
    let elsewhere = bridge.get("/nowhere").await;
    assert_eq!((elsewhere.status, elsewhere.code()), (404, "not_found"));
    assert!(elsewhere.json["instance"].is_string(), "{}", elsewhere.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_bodies_of_ten_megabytes_are_refused_at_once_and_cost_no_memory() {
    let world = World::new(Backend::Sqlite).await;
    let bridge = world.start().await;
    let before = resident_kilobytes(bridge.pid());

    let begun = Instant::now();
    let announced = async |body: Vec<u8>| {
        let request = bridge
            .notice(PATH)
            .header("content-type", "application/json")
            .body(body);
        // The refusal may come before the body is sent: then the rest has nowhere to go.
        match request.send().await {
            Ok(answer) => assert_eq!(answer.status(), 413),
            Err(error) => assert!(error.is_request() || error.is_body(), "{error:?}"),
        }
    };
    for _ in 0..10 {
        let ten = (0..10).map(|_| announced(vec![b' '; TEN_MEGABYTES]));
        futures_util::future::join_all(ten).await;
    }
    // Without a length it is found out while reading.
    assert_eq!(endless(&bridge).await, "HTTP/1.1 413 Payload Too Large");
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    let student = register(&world.zoho, 1);
    assert_eq!(bridge.notify("BTEC_Students", &student).await.status, 202);
    if let (Some(before), Some(after)) = (before, resident_kilobytes(bridge.pid())) {
        assert!(
            after < before + 20 * 1024,
            "memory grew from {before} to {after} kB"
        );
    }
}

/// Sends chunks until an answer comes; answers its first line.
async fn endless(bridge: &Bridge) -> String {
    let address = bridge.url.trim_start_matches("http://");
    let (receive, mut send) = TcpStream::connect(address).await.unwrap().into_split();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    );
    let sending = tokio::spawn(async move {
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        send.write_all(head.as_bytes()).await?;
        while send.write_all(chunk.as_bytes()).await.is_ok() {}
        std::io::Result::Ok(())
    });
    let mut line = String::new();
    BufReader::new(receive).read_line(&mut line).await.unwrap();
    sending.abort();
    line.trim().to_owned()
}

/// What the process holds in memory, where the system tells.
fn resident_kilobytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test]
async fn parameters_that_make_no_sense_are_refused_not_guessed() {
    let world = World::new(Backend::Sqlite).await;
    let bridge = world.start().await;
    let key = world.api_key().await;
    let ask = async |query: &str| {
        let target = format!("/api/v1/admin/issues{query}");
        answer(bridge.request(Method::GET, &target).bearer_auth(&key))
            .await
            .status
    };
    assert_eq!(ask("").await, 200);
    assert_eq!(ask("?status=perhaps").await, 400);
    assert_eq!(ask("?limit=-1").await, 400);
    assert_eq!(ask("?limit=many").await, 400);
    let nobody = bridge.get("/api/v1/admin/issues").await;
    assert_eq!(nobody.status, 401);
    let forged: Value = json!("mzik_0000_0000");
    let forged = bridge
        .request(Method::GET, "/api/v1/admin/issues")
        .bearer_auth(forged);
    assert_eq!(answer(forged).await.status, 401);
}
