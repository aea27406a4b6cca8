//! What passes the shipped proxy file, and what does not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use xtask::loopback;

use crate::proxy::{self, NAME, Proxy};
use crate::upstream::{BODY, STREAM, Upstream};

fn running() -> (Upstream, Proxy) {
    let upstream = Upstream::start();
    let proxy = Proxy::start(upstream.port);
    (upstream, proxy)
}

#[test]
fn nginx_accepts_the_shipped_file() {
    let output = proxy::configuration_test();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn the_request_target_arrives_byte_for_byte() {
    let (upstream, proxy) = running();
    let targets = [
        "/a%2Fb?x=1&&y=%20",
        "/api/v1/student/classes?cursor=a+b%2B%2b&&",
        "/api/v1/webhooks/BTEC_Students?token=%41&op=",
        "/api/v1/moodle/events/%7E~?",
        "/admin/records/..%2Fx//y/./z/../w?%",
        "//double//slash",
    ];
    for target in targets {
        assert_eq!(proxy.get(target).status, 200, "{target}");
    }
    let seen: Vec<String> = upstream
        .seen()
        .into_iter()
        .map(|request| request.target)
        .collect();
    assert_eq!(seen, targets);
}

#[test]
fn an_upload_of_8_mb_arrives_whole() {
    let (upstream, proxy) = running();
    let body: Vec<u8> = (0_u32..2 * 1024 * 1024)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    assert_eq!(body.len(), 8 * 1024 * 1024);
    let answer = proxy.request("POST", "/api/v1/student/photo", &[], &body);
    assert_eq!(answer.status, 200);
    let seen = upstream.seen();
    assert_eq!(seen[0].method, "POST");
    assert!(seen[0].body == body, "the body was changed on its way");
}

#[test]
fn server_sent_events_arrive_one_by_one() {
    let (upstream, proxy) = running();
    let mut connection = proxy.connect();
    connection.send(
        &format!("GET {STREAM} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n"),
        b"",
    );
    // The second is not written before the first has come through.
    let first = connection.wait_for("data: first\n\n");
    assert!(!first.contains("data: second"));
    upstream.release_second_event();
    connection.wait_for("data: second\n\n");
}

#[test]
fn metrics_are_denied_however_they_are_spelt() {
    let (upstream, proxy) = running();
    for target in [
        "/metrics",
        "/metrics?x=1",
        "/%6Detrics",
        "//metrics",
        "/a/../metrics",
        "/a/..%2Fmetrics",
        "/metrics/",
    ] {
        assert_eq!(proxy.get(target).status, 403, "{target}");
    }
    assert_eq!(upstream.seen().len(), 0);
}

#[test]
fn an_oversized_webhook_is_refused_before_it_reaches_the_bridge() {
    let (upstream, proxy) = running();
    let allowed = vec![b'x'; 1024 * 1024];
    let beyond = vec![b'x'; 1024 * 1024 + 1];
    for (body, status) in [(&allowed, 200), (&beyond, 413)] {
        let answer = proxy.request("POST", "/api/v1/webhooks/students", &[], body);
        assert_eq!(answer.status, status);
    }
    let seen = upstream.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].body.len(), allowed.len());
}

#[test]
fn what_a_client_claims_about_itself_is_dropped() {
    let (upstream, proxy) = running();
    let claims = [
        "X-Forwarded-For: 203.0.113.9",
        "X-Forwarded-Proto: gopher",
        "X-Forwarded-Host: evil.example",
        "Forwarded: for=203.0.113.9",
    ];
    assert_eq!(proxy.request("GET", "/", &claims, b"").status, 200);
    let seen = upstream.seen();
    assert_eq!(seen[0].header("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen[0].header("x-forwarded-proto"), ["https"]);
    assert_eq!(seen[0].header("x-forwarded-host"), [NAME]);
    assert_eq!(seen[0].header("host"), [NAME]);
    assert!(seen[0].header("forwarded").is_empty());
}

#[test]
fn signatures_and_encodings_pass_untouched_both_ways() {
    let (upstream, proxy) = running();
    let headers = [
        "Authorization: Bearer a.b.c",
        "X-Zoho-Signature: sha256=00",
        "Content-Encoding: br",
        "Accept-Encoding: gzip",
    ];
    let answer = proxy.request("POST", "/api/v1/moodle/events", &headers, b"{}");
    assert_eq!(answer.body, BODY);
    assert!(answer.head.contains("etag: \"strong\""), "{}", answer.head);
    assert!(!answer.head.contains("content-encoding"), "{}", answer.head);
    let seen = upstream.seen();
    assert_eq!(seen[0].header("authorization"), ["Bearer a.b.c"]);
    assert_eq!(seen[0].header("x-zoho-signature"), ["sha256=00"]);
    assert_eq!(seen[0].header("content-encoding"), ["br"]);
    assert_eq!(seen[0].header("accept-encoding"), ["gzip"]);
    assert_eq!(seen[0].body, b"{}");
}

#[test]
fn no_token_reaches_a_log_even_when_the_bridge_is_away() {
    let [nobody_listens] = loopback::free_ports().unwrap();
    let proxy = Proxy::start(nobody_listens);
    let webhook = "/api/v1/webhooks/students?token=mind-your-own";
    assert_eq!(proxy.get(webhook).status, 502);
    let oversized = vec![b'x'; 2 * 1024 * 1024];
    assert_eq!(proxy.request("POST", webhook, &[], &oversized).status, 413);
    assert_eq!(proxy.get("/api/v1/card/mind-your-own").status, 502);
    let redirect = plain_http(proxy.http_port, webhook);
    assert!(redirect.starts_with("HTTP/1.1 308 "), "{redirect}");

    let logs = proxy.stop_and_read_logs();
    assert_eq!(
        logs.matches("GET /api/v1/webhooks/students\" ").count(),
        2,
        "{logs}"
    );
    assert!(
        logs.contains("POST /api/v1/webhooks/students\" 413"),
        "{logs}"
    );
    assert!(logs.contains("GET /api/v1/card/-\" 502"), "{logs}");
    assert!(!logs.contains("mind-your-own"), "{logs}");
}

#[test]
fn plain_http_is_sent_on_with_its_target_as_it_was() {
    let (upstream, proxy) = running();
    let answer = plain_http(proxy.http_port, "/a%2Fb?x=1&&y=%20");
    assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
    assert!(
        answer.contains(&format!(
            "\r\nLocation: https://{NAME}/a%2Fb?x=1&&y=%20\r\n"
        )),
        "{answer}"
    );
    assert_eq!(upstream.seen().len(), 0);
}

fn plain_http(port: u16, target: &str) -> String {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    connection
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}
