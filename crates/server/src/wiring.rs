//! Builds the adapters and use cases out of settings: the only place that sees everything.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow};
use mzi_application::{
    api_keys::ApiKeys,
    breaker::Breakers,
    channels::Channels,
    deliver::Deliver,
    doctor::Doctor,
    health::Health,
    issues::Issues,
    mappings::Mappings,
    places::Places,
    policy::Policy,
    receive_webhook::{ReceiveWebhook, WebhookSecret},
    refresh::Refresh,
    student_portal::StudentPortal,
    wakeup::Wakeup,
    worker::{Parts, Pulse, Worker},
};
use mzi_domain::{Entity, Mapping};
use mzi_moodle::{MoodleSettings, MoodleWs, PlainHttp};
use mzi_persistence::{Db, Options, SealKey, SqlStore};
use mzi_ports::{Clock, Crm, IdSource, Lms, SettingsStore};
use mzi_web::{Web, auth::plugin_token::PluginTokens, metrics::Metrics};
use mzi_zoho::{DataCentre, Hosts, ZohoApp, ZohoCrm, ZohoSettings};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    settings::{Settings, WebhookSecretSetting, Zoho, ZohoPlace},
    system::{SystemClock, Uuids},
};

/// The setting under which a webhook secret of our own making is sealed.
const MADE_WEBHOOK_SECRET: &str = "webhook_secret";

/// The parts every command shares.
pub struct Bridge {
    /// What was asked for.
    pub settings: Settings,
    /// The database.
    pub db: Db,
    /// What is stored in it.
    pub store: SqlStore,
    /// Zoho, if configured.
    pub crm: Option<Arc<dyn Crm>>,
    /// Moodle, if configured.
    pub lms: Option<Arc<dyn Lms>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    policy: Arc<Policy>,
    mappings: Option<Arc<Mappings>>,
    breakers: Arc<Breakers>,
}

/// What `serve` runs.
pub struct Running {
    /// The HTTP surface.
    pub web: Arc<Web>,
    /// Works what is due; absent until both sides are configured.
    pub worker: Option<Arc<Worker>>,
    /// Keeps notification channels; absent where none are wanted.
    pub channels: Option<Arc<Channels>>,
}

impl Bridge {
    /// Opens the database and builds both adapters; calls nobody.
    pub fn open(settings: Settings) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn IdSource> = Arc::new(Uuids);
        let db = Db::open(&settings.database_url, &Options::default())?;
        let store = SqlStore::new(db.clone(), seal_key(&settings)?, Arc::clone(&ids));
        let crm = settings
            .zoho
            .as_ref()
            .map(|zoho| crm(&settings, zoho, &store, &clock));
        let crm = crm.transpose()?;
        let lms = lms(&settings)?;
        let policy = Arc::new(settings.policy.clone());
        let mappings = crm.as_ref().map(|crm| {
            let chosen = settings.mappings.clone();
            Arc::new(Mappings::new(Arc::clone(crm), Arc::clone(&clock), chosen))
        });
        let breakers = Arc::new(Breakers::default());
        Ok(Self {
            settings,
            db,
            store,
            crm,
            lms,
            clock,
            ids,
            policy,
            mappings,
            breakers,
        })
    }

    /// API keys.
    pub fn keys(&self) -> ApiKeys {
        ApiKeys::new(Arc::new(self.store.clone()), Arc::clone(&self.clock))
    }

    /// The watch over organisation and site, if both sides are configured.
    pub fn places(&self) -> Option<Arc<Places>> {
        Some(Arc::new(Places::new(
            Arc::clone(self.crm.as_ref()?),
            Arc::clone(self.lms.as_ref()?),
            Arc::new(self.store.clone()),
            Arc::new(self.store.clone()),
            Arc::clone(&self.clock),
        )))
    }

    /// The checks of `mzi doctor`.
    pub fn doctor(&self) -> Doctor {
        Doctor::new(
            self.crm.clone(),
            self.lms.clone(),
            self.mappings.clone(),
            Arc::clone(&self.policy),
        )
    }

    /// Health without a running worker.
    pub async fn health(&self) -> Result<Health> {
        let enabled = self.webhook_secret().await?.is_some();
        Ok(self.health_of(None, None, enabled))
    }

    /// The webhook secret that holds: the given one, or one made at the first start and sealed.
    /// Nothing if the given one is blank or too short.
    pub async fn webhook_secret(&self) -> Result<Option<WebhookSecret>> {
        match &self.settings.webhook_secret {
            WebhookSecretSetting::Given { current, previous } => {
                Ok(WebhookSecret::new(current.clone(), previous.clone()))
            }
            WebhookSecretSetting::Absent => {
                let made = match self.store.find_secret(MADE_WEBHOOK_SECRET).await? {
                    Some(made) => made,
                    None => self.make_webhook_secret().await?,
                };
                Ok(WebhookSecret::new(made, None))
            }
        }
    }

    async fn make_webhook_secret(&self) -> Result<SecretString> {
        let mut bytes = [0_u8; 24];
        getrandom::fill(&mut bytes).map_err(|error| anyhow!("no randomness: {error}"))?;
        let made = SecretString::from(hex::encode(bytes));
        self.store
            .put_secret(MADE_WEBHOOK_SECRET, &made, self.clock.now())
            .await?;
        tracing::info!(
            "a webhook secret was made and sealed; `mzi webhooks status` shows its static token"
        );
        Ok(made)
    }

    /// Builds what `serve` runs.
    pub async fn assemble(self) -> Result<Running> {
        let secret = self.webhook_secret().await?;
        if secret.is_none() {
            tracing::warn!(
                "ZOHO_WEBHOOK_HMAC_SECRET is blank or shorter than 16 bytes: webhooks are refused (intake_disabled)"
            );
        }
        let wakeup = Wakeup::default();
        let pulse = Arc::new(Pulse::default());
        let places = self.places();
        let worker = places
            .as_ref()
            .and_then(|places| self.worker(Arc::clone(places), wakeup.clone(), Arc::clone(&pulse)));
        let channels = secret.as_ref().and_then(|secret| self.channels(secret));
        let running_pulse = worker.as_ref().map(|_| pulse);
        let health = self.health_of(places, running_pulse, secret.is_some());
        let web = Arc::new(Web {
            receive: self.receive(secret, wakeup),
            portal: StudentPortal::new(
                Arc::new(self.store.clone()),
                Arc::clone(&self.breakers),
                Arc::clone(&self.clock),
            ),
            health,
            keys: self.keys(),
            issues: Issues::new(Arc::new(self.store.clone())),
            plugin: self.plugin()?,
            metrics: Metrics::new()?,
            instance: self.ids.next(),
        });
        Ok(Running {
            web,
            worker,
            channels,
        })
    }

    fn receive(&self, secret: Option<WebhookSecret>, wakeup: Wakeup) -> ReceiveWebhook {
        let modules = match &self.mappings {
            Some(mappings) => mappings.by_module(),
            None => Entity::ALL
                .into_iter()
                .map(|entity| (Mapping::default_for(entity).module, entity))
                .collect(),
        };
        ReceiveWebhook::new(
            Arc::new(self.store.clone()),
            Arc::clone(&self.clock),
            Arc::clone(&self.ids),
            wakeup,
            secret,
            modules,
        )
    }

    fn worker(
        &self,
        places: Arc<Places>,
        wakeup: Wakeup,
        pulse: Arc<Pulse>,
    ) -> Option<Arc<Worker>> {
        let (crm, lms) = (self.crm.as_ref()?, self.lms.as_ref()?);
        let mappings = self.mappings.as_ref()?;
        let refresh = Refresh::new(
            Arc::clone(crm),
            Arc::new(self.store.clone()),
            Arc::clone(&self.clock),
            Arc::clone(mappings),
            Arc::clone(&self.policy),
        );
        let deliver = Deliver::new(
            Arc::clone(crm),
            Arc::clone(lms),
            Arc::new(self.store.clone()),
            Arc::clone(&self.clock),
            Arc::clone(mappings),
            Arc::clone(&self.policy),
        );
        Some(Worker::new(Parts {
            ledger: Arc::new(self.store.clone()),
            refresh: Arc::new(refresh),
            deliver: Arc::new(deliver),
            places,
            breakers: Arc::clone(&self.breakers),
            policy: Arc::clone(&self.policy),
            clock: Arc::clone(&self.clock),
            wakeup,
            pulse,
            owner: self.ids.next(),
        }))
    }

    /// Channels are kept only by a live bridge that knows its own public address.
    fn channels(&self, secret: &WebhookSecret) -> Option<Arc<Channels>> {
        let base_url = self.settings.webhooks.base_url.clone()?;
        let live = self.policy.gate == mzi_domain::setup::Gate::Live;
        if !live || !self.settings.webhooks.channels {
            return None;
        }
        Some(Arc::new(Channels::new(
            Arc::clone(self.crm.as_ref()?),
            Arc::new(self.store.clone()),
            Arc::new(self.store.clone()),
            Arc::clone(&self.clock),
            Arc::clone(self.mappings.as_ref()?),
            Arc::clone(&self.policy),
            secret.clone(),
            base_url,
        )))
    }

    fn plugin(&self) -> Result<Option<PluginTokens>> {
        let Some(plugin) = &self.settings.plugin else {
            return Ok(None);
        };
        let tokens = PluginTokens::new(
            &plugin.secret,
            plugin.previous.as_ref(),
            plugin.key_id.clone(),
            plugin.issuers.clone(),
        )?;
        Ok(Some(tokens))
    }

    fn health_of(
        &self,
        places: Option<Arc<Places>>,
        pulse: Option<Arc<Pulse>>,
        intake_enabled: bool,
    ) -> Health {
        Health::new(
            Arc::new(self.store.clone()),
            Arc::clone(&self.clock),
            Arc::clone(&self.breakers),
            places,
            pulse,
            intake_enabled,
            env!("CARGO_PKG_VERSION"),
        )
    }
}

/// The registered client, for trading a grant code.
pub fn zoho_app(
    settings: &Settings,
    place: &ZohoPlace,
    client_id: &str,
    client_secret: SecretString,
) -> Result<ZohoApp> {
    let centre = DataCentre::parse(&place.region).context("ZOHO_REGION")?;
    let hosts = if settings.allow_private_hosts {
        Hosts::AlsoPrivate
    } else {
        Hosts::Public
    };
    let app = ZohoApp::new(centre, client_id, client_secret, hosts)?;
    match &place.accounts_url {
        Some(url) => Ok(app.with_accounts_url(url).context(
            "ZOHO_ACCOUNTS_URL (ALLOW_PRIVATE_HOSTS=true allows http and private hosts)",
        )?),
        None => Ok(app),
    }
}

/// The HTTP client both adapters share the making of.
pub fn http_client(settings: &Settings) -> Result<reqwest::Client> {
    let mut builder = mzi_zoho::client_builder()
        .user_agent(concat!("mzi/", env!("CARGO_PKG_VERSION")))
        .pool_idle_timeout(Duration::from_secs(30));
    if let Some(path) = &settings.extra_ca_file {
        let pem = std::fs::read(path).with_context(|| {
            format!(
                "EXTRA_CA_FILE names {}, which cannot be read",
                path.display()
            )
        })?;
        for certificate in reqwest::Certificate::from_pem_bundle(&pem).context("EXTRA_CA_FILE")? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder.build().context("the HTTP client cannot be built")
}

fn crm(
    settings: &Settings,
    zoho: &Zoho,
    store: &SqlStore,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Crm>> {
    let app = zoho_app(
        settings,
        &zoho.place,
        &zoho.client_id,
        zoho.client_secret.clone(),
    )?;
    let mut checked = ZohoSettings::new(app, zoho.refresh_token.clone())?;
    if let Some(url) = &zoho.place.api_url {
        checked = checked
            .with_api_url(url)
            .context("ZOHO_API_URL (ALLOW_PRIVATE_HOSTS=true allows http and private hosts)")?;
    }
    let vault = Arc::new(store.clone());
    Ok(Arc::new(ZohoCrm::new(
        checked,
        http_client(settings)?,
        vault,
        Arc::clone(clock),
    )))
}

fn lms(settings: &Settings) -> Result<Option<Arc<dyn Lms>>> {
    let Some(moodle) = &settings.moodle else {
        return Ok(None);
    };
    let plain = if settings.allow_private_hosts {
        PlainHttp::Allowed
    } else {
        PlainHttp::Refused
    };
    let checked = MoodleSettings::parse(&moodle.base_url, moodle.token.clone(), plain)
        .context("MOODLE_BASE_URL (ALLOW_PRIVATE_HOSTS=true allows http)")?;
    Ok(Some(Arc::new(MoodleWs::new(
        checked,
        http_client(settings)?,
    ))))
}

/// The sealing key: given as text, or in a file that is made at the first start.
fn seal_key(settings: &Settings) -> Result<SealKey> {
    if let Some(text) = &settings.secret_key {
        return SealKey::parse(text.expose_secret()).context("SECRET_KEY");
    }
    let path = match &settings.secret_key_file {
        Some(path) => path.clone(),
        None => beside_database(&settings.database_url).join("secret.key"),
    };
    SealKey::load_or_create(&path)
        .with_context(|| format!("the secret key {} cannot be read or made", path.display()))
}

/// The folder of a SQLite file, where its key belongs; the working directory for a server.
fn beside_database(url: &str) -> &Path {
    url.strip_prefix("sqlite:///")
        .and_then(|path| Path::new(path).parent())
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}
