//! The customer database: what the bridge asks of Zoho CRM.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use mzi_domain::{CrmRecord, FieldValue, ZohoId};
use serde::{Deserialize, Serialize};

use crate::error::CrmError;

/// The CRM.
#[async_trait]
pub trait Crm: Send + Sync {
    /// Which organisation the credentials belong to.
    async fn organisation(&self) -> Result<Organisation, CrmError>;

    /// The modules the API user can see.
    async fn modules(&self) -> Result<Vec<CrmModule>, CrmError>;

    /// The fields of a module.
    async fn fields(&self, module: &str) -> Result<Vec<CrmField>, CrmError>;

    /// Reads up to 100 records by id, with these fields.
    ///
    /// - MUST leave out records it was not given, which says nothing about their existence.
    /// - MUST join several calls when there are more fields than one call may name, and MUST read
    ///   a record again when its `Modified_Time` differs between them.
    /// - MUST NOT report a field it did not ask for or was not given.
    async fn records(
        &self,
        module: &str,
        fields: &[String],
        ids: &[ZohoId],
    ) -> Result<Reading, CrmError>;

    /// Reads one record by id, sub-forms included.
    ///
    /// - MUST answer `None` only for a positive "no such record" (204, or `INVALID_DATA` about
    ///   the id); every other refusal is an error.
    async fn record(
        &self,
        module: &str,
        fields: &[String],
        id: &ZohoId,
    ) -> Result<Option<CrmRecord>, CrmError>;

    /// One page of a module's records, oldest change first.
    ///
    /// - MUST carry on from `page_token` exactly where that page ended.
    async fn page(&self, request: &PageRequest) -> Result<Page, CrmError>;

    /// One page (from 1) of records deleted since a moment.
    async fn deleted(
        &self,
        module: &str,
        since: Option<DateTime<Utc>>,
        page: u32,
    ) -> Result<DeletedPage, CrmError>;

    /// Writes records without setting off the CRM's own automations.
    ///
    /// - MUST answer one outcome a record, in order, whatever the HTTP status was.
    /// - MUST answer `UnknownOutcome` when it cannot know whether an insert took effect.
    async fn write(
        &self,
        module: &str,
        mode: &WriteMode,
        records: &[RecordWrite],
    ) -> Result<Vec<Result<WriteReceipt, CrmError>>, CrmError>;

    /// The notification channels that exist.
    async fn channels(&self) -> Result<Vec<Channel>, CrmError>;

    /// Creates or replaces a channel and answers it as Zoho keeps it: a life of over a week
    /// silently becomes an hour, so the expiry must be read back.
    async fn subscribe(&self, request: &ChannelRequest) -> Result<Channel, CrmError>;

    /// Ends channels; one that does not exist is no error.
    async fn unsubscribe(&self, channel_ids: &[String]) -> Result<(), CrmError>;
}

/// The organisation behind the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// `zgid`, Zoho's id of it.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its time zone, IANA.
    pub time_zone: Option<String>,
}

/// A module as its metadata describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmModule {
    /// The name calls use.
    pub api_name: String,
    /// The name people see.
    pub label: String,
    /// `default`, `custom`, `linking`, `subform`, …: an open set.
    pub generated_type: String,
    /// Whether the API may touch it.
    pub api_supported: bool,
}

/// A field as its metadata describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmField {
    /// The name calls use.
    pub api_name: String,
    /// The name people see.
    pub label: String,
    /// `text`, `picklist`, `lookup`, …: an open set.
    pub data_type: String,
    /// Longest text it takes.
    pub length: Option<u32>,
    /// Whether Zoho refuses duplicates in it.
    pub unique: bool,
    /// Whether it cannot be written.
    pub read_only: bool,
    /// The module a lookup points to.
    pub lookup_module: Option<String>,
    /// Values of a picklist.
    pub picklist: Vec<String>,
}

/// Records read by id, with the moment the CRM says it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Those that were found.
    pub records: Vec<CrmRecord>,
    /// The server's own time (`Date` header), never ours.
    pub server_time: Option<DateTime<Utc>>,
}

/// Which page of which module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The module.
    pub module: String,
    /// At most 50 field names.
    pub fields: Vec<String>,
    /// Only records modified at or after this moment.
    pub modified_since: Option<DateTime<Utc>>,
    /// Where the page before ended.
    pub page_token: Option<String>,
}

/// A page of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its records.
    pub records: Vec<CrmRecord>,
    /// Where it ended, if there are more.
    pub next_page_token: Option<String>,
    /// The server's own time.
    pub server_time: Option<DateTime<Utc>>,
}

/// A deletion the CRM remembers: a positive fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The record.
    pub id: ZohoId,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// A page of deletions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedPage {
    /// Its deletions.
    pub deletions: Vec<Deletion>,
    /// Whether there are more pages.
    pub more: bool,
}

/// How records are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteMode {
    /// New records; never repeated blindly.
    Insert,
    /// Existing records by id.
    Update,
    /// By the values of these unique fields.
    Upsert {
        /// Fields flagged unique in Zoho.
        keys: Vec<String>,
    },
}

/// One record to write; fields that are left out stay as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordWrite {
    /// Needed for updates.
    pub id: Option<ZohoId>,
    /// Field API names with their new values; [`FieldValue::Null`] clears.
    pub fields: BTreeMap<String, FieldValue>,
}

/// What a write did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteReceipt {
    /// The record.
    pub id: ZohoId,
    /// Its new `Modified_Time`.
    pub modified_at: Option<DateTime<Utc>>,
}

/// A channel to create or replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRequest {
    /// Chosen by us; decimal digits.
    pub channel_id: String,
    /// The module whose every change is wanted.
    pub module: String,
    /// Where notices go.
    pub notify_url: String,
    /// Echoed in every notice, at most 50 characters.
    pub token: String,
    /// When it should end.
    pub expires_at: DateTime<Utc>,
}

/// A channel as Zoho keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Its id.
    pub channel_id: String,
    /// Its module.
    pub module: String,
    /// Where notices go, if the answer said so.
    pub notify_url: Option<String>,
    /// When it really ends.
    pub expires_at: Option<DateTime<Utc>>,
}
