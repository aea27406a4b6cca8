//! `DATABASE_URL` (`contracts/bridge.md` §7).

use std::path::PathBuf;

use crate::error::OpenError;

/// Where the data live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database, as libpq understands it.
    #[cfg(feature = "postgres")]
    Postgres(String),
}

impl Target {
    /// Accepts `sqlite:///relative`, `sqlite:////absolute`, `postgres://…` and `postgresql://…`,
    /// each also with a SQLAlchemy driver suffix (`postgresql+psycopg2://`).
    pub fn parse(url: &str) -> Result<Self, OpenError> {
        let url = url.trim();
        let Some((scheme, rest)) = url.split_once("://") else {
            let scheme = url.split([':', '/']).next().unwrap_or_default();
            return Err(unknown(scheme));
        };
        let system = scheme.split('+').next().unwrap_or_default();
        match system.to_ascii_lowercase().as_str() {
            "sqlite" => sqlite(rest),
            "postgres" | "postgresql" => postgres(rest),
            _ => Err(unknown(scheme)),
        }
    }
}

/// A user name and password would stand after the scheme, which is why nothing else is shown.
fn unknown(scheme: &str) -> OpenError {
    OpenError::UnknownScheme {
        scheme: scheme.chars().take(40).collect(),
    }
}

fn sqlite(rest: &str) -> Result<Target, OpenError> {
    // Options after a question mark are those of other drivers (`check_same_thread`).
    let path = rest.split('?').next().unwrap_or_default();
    let path = path.strip_prefix('/').unwrap_or_default();
    if path.is_empty() || path == ":memory:" {
        return Err(OpenError::NoFile);
    }
    Ok(Target::Sqlite(PathBuf::from(path)))
}

#[cfg(feature = "postgres")]
fn postgres(rest: &str) -> Result<Target, OpenError> {
    Ok(Target::Postgres(format!("postgres://{rest}")))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_rest: &str) -> Result<Target, OpenError> {
    Err(OpenError::PostgresNotBuiltIn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(url: &str) -> PathBuf {
        match Target::parse(url) {
            Ok(Target::Sqlite(path)) => path,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn three_slashes_are_relative_and_four_absolute() {
        assert_eq!(
            path("sqlite:///./moodle_zoho_local.db"),
            PathBuf::from("./moodle_zoho_local.db")
        );
        assert_eq!(
            path("sqlite:////var/lib/mzi/mzi.db"),
            PathBuf::from("/var/lib/mzi/mzi.db")
        );
        assert_eq!(
            path("sqlite:///C:/mzi/mzi.db"),
            PathBuf::from("C:/mzi/mzi.db")
        );
        assert_eq!(
            path(" SQLITE+pysqlite:///a b.db?timeout=5 "),
            PathBuf::from("a b.db")
        );
    }

    #[test]
    fn no_file_is_no_database() {
        for url in [
            "sqlite://",
            "sqlite:///",
            "sqlite:///:memory:",
            "sqlite://?x=1",
        ] {
            assert!(
                matches!(Target::parse(url), Err(OpenError::NoFile)),
                "{url}"
            );
        }
    }

    #[test]
    fn another_system_is_named_without_its_credentials() {
        let error = Target::parse("mysql+pymysql://ana:hunter2@db/x").unwrap_err();
        assert!(error.to_string().contains("'mysql+pymysql'"));
        assert!(!error.to_string().contains("hunter2"));
        let error = Target::parse("./some.db").unwrap_err();
        assert!(matches!(error, OpenError::UnknownScheme { .. }));
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn a_driver_suffix_is_left_out() {
        for scheme in ["postgres", "postgresql", "postgresql+psycopg2"] {
            let target = Target::parse(&format!("{scheme}://ana@db/mzi?sslmode=require")).unwrap();
            let expected = "postgres://ana@db/mzi?sslmode=require".to_owned();
            assert_eq!(target, Target::Postgres(expected));
        }
    }

    #[cfg(not(feature = "postgres"))]
    #[test]
    fn postgres_without_the_feature_names_the_feature() {
        let error = Target::parse("postgresql+psycopg2://db/x").unwrap_err();
        assert!(error.to_string().contains("feature 'postgres'"));
    }
}
