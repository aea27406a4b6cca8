//! The answer to a write: one result per item, and a status that says too little.

use serde_json::{Value, json};

use crate::{
    serve::Answer,
    zoho::{
        options::FailedWrites,
        read::{time, user},
        refusal::Refusal,
        store::Record,
        world::World,
    },
};

/// The results of one write, in the order of its items.
#[derive(Default)]
pub(super) struct Results {
    items: Vec<Value>,
    failed: usize,
    /// Whether every failure so far was a newer record.
    only_newer: bool,
}

impl Results {
    pub(super) fn push(&mut self, result: Result<Value, Refusal>) {
        match result {
            Ok(item) => self.items.push(item),
            Err(refusal) => {
                self.only_newer = refusal.http == 412 && (self.failed == 0 || self.only_newer);
                self.failed += 1;
                self.items.push(refusal.body());
            }
        }
    }

    /// All good: `success`; mixed: 207; all bad: 400, or 202 when so configured (`zoho.md` §4.2).
    pub(super) fn answer(self, world: &World, success: u16) -> Answer {
        let status = match self.failed {
            0 => success,
            failed if failed < self.items.len() => 207,
            _ if self.only_newer => 412,
            _ => match world.options.failed_writes {
                FailedWrites::BadRequest => 400,
                FailedWrites::Accepted => 202,
            },
        };
        Answer::json(status, &json!({"data": self.items}))
    }
}

/// A record that was saved.
pub(super) fn saved(world: &World, record: &Record, message: &str) -> Value {
    json!({
        "code": "SUCCESS",
        "status": "success",
        "message": message,
        "details": {
            "id": record.id.to_string(),
            "Created_Time": time(record.created, world.zone()),
            "Modified_Time": time(record.modified, world.zone()),
            "Created_By": user(record.created_by, false),
            "Modified_By": user(record.modified_by, false),
            "$approval_state": "approved",
        },
    })
}
