//! Reads the record ids, the operation and the identity out of any of the seven body variants.
//!
//! Bodies are never trusted as data: nothing but ids and hints leaves this module.

use mzi_domain::{Operation, Provenance, ZohoId};
use serde_json::{Map, Value};

/// Most ids one notice may carry.
const MOST_IDS: usize = 1_000;

/// Why an authenticated body cannot be used; each word is the `code` of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// It cannot be parsed, or holds too many ids.
    #[error("the body is neither JSON nor a form the bridge understands")]
    Malformed,
    /// It names no record.
    #[error("the body names no record")]
    NoRecordId,
    /// Zoho sent the merge field instead of its value.
    #[error("the merge field was not substituted by Zoho: the rule's body template is wrong")]
    MergeField,
    /// What it names is not a Zoho record id.
    #[error("a record id is not a number of 1 to 30 digits")]
    BadRecordId,
}

impl BodyFault {
    /// The stable word in answers and in the event log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed_body",
            Self::NoRecordId => "no_record_id",
            Self::MergeField => "merge_field_not_substituted",
            Self::BadRecordId => "bad_record_id",
        }
    }
}

/// A body that could be parsed, before its ids are looked at.
#[derive(Debug)]
pub struct Body(Map<String, Value>);

/// What a usable body says.
#[derive(Debug, PartialEq, Eq)]
pub struct Notice {
    /// The module it names, if any.
    pub module: Option<String>,
    /// What it says happened, if it does.
    pub operation: Option<Operation>,
    /// The records, without repeats.
    pub records: Vec<ZohoId>,
    /// Parts of the identity the sender gave, to be completed with entity and operation.
    pub identity: Identity,
}

/// The identity a sender gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Identity {
    /// `event_id` or `notification_id`.
    Named(String),
    /// `channel_id` and `server_time` of a notification.
    Notification {
        /// The channel.
        channel: String,
        /// Its time in milliseconds.
        server_time: String,
    },
    /// `Modified_Time` of each record, in the order of ids.
    Modified(Vec<String>),
    /// None.
    None,
}

impl Body {
    /// Parses JSON, a form or multipart, whatever the content type claims, as senders get it
    /// wrong. An empty body is an empty object: the id may be in the query.
    pub fn parse(content_type: &str, raw: &[u8]) -> Result<Self, BodyFault> {
        let bytes = raw
            .strip_prefix(b"\xEF\xBB\xBF")
            .unwrap_or(raw)
            .trim_ascii();
        if bytes.is_empty() {
            return Ok(Self(Map::new()));
        }
        let lower = content_type.to_ascii_lowercase();
        if lower.contains("json") || bytes.starts_with(b"{") {
            return match serde_json::from_slice(bytes) {
                Ok(Value::Object(object)) => Ok(Self(object)),
                _ => Err(BodyFault::Malformed),
            };
        }
        if lower.starts_with("multipart/") {
            return multipart(content_type, bytes).map(Self);
        }
        Ok(Self(form(bytes)))
    }

    /// The channel and token of a notification, if it carries both.
    pub fn channel_proof(&self) -> Option<(String, String)> {
        let token = self.0.get("token")?.as_str()?.to_owned();
        Some((plain(self.0.get("channel_id")?)?, token))
    }

    /// The notification's token, which must not be stored.
    pub fn token(&self) -> Option<&str> {
        self.0.get("token")?.as_str()
    }

    /// Reads the notice; `query_id` is the `zoho_id` of the query, which some rules send.
    pub fn notice(&self, query_id: Option<&str>) -> Result<Notice, BodyFault> {
        let (raw_ids, modified) = self.raw_ids(query_id);
        let mut records = Vec::with_capacity(raw_ids.len());
        for raw in &raw_ids {
            let id = record_id(raw)?;
            if !records.contains(&id) {
                records.push(id);
            }
            if records.len() > MOST_IDS {
                return Err(BodyFault::Malformed);
            }
        }
        if records.is_empty() {
            return Err(BodyFault::NoRecordId);
        }
        let (event_module, event_operation) = self.event();
        Ok(Notice {
            module: self.module().or(event_module),
            operation: self.operation().or(event_operation),
            records,
            identity: self.identity(modified),
        })
    }

    /// Ids in the order of precedence of the variants, with each record's `Modified_Time` where
    /// the body carries records.
    fn raw_ids(&self, query_id: Option<&str>) -> (Vec<String>, Option<Vec<String>>) {
        let field = |name: &str| self.0.get(name).and_then(plain);
        if let Some(id) = field("zoho_id").or_else(|| query_id.map(str::to_owned)) {
            return (vec![id], None);
        }
        if let Some(ids) = self.0.get("ids") {
            return (many(ids), None);
        }
        if let Some(Value::Array(data)) = self.0.get("data") {
            let objects: Vec<&Map<String, Value>> =
                data.iter().filter_map(Value::as_object).collect();
            let ids = objects
                .iter()
                .filter_map(|object| object.get("id").and_then(plain))
                .collect();
            let times: Option<Vec<String>> =
                objects.iter().map(|object| modified(object)).collect();
            return (ids, times);
        }
        if let Some(id) = field("record_id") {
            return (vec![id], None);
        }
        let time = modified(&self.0).map(|time| vec![time]);
        (
            field("id").or_else(|| field("Id")).into_iter().collect(),
            time,
        )
    }

    fn module(&self) -> Option<String> {
        match self.0.get("module")? {
            Value::Object(module) => module.get("api_name")?.as_str().map(str::to_owned),
            other => other.as_str().map(str::to_owned),
        }
    }

    fn operation(&self) -> Option<Operation> {
        ["operation", "event_type"]
            .iter()
            .find_map(|name| self.0.get(*name)?.as_str().and_then(Operation::parse))
    }

    /// `"event": "BTEC_Students.edit"`.
    fn event(&self) -> (Option<String>, Option<Operation>) {
        let event = self.0.get("event").and_then(Value::as_str);
        match event.and_then(|event| event.rsplit_once('.')) {
            Some((module, word)) => (Some(module.to_owned()), Operation::parse(word)),
            None => (None, None),
        }
    }

    fn identity(&self, modified: Option<Vec<String>>) -> Identity {
        let field = |name: &str| self.0.get(name).and_then(plain);
        if let Some(name) = field("event_id").or_else(|| field("notification_id")) {
            return Identity::Named(name);
        }
        if self.0.contains_key("ids")
            && let (Some(channel), Some(server_time)) = (field("channel_id"), field("server_time"))
        {
            return Identity::Notification {
                channel,
                server_time,
            };
        }
        match modified {
            Some(times) if !times.is_empty() => Identity::Modified(times),
            _ => Identity::None,
        }
    }
}

impl Notice {
    /// The event's identity, completed with what the path and mapping decided.
    ///
    /// A deletion never shares an identity with an edit of the same `Modified_Time`.
    pub fn provenance(&self, entity: &str, operation: Operation) -> Provenance {
        let ids = || {
            let mut sorted: Vec<&str> = self.records.iter().map(ZohoId::as_str).collect();
            sorted.sort_unstable();
            sorted.join(",")
        };
        match &self.identity {
            Identity::None => Provenance::None,
            Identity::Named(name) => Provenance::Sender(format!("event/{name}")),
            Identity::Notification {
                channel,
                server_time,
            } => Provenance::Sender(format!(
                "notification/{channel}/{server_time}/{entity}/{}/{}",
                operation.word(),
                ids()
            )),
            Identity::Modified(times) => {
                let gone = if operation == Operation::Delete {
                    "/delete"
                } else {
                    ""
                };
                let times = times.join(",");
                Provenance::ModifiedTime(format!("modified/{entity}/{}/{times}{gone}", ids()))
            }
        }
    }
}

fn record_id(raw: &str) -> Result<ZohoId, BodyFault> {
    let trimmed = raw.trim();
    if trimmed.is_empty() {
        return Err(BodyFault::NoRecordId);
    }
    if trimmed.starts_with('$') {
        return Err(BodyFault::MergeField);
    }
    ZohoId::parse(trimmed).ok().ok_or(BodyFault::BadRecordId)
}

/// Text, or a number that kept its digits.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A list of ids, or one.
fn many(value: &Value) -> Vec<String> {
    match value {
        Value::Array(ids) => ids.iter().map(|id| plain(id).unwrap_or_default()).collect(),
        other => plain(other).into_iter().collect(),
    }
}

fn modified(object: &Map<String, Value>) -> Option<String> {
    let time = object.get("Modified_Time")?.as_str()?.trim();
    (!time.is_empty() && !time.starts_with('$')).then(|| time.to_owned())
}

fn form(raw: &[u8]) -> Map<String, Value> {
    object_of(form_urlencoded::parse(raw).map(|(name, value)| (name.into(), value.into())))
}

/// A name that comes once is a text, one that comes often is a list.
fn object_of(pairs: impl Iterator<Item = (String, String)>) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in pairs {
        let value = Value::String(value);
        match object.get_mut(&name) {
            None => {
                object.insert(name, value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    object
}

/// The text parts of `multipart/form-data`, which is what Zoho's form-data bodies are.
fn multipart(content_type: &str, raw: &[u8]) -> Result<Map<String, Value>, BodyFault> {
    let (_, rest) = content_type
        .split_once("boundary=")
        .ok_or(BodyFault::Malformed)?;
    let boundary = rest
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .trim_matches('"');
    if boundary.is_empty() {
        return Err(BodyFault::Malformed);
    }
    let text = String::from_utf8_lossy(raw);
    let delimiter = format!("--{boundary}");
    let parts = text.split(&delimiter).filter_map(|part| {
        let (head, value) = part.trim_start().split_once("\r\n\r\n")?;
        let (_, after) = head.split_once("name=\"")?;
        let (name, _) = after.split_once('"')?;
        Some((name.to_owned(), value.trim_end_matches("\r\n").to_owned()))
    });
    Ok(object_of(parts))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const JSON: &str = "application/json";

    fn notice(content_type: &str, raw: &str) -> Result<Notice, BodyFault> {
        Body::parse(content_type, raw.as_bytes())?.notice(None)
    }

    fn ids(notice: &Notice) -> Vec<&str> {
        notice.records.iter().map(ZohoId::as_str).collect()
    }

    #[test]
    fn variant_1_names_one_record() {
        let read = notice(
            JSON,
            r#"{"zoho_id":"900000000000101","module":"BTEC_Students"}"#,
        )
        .unwrap();
        assert_eq!(ids(&read), ["900000000000101"]);
        assert_eq!(read.module.as_deref(), Some("BTEC_Students"));
        assert_eq!(read.identity, Identity::None);
    }

    #[test]
    fn variant_2_has_its_id_in_the_query() {
        let read = Body::parse("", b"")
            .unwrap()
            .notice(Some("900000000000101"))
            .unwrap();
        assert_eq!(ids(&read), ["900000000000101"]);
    }

    #[test]
    fn variant_3_carries_all_its_ids_and_an_identity() {
        let raw = r#"{"server_time":1771000000000,"query_params":{},"module":"BTEC_Students",
            "ids":["900000000000102","900000000000101","900000000000101"],"operation":"update",
            "channel_id":10001,"token":"t"}"#;
        let body = Body::parse(JSON, raw.as_bytes()).unwrap();
        let read = body.notice(None).unwrap();
        assert_eq!(ids(&read), ["900000000000102", "900000000000101"]);
        assert_eq!(read.operation, Some(Operation::Update));
        assert_eq!(body.channel_proof(), Some(("10001".into(), "t".into())));
        assert_eq!(
            read.provenance("students", Operation::Update),
            Provenance::Sender(
                "notification/10001/1771000000000/students/update/900000000000101,900000000000102"
                    .into()
            )
        );
    }

    #[test]
    fn variant_4_wraps_records_and_tells_module_and_operation_by_its_event() {
        let raw = r#"{"channel_id":"1","event":"BTEC_Students.edit","data":[{"id":"9001","Modified_Time":"2026-11-22T10:00:00+03:00"}]}"#;
        let read = notice(JSON, raw).unwrap();
        assert_eq!(ids(&read), ["9001"]);
        assert_eq!(read.module.as_deref(), Some("BTEC_Students"));
        assert_eq!(read.operation, Some(Operation::Update));
        assert!(matches!(read.identity, Identity::Modified(_)));
    }

    #[test]
    fn variant_5_is_a_bare_record_whose_values_are_ignored() {
        let read = notice(JSON, r#"{"id":900000000000101,"First_Name":"Lina"}"#).unwrap();
        assert_eq!(ids(&read), ["900000000000101"]);
        assert_eq!(read.identity, Identity::None);
    }

    #[test]
    fn variant_6_names_its_event() {
        let raw = r#"{"event_id":"evt-1","module":"BTEC_Payments","event_type":"updated","record_id":"9009"}"#;
        let read = notice(JSON, raw).unwrap();
        assert_eq!(ids(&read), ["9009"]);
        assert_eq!(read.operation, Some(Operation::Update));
        assert_eq!(read.identity, Identity::Named("evt-1".into()));
    }

    #[test]
    fn variant_7_is_a_form() {
        let raw = "id=9001&Modified_Time=2026-11-22T10%3A00%3A00%2B03%3A00&Name=Nora+O%27Neil";
        let read = notice("application/x-www-form-urlencoded", raw).unwrap();
        assert_eq!(ids(&read), ["9001"]);
        assert!(matches!(read.identity, Identity::Modified(_)));
    }

    #[test]
    fn multipart_fields_are_a_form_too() {
        let raw =
            "--x\r\nContent-Disposition: form-data; name=\"zoho_id\"\r\n\r\n9001\r\n--x--\r\n";
        let read = notice("multipart/form-data; boundary=x", raw).unwrap();
        assert_eq!(ids(&read), ["9001"]);
    }

    #[test]
    fn json_is_read_whatever_its_content_type_and_byte_order_mark() {
        for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
            assert!(
                notice(content_type, "\u{feff} {\"zoho_id\":\"9001\"}").is_ok(),
                "{content_type}"
            );
        }
    }

    #[test]
    fn each_fault_has_its_word() {
        let fault = |raw| notice(JSON, raw).unwrap_err().code();
        assert_eq!(fault("{\"zoho_id\":"), "malformed_body");
        assert_eq!(fault("[1,2]"), "malformed_body");
        assert_eq!(fault("{}"), "no_record_id");
        assert_eq!(fault(r#"{"ids":[]}"#), "no_record_id");
        assert_eq!(
            fault(r#"{"zoho_id":"${!BTEC_Students.Id}"}"#),
            "merge_field_not_substituted"
        );
        assert_eq!(fault(r#"{"zoho_id":"12ab"}"#), "bad_record_id");
        assert_eq!(fault(r#"{"ids":["1",null]}"#), "no_record_id");
        assert_eq!(fault(r#"{"zoho_id":9.5}"#), "bad_record_id");
    }

    #[test]
    fn more_than_a_thousand_ids_are_too_many() {
        let ids: Vec<String> = (1..=1_001).map(|id| format!("\"{id}\"")).collect();
        let raw = format!("{{\"ids\":[{}]}}", ids.join(","));
        assert_eq!(notice(JSON, &raw).unwrap_err(), BodyFault::Malformed);
    }

    #[test]
    fn a_deletion_is_never_taken_for_the_edit_before_it() {
        let read = notice(
            JSON,
            r#"{"id":"9001","Modified_Time":"2026-11-22T10:00:00+03:00"}"#,
        )
        .unwrap();
        assert_ne!(
            read.provenance("students", Operation::Update),
            read.provenance("students", Operation::Delete)
        );
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(content_type in ".*", raw in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(body) = Body::parse(&content_type, &raw) {
                let _ = body.notice(Some("9001"));
                let _ = body.channel_proof();
            }
        }

        #[test]
        fn no_json_makes_it_panic(raw in "\\{(\"(ids|data|zoho_id|module|event)\":(\\[?[0-9\"a-z{}:,]{0,12}\\]?|null|1e400),?){0,4}\\}") {
            let _ = notice(JSON, &raw);
        }
    }
}
