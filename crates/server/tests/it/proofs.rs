//! Who may send notices: `contracts/bridge.md` §1.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{
    Answer, Backend, Bridge, WEBHOOK_SECRET, World, answer, channel_token, on_each_database,
    register, signature, static_token,
};

on_each_database!(
    a_notice_without_a_right_proof_is_refused_and_leaves_nothing_behind,
    each_of_the_four_proofs_is_enough,
    a_wrong_proof_beside_a_right_one_is_refused,
    a_made_secret_outlives_a_restart_and_its_static_token_is_shown,
);

const PATH: &str = "/api/v1/webhooks/students";

/// Headers, query and body.
type Attempt = (Vec<(&'static str, String)>, String, Value);

/// A notification's body.
fn notification(channel: &str, token: &str, id: &str) -> Value {
    json!({
        "server_time": 1_700_000_000_000_i64, "module": "BTEC_Students", "ids": [id],
        "operation": "update", "channel_id": channel, "token": token, "query_params": {},
    })
}

async fn send(bridge: &Bridge, headers: &[(&str, String)], query: &str, body: &Value) -> Answer {
    let mut request = bridge
        .request(Method::POST, &format!("{PATH}{query}"))
        .header("content-type", "application/json")
        .body(body.to_string());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    answer(request).await
}

async fn a_notice_without_a_right_proof_is_refused_and_leaves_nothing_behind(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let body = json!({"zoho_id": register(&world.zoho, 1), "module": "BTEC_Students"});
    let other = static_token("another-secret-0123456789abcdef");
    let static_token = world.static_token();
    let of_body = |text: &str| signature(WEBHOOK_SECRET, text.as_bytes());
    let right = of_body(&body.to_string());
    let attempts: Vec<Attempt> = vec![
        (vec![], String::new(), body.clone()),
        (
            vec![("X-Webhook-Token", String::new())],
            String::new(),
            body.clone(),
        ),
        (
            vec![("X-Webhook-Token", other.clone())],
            String::new(),
            body.clone(),
        ),
        (
            vec![("X-Webhook-Token", WEBHOOK_SECRET.into())],
            String::new(),
            body.clone(),
        ),
        (
            vec![("X-Webhook-Token", static_token.to_lowercase())],
            String::new(),
            body.clone(),
        ),
        (vec![], format!("?token={other}"), body.clone()),
        (vec![], "?token=".into(), body.clone()),
        (
            vec![("X-Zoho-Signature", of_body("another body"))],
            String::new(),
            body.clone(),
        ),
        (
            vec![("X-Zoho-Signature", right.replace("sha256=", ""))],
            String::new(),
            body.clone(),
        ),
        (
            vec![("X-Zoho-Signature", right.replace("sha256", "sha1"))],
            String::new(),
            body,
        ),
        (vec![], String::new(), notification("10001", &other, "1")),
        (vec![], String::new(), notification("10001", "", "1")),
        (
            vec![],
            String::new(),
            notification("10001", &channel_token(WEBHOOK_SECRET, "10002"), "1"),
        ),
        (
            vec![],
            String::new(),
            notification("10001", &static_token, "1"),
        ),
    ];
    for (headers, query, body) in attempts {
        let refused = send(&bridge, &headers, &query, &body).await;
        assert_eq!(refused.status, 401, "{headers:?} {query} {body}");
        assert_eq!(refused.code(), "unauthorised");
    }
    // Without another proof nobody is told whether a body can be parsed.
    let unproven = bridge.request(Method::POST, PATH).body("{not json");
    assert_eq!(answer(unproven).await.status, 401);
    assert_eq!(
        world
            .database
            .count("SELECT COUNT(*) FROM integration_events_log")
            .await,
        0
    );
    assert_eq!(
        world
            .database
            .count("SELECT COUNT(*) FROM work_items")
            .await,
        0
    );
}

async fn each_of_the_four_proofs_is_enough(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let token = world.static_token();
    let body =
        |number| json!({"zoho_id": register(&world.zoho, number), "module": "BTEC_Students"});

    let by_header = body(1);
    let header = [("X-Webhook-Token", token.clone())];
    assert_eq!(send(&bridge, &header, "", &by_header).await.status, 202);

    assert_eq!(
        send(&bridge, &[], &format!("?token={token}"), &body(2))
            .await
            .status,
        202
    );

    let signed = body(3);
    let proof = signature(WEBHOOK_SECRET, signed.to_string().as_bytes()).to_uppercase();
    let proof = proof.replace("SHA256=", "sha256=");
    assert_eq!(
        send(&bridge, &[("X-Zoho-Signature", proof)], "", &signed)
            .await
            .status,
        202
    );

    let id = register(&world.zoho, 4);
    let as_text = notification("10001", &channel_token(WEBHOOK_SECRET, "10001"), &id);
    assert_eq!(send(&bridge, &[], "", &as_text).await.status, 202);
    let mut as_number = notification("10003", &channel_token(WEBHOOK_SECRET, "10003"), &id);
    as_number["channel_id"] = json!(10003);
    assert_eq!(send(&bridge, &[], "", &as_number).await.status, 202);
    // No token is kept with the event it came in.
    let kept = world
        .database
        .rows("SELECT payload FROM integration_events_log")
        .await;
    assert_eq!(kept.len(), 5);
    let all = format!("{kept:?}");
    assert!(!all.contains(&channel_token(WEBHOOK_SECRET, "10001")) && !all.contains(&token));
}

async fn a_wrong_proof_beside_a_right_one_is_refused(backend: Backend) {
    let world = World::new(backend).await;
    let bridge = world.start().await;
    let token = world.static_token();
    let id = register(&world.zoho, 1);
    let body = json!({"zoho_id": id, "module": "BTEC_Students"});
    let right = (
        "X-Zoho-Signature",
        signature(WEBHOOK_SECRET, body.to_string().as_bytes()),
    );
    let wrong = (
        "X-Zoho-Signature",
        signature(WEBHOOK_SECRET, b"another body"),
    );
    let wrong_header = ("X-Webhook-Token", "wrong".to_owned());
    let right_header = ("X-Webhook-Token", token.clone());

    assert_eq!(
        send(&bridge, &[right.clone(), wrong_header], "", &body)
            .await
            .status,
        401
    );
    assert_eq!(
        send(&bridge, &[right_header.clone(), wrong], "", &body)
            .await
            .status,
        401
    );
    assert_eq!(
        send(&bridge, &[right], "?token=wrong", &body).await.status,
        401
    );
    let wrong_body = notification("10001", "wrong", &id);
    assert_eq!(
        send(&bridge, &[right_header], "", &wrong_body).await.status,
        401
    );
    assert_eq!(
        world
            .database
            .count("SELECT COUNT(*) FROM integration_events_log")
            .await,
        0
    );
}

async fn a_made_secret_outlives_a_restart_and_its_static_token_is_shown(backend: Backend) {
    let mut world = World::new(backend).await;
    world.unset("ZOHO_WEBHOOK_HMAC_SECRET");
    for number in [1, 2] {
        let bridge = world.start().await;
        let status = world.run(&["webhooks", "status", "--json"]).await;
        let status: Value = serde_json::from_str(&status.out).unwrap();
        let token = status["static_token"].as_str().unwrap().to_owned();
        let body = json!({"zoho_id": register(&world.zoho, number), "module": "BTEC_Students"});
        assert_eq!(
            send(&bridge, &[("X-Webhook-Token", token)], "", &body)
                .await
                .status,
            202
        );
        assert_eq!(bridge.health().await["checks"]["intake"]["status"], "ok");
        bridge.kill();
    }
}

#[tokio::test]
async fn the_secret_before_is_accepted_while_it_is_named() {
    let mut world = World::new(Backend::Sqlite).await;
    world.set(
        "ZOHO_WEBHOOK_HMAC_SECRET",
        "the-new-secret-0123456789abcdef",
    );
    world.set("ZOHO_WEBHOOK_HMAC_SECRET_PREVIOUS", WEBHOOK_SECRET);
    let bridge = world.start().await;
    let body = json!({"zoho_id": register(&world.zoho, 1), "module": "BTEC_Students"});
    let old = [("X-Webhook-Token", static_token(WEBHOOK_SECRET))];
    let new = [(
        "X-Webhook-Token",
        static_token("the-new-secret-0123456789abcdef"),
    )];
    assert!(send(&bridge, &old, "", &body).await.status < 300);
    assert!(send(&bridge, &new, "", &body).await.status < 300);
    bridge.kill();

    world.unset("ZOHO_WEBHOOK_HMAC_SECRET_PREVIOUS");
    let bridge = world.start().await;
    assert_eq!(send(&bridge, &old, "", &body).await.status, 401);
}

#[tokio::test]
async fn a_blank_or_short_secret_disables_intake_and_everything_says_so() {
    for secret in ["", "   ", "fifteen-letters"] {
        let mut world = World::new(Backend::Sqlite).await;
        world.set("ZOHO_WEBHOOK_HMAC_SECRET", secret);
        let bridge = world.start().await;

        let refused = bridge.notify("BTEC_Students", "1").await;
        assert_eq!(
            (refused.status, refused.code()),
            (503, "intake_disabled"),
            "{secret:?}"
        );
        let of_this_key = [("X-Webhook-Token", static_token(secret))];
        assert_eq!(
            send(&bridge, &of_this_key, "", &json!({})).await.status,
            503
        );
        let health = bridge.health().await;
        assert_eq!(health["status"], "degraded");
        assert_eq!(health["checks"]["intake"]["status"], "failed");
        assert!(
            health["checks"]["intake"]["detail"]
                .as_str()
                .unwrap()
                .contains("intake_disabled")
        );
        let doctor = world.run(&["doctor"]).await;
        assert_eq!(doctor.code, Some(1));
        assert!(
            doctor.out.contains("ZOHO_WEBHOOK_HMAC_SECRET"),
            "{}",
            doctor.out
        );
    }
}

/// Vectors of `contracts/bridge.md` §1: what this file computes is what the contract means.
#[test]
fn proofs_are_computed_as_the_contract_says() {
    let secret = WEBHOOK_SECRET;
    assert_eq!(
        static_token(secret),
        "uKoy3sibo9bBb1OVw1viJxB5R4QwPf3fP-oqXdnmM6M"
    );
    assert_eq!(
        channel_token(secret, "10001"),
        "SBktPKK8wSQEC6P4690Jh86AW3_D3kSyw5aZO1N0H9U"
    );
    let body = br#"{"zoho_id":"900000000000101","module":"BTEC_Students"}"#;
    let expected = "sha256=68e8f0c0dcd5fc7e05387e8eab25ad405c592b95876ec52c8d60e23015e7c581";
    assert_eq!(signature(secret, body), expected);
}
