//! Nothing a document links to or names is missing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::markdown::{anchors, code_spans, links, read, root, rows};

/// Every document of the project.
fn documents() -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for folder in [
        ".",
        "docs/adr",
        "docs/operator",
        "docs/reference",
        "migrations",
    ] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                found.push(format!("{folder}/{name}"));
            }
        }
    }
    assert!(found.len() > 20, "{found:?}");
    found
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        let text = read(&document);
        for link in links(&text) {
            if !link.contains("://") && !leads_somewhere(&document, &text, &link) {
                broken.push(format!("{document}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

fn leads_somewhere(document: &str, text: &str, link: &str) -> bool {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    if path.is_empty() {
        return anchors(text).iter().any(|known| known == anchor);
    }
    let target = root().join(document).parent().unwrap().join(path);
    if anchor.is_empty() {
        return target.exists();
    }
    let there = fs::read_to_string(target).unwrap_or_default();
    anchors(&there).iter().any(|known| known == anchor)
}

#[test]
fn every_file_that_is_named_exists() {
    let folders = [
        "crates/",
        "xtask/",
        "docs/",
        "deploy/",
        "config/",
        "migrations/",
    ];
    let mut missing = Vec::new();
    for document in documents() {
        for span in code_spans(&read(&document)) {
            let is_path = folders.iter().any(|folder| span.starts_with(folder));
            let is_plain = span
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            if is_path && is_plain && !root().join(&span).exists() {
                missing.push(format!("{document}: {span}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_test_that_asserts_an_invariant_exists() {
    let architecture = read("ARCHITECTURE.md");
    let promises: Vec<Vec<String>> = rows(&architecture)
        .into_iter()
        .filter(|cells| cells.len() == 4 && cells[0].starts_with('I'))
        .collect();
    assert_eq!(promises.len(), 8, "{promises:?}");
    let sources = sources();
    for promise in promises {
        let tests = code_spans(&promise[3]);
        assert!(!tests.is_empty(), "{} names no test", promise[0]);
        for test in tests {
            let definition = format!("fn {test}");
            let exists = sources.iter().any(|text| defines(text, &definition));
            assert!(exists, "{}: {test}", promise[0]);
        }
    }
}

/// Types, functions and fields the walk through the code names.
#[test]
fn every_item_the_architecture_names_exists() {
    let sources = sources();
    let defined = |name: &str| {
        let kinds = ["fn", "struct", "enum", "trait", "type", "const"];
        sources.iter().any(|text| {
            let field = text.contains(&format!("pub {name}:"));
            field
                || kinds
                    .iter()
                    .any(|kind| defines(text, &format!("{kind} {name}")))
        })
    };
    let mut missing = Vec::new();
    for span in code_spans(&read("ARCHITECTURE.md")) {
        let parts: Vec<&str> = span.split("::").collect();
        let is_name = |part: &&str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if parts.len() < 2 || !parts.iter().all(is_name) {
            continue;
        }
        // The last part is an item; a variant stands without a keyword, so its enum must do.
        let last = parts[parts.len() - 1];
        let found = defined(last) || (last.starts_with(char::is_uppercase) && defined(parts[0]));
        if !found && !["None", "ALL"].contains(&last) {
            missing.push(span);
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Messages that the guide explains are messages of the program.
#[test]
fn every_message_the_troubleshooting_quotes_is_one_of_ours() {
    let guide = read("docs/operator/deployment.md");
    let (_, rest) = guide.split_once("\n## 13. ").unwrap();
    let (section, _) = rest.split_once("\n## ").unwrap();
    let sources = sources();
    let mut quoted = 0;
    for row in rows(section) {
        for message in code_spans(&row[0]) {
            for part in message.split('…').map(str::trim) {
                quoted += 1;
                assert!(sources.iter().any(|text| text.contains(part)), "{part}");
            }
        }
    }
    assert!(quoted > 15, "{quoted}");
}

fn defines(text: &str, definition: &str) -> bool {
    text.match_indices(definition).any(|(at, _)| {
        let after = text[at + definition.len()..].chars().next();
        !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

fn sources() -> Vec<String> {
    let mut files = Vec::new();
    collect(&root().join("crates"), &mut files);
    assert!(files.len() > 100);
    let ours = Path::new("tests").join("guide");
    let others = files
        .into_iter()
        .filter(|path| !path.parent().unwrap().ends_with(&ours));
    others
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}
