//! Writing records, a hundred at a time (contracts/zoho.md §4).

use mzi_domain::ZohoId;
use mzi_ports::{
    CrmError,
    crm::{RecordWrite, WriteMode, WriteReceipt},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    call::{Call, Effect, module_path, scope},
    refusal,
    transport::Transport,
    value::{moment, object},
    wire::{Verdict, Written},
};

/// Records one call may hold.
const MAX_RECORDS: usize = 100;

/// More records than this make a write count as heavy.
const LIGHT: usize = 10;

type Outcome = Result<WriteReceipt, CrmError>;

/// Writes records in order.
///
/// When a whole call fails, the calls after it are not made. The error stands for every record if
/// it was the first call; else the outcomes known so far are kept and the others hold the error.
pub(crate) async fn write(
    transport: &Transport,
    module: &str,
    mode: &WriteMode,
    records: &[RecordWrite],
) -> Result<Vec<Outcome>, CrmError> {
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(records.len());
    for chunk in records.chunks(MAX_RECORDS) {
        match write_chunk(transport, module, mode, chunk).await {
            Ok(known) => outcomes.extend(known),
            Err(error) if outcomes.is_empty() => return Err(error),
            Err(error) => {
                outcomes.extend(chunk.iter().map(|_| Err(error.clone())));
                let unsent = unsent(&error);
                outcomes.resize(records.len(), Err(unsent));
                break;
            }
        }
    }
    Ok(outcomes)
}

async fn write_chunk(
    transport: &Transport,
    module: &str,
    mode: &WriteMode,
    records: &[RecordWrite],
) -> Result<Vec<Outcome>, CrmError> {
    let call = call(module, mode, records)?;
    let answer = transport.ask::<Written>(&call).await?;
    let verdicts = answer.body.map(|body| body.data).unwrap_or_default();
    if verdicts.len() != records.len() {
        let counts = format!("{} outcomes for {} records", verdicts.len(), records.len());
        return Err(refusal::of_nonsense(&call, &counts));
    }
    Ok(verdicts
        .iter()
        .map(|verdict| outcome(&call, verdict))
        .collect())
}

fn call(module: &str, mode: &WriteMode, records: &[RecordWrite]) -> Result<Call, CrmError> {
    let name = module_path(module)?;
    let (method, path, effect) = match mode {
        WriteMode::Insert => (Method::POST, name.to_owned(), Effect::Once),
        WriteMode::Update => (Method::PUT, name.to_owned(), Effect::Repeatable),
        WriteMode::Upsert { .. } => (Method::POST, format!("{name}/upsert"), Effect::Repeatable),
    };
    let tens = records.len().div_ceil(10);
    let operation = format!("write {module}");
    Ok(
        Call::change(operation, scope::MODULES, method, path, effect)
            .with_body(body(mode, records))
            .heavy_if(records.len() > LIGHT)
            .costing(u32::try_from(tens).unwrap_or(u32::MAX)),
    )
}

/// An empty `trigger` keeps Zoho's own automations still; without it all of them run.
fn body(mode: &WriteMode, records: &[RecordWrite]) -> Value {
    let data: Vec<Value> = records.iter().map(|record| row(mode, record)).collect();
    match mode {
        WriteMode::Upsert { keys } => {
            json!({ "data": data, "trigger": [], "duplicate_check_fields": keys })
        }
        WriteMode::Insert | WriteMode::Update => json!({ "data": data, "trigger": [] }),
    }
}

fn row(mode: &WriteMode, record: &RecordWrite) -> Value {
    let mut row = object(&record.fields);
    if let (WriteMode::Update | WriteMode::Upsert { .. }, Some(id), Some(fields)) =
        (mode, &record.id, row.as_object_mut())
    {
        fields.insert("id".to_owned(), json!(id.as_str()));
    }
    row
}

fn outcome(call: &Call, verdict: &Verdict) -> Outcome {
    if !verdict.is_success() {
        return Err(refusal::of_item(call, verdict));
    }
    let id = verdict.detail("id").and_then(|id| ZohoId::parse(id).ok());
    Ok(WriteReceipt {
        id: id.ok_or_else(|| refusal::of_nonsense(call, "a success without an id"))?,
        modified_at: moment(verdict.details.get("Modified_Time")),
    })
}

/// What happened to records whose call was not made because the one before failed.
fn unsent(error: &CrmError) -> CrmError {
    match error {
        CrmError::UnknownOutcome { .. } => CrmError::Unavailable {
            reason: "not sent after a call of unknown outcome".into(),
        },
        error => error.clone(),
    }
}
