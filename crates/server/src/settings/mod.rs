//! Settings: read once, checked, and handed to the parts that need them.

pub mod dotenv;
pub mod layers;
pub mod names;

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use chrono_tz::Tz;
use mzi_application::policy::{Policy, Services};
use mzi_domain::{
    Entity, Mapping, MoodleCategoryId, MoodleRoleId,
    account::{AccountPolicy, EmailChoice},
    course::CoursePolicy,
    setup::Gate,
};
use secrecy::SecretString;

pub use layers::{Given, Layers, Source};

/// Everything the bridge was told.
pub struct Settings {
    /// The raw values with their sources.
    pub layers: Layers,
    /// Where to listen.
    pub bind: SocketAddr,
    /// The database.
    pub database_url: String,
    /// The key that seals secrets, if given as text.
    pub secret_key: Option<SecretString>,
    /// The key's file, if named.
    pub secret_key_file: Option<PathBuf>,
    /// Whether http and private addresses are allowed for upstreams.
    pub allow_private_hosts: bool,
    /// More certificates to trust.
    pub extra_ca_file: Option<PathBuf>,
    /// Zoho's credentials, if complete.
    pub zoho: Option<Zoho>,
    /// Moodle's credentials, if complete.
    pub moodle: Option<Moodle>,
    /// The webhook secret as given.
    pub webhook_secret: WebhookSecretSetting,
    /// Where Zoho's notifications should go, and by what means.
    pub webhooks: Webhooks,
    /// The secret shared with the plugin.
    pub plugin: Option<Plugin>,
    /// What the bridge does.
    pub policy: Policy,
    /// Mappings with modules other than the defaults.
    pub mappings: Vec<Mapping>,
}

/// Zoho's region and its two host overrides.
#[derive(Debug, Clone)]
pub struct ZohoPlace {
    /// `com eu in au jp ca sa cn uk`.
    pub region: String,
    /// Another accounts host.
    pub accounts_url: Option<String>,
    /// Another API host.
    pub api_url: Option<String>,
}

/// Zoho's credentials.
#[derive(Debug, Clone)]
pub struct Zoho {
    /// Where it is.
    pub place: ZohoPlace,
    /// The client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// The grant.
    pub refresh_token: SecretString,
}

/// Moodle's credentials.
#[derive(Debug, Clone)]
pub struct Moodle {
    /// The site.
    pub base_url: String,
    /// The service's token.
    pub token: SecretString,
}

/// The webhook secret as it was given.
#[derive(Debug, Clone)]
pub enum WebhookSecretSetting {
    /// Not at all: one is made.
    Absent,
    /// It may still be blank or too short, which switches intake off.
    Given {
        /// The secret.
        current: SecretString,
        /// The one before.
        previous: Option<SecretString>,
    },
}

/// How Zoho's notifications come.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// `WEBHOOK_BASE_URL`, without a trailing slash.
    pub base_url: Option<String>,
    /// Whether channels are kept.
    pub channels: bool,
}

/// What the plugin and the bridge share.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// The secret.
    pub secret: SecretString,
    /// The one before.
    pub previous: Option<SecretString>,
    /// The key's id.
    pub key_id: String,
    /// Sites whose tokens are accepted.
    pub issuers: Vec<String>,
}

impl Settings {
    /// Checks every value; the first one that does not fit is named in the error.
    pub fn from_layers(layers: Layers) -> Result<Self> {
        let reader = Reader(&layers);
        let gate = Gate::from_completed(reader.text("SETUP_COMPLETED_STEPS").unwrap_or_default());
        let (services, unknown) =
            Services::parse(reader.text("ENABLED_SERVICES").unwrap_or_default());
        let settings = Self {
            bind: reader.parsed("BIND_ADDR", "an address and port such as 127.0.0.1:8001")?,
            database_url: reader.required("DATABASE_URL")?.to_owned(),
            secret_key: reader
                .secret("SECRET_KEY")
                .filter(|_| reader.key_file().is_none()),
            secret_key_file: reader.key_file(),
            allow_private_hosts: reader.boolean("ALLOW_PRIVATE_HOSTS")?,
            extra_ca_file: reader.text("EXTRA_CA_FILE").map(PathBuf::from),
            zoho: reader.zoho(),
            moodle: reader.moodle(),
            webhook_secret: reader.webhook_secret(),
            webhooks: reader.webhooks()?,
            plugin: reader.plugin(),
            policy: reader.policy(gate, services)?,
            mappings: reader.mappings(),
            layers: Layers::default(),
        };
        let mut layers = layers;
        for word in unknown {
            layers.warnings.push(format!(
                "ENABLED_SERVICES names {word}, which is no service"
            ));
        }
        Ok(Self { layers, ..settings })
    }

    /// Zoho's place, also while the credentials are incomplete.
    pub fn zoho_place(&self) -> ZohoPlace {
        Reader(&self.layers).zoho_place()
    }
}

/// Reads typed values out of the layers.
struct Reader<'a>(&'a Layers);

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.text(name)
    }

    fn required(&self, name: &str) -> Result<&str> {
        self.text(name).ok_or_else(|| anyhow!("{name} is blank"))
    }

    fn secret(&self, name: &str) -> Option<SecretString> {
        self.text(name).map(SecretString::from)
    }

    fn url(&self, name: &str) -> Option<String> {
        self.text(name)
            .map(|url| url.trim_end_matches('/').to_owned())
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str, form: &str) -> Result<T> {
        let text = self.required(name)?;
        text.parse()
            .ok()
            .with_context(|| format!("{name} is not {form}"))
    }

    fn boolean(&self, name: &str) -> Result<bool> {
        match self.required(name)?.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => bail!("{name} is neither true nor false"),
        }
    }

    fn key_file(&self) -> Option<PathBuf> {
        match &self.0.raw("SECRET_KEY")?.source {
            Source::SecretFile(path) => Some(path.clone()),
            _ => None,
        }
    }

    fn zoho_place(&self) -> ZohoPlace {
        ZohoPlace {
            region: self.text("ZOHO_REGION").unwrap_or("com").to_owned(),
            accounts_url: self.url("ZOHO_ACCOUNTS_URL"),
            api_url: self.url("ZOHO_API_URL"),
        }
    }

    fn zoho(&self) -> Option<Zoho> {
        Some(Zoho {
            place: self.zoho_place(),
            client_id: self.text("ZOHO_CLIENT_ID")?.to_owned(),
            client_secret: self.secret("ZOHO_CLIENT_SECRET")?,
            refresh_token: self.secret("ZOHO_REFRESH_TOKEN")?,
        })
    }

    fn moodle(&self) -> Option<Moodle> {
        Some(Moodle {
            base_url: self.url("MOODLE_BASE_URL")?,
            token: self.secret("MOODLE_TOKEN")?,
        })
    }

    /// A blank line is a secret that was given and is too short, not an absent one.
    fn webhook_secret(&self) -> WebhookSecretSetting {
        match self.0.raw("ZOHO_WEBHOOK_HMAC_SECRET") {
            None => WebhookSecretSetting::Absent,
            Some(raw) => WebhookSecretSetting::Given {
                current: raw.value.clone().into(),
                previous: self.secret("ZOHO_WEBHOOK_HMAC_SECRET_PREVIOUS"),
            },
        }
    }

    fn webhooks(&self) -> Result<Webhooks> {
        let channels = match self.required("WEBHOOK_MODE")? {
            "channels" => true,
            "workflow" | "none" => false,
            _ => bail!("WEBHOOK_MODE is not channels, workflow or none"),
        };
        Ok(Webhooks {
            base_url: self.url("WEBHOOK_BASE_URL"),
            channels,
        })
    }

    fn plugin(&self) -> Option<Plugin> {
        Some(Plugin {
            secret: self.secret("MOODLE_PLUGIN_SECRET")?,
            previous: self.secret("MOODLE_PLUGIN_SECRET_PREVIOUS"),
            key_id: self
                .text("MOODLE_PLUGIN_KEY_ID")
                .unwrap_or("primary")
                .to_owned(),
            issuers: self.url("MOODLE_BASE_URL").into_iter().collect(),
        })
    }

    fn policy(&self, gate: Gate, services: Services) -> Result<Policy> {
        let zone: Tz = self.parsed("ORG_TIMEZONE", "an IANA time zone such as Asia/Amman")?;
        let email = match self.required("MOODLE_USER_EMAIL")? {
            "academic" => EmailChoice::Academic,
            "personal" => EmailChoice::Personal,
            _ => bail!("MOODLE_USER_EMAIL is neither academic nor personal"),
        };
        let role = |name: &str| -> Result<MoodleRoleId> {
            MoodleRoleId::parse(self.required(name)?).with_context(|| name.to_owned())
        };
        let category = MoodleCategoryId::parse(self.required("MOODLE_DEFAULT_CATEGORY_ID")?)
            .context("MOODLE_DEFAULT_CATEGORY_ID")?;
        Ok(Policy {
            gate,
            services,
            accounts: AccountPolicy {
                create: self.boolean("MOODLE_CREATE_USERS")?,
                auth: self.required("MOODLE_USER_AUTH")?.to_owned(),
                email,
            },
            courses: CoursePolicy {
                default_category: category,
                zone,
                adopt: self.boolean("MOODLE_ADOPT_COURSES")?,
            },
            student_role: role("MOODLE_STUDENT_ROLE_ID")?,
            teacher_role: role("MOODLE_TEACHER_ROLE_ID")?,
        })
    }

    /// The default rules over the account's own module names.
    fn mappings(&self) -> Vec<Mapping> {
        Entity::ALL
            .into_iter()
            .filter_map(|entity| {
                let name = format!("ZOHO_MODULE_{}", entity.key().to_ascii_uppercase());
                let older = (entity == Entity::StudentRequests).then_some("ZOHO_MODULE_REQUESTS");
                let module = self.text(&name).or_else(|| self.text(older?))?;
                Some(Mapping {
                    module: module.to_owned(),
                    ..Mapping::default_for(entity)
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings> {
        let environment = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Settings::from_layers(Layers::read(&Given {
            environment,
            ..Given::default()
        })?)
    }

    #[test]
    fn the_guides_block_is_understood_verbatim() {
        let guide = "\
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
        let given = Given {
            dotenv: Some(guide.into()),
            ..Given::default()
        };
        let layers = Layers::read(&given).unwrap();
        assert!(layers.warnings.is_empty(), "{:?}", layers.warnings);
        let settings = Settings::from_layers(layers).unwrap();
        assert_eq!(settings.zoho.unwrap().place.region, "com");
        assert_eq!(settings.moodle.unwrap().base_url, "https://your-moodle.com");
        assert_eq!(settings.policy.gate, Gate::Observing);
    }

    #[test]
    fn a_blank_webhook_secret_is_not_an_absent_one() {
        let absent = settings(&[]).unwrap().webhook_secret;
        assert!(matches!(absent, WebhookSecretSetting::Absent));
        let blank = settings(&[("ZOHO_WEBHOOK_HMAC_SECRET", "")])
            .unwrap()
            .webhook_secret;
        assert!(matches!(blank, WebhookSecretSetting::Given { .. }));
    }

    #[test]
    fn a_value_that_does_not_fit_is_named() {
        for (name, value) in [
            ("BIND_ADDR", "8001"),
            ("ORG_TIMEZONE", "Amman"),
            ("MOODLE_CREATE_USERS", "perhaps"),
            ("MOODLE_STUDENT_ROLE_ID", "student"),
            ("WEBHOOK_MODE", "pigeon"),
        ] {
            let error = settings(&[(name, value)]).err().unwrap();
            assert!(format!("{error:#}").contains(name), "{error:#}");
        }
    }

    #[test]
    fn the_accounts_own_module_names_are_used() {
        let settings = settings(&[("ZOHO_MODULE_REQUESTS", "Requests")]).unwrap();
        assert_eq!(settings.mappings[0].module, "Requests");
        assert_eq!(settings.mappings[0].entity, Entity::StudentRequests);
    }
}
