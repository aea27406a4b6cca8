//! Reading records: by id, page by page, and the deleted ones (contracts/zoho.md §3).

mod cursor;
mod list;
mod merge;
mod write;

use futures_util::future::try_join_all;
use mzi_domain::{CrmRecord, ZohoId};
use mzi_ports::{CrmError, crm::Reading};

use self::merge::{Part, Torn, merge};
pub(crate) use self::{
    list::{deleted, page},
    write::write,
};
use crate::{
    call::{Call, module_path, scope},
    refusal,
    transport::Transport,
    wire::Records,
};

/// Ids a read by id may name.
const MAX_IDS: usize = 100;

/// Fields one call may name.
const MAX_FIELDS: usize = 50;

/// Every call asks for it: parts of a record are joined by it, and lists are ordered by it.
const MODIFIED_TIME: &str = "Modified_Time";

/// How often records that change while they are read are read again.
const ROUNDS: u32 = 3;

/// Reads records by id.
pub(crate) async fn by_ids(
    transport: &Transport,
    module: &str,
    fields: &[String],
    ids: &[ZohoId],
) -> Result<Reading, CrmError> {
    let mut reading = Reading {
        records: Vec::new(),
        server_time: None,
    };
    for ids in ids.chunks(MAX_IDS) {
        let part = whole(transport, module, fields, ids).await?;
        reading.records.extend(part.records);
        reading.server_time = earliest(reading.server_time, part.server_time);
    }
    Ok(reading)
}

/// Reads one record by id, sub-forms included.
pub(crate) async fn one(
    transport: &Transport,
    module: &str,
    fields: &[String],
    id: &ZohoId,
) -> Result<Option<CrmRecord>, CrmError> {
    let path = format!("{}/{id}", module_path(module)?);
    let call = Call::read(format!("read a record of {module}"), scope::MODULES, path);
    for _ in 0..ROUNDS {
        match parts(transport, &call, fields).await {
            Ok(parts) if parts.iter().any(Part::is_nothing) => return Ok(None),
            Ok(parts) => {
                let Torn { mut records, torn } = merge(parts, fields);
                match records.pop() {
                    Some(record) => return Ok(Some(record)),
                    // 200 without the record is no word about it.
                    None if torn.is_empty() => {
                        return Err(refusal::of_nonsense(&call, "no record in the answer"));
                    }
                    None => {}
                }
            }
            Err(error) if denies_the_id(&error) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Err(restless(module))
}

/// Reads up to [`MAX_IDS`] records; those that change between the calls are read again, and left
/// out if they never rest.
async fn whole(
    transport: &Transport,
    module: &str,
    fields: &[String],
    ids: &[ZohoId],
) -> Result<Reading, CrmError> {
    let mut reading = Reading {
        records: Vec::new(),
        server_time: None,
    };
    let mut left = ids.to_vec();
    for _ in 0..ROUNDS {
        let names = left
            .iter()
            .map(ZohoId::as_str)
            .collect::<Vec<_>>()
            .join(",");
        let path = module_path(module)?.to_owned();
        let call = Call::read(format!("read records of {module}"), scope::MODULES, path)
            .with("ids", names);
        let parts = parts(transport, &call, fields).await?;
        let times = parts.iter().map(|part| part.server_time);
        reading.server_time = times.fold(reading.server_time, earliest);
        let Torn { records, torn } = merge(parts, fields);
        reading.records.extend(records);
        if torn.is_empty() {
            return Ok(reading);
        }
        left = torn;
    }
    Ok(reading)
}

/// The same call once for every [`MAX_FIELDS`] fields, side by side.
async fn parts(
    transport: &Transport,
    call: &Call,
    fields: &[String],
) -> Result<Vec<Part>, CrmError> {
    let calls = field_lists(fields)
        .into_iter()
        .map(|names| part(transport, call.clone().with("fields", names)));
    try_join_all(calls).await
}

async fn part(transport: &Transport, call: Call) -> Result<Part, CrmError> {
    let answer = transport.ask::<Records>(&call).await?;
    let rows = answer.body.map(|body| body.data);
    Part::new(&call, rows, answer.server_time)
}

/// The fields in lists of at most [`MAX_FIELDS`], each with `Modified_Time`; `id` comes anyway.
fn field_lists(fields: &[String]) -> Vec<String> {
    let named = |field: &&String| *field != MODIFIED_TIME && *field != "id";
    let names: Vec<&str> = fields.iter().filter(named).map(String::as_str).collect();
    if names.is_empty() {
        return vec![MODIFIED_TIME.to_owned()];
    }
    let lists = names.chunks(MAX_FIELDS - 1);
    lists
        .map(|names| format!("{},{MODIFIED_TIME}", names.join(",")))
        .collect()
}

/// Unknown and deleted ids come as 204, or as `INVALID_DATA` about the id.
fn denies_the_id(error: &CrmError) -> bool {
    let CrmError::Rejected { code, message, .. } = error else {
        return false;
    };
    let about_the_id = message.starts_with("id:") || message.contains("the id given seems");
    code == "INVALID_DATA" && about_the_id
}

fn restless(module: &str) -> CrmError {
    CrmError::Protocol {
        detail: format!("a record of {module} changed each time while it was read"),
    }
}

/// The earlier of two server times: what was read is at least as new.
fn earliest<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_names_more_than_fifty_fields() {
        let fields: Vec<String> = (0..120).map(|n| format!("F{n}")).collect();
        let lists = field_lists(&fields);
        let counts: Vec<usize> = lists.iter().map(|list| list.split(',').count()).collect();
        assert_eq!(counts, [50, 50, 23]);
        assert!(lists.iter().all(|list| list.ends_with(",Modified_Time")));
        let own = field_lists(&["id".into(), MODIFIED_TIME.into()]);
        assert_eq!(own, [MODIFIED_TIME]);
    }

    #[test]
    fn only_a_refusal_of_the_id_means_that_a_record_is_gone() {
        let refused = |code: &str, message: &str| CrmError::Rejected {
            operation: "read".into(),
            code: code.into(),
            message: message.into(),
        };
        let gone = "the id given seems to be invalid";
        assert!(denies_the_id(&refused("INVALID_DATA", gone)));
        assert!(!denies_the_id(&refused(
            "INVALID_DATA",
            "fields: invalid data"
        )));
        assert!(!denies_the_id(&refused("INVALID_MODULE", gone)));
    }
}
