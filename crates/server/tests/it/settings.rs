//! Settings as the deployment guide has people write them.

use serde_json::Value;

use crate::harness::{ALL_STEPS, Backend, World, eventually, register};

/// The guide's blocks, word for word.
const GUIDE: &str = "\
DATABASE_URL=sqlite:///./moodle_zoho_local.db
ZOHO_CLIENT_ID=1000.XXXX
ZOHO_CLIENT_SECRET=XXXX
ZOHO_REFRESH_TOKEN=1000.XXXX
ZOHO_REGION=com          # or eu, in, au
MOODLE_BASE_URL=https://your-moodle.com
MOODLE_TOKEN=your_token_here
MOODLE_DB_URL=mariadb+pymysql://user:pass@host:3306/moodle_db
ZOHO_MODULE_STUDENTS=BTEC_Students
";

/// Every setting of the guide's blocks, as `config show --json` tells it.
async fn shown(world: &World) -> Vec<(String, String, String)> {
    let shown = world.run(&["config", "show", "--json"]).await;
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let shown: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(shown["warnings"].as_array().unwrap().len(), 0, "{shown}");
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let rows = shown["settings"].as_array().unwrap().iter();
    rows.map(|row| (text(row, "name"), text(row, "value"), text(row, "source")))
        .collect()
}

fn is_understood(settings: &[(String, String, String)], source: &str) {
    let of = |name: &str| {
        let (_, value, from) = settings.iter().find(|(known, ..)| known == name).unwrap();
        (value.as_str(), from.as_str())
    };
    assert_eq!(of("ZOHO_REGION"), ("com", source));
    assert_eq!(of("DATABASE_URL"), ("(set)", source));
    assert_eq!(of("MOODLE_BASE_URL"), ("https://your-moodle.com", source));
    assert_eq!(of("ZOHO_MODULE_STUDENTS"), ("BTEC_Students", source));
    assert_eq!(of("MOODLE_TOKEN"), ("(set)", source));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guides_block_is_understood_as_a_file_and_as_plain_environment() {
    let mut world = World::new(Backend::Sqlite).await;
    world.unset_all();
    std::fs::write(world.folder.path().join(".env"), GUIDE).unwrap();
    is_understood(&shown(&world).await, ".env");

    std::fs::remove_file(world.folder.path().join(".env")).unwrap();
    // systemd and containers hand over what stands behind the equals sign, comment and all.
    for line in GUIDE.lines() {
        let (name, value) = line.split_once('=').unwrap();
        world.set(name, value);
    }
    is_understood(&shown(&world).await, "environment");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bridge_runs_from_an_env_file_alone() {
    let mut world = World::new(Backend::Sqlite).await;
    let lines: String = world
        .settings()
        .map(|(name, value)| format!("{name}={value}    # as the guide writes it\r\n"))
        .collect();
    world.unset_all();
    std::fs::write(world.folder.path().join(".env"), format!("\u{feff}{lines}")).unwrap();
    let bridge = world.start().await;
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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_never_shown_and_may_come_from_files() {
    let mut world = World::new(Backend::Sqlite).await;
    let secrets: Vec<String> = world
        .settings()
        .filter(|(name, _)| name.contains("SECRET") || name.contains("TOKEN"))
        .map(|(_, value)| value.to_owned())
        .collect();
    assert_eq!(secrets.len(), 5);
    for arguments in [&["config", "show"][..], &["config", "show", "--json"][..]] {
        let shown = world.run(arguments).await;
        assert_eq!(shown.code, Some(0));
        let all = shown.out + &shown.err;
        assert!(all.contains("(set)"));
        assert!(!secrets.iter().any(|secret| all.contains(secret)), "{all}");
    }

    let file = world.folder.path().join("moodle-token");
    std::fs::write(&file, format!("{}\n", world.moodle.token())).unwrap();
    world.unset("MOODLE_TOKEN");
    world.set("MOODLE_TOKEN_FILE", file.to_str().unwrap());
    let doctor = world.run(&["doctor"]).await;
    assert_eq!(doctor.code, Some(0), "{}", doctor.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_but_the_steps_decides_whether_the_bridge_is_live() {
    let mut world = World::new(Backend::Sqlite).await;
    for (steps, word) in [
        ("", "OBSERVING"),
        ("backend,zoho", "OBSERVING"),
        (ALL_STEPS, "LIVE"),
    ] {
        world.set("SETUP_COMPLETED_STEPS", steps);
        let doctor = world.run(&["doctor"]).await;
        assert!(doctor.out.contains(word), "{steps}: {}", doctor.out);
    }
}
