//! Sites to speak to, and clients that speak to them.

use std::{
    sync::{
        LazyLock, Once,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use mzi_domain::{MoodleCategoryId, MoodleRoleId};
use mzi_moodle::{MoodleSettings, MoodleWs, PlainHttp};
use mzi_ports::{Lms, testing::lms_contract::LmsHarness};
use mzi_simulators::{
    faults::{Effect, Fault},
    moodle::{MoodleOptions, MoodleSimulator, MoodleVersion},
};

use crate::lossy::LossyProxy;

/// Numbers nobody has used, also across test processes and runs against the same site.
static FRESH: LazyLock<AtomicU64> = LazyLock::new(|| {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    AtomicU64::new(u64::try_from(since_1970.unwrap().as_nanos()).unwrap())
});

/// Settings for a site on loopback.
pub fn settings(base_url: &str, token: &str) -> MoodleSettings {
    MoodleSettings::parse(base_url, token.into(), PlainHttp::Allowed)
        .unwrap()
        .with_timeout(Duration::from_secs(20))
}

/// A client as the bridge's wiring makes it.
pub fn http() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .unwrap();
    });
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(2))
        .build()
        .unwrap()
}

pub fn client(settings: MoodleSettings) -> MoodleWs {
    MoodleWs::new(settings, http())
}

/// A simulated site and its client.
pub struct Simulated {
    pub site: MoodleSimulator,
    pub lms: MoodleWs,
}

/// A simulated site with the content of the demo.
pub async fn simulated(version: MoodleVersion) -> Simulated {
    simulated_with(MoodleOptions {
        version,
        ..MoodleOptions::default()
    })
    .await
}

pub async fn simulated_with(options: MoodleOptions) -> Simulated {
    let site = MoodleSimulator::start(options).await.unwrap();
    let lms = client(settings(site.base_url(), site.token()));
    Simulated { site, lms }
}

/// A real site and its client, between them a proxy that can lose answers.
pub struct Real {
    lms: MoodleWs,
    proxy: LossyProxy,
}

/// The site named by `MZI_REAL_MOODLE_URL` and `MZI_REAL_MOODLE_TOKEN`.
pub async fn real() -> Real {
    let proxy = LossyProxy::start(&environment("MZI_REAL_MOODLE_URL")).await;
    let settings = settings(&proxy.base_url(), &environment("MZI_REAL_MOODLE_TOKEN"));
    let lms = client(settings.with_timeout(Duration::from_secs(60)));
    Real { lms, proxy }
}

#[expect(
    clippy::disallowed_methods,
    reason = "which real site to test is said by whoever runs the test"
)]
fn environment(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

fn fresh() -> u64 {
    FRESH.fetch_add(1, Ordering::Relaxed)
}

#[async_trait]
impl LmsHarness for Simulated {
    fn lms(&self) -> &dyn Lms {
        &self.lms
    }

    fn fresh(&self) -> u64 {
        fresh()
    }

    fn category(&self) -> MoodleCategoryId {
        MoodleCategoryId::new(1).unwrap()
    }

    fn student(&self) -> MoodleRoleId {
        MoodleRoleId::new(5).unwrap()
    }

    async fn lose_next_answer(&self) {
        self.site.fault(Fault::once("_create_", Effect::ResetAfter));
    }
}

#[async_trait]
impl LmsHarness for Real {
    fn lms(&self) -> &dyn Lms {
        &self.lms
    }

    fn fresh(&self) -> u64 {
        fresh()
    }

    fn category(&self) -> MoodleCategoryId {
        MoodleCategoryId::new(1).unwrap()
    }

    fn student(&self) -> MoodleRoleId {
        MoodleRoleId::new(5).unwrap()
    }

    async fn lose_next_answer(&self) {
        self.proxy.lose_next_creation();
    }
}
