//! Layers of raw values, each remembering where it came from.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};

use super::{dotenv, names};

const DEFAULTS: &str = include_str!("../../../../config/default.toml");

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The embedded defaults.
    Default,
    /// `--config FILE`.
    File(PathBuf),
    /// `.env` in the working directory.
    DotEnv,
    /// The process's environment.
    Environment,
    /// A file named by `<NAME>_FILE`.
    SecretFile(PathBuf),
}

impl std::fmt::Display for Source {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File(path) => write!(out, "{}", path.display()),
            Self::DotEnv => out.write_str(".env"),
            Self::Environment => out.write_str("environment"),
            Self::SecretFile(path) => write!(out, "{}", path.display()),
        }
    }
}

/// A raw value and its source.
#[derive(Debug, Clone)]
pub struct Raw {
    /// The text.
    pub value: String,
    /// Where it came from.
    pub source: Source,
}

/// What was given from outside, read once.
#[derive(Debug, Default)]
pub struct Given {
    /// `--config FILE`.
    pub file: Option<PathBuf>,
    /// The text of `.env`, if there is one.
    pub dotenv: Option<String>,
    /// The environment.
    pub environment: Vec<(String, String)>,
}

/// The values that hold, and what should be said about them.
#[derive(Debug, Default)]
pub struct Layers {
    values: BTreeMap<String, Raw>,
    /// Sentences for the log.
    pub warnings: Vec<String>,
}

impl Layers {
    /// Lays the sources over each other: defaults, file, `.env`, environment, `_FILE`.
    pub fn read(given: &Given) -> Result<Self> {
        let mut layers = Self::default();
        layers.toml(DEFAULTS, &Source::Default)?;
        if let Some(path) = &given.file {
            let text = std::fs::read_to_string(path).with_context(|| {
                format!("the configuration file {} cannot be read", path.display())
            })?;
            layers.toml(&text, &Source::File(path.clone()))?;
        }
        if let Some(text) = &given.dotenv {
            let (pairs, odd) = dotenv::parse(text);
            for line in odd {
                layers.warnings.push(format!(
                    "line {line} of .env is not NAME=value and is ignored"
                ));
            }
            layers.pairs(&pairs, &Source::DotEnv)?;
        }
        let environment: Vec<(String, String)> = given
            .environment
            .iter()
            .map(|(name, value)| (name.clone(), dotenv::value_of(value)))
            .collect();
        layers.pairs(&environment, &Source::Environment)?;
        Ok(layers)
    }

    /// The value that holds, if one was given; a blank one counts as given.
    pub fn raw(&self, name: &str) -> Option<&Raw> {
        self.values.get(name)
    }

    /// The text that holds, unless it is blank.
    pub fn text(&self, name: &str) -> Option<&str> {
        let text = self.values.get(name)?.value.trim();
        (!text.is_empty()).then_some(text)
    }

    fn toml(&mut self, text: &str, source: &Source) -> Result<()> {
        let file = config::File::from_str(text, config::FileFormat::Toml);
        let table: BTreeMap<String, config::Value> = config::Config::builder()
            .add_source(file)
            .build()
            .and_then(config::Config::try_deserialize)
            .with_context(|| format!("{source} is not a table of settings"))?;
        for (key, value) in table {
            let name = key.to_ascii_uppercase();
            if names::find(&name).is_none() {
                self.warnings
                    .push(format!("{source} sets {key}, which is no setting"));
                continue;
            }
            let value = value
                .into_string()
                .with_context(|| format!("{key} in {source}"))?;
            self.values.insert(
                name,
                Raw {
                    value,
                    source: source.clone(),
                },
            );
        }
        Ok(())
    }

    fn pairs(&mut self, pairs: &[(String, String)], source: &Source) -> Result<()> {
        for (name, value) in pairs {
            if names::find(name).is_some() {
                let raw = Raw {
                    value: value.clone(),
                    source: source.clone(),
                };
                self.values.insert(name.clone(), raw);
            }
        }
        for (name, path) in pairs {
            let known = name
                .strip_suffix("_FILE")
                .filter(|base| names::find(base).is_some());
            if let Some(base) = known.filter(|_| names::find(name).is_none() && !path.is_empty()) {
                self.read_secret(base, Path::new(path), pairs)?;
            } else if names::find(name).is_none() && known.is_none() && looks_like_ours(name) {
                self.warnings.push(format!(
                    "{name} in {source} is not a setting of this version"
                ));
            }
        }
        Ok(())
    }

    fn read_secret(&mut self, name: &str, path: &Path, pairs: &[(String, String)]) -> Result<()> {
        // The one file that need not exist: it is made at the first start.
        if name == "SECRET_KEY" && !path.exists() {
            let raw = Raw {
                value: String::new(),
                source: Source::SecretFile(path.to_owned()),
            };
            self.values.insert(name.to_owned(), raw);
            return Ok(());
        }
        let text = std::fs::read_to_string(path).map_err(|error| {
            anyhow!(
                "{name}_FILE names {}, which cannot be read: {error}",
                path.display()
            )
        })?;
        if pairs
            .iter()
            .any(|(given, value)| given == name && !value.is_empty())
        {
            self.warnings.push(format!(
                "both {name} and {name}_FILE are set; the file wins"
            ));
        }
        let raw = Raw {
            value: text.trim().to_owned(),
            source: Source::SecretFile(path.to_owned()),
        };
        self.values.insert(name.to_owned(), raw);
        Ok(())
    }
}

fn looks_like_ours(name: &str) -> bool {
    name.starts_with("ZOHO_") || name.starts_with("MOODLE_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> Given {
        let environment = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Given {
            environment,
            ..Given::default()
        }
    }

    #[test]
    fn every_default_is_a_setting() {
        let layers = Layers::read(&Given::default()).unwrap();
        assert!(layers.warnings.is_empty(), "{:?}", layers.warnings);
        assert_eq!(layers.text("BIND_ADDR"), Some("0.0.0.0:8001"));
    }

    #[test]
    fn the_environment_wins_over_the_dot_env_file() {
        let mut given = given(&[("ZOHO_REGION", "eu   # ours")]);
        given.dotenv = Some("ZOHO_REGION=in\nMOODLE_TOKEN=t".into());
        let layers = Layers::read(&given).unwrap();
        assert_eq!(layers.text("ZOHO_REGION"), Some("eu"));
        assert_eq!(layers.text("MOODLE_TOKEN"), Some("t"));
        assert_eq!(layers.raw("MOODLE_TOKEN").unwrap().source, Source::DotEnv);
    }

    #[test]
    fn a_file_beats_the_value_beside_it_and_both_warn() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from-file\n").unwrap();
        let path = file.path().to_str().unwrap();
        let layers = Layers::read(&given(&[
            ("MOODLE_TOKEN", "t"),
            ("MOODLE_TOKEN_FILE", path),
        ]))
        .unwrap();
        assert_eq!(layers.text("MOODLE_TOKEN"), Some("from-file"));
        assert_eq!(layers.warnings.len(), 1);
    }

    #[test]
    fn an_unknown_name_of_ours_is_told() {
        let layers = Layers::read(&given(&[("MOODLE_ENABLED", "true"), ("HOME", "/x")])).unwrap();
        assert_eq!(
            layers.warnings,
            ["MOODLE_ENABLED in environment is not a setting of this version"]
        );
    }
}
