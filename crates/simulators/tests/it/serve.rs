//! The HTTP server itself: what frameworks cannot do, and what it must not do.

use std::{net::SocketAddr, time::Duration};

use mzi_simulators::serve::{Answer, Reply, Request, Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn server() -> Server {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    Server::start(any_port, |request: Request| async move {
        let answer = Answer::text(200, "0123456789");
        match request.path.as_str() {
            "/drop" => Reply::Drop,
            "/cut" => Reply::Truncated(answer, 4),
            "/echo" => Answer::typed(200, "application/octet-stream", request.body).into(),
            _ => answer.into(),
        }
    })
    .await
    .expect("a free port")
}

async fn raw(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.local_addr())
        .await
        .expect("connected");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    // A reset instead of an orderly end leaves what came before it in the buffer.
    let _ended = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).expect("text")
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: simulator\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn an_answer_arrives_whole() {
    let answer = raw(&server().await, &get("/")).await;

    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n0123456789"), "{answer}");
}

#[tokio::test]
async fn a_dropped_reply_sends_not_one_byte() {
    assert_eq!(raw(&server().await, &get("/drop")).await, "");
}

#[tokio::test]
async fn a_truncated_reply_announces_all_and_sends_a_part() {
    let answer = raw(&server().await, &get("/cut")).await;

    assert!(answer.contains("content-length: 10"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n0123"), "{answer}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let head = "POST /echo HTTP/1.1\r\nhost: simulator\r\nconnection: close\r\n";
    let answer = raw(
        &server().await,
        &format!("{head}content-length: 99999999\r\n\r\n"),
    )
    .await;

    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn stopping_closes_idle_connections_and_the_port() {
    let server = server().await;
    let mut idle = TcpStream::connect(server.local_addr())
        .await
        .expect("connected");
    idle.write_all(b"GET / HTTP/1.1\r\nhost: simulator\r\n\r\n")
        .await
        .expect("sent");
    let mut first = [0; 16];
    idle.read_exact(&mut first).await.expect("an answer");

    tokio::time::timeout(Duration::from_secs(5), server.stop())
        .await
        .expect("stopped in time");

    let mut rest = Vec::new();
    idle.read_to_end(&mut rest)
        .await
        .expect("the connection ended in order");
    assert!(TcpStream::connect(server.local_addr()).await.is_err());
}
