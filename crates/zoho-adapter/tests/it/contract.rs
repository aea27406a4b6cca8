//! The promises of every CRM, kept over HTTP with a simulated organisation.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use mzi_domain::ZohoId;
use mzi_ports::{
    Clock, Crm,
    testing::{
        crm_contract::{CrmHarness, Failure},
        memory_store::MemoryStore,
    },
};
use mzi_simulators::{
    faults::{Effect, Fault},
    zoho::{FailedWrites, MissingRecord, ZohoOptions, ZohoSimulator},
};
use mzi_zoho::{DataCentre, Hosts, ZohoApp, ZohoCrm, ZohoSettings};
use serde_json::Value;

use crate::world::{http, refused};

/// Answers as Zoho's documentation has them.
mod documented {
    use super::{Organisation, empty, organisation};

    mzi_ports::crm_contract!(world);

    async fn world() -> Organisation {
        organisation(empty()).await
    }
}

/// Answers as they also occur (contracts/zoho.md §3.2, §4.2), for a user west of Greenwich.
mod observed {
    use super::{FailedWrites, MissingRecord, Organisation, ZohoOptions, empty, organisation};

    mzi_ports::crm_contract!(world);

    async fn world() -> Organisation {
        organisation(ZohoOptions {
            missing_record: MissingRecord::InvalidData,
            failed_writes: FailedWrites::Accepted,
            utc_offset_minutes: -210,
            ..empty()
        })
        .await
    }
}

/// A simulated organisation and a client of it.
pub struct Organisation {
    pub zoho: ZohoSimulator,
    pub settings: ZohoSettings,
    pub crm: ZohoCrm,
}

/// An organisation without records.
pub fn empty() -> ZohoOptions {
    ZohoOptions {
        students: 0,
        ..ZohoOptions::default()
    }
}

pub async fn organisation(options: ZohoOptions) -> Organisation {
    let zoho = ZohoSimulator::start(options).await.unwrap();
    let secret = zoho.client_secret().into();
    let app = ZohoApp::new(
        DataCentre::Com,
        zoho.client_id(),
        secret,
        Hosts::AlsoPrivate,
    );
    let app = app.unwrap().with_accounts_url(zoho.base_url()).unwrap();
    let settings = ZohoSettings::new(app, zoho.refresh_token().into()).unwrap();
    let crm = client(&zoho, settings.clone());
    Organisation {
        zoho,
        settings,
        crm,
    }
}

/// A client with a vault of its own.
pub fn client(zoho: &ZohoSimulator, settings: ZohoSettings) -> ZohoCrm {
    let vault = Arc::new(MemoryStore::new());
    ZohoCrm::new(settings, http(), vault, Arc::new(ClockOf(zoho.clone())))
}

/// The client lives at the organisation's time.
struct ClockOf(ZohoSimulator);

impl Clock for ClockOf {
    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }
}

#[async_trait]
impl CrmHarness for Organisation {
    fn crm(&self) -> &dyn Crm {
        &self.crm
    }

    fn now(&self) -> DateTime<Utc> {
        self.zoho.now()
    }

    async fn later(&self) {
        self.zoho.advance(TimeDelta::seconds(10));
    }

    async fn delete(&self, module: &str, id: &ZohoId) {
        self.zoho.delete(module, id.as_str()).unwrap();
    }

    async fn fail_next(&self, failure: Failure) {
        // Of API calls: token calls live elsewhere.
        self.zoho.fault(Fault::once(
            "/crm/v8/",
            match failure {
                Failure::Unwell => refusal(500, "INTERNAL_ERROR"),
                Failure::Throttled => Effect::RateLimit { retry_after: None },
                Failure::ScopeMissing => refusal(401, "OAUTH_SCOPE_MISMATCH"),
                Failure::AnswerLost => Effect::ResetAfter,
            },
        ));
    }
}

fn refusal(code: u16, word: &str) -> Effect {
    let body: Value = refused(word, "as scripted");
    Effect::Status {
        code,
        headers: BTreeMap::new(),
        body,
    }
}
