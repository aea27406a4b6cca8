//! Health: shapes, status codes, and nothing a stranger should learn.

use std::sync::Arc;

use mzi_application::worker::Pulse;
use mzi_domain::Upstream;
use mzi_ports::{Clock, testing::memory_store::StoreCall};
use serde_json::json;

use crate::bridge::{Bridge, Parts};

#[actix_web::test]
async fn an_unconfigured_bridge_is_healthy_and_ready() {
    let bridge = Bridge::new();
    let fine = json!({"status": "ok", "detail": null});
    let unknown = json!({"status": "unknown", "last_success": null});
    for target in ["/health", "/api/v1/health"] {
        let answer = bridge.get(target).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.json(),
            json!({
                "status": "ok",
                "version": "9.9.9",
                "checks": {
                    "database": fine,
                    "migrations": fine,
                    "worker": fine,
                    "intake": fine,
                    "zoho": unknown,
                    "moodle": unknown,
                },
                "queue": {"pending": 0, "leased": 0, "waiting": 0, "outbox": 0, "issues": 0},
            })
        );
    }
    let ready = bridge.get("/health/ready").await;
    assert_eq!(ready.status, 200);
    assert_eq!(
        ready.json(),
        json!({
            "status": "ok",
            "checks": {"database": fine, "migrations": fine, "worker": fine},
        })
    );
}

#[actix_web::test]
async fn a_running_process_names_itself() {
    let answer = Bridge::new().get("/health/live").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({"status": "ok", "instance": "nonce-of-this-process"})
    );
}

#[actix_web::test]
async fn a_database_that_fails_makes_it_unready_and_tells_a_stranger_no_more() {
    let bridge = Bridge::new();
    for target in ["/health", "/health/ready"] {
        // One read probes, one counts.
        bridge.store.fail_next(StoreCall::Read);
        bridge.store.fail_next(StoreCall::Read);
        let answer = bridge.get(target).await;

        assert_eq!(answer.status, 503, "{target}");
        let report = answer.json();
        assert_eq!(report["status"], "failed");
        assert_eq!(report["checks"]["database"]["status"], "failed");
        assert!(
            !answer.body.contains("scripted"),
            "the error's text is for the log: {answer:?}"
        );
    }
    bridge.store.fail_next(StoreCall::Read);
    assert_eq!(bridge.get("/health/live").await.status, 200);
}

#[actix_web::test]
async fn a_worker_that_stands_still_makes_it_unready() {
    let bridge = Bridge::with(Parts {
        pulse: Some(Arc::new(Pulse::default())),
        ..Parts::default()
    });
    let answer = bridge.get("/health/ready").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["checks"]["worker"]["status"], "failed");
}

#[actix_web::test]
async fn an_upstream_that_is_down_degrades_and_stays_ready() {
    let bridge = Bridge::new();
    let now = bridge.clock.now();
    bridge.breakers.succeeded(Upstream::Zoho, now);
    bridge.breakers.succeeded(Upstream::Moodle, now);
    for _ in 0..5 {
        bridge.breakers.failed(Upstream::Moodle, false, now);
    }
    let report = bridge.get("/health").await;
    assert_eq!(report.status, 200);
    let report = report.json();
    assert_eq!(report["status"], "degraded");
    assert_eq!(
        report["checks"]["zoho"],
        json!({"status": "ok", "last_success": "2026-11-22T12:00:00Z"})
    );
    assert_eq!(report["checks"]["moodle"]["status"], "degraded");
    assert_eq!(bridge.get("/health/ready").await.status, 200);

    bridge.zoho_is_down();
    let report = bridge.get("/health").await.json();
    assert_eq!(
        report["checks"]["zoho"]["status"], "failed",
        "refused credentials"
    );
}

#[actix_web::test]
async fn a_missing_webhook_secret_is_said_and_is_no_reason_to_be_unready() {
    let bridge = Bridge::with(Parts {
        webhook_secret: None,
        ..Parts::default()
    });
    let report = bridge.get("/health").await.json();
    assert_eq!(report["status"], "degraded");
    assert_eq!(report["checks"]["intake"]["status"], "failed");
    assert!(
        report["checks"]["intake"]["detail"]
            .as_str()
            .unwrap()
            .contains("intake_disabled")
    );
    assert_eq!(bridge.get("/health/ready").await.status, 200);
}

#[actix_web::test]
async fn nothing_in_an_answer_looks_like_a_path_or_a_host() {
    let bridge = Bridge::new();
    bridge.zoho_is_down();
    for target in ["/health", "/health/live", "/health/ready", "/api/v1/health"] {
        let body = bridge.get(target).await.body;
        for mark in ["/", ".example", "\\\\", "sqlite", "postgres"] {
            assert!(!body.contains(mark), "{target}: {body}");
        }
    }
}
