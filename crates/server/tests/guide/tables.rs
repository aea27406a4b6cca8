//! The tables of the reference say what the program says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use actix_web::ResponseError;
use mzi_domain::IssueCode;
use mzi_web::problem::Problem;
use serde_json::Value;

use crate::markdown::{read, root, rows};

/// What stands in backticks, without them.
fn plain(cell: &str) -> &str {
    cell.trim_matches('`')
}

#[test]
fn every_problem_is_in_the_reference_with_its_status_and_title() {
    let documented = rows(&read("docs/reference/problems.md"));
    let known: Vec<Vec<String>> = Problem::ALL
        .iter()
        .map(|problem| {
            let status = problem.status_code().as_u16().to_string();
            vec![
                format!("`{}`", problem.code()),
                status,
                problem.title().to_owned(),
            ]
        })
        .collect();
    assert_eq!(documented, known);
}

#[test]
fn every_issue_is_in_the_reference_with_its_hint() {
    let documented: Vec<(String, String)> = rows(&read("docs/reference/issues.md"))
        .into_iter()
        .map(|cells| (plain(&cells[0]).to_owned(), cells[2].clone()))
        .collect();
    let known: Vec<(String, String)> = IssueCode::ALL
        .iter()
        .map(|code| (code.word().to_owned(), code.hint().to_owned()))
        .collect();
    assert_eq!(documented, known);
}

#[test]
fn every_address_of_the_openapi_document_is_in_the_reference() {
    let document: Value = serde_json::from_str(&mzi_web::openapi::json().unwrap()).unwrap();
    let known: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let documented: BTreeSet<String> = rows(&read("docs/reference/api.md"))
        .into_iter()
        .flat_map(|cells| addresses(&cells[0]))
        .collect();
    // A second name of /health, and the document itself.
    let beside = BTreeSet::from([
        "/api/v1/health".to_owned(),
        "/api/v1/openapi.json".to_owned(),
    ]);
    let missing: Vec<_> = known.difference(&documented).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let too_many: Vec<_> = documented
        .difference(&known)
        .filter(|path| !beside.contains(*path))
        .collect();
    assert!(too_many.is_empty(), "{too_many:?}");
}

fn addresses(cell: &str) -> Vec<String> {
    let words = cell.split([' ', '`', ',']);
    words
        .filter(|word| word.starts_with('/'))
        .map(str::to_owned)
        .collect()
}

/// A row of the settings' reference.
struct Setting {
    default: String,
    meaning: String,
}

fn settings() -> BTreeMap<String, Setting> {
    let documented = rows(&read("docs/reference/configuration.md"));
    let count = documented.len();
    let settings: BTreeMap<String, Setting> = documented
        .into_iter()
        .map(|cells| {
            let setting = Setting {
                default: plain(&cells[1]).to_owned(),
                meaning: cells[2].clone(),
            };
            (plain(&cells[0]).to_owned(), setting)
        })
        .collect();
    assert_eq!(settings.len(), count, "a name stands twice");
    settings
}

/// The program's own table: names, and whether they are secret.
fn names() -> BTreeMap<String, bool> {
    let table = include_str!("../../src/settings/names.rs");
    let entries = table.lines().filter_map(|line| {
        let line = line.trim();
        let secret = line.starts_with("secret(\"");
        let rest = line
            .strip_prefix("secret(\"")
            .or_else(|| line.strip_prefix("open(\""))?;
        Some((rest.split_once('"')?.0.to_owned(), secret))
    });
    let names: BTreeMap<String, bool> = entries.collect();
    assert!(names.len() > 40, "{names:?}");
    names
}

/// Read by libraries from the process's environment.
const FOREIGN: [&str; 2] = ["HTTPS_PROXY", "NO_PROXY"];

#[test]
fn every_setting_is_in_the_reference_and_marked_if_it_is_secret() {
    let documented = settings();
    let known = names();
    for (name, secret) in &known {
        let setting = documented
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not documented"));
        assert_eq!(setting.meaning.starts_with("Secret."), *secret, "{name}");
    }
    let unknown: Vec<_> = documented
        .keys()
        .filter(|name| !known.contains_key(*name) && !FOREIGN.contains(&name.as_str()))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_reference_gives_the_defaults_of_the_default_file() {
    let documented = settings();
    let file = read("config/default.toml");
    let set = file
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .filter(|(key, _)| !key.starts_with('#'));
    let mut compared = 0;
    for (key, value) in set {
        let name = key.to_ascii_uppercase();
        let default = &documented[&name].default;
        let value = value.trim_matches('"');
        let same = default == value || (value.is_empty() && !default.is_empty());
        assert!(
            same,
            "{name}: {default} in the reference, {value} in the file"
        );
        compared += 1;
    }
    assert!(compared > 15, "{compared}");
}

#[test]
fn every_line_of_the_default_file_and_of_the_example_is_a_documented_setting() {
    let documented = settings();
    let defaults = read("config/default.toml").to_ascii_uppercase();
    let example = read(".env.example");
    let named = |text: &str| -> Vec<String> {
        let lines = text
            .lines()
            .filter_map(|line| line.trim_start_matches(['#', ' ']).split_once('='));
        let names = lines.map(|(name, _)| name.trim().to_owned());
        names
            .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
            .collect()
    };
    for name in named(&defaults).into_iter().chain(named(&example)) {
        let base = name
            .strip_suffix("_FILE")
            .filter(|base| documented.contains_key(*base));
        assert!(base.is_some() || documented.contains_key(&name), "{name}");
    }
}

#[test]
fn a_setting_is_marked_as_later_exactly_while_nothing_reads_it() {
    let sources = program();
    for (name, setting) in settings() {
        // Modules are read by a name that is put together.
        if name.starts_with("ZOHO_MODULE_") || FOREIGN.contains(&name.as_str()) {
            continue;
        }
        let quoted = format!("\"{name}\"");
        let read = sources.iter().any(|text| text.contains(&quoted));
        let later = setting.meaning.contains("Later.");
        assert_ne!(read, later, "{name}: {}", setting.meaning);
    }
}

/// The sources of the program, without the table of names and without tests.
fn program() -> Vec<String> {
    let folder = root().join("crates/server/src");
    let mut texts = Vec::new();
    for sub in ["", "settings", "commands"] {
        for entry in fs::read_dir(folder.join(sub)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("names.rs") {
                let text = fs::read_to_string(path).unwrap();
                let shipped = text.split("#[cfg(test)]\nmod tests").next();
                texts.push(shipped.unwrap_or_default().to_owned());
            }
        }
    }
    texts
}
