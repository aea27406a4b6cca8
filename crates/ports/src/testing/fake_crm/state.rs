//! What the fake holds: modules with their records and deletions, and channels.

mod module;

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, SubsecRound, Utc};
use mzi_domain::ZohoId;

use self::module::Module;
use crate::{
    crm::{Channel, ChannelRequest, CrmModule, Organisation, RecordWrite, WriteMode, WriteReceipt},
    error::CrmError,
};

/// Ids the fake gives out start here, above what tests tend to seed.
const FIRST_ID: u64 = 990_000_000_000_001;

/// The whole CRM.
pub(super) struct State {
    pub(super) organisation: Organisation,
    pub(super) page_size: usize,
    modules: BTreeMap<String, Module>,
    channels: BTreeMap<String, Channel>,
    next_id: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            organisation: Organisation {
                id: "900000001".into(),
                name: Some("Invented College".into()),
                time_zone: Some("UTC".into()),
            },
            page_size: 200,
            modules: BTreeMap::new(),
            channels: BTreeMap::new(),
            next_id: FIRST_ID,
        }
    }
}

impl State {
    /// The module, made if it is new.
    pub(super) fn module(&mut self, name: &str) -> &mut Module {
        self.modules.entry(name.to_owned()).or_default()
    }

    /// The module, if it exists.
    pub(super) fn known(&self, name: &str, operation: &str) -> Result<&Module, CrmError> {
        let unknown = || {
            rejected(
                &format!("{operation} {name}"),
                "INVALID_MODULE",
                "no such module",
            )
        };
        self.modules.get(name).ok_or_else(unknown)
    }

    pub(super) fn modules(&self) -> Vec<CrmModule> {
        let describe = |name: &String| CrmModule {
            api_name: name.clone(),
            label: name.replace('_', " "),
            generated_type: "custom".into(),
            api_supported: true,
        };
        self.modules.keys().map(describe).collect()
    }

    /// Takes one record of a write.
    pub(super) fn write(
        &mut self,
        module: &str,
        mode: &WriteMode,
        record: &RecordWrite,
        now: DateTime<Utc>,
    ) -> Result<WriteReceipt, CrmError> {
        let operation = format!("write {module}");
        let held = self.known(module, "write")?;
        let target = match mode {
            WriteMode::Insert => None,
            WriteMode::Update => Some(held.existing(record.id.as_ref(), &operation)?),
            WriteMode::Upsert { keys } => held.matching(keys, &record.fields),
        };
        held.refuse_duplicates(target.as_ref(), &record.fields, &operation)?;
        let id = match target {
            Some(id) => id,
            None => self.new_id()?,
        };
        self.module(module).upsert(&id, record.fields.clone(), now);
        Ok(WriteReceipt {
            id,
            modified_at: Some(now),
        })
    }

    pub(super) fn live_channels(&self, now: DateTime<Utc>) -> Vec<Channel> {
        let alive = |channel: &&Channel| channel.expires_at.is_none_or(|end| end > now);
        self.channels.values().filter(alive).cloned().collect()
    }

    /// Keeps a channel as Zoho would: over a week becomes an hour, a long token is refused.
    pub(super) fn subscribe(
        &mut self,
        request: &ChannelRequest,
        now: DateTime<Utc>,
    ) -> Result<Channel, CrmError> {
        let operation = format!("subscribe {}", request.module);
        self.known(&request.module, "subscribe")?;
        if request.token.chars().count() > 50 {
            return Err(rejected(&operation, "INVALID_DATA", "token: invalid data"));
        }
        let asked = whole_second(request.expires_at);
        let kept = if asked > now + Duration::weeks(1) {
            now + Duration::hours(1)
        } else {
            asked
        };
        let channel = Channel {
            channel_id: request.channel_id.clone(),
            module: request.module.clone(),
            notify_url: Some(request.notify_url.clone()),
            expires_at: Some(kept),
        };
        self.channels
            .insert(request.channel_id.clone(), channel.clone());
        Ok(channel)
    }

    pub(super) fn unsubscribe(&mut self, channel_ids: &[String]) {
        for id in channel_ids {
            self.channels.remove(id);
        }
    }

    fn new_id(&mut self) -> Result<ZohoId, CrmError> {
        let text = self.next_id.to_string();
        self.next_id += 1;
        let protocol = |invalid: mzi_domain::Invalid| CrmError::Protocol {
            detail: invalid.to_string(),
        };
        ZohoId::parse(&text).map_err(protocol)
    }
}

/// A moment with Zoho's one-second grain.
pub(super) fn whole_second(moment: DateTime<Utc>) -> DateTime<Utc> {
    moment.trunc_subsecs(0)
}

pub(super) fn rejected(operation: &str, code: &str, message: &str) -> CrmError {
    CrmError::Rejected {
        operation: operation.into(),
        code: code.into(),
        message: message.into(),
    }
}
