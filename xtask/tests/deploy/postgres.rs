//! The temporary PostgreSQL server the tests of the other crates rely on.

use std::net::TcpStream;
use std::process::{Command, Output};

use xtask::postgres::TemporaryPostgres;
use xtask::tools;

fn ask(url: &str, question: &str) -> Output {
    let psql = tools::executable(&tools::postgres_binaries().unwrap(), "psql").unwrap();
    Command::new(psql)
        .args([
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--command",
            question,
            url,
        ])
        .output()
        .unwrap()
}

#[test]
fn the_temporary_server_lets_its_owner_in_and_nobody_else_and_goes() {
    let server = TemporaryPostgres::start().unwrap_or_else(|error| panic!("{error:#}"));
    let url = server.url();
    assert!(ask(&url, "create database one_per_test").status.success());
    let found = ask(
        &url,
        "select datname from pg_database where datname = 'one_per_test'",
    );
    assert_eq!(
        String::from_utf8_lossy(&found.stdout).trim(),
        "one_per_test"
    );

    let (before, password_on) = url.split_once("mzi:").unwrap();
    let (_, address) = password_on.split_once('@').unwrap();
    let stranger = format!("{before}mzi:guessed@{address}");
    assert!(!ask(&stranger, "select 1").status.success());

    let (host_and_port, _) = address.split_once('/').unwrap();
    assert!(TcpStream::connect(host_and_port).is_ok());
    drop(server);
    assert!(TcpStream::connect(host_and_port).is_err());
}
