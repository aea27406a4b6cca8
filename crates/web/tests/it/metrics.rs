//! `/metrics`: for an API key, or a loopback peer that no proxy stands before.

use actix_web::http::Method;
use mzi_domain::role::Role;

use crate::bridge::{Bridge, bearing, request};

const METRICS: &str = "/metrics";

#[actix_web::test]
async fn a_stranger_learns_nothing() {
    let bridge = Bridge::new();
    assert_eq!(
        bridge.get(METRICS).await.problem(),
        (401, "unauthorised".into())
    );
    let abroad = request(Method::GET, METRICS).peer_addr("192.0.2.7:5000".parse().unwrap());
    assert_eq!(bridge.send(abroad).await.status, 401);
}

#[actix_web::test]
async fn a_loopback_peer_needs_no_key() {
    let bridge = Bridge::new();
    for peer in ["127.0.0.1:5000", "127.8.9.1:5000", "[::1]:5000"] {
        let local = request(Method::GET, METRICS).peer_addr(peer.parse().unwrap());
        let answer = bridge.send(local).await;
        assert_eq!(answer.status, 200, "{peer}");
        assert!(
            answer
                .header("content-type")
                .unwrap()
                .starts_with("text/plain")
        );
    }
}

#[actix_web::test]
async fn a_loopback_peer_behind_a_proxy_is_somebody_else() {
    let bridge = Bridge::new();
    for (name, value) in [
        ("Forwarded", "for=192.0.2.7"),
        ("X-Forwarded-For", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("X-Forwarded-Anything", ""),
    ] {
        let local = request(Method::GET, METRICS)
            .peer_addr("127.0.0.1:5000".parse().unwrap())
            .insert_header((name, value));
        assert_eq!(bridge.send(local).await.status, 401, "{name}");
    }
}

#[actix_web::test]
async fn every_role_may_read_them_with_a_key() {
    let bridge = Bridge::new();
    for role in Role::ALL {
        let key = bridge.key(role).await;
        assert_eq!(bridge.get_as(&key, METRICS).await.status, 200);
    }
}

#[actix_web::test]
async fn requests_are_counted_by_route_and_status_and_never_by_address() {
    let bridge = Bridge::new();
    let key = bridge.key(Role::Viewer).await;
    bridge.get("/health/live").await;
    bridge.get("/somewhere/900000000000101").await;
    let tail = "/api/v1/webhooks/students?token=a-secret";
    bridge.send(request(Method::POST, tail)).await;

    let text = bridge.get_as(&key, METRICS).await.body;

    for line in [
        r#"mzi_http_requests_total{route="/health/live",status="200"} 1"#,
        r#"mzi_http_requests_total{route="unknown",status="404"} 1"#,
        r#"mzi_http_requests_total{route="/api/v1/webhooks/{tail:.*}",status="401"} 1"#,
        r#"mzi_webhooks_total{outcome="refused"} 1"#,
        r#"mzi_queue{state="pending"} 0"#,
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
    for secret in ["a-secret", "900000000000101"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[actix_web::test]
async fn a_wrong_key_on_the_loopback_is_still_local() {
    let bridge = Bridge::new();
    let local = request(Method::GET, METRICS).peer_addr("127.0.0.1:5000".parse().unwrap());
    assert_eq!(
        bridge.send(bearing(local, "mzik_none_none")).await.status,
        200
    );
}
