//! What the tests need beside Rust, how to see whether it is there, and which package brings it.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::suite::Scope;

/// Something that must be installed.
#[derive(Debug)]
pub struct Tool {
    pub name: &'static str,
    pub needed_for: &'static str,
    /// Debian package, also the name on Ubuntu.
    pub debian: &'static str,
    /// What to do on macOS, Windows or another Linux.
    pub elsewhere: &'static str,
    scope: Scope,
    find: fn() -> Option<PathBuf>,
}

const TOOLS: [Tool; 7] = [
    Tool {
        name: "C compiler",
        needed_for: "the bundled SQLite and the TLS library",
        debian: "build-essential",
        elsewhere: "macOS: xcode-select --install; Windows: Visual Studio Build Tools with C++",
        scope: Scope::OnlySqlite,
        find: c_compiler,
    },
    Tool {
        name: "curl",
        needed_for: "the commands of the deployment guide, which a test runs as they stand",
        debian: "curl",
        elsewhere: "macOS and Windows bring it; Fedora: curl",
        scope: Scope::OnlySqlite,
        find: curl,
    },
    Tool {
        name: "libpq",
        needed_for: "the PostgreSQL back end (cargo feature postgres)",
        debian: "libpq-dev",
        elsewhere: "macOS: brew install libpq; Windows: the PostgreSQL installer, then set PQ_LIB_DIR; Fedora: libpq-devel",
        scope: Scope::Everything,
        find: libpq,
    },
    Tool {
        name: "PostgreSQL server",
        needed_for: "the tests on PostgreSQL; a temporary server is started and stopped",
        debian: "postgresql",
        elsewhere: "macOS: brew install postgresql; Windows: the PostgreSQL installer; Fedora: postgresql-server",
        scope: Scope::Everything,
        find: postgres_binaries,
    },
    Tool {
        name: "nginx",
        needed_for: "the check of the shipped proxy file",
        debian: "nginx",
        elsewhere: "macOS: brew install nginx; Windows: only under WSL; Fedora: nginx",
        scope: Scope::Everything,
        find: nginx,
    },
    Tool {
        name: "openssl",
        needed_for: "the certificate and the TLS client of the proxy check",
        debian: "openssl",
        elsewhere: "macOS: brew install openssl; Windows: only under WSL; Fedora: openssl",
        scope: Scope::Everything,
        find: openssl,
    },
    Tool {
        name: "systemd-analyze",
        needed_for: "the check of the shipped unit",
        debian: "systemd",
        elsewhere: "Linux only; elsewhere use --only sqlite",
        scope: Scope::Everything,
        find: systemd_analyze,
    },
];

/// The tools of this scope that are not there.
pub fn missing(scope: Scope) -> Vec<&'static Tool> {
    TOOLS
        .iter()
        .filter(|tool| scope == Scope::Everything || tool.scope == Scope::OnlySqlite)
        .filter(|tool| (tool.find)().is_none())
        .collect()
}

/// One line per tool: what, what for, and how to get it.
pub fn explain(tools: &[&Tool]) -> String {
    let mut text = String::new();
    for tool in tools {
        text.push_str(&format!(
            "  {} is missing: {}\n    Debian package {} (add --setup, or run `cargo xtask setup`)\n    {}\n",
            tool.name, tool.needed_for, tool.debian, tool.elsewhere
        ));
    }
    text
}

/// Where a tool is, or an error that names the package and the flag.
pub fn require(name: &str) -> Result<PathBuf> {
    let tool = TOOLS
        .iter()
        .find(|tool| tool.name == name)
        .with_context(|| format!("{name} is not in the list of tools"))?;
    (tool.find)().with_context(|| explain(&[tool]))
}

/// The folder that holds `initdb`, `pg_ctl` and `postgres` of one and the same installation.
///
/// The folder `pg_config` names comes first, then Debian's versioned folders (newest first), which are not on the PATH.
pub fn postgres_binaries() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    folders.extend(pg_config("--bindir"));
    folders.extend(debian_postgres_folders());
    folders.extend(search_path());
    folders.into_iter().find(|folder| {
        ["initdb", "pg_ctl", "postgres"]
            .iter()
            .all(|program| executable(folder, program).is_some())
    })
}

/// The file of a program inside a folder, with the system's suffix.
pub fn executable(folder: &Path, program: &str) -> Option<PathBuf> {
    let path = folder.join(format!("{program}{EXE_SUFFIX}"));
    path.is_file().then_some(path)
}

/// On the PATH, or in the folders for administrators, which an ordinary account's PATH lacks on Debian.
pub fn program(name: &str) -> Option<PathBuf> {
    let administrators = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    search_path()
        .into_iter()
        .chain(administrators)
        .find_map(|folder| executable(&folder, name))
}

fn c_compiler() -> Option<PathBuf> {
    if cfg!(target_env = "msvc") {
        // Found through the registry by the crates that compile C; rustc could not have linked xtask without it.
        return std::env::current_exe().ok();
    }
    ["cc", "gcc", "clang"].into_iter().find_map(program)
}

fn libpq() -> Option<PathBuf> {
    let folder = std::env::var_os("PQ_LIB_DIR")
        .map(PathBuf::from)
        .or_else(|| pg_config("--libdir"))?;
    ["libpq.so", "libpq.dylib", "libpq.lib", "libpq.a"]
        .into_iter()
        .map(|file| folder.join(file))
        .find(|file| file.is_file())
}

fn nginx() -> Option<PathBuf> {
    program("nginx")
}

fn curl() -> Option<PathBuf> {
    program("curl")
}

fn openssl() -> Option<PathBuf> {
    program("openssl")
}

fn systemd_analyze() -> Option<PathBuf> {
    program("systemd-analyze")
}

fn pg_config(question: &str) -> Option<PathBuf> {
    let output = Command::new(program("pg_config")?)
        .arg(question)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !answer.is_empty()).then(|| PathBuf::from(answer))
}

fn debian_postgres_folders() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/usr/lib/postgresql") else {
        return Vec::new();
    };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_unstable_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sqlite_needs_a_c_compiler_and_curl() {
        let names: Vec<_> = TOOLS
            .iter()
            .filter(|tool| tool.scope == Scope::OnlySqlite)
            .map(|tool| tool.name)
            .collect();
        assert_eq!(names, ["C compiler", "curl"]);
    }

    #[test]
    fn a_missing_tool_is_explained_with_its_package_and_the_flag() {
        let tools: Vec<_> = TOOLS.iter().collect();
        let text = explain(&tools);
        for tool in TOOLS {
            assert!(text.contains(&format!("{} is missing", tool.name)));
            assert!(text.contains(&format!("Debian package {}", tool.debian)));
        }
        assert!(text.contains("--setup"));
    }

    #[test]
    fn a_tool_outside_the_list_is_refused_by_name() {
        let error = require("an invented tool").unwrap_err();
        assert!(error.to_string().contains("an invented tool"));
    }
}
