//! Zoho CRM v8 behind the [`Crm`] port.
//!
//! | module | what |
//! |---|---|
//! | `data_centre` | the one table of Zoho's hosts |
//! | `settings` | what the adapter needs to know, checked |
//! | `oauth` | grant codes and refreshes at the token endpoint |
//! | `token` | one access token: single-flight, stored, shared |
//! | `limits` | calls in flight, credits a day |
//! | `call` | one API call, described |
//! | `transport` | the one place that sends calls and judges answers |
//! | `refusal` | what Zoho's codes mean |
//! | `metadata`, `records`, `channels` | what the port asks for |
//! | `wire`, `value` | Zoho's JSON, private |
//!
//! Facts about Zoho are cited as contracts/zoho.md with a section.

mod call;
mod channels;
mod data_centre;
mod exchange;
mod limits;
mod metadata;
mod oauth;
mod records;
mod refusal;
mod settings;
mod token;
mod transport;
mod value;
mod wire;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mzi_domain::{CrmRecord, ZohoId};
use mzi_ports::{
    Clock, Crm, CrmError, TokenVault,
    crm::{
        Channel, ChannelRequest, CrmField, CrmModule, DeletedPage, Organisation, Page, PageRequest,
        Reading, RecordWrite, WriteMode, WriteReceipt,
    },
};

use self::transport::Transport;
pub use self::{
    data_centre::DataCentre,
    oauth::{GrantedTokens, exchange_grant_code},
    settings::{Hosts, ZohoApp, ZohoSettings},
};

/// Zoho CRM.
pub struct ZohoCrm {
    transport: Transport,
}

impl ZohoCrm {
    /// A client with these credentials; `http` is made from [`client_builder`].
    pub fn new(
        settings: ZohoSettings,
        http: reqwest::Client,
        vault: Arc<dyn TokenVault>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            transport: Transport::new(settings, http, vault, clock),
        }
    }
}

/// The HTTP client this adapter relies on: a redirect would carry the token to another host, and
/// a connection that cannot be made is known quickly. Roots and proxies are the caller's.
pub fn client_builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .referer(false)
}

#[async_trait]
impl Crm for ZohoCrm {
    async fn organisation(&self) -> Result<Organisation, CrmError> {
        metadata::organisation(&self.transport).await
    }

    async fn modules(&self) -> Result<Vec<CrmModule>, CrmError> {
        metadata::modules(&self.transport).await
    }

    async fn fields(&self, module: &str) -> Result<Vec<CrmField>, CrmError> {
        metadata::fields(&self.transport, module).await
    }

    async fn records(
        &self,
        module: &str,
        fields: &[String],
        ids: &[ZohoId],
    ) -> Result<Reading, CrmError> {
        records::by_ids(&self.transport, module, fields, ids).await
    }

    async fn record(
        &self,
        module: &str,
        fields: &[String],
        id: &ZohoId,
    ) -> Result<Option<CrmRecord>, CrmError> {
        records::one(&self.transport, module, fields, id).await
    }

    async fn page(&self, request: &PageRequest) -> Result<Page, CrmError> {
        records::page(&self.transport, request).await
    }

    async fn deleted(
        &self,
        module: &str,
        since: Option<DateTime<Utc>>,
        page: u32,
    ) -> Result<DeletedPage, CrmError> {
        records::deleted(&self.transport, module, since, page).await
    }

    async fn write(
        &self,
        module: &str,
        mode: &WriteMode,
        records: &[RecordWrite],
    ) -> Result<Vec<Result<WriteReceipt, CrmError>>, CrmError> {
        records::write(&self.transport, module, mode, records).await
    }

    async fn channels(&self) -> Result<Vec<Channel>, CrmError> {
        channels::list(&self.transport).await
    }

    async fn subscribe(&self, request: &ChannelRequest) -> Result<Channel, CrmError> {
        channels::subscribe(&self.transport, request).await
    }

    async fn unsubscribe(&self, channel_ids: &[String]) -> Result<(), CrmError> {
        channels::unsubscribe(&self.transport, channel_ids).await
    }
}
