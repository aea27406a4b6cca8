//! Compares the edges between our crates with the ones the design allows (`docs/adr` and ARCHITECTURE.md tell why).
//!
//! Adding an edge is a decision: change the table here in the commit that carries its ADR.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::run;

/// A crate of ours and the ones it may use in what is shipped.
const EDGES: [(&str, &[&str]); 11] = [
    ("mzi-domain", &[]),
    ("mzi-ports", &["mzi-domain"]),
    ("mzi-application", &["mzi-ports", "mzi-domain"]),
    ("mzi-zoho", &["mzi-ports", "mzi-domain"]),
    ("mzi-moodle", &["mzi-ports", "mzi-domain"]),
    ("mzi-persistence", &["mzi-ports", "mzi-domain"]),
    ("mzi-web", &["mzi-application", "mzi-domain"]),
    ("mzi-simulators", &[]),
    (
        "mzi-server",
        &[
            "mzi-application",
            "mzi-domain",
            "mzi-moodle",
            "mzi-persistence",
            "mzi-ports",
            "mzi-simulators",
            "mzi-web",
            "mzi-zoho",
        ],
    ),
    ("mzi-bench", &["mzi-simulators"]),
    ("xtask", &[]),
];

/// What tests may use on top: the fakes beside the ports, and the simulators.
const TEST_EDGES: [&str; 2] = ["mzi-ports", "mzi-simulators"];

/// These see none of ours, not even in tests: the simulators must not learn the wire from the adapters they are to contradict.
const ALONE: [&str; 2] = ["mzi-simulators", "xtask"];

/// A library and the only crates of ours that may name it.
const BANS: [(&str, &[&str]); 4] = [
    ("diesel", &["mzi-persistence", "mzi-bench"]),
    ("diesel_migrations", &["mzi-persistence"]),
    (
        "reqwest",
        &[
            "mzi-zoho",
            "mzi-moodle",
            "mzi-simulators",
            "mzi-bench",
            "mzi-server",
        ],
    ),
    ("actix-web", &["mzi-web", "mzi-server", "mzi-bench"]),
];

/// Prints every violation, or one line that says how much was looked at.
pub fn check_and_print() -> Result<bool> {
    let output = run::cargo(["metadata", "--no-deps", "--format-version=1"])
        .output()
        .context("cargo metadata")?;
    if !output.status.success() {
        bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let metadata = serde_json::from_slice(&output.stdout).context("reading cargo metadata")?;
    let found = violations(&metadata)?;
    for violation in &found {
        println!("graph: {violation}");
    }
    if found.is_empty() {
        println!("graph: {} crates, every edge allowed", EDGES.len());
    }
    Ok(found.is_empty())
}

/// Sentences, each naming the crate and the edge.
pub fn violations(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .context("cargo metadata names no packages")?;
    let mut found = Vec::new();
    for package in packages {
        let name = text(package, "name");
        let Some((_, allowed)) = EDGES.iter().find(|(ours, _)| *ours == name) else {
            found.push(format!("{name} is not in the table of crates"));
            continue;
        };
        let dependencies = package.get("dependencies").and_then(Value::as_array);
        for dependency in dependencies.into_iter().flatten() {
            found.extend(violation(name, allowed, dependency));
        }
    }
    for (name, _) in EDGES {
        if !packages.iter().any(|package| text(package, "name") == name) {
            found.push(format!(
                "{name} is in the table of crates but not in the workspace"
            ));
        }
    }
    Ok(found)
}

fn violation(name: &str, allowed: &[&str], dependency: &Value) -> Option<String> {
    let used = text(dependency, "name");
    if let Some((_, holders)) = BANS.iter().find(|(banned, _)| *banned == used) {
        return (!holders.contains(&name))
            .then(|| format!("{name} names {used}, which only {} may", holders.join(", ")));
    }
    // A crate that names itself switches on a feature for its own tests.
    if used == name || !EDGES.iter().any(|(ours, _)| *ours == used) {
        return None;
    }
    let in_tests = text(dependency, "kind") == "dev";
    if !in_tests && used == "mzi-ports" && has_feature(dependency, "testing") {
        return Some(format!(
            "{name} ships the fakes of mzi-ports (feature testing)"
        ));
    }
    let may_in_tests = in_tests && !ALONE.contains(&name) && TEST_EDGES.contains(&used);
    (!allowed.contains(&used) && !may_in_tests).then(|| {
        let place = if in_tests { " in its tests" } else { "" };
        format!("{name} uses {used}{place}, an edge outside the design")
    })
}

fn has_feature(dependency: &Value, feature: &str) -> bool {
    let features = dependency.get("features").and_then(Value::as_array);
    features
        .into_iter()
        .flatten()
        .any(|named| named.as_str() == Some(feature))
}

/// Empty where the key is absent or null, as cargo writes the kind of an ordinary dependency.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Every crate of the table without any dependency, save those given for one of them.
    fn workspace(name: &str, dependencies: Value) -> Value {
        let packages: Vec<Value> = EDGES
            .iter()
            .map(|(ours, _)| {
                let own = if *ours == name {
                    dependencies.clone()
                } else {
                    json!([])
                };
                json!({ "name": ours, "dependencies": own })
            })
            .collect();
        json!({ "packages": packages })
    }

    fn found(name: &str, dependency: Value) -> Vec<String> {
        violations(&workspace(name, json!([dependency]))).unwrap()
    }

    #[test]
    fn an_edge_of_the_design_is_allowed() {
        assert!(
            found(
                "mzi-web",
                json!({ "name": "mzi-application", "kind": null })
            )
            .is_empty()
        );
        assert!(found("mzi-server", json!({ "name": "mzi-zoho", "kind": null })).is_empty());
    }

    #[test]
    fn an_edge_outside_the_design_is_named() {
        assert_eq!(
            found(
                "mzi-web",
                json!({ "name": "mzi-persistence", "kind": null })
            ),
            ["mzi-web uses mzi-persistence, an edge outside the design"]
        );
        assert_eq!(
            found("mzi-domain", json!({ "name": "mzi-ports", "kind": null })).len(),
            1
        );
    }

    #[test]
    fn tests_may_use_the_fakes_and_the_simulators() {
        for used in ["mzi-ports", "mzi-simulators"] {
            let dependency = json!({ "name": used, "kind": "dev", "features": ["testing"] });
            assert!(found("mzi-web", dependency).is_empty(), "{used}");
        }
        assert_eq!(
            found("mzi-web", json!({ "name": "mzi-zoho", "kind": "dev" })),
            ["mzi-web uses mzi-zoho in its tests, an edge outside the design"]
        );
    }

    #[test]
    fn the_simulators_see_none_of_ours_even_in_tests() {
        assert_eq!(
            found(
                "mzi-simulators",
                json!({ "name": "mzi-ports", "kind": "dev" })
            )
            .len(),
            1
        );
    }

    #[test]
    fn a_crate_may_switch_on_its_own_features_for_its_tests() {
        let itself = json!({ "name": "mzi-simulators", "kind": "dev", "features": ["testing"] });
        assert!(found("mzi-simulators", itself).is_empty());
    }

    #[test]
    fn fakes_are_not_shipped() {
        assert_eq!(
            found(
                "mzi-server",
                json!({ "name": "mzi-ports", "kind": null, "features": ["testing"] })
            ),
            ["mzi-server ships the fakes of mzi-ports (feature testing)"]
        );
    }

    #[test]
    fn a_library_stays_with_its_holders() {
        for (library, outsider, holder) in [
            ("diesel", "mzi-application", "mzi-persistence"),
            ("diesel_migrations", "mzi-server", "mzi-persistence"),
            ("reqwest", "mzi-web", "mzi-zoho"),
            ("actix-web", "mzi-simulators", "mzi-web"),
        ] {
            for kind in [json!(null), json!("dev")] {
                let dependency = json!({ "name": library, "kind": kind });
                assert_eq!(found(outsider, dependency.clone()).len(), 1, "{library}");
                assert!(found(holder, dependency).is_empty(), "{library}");
            }
        }
    }

    #[test]
    fn other_libraries_are_nobodys_business() {
        assert!(found("mzi-domain", json!({ "name": "serde", "kind": null })).is_empty());
    }

    #[test]
    fn a_new_crate_must_enter_the_table_and_a_lost_one_must_leave_it() {
        let metadata = json!({ "packages": [{ "name": "mzi-invented", "dependencies": [] }] });
        let found = violations(&metadata).unwrap();
        assert!(found.contains(&"mzi-invented is not in the table of crates".to_owned()));
        assert_eq!(found.len(), 1 + EDGES.len());
    }
}
