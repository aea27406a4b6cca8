//! Checks of shipped files that need no tool: names of settings, and the shape of the compose file.
//!
//! No container engine is asked whether it likes the compose file or the Dockerfile; only what can be read off is checked.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;

/// The names the guide and the design give; `docs/reference/configuration.md` says what each means.
const NAMES: [&str; 39] = [
    "ALERT_WEBHOOK_URL",
    "ALLOW_PRIVATE_HOSTS",
    "BIND_ADDR",
    "DATABASE_URL",
    "ENABLED_SERVICES",
    "EXTRA_CA_FILE",
    "HTTPS_PROXY",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "MOODLE_ADOPT_COURSES",
    "MOODLE_BASE_URL",
    "MOODLE_CREATE_USERS",
    "MOODLE_DB_PREFIX",
    "MOODLE_DB_URL",
    "MOODLE_DEFAULT_CATEGORY_ID",
    "MOODLE_PLUGIN_KEY_ID",
    "MOODLE_PLUGIN_SECRET",
    "MOODLE_PLUGIN_SECRET_PREVIOUS",
    "MOODLE_STUDENT_ROLE_ID",
    "MOODLE_TEACHER_ROLE_ID",
    "MOODLE_TOKEN",
    "MOODLE_USER_AUTH",
    "MOODLE_USER_EMAIL",
    "NO_PROXY",
    "ORG_TIMEZONE",
    "SECRET_KEY",
    "SECRET_KEY_FILE",
    "SETUP_COMPLETED_STEPS",
    "SYNC_ON_START",
    "TRUSTED_PROXIES",
    "WEBHOOK_BASE_URL",
    "WEBHOOK_MODE",
    "ZOHO_ACCOUNTS_URL",
    "ZOHO_API_URL",
    "ZOHO_CLIENT_ID",
    "ZOHO_CLIENT_SECRET",
    "ZOHO_REFRESH_TOKEN",
    "ZOHO_REGION",
    "ZOHO_WEBHOOK_HMAC_SECRET_PREVIOUS",
];

/// Also a name, kept apart because its line must be off.
const WEBHOOK_SECRET: &str = "ZOHO_WEBHOOK_HMAC_SECRET";

const ENTITIES: [&str; 10] = [
    "PROGRAMS",
    "UNITS",
    "TEACHERS",
    "STUDENTS",
    "CLASSES",
    "REGISTRATIONS",
    "ENROLLMENTS",
    "PAYMENTS",
    "GRADES",
    "STUDENT_REQUESTS",
];

fn read(path: &str) -> String {
    let path = xtask::run::root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A line of `.env.example` that sets something, or would if it were switched on.
struct Setting {
    name: String,
    value: String,
    on: bool,
}

fn settings(text: &str) -> Vec<Setting> {
    text.lines()
        .filter_map(|line| {
            let (name, value) = line.trim_start_matches('#').split_once('=')?;
            is_name(name).then(|| Setting {
                name: name.to_owned(),
                value: value.to_owned(),
                on: !line.starts_with('#'),
            })
        })
        .collect()
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

fn known() -> BTreeSet<String> {
    NAMES
        .iter()
        .chain([&WEBHOOK_SECRET])
        .map(|name| (*name).to_owned())
        .chain(ENTITIES.map(|entity| format!("ZOHO_MODULE_{entity}")))
        .collect()
}

/// The name itself, or the name whose value stands in a file; mail settings are one family.
fn is_known(name: &str) -> bool {
    let plain = name.strip_suffix("_FILE").unwrap_or(name);
    plain.starts_with("SMTP_") || known().contains(name) || known().contains(plain)
}

#[test]
fn the_example_has_every_name_of_the_design_once_and_no_other() {
    let named: Vec<String> = settings(&read(".env.example"))
        .into_iter()
        .map(|setting| setting.name)
        .filter(|name| !name.starts_with("SMTP_"))
        .collect();
    let once: BTreeSet<String> = named.iter().cloned().collect();
    assert_eq!(once, known());
    assert_eq!(named.len(), once.len(), "a name stands twice");
}

#[test]
fn the_line_of_the_webhook_secret_is_off() {
    // Switched on and blank it would turn every webhook away, where an absent one is made at first start.
    let settings = settings(&read(".env.example"));
    let secret = settings.iter().find(|line| line.name == WEBHOOK_SECRET);
    assert!(!secret.unwrap().on);
}

#[test]
fn the_example_holds_no_secret() {
    for setting in settings(&read(".env.example")) {
        let secret = ["SECRET", "TOKEN", "PASSWORD", "PREVIOUS", "KEY"];
        if secret.iter().any(|end| setting.name.ends_with(end)) {
            assert_eq!(setting.value, "", "{}", setting.name);
        }
    }
}

#[test]
fn unit_and_image_set_only_known_names() {
    let unit = read("deploy/systemd/mzi-backend.service");
    let in_unit = unit
        .lines()
        .filter_map(|line| line.strip_prefix("Environment="));
    let image = read("deploy/docker/Dockerfile");
    let (_, in_image) = image.split_once("\nENV ").unwrap();
    let (in_image, _) = in_image
        .split_once("\n#")
        .or(in_image.split_once("\nUSER"))
        .unwrap();
    let in_image = in_image.split([' ', '\\', '\n']);
    let names: Vec<&str> = in_unit
        .chain(in_image)
        .filter_map(|setting| Some(setting.split_once('=')?.0))
        .collect();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        assert!(is_known(name), "{name}");
    }
}

/// `(indentation, key)` of every mapping key.
fn keys(yaml: &str) -> Vec<(usize, &str)> {
    yaml.lines()
        .filter(|line| !line.trim_start().starts_with(['#', '-']))
        .filter_map(|line| {
            let (key, _) = line.split_once(':')?;
            Some((key.len() - key.trim_start().len(), key.trim()))
        })
        .collect()
}

/// The keys two spaces below a top-level key.
fn below<'a>(yaml: &'a str, parent: &str) -> Vec<&'a str> {
    keys(yaml)
        .into_iter()
        .skip_while(|key| *key != (0, parent))
        .skip(1)
        .take_while(|(indentation, _)| *indentation > 0)
        .filter_map(|(indentation, key)| (indentation == 2).then_some(key))
        .collect()
}

#[test]
fn the_compose_file_has_the_bridge_and_its_database() {
    let compose = read("deploy/docker/compose.yaml");
    assert!(!compose.contains('\t'), "YAML knows no tabs");
    let top: Vec<&str> = keys(&compose)
        .into_iter()
        .filter_map(|(indentation, key)| (indentation == 0).then_some(key))
        .collect();
    assert_eq!(top, ["name", "services", "secrets", "volumes", "networks"]);
    assert_eq!(below(&compose, "services"), ["bridge", "database"]);
}

#[test]
fn every_secret_of_the_compose_file_is_declared_and_comes_from_a_file() {
    let compose = read("deploy/docker/compose.yaml");
    let mut used: Vec<&str> = Vec::new();
    for line in compose.lines() {
        if let Some((name, secret)) = line.trim().split_once(": /run/secrets/") {
            assert!(name.ends_with("_FILE"), "{name}");
            assert!(is_known(name) || name == "POSTGRES_PASSWORD_FILE", "{name}");
            let granted = compose
                .lines()
                .any(|line| line.trim() == format!("- {secret}"));
            assert!(granted, "{secret} is not granted to a service");
            used.push(secret);
        }
    }
    used.sort_unstable();
    let mut declared = below(&compose, "secrets");
    declared.sort_unstable();
    assert_eq!(declared, used);
}

#[test]
fn containers_are_reached_through_loopback_only() {
    let compose = read("deploy/docker/compose.yaml");
    let ports: Vec<&str> = compose
        .lines()
        .skip_while(|line| line.trim() != "ports:")
        .skip(1)
        .take_while(|line| line.trim().starts_with('-'))
        .collect();
    assert_eq!(ports.len(), 1);
    assert!(ports[0].contains("\"127.0.0.1:"), "{ports:?}");
    assert_eq!(compose.matches("ports:").count(), 1);
}
