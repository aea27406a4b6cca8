//! Notices: the event row and the dirty marks in one transaction. This is the hot path.

use async_trait::async_trait;
use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use mzi_domain::{Entity, Lane, Operation, Provenance, WorkKey, ZohoId};
use mzi_ports::{
    Inbox, StoreError,
    inbox::{Accepted, NewEvent, RejectedEvent},
};
use sha2::{Digest, Sha256};

use super::{
    SqlStore,
    work::{self, Flags},
};
use crate::{
    connection::AnyConnection,
    error::Failure,
    moment,
    schema::system::{CONNECTION, integration_events_log as log},
    text::storable,
};

/// How long a sender's identity holds (`contracts/bridge.md` §1).
const WINDOW: TimeDelta = TimeDelta::days(7);
/// Longer identities (a thousand ids) are stored as their hash: an index entry has its limits.
const LONGEST_IDENTITY: usize = 200;
/// A nameless event's identity can be let go between our insert and our look at who holds it.
const TRIES: usize = 5;

const OPERATIONS: [Operation; 4] = [
    Operation::Create,
    Operation::Update,
    Operation::Delete,
    Operation::Upsert,
];

#[async_trait]
impl Inbox for SqlStore {
    async fn accept(&self, event: &NewEvent) -> Result<Accepted, StoreError> {
        let arrival = Arrival::new(event);
        self.db.write(move |conn| arrival.accept(conn)).await
    }

    async fn keep_rejected(&self, rejected: &RejectedEvent) -> Result<String, StoreError> {
        let rejected = rejected.clone();
        let store = move |conn: &mut AnyConnection| {
            keep_rejected(conn, &rejected)?;
            Ok(rejected.id.clone())
        };
        self.db.write(store).await
    }
}

/// An event with everything worked out that needs no database.
struct Arrival {
    id: String,
    entity: Entity,
    module: Option<String>,
    operation: Operation,
    identity: Option<String>,
    coalesces: bool,
    flags: Flags,
    records: Vec<ZohoId>,
    record_ids: Option<String>,
    payload: String,
    received_at: NaiveDateTime,
}

impl Arrival {
    fn new(event: &NewEvent) -> Self {
        let single = matches!(event.records.as_slice(), [_]);
        // In one order, or events about the same records would lock each other out.
        let mut records = event.records.clone();
        records.sort_unstable();
        let module = event.module.as_deref().map(storable);
        Self {
            id: event.id.clone(),
            entity: event.entity,
            module: module.map(std::borrow::Cow::into_owned),
            operation: event.operation,
            identity: identity_of(event),
            coalesces: event.provenance == Provenance::None,
            flags: Flags {
                deletion: event.operation == Operation::Delete,
                recheck: matches!(event.provenance, Provenance::ModifiedTime(_)),
            },
            records,
            record_ids: (!single).then(|| json_list(&event.records)),
            payload: storable(&event.payload).into_owned(),
            received_at: moment::stored(event.received_at),
        }
    }

    fn accept(&self, conn: &mut AnyConnection) -> Result<Accepted, Failure> {
        for _ in 0..TRIES {
            if self.insert(conn)? {
                self.mark(conn)?;
                return Ok(Accepted::Fresh(self.id.clone()));
            }
            let Some((id, received_at)) = self.holder(conn)? else {
                continue;
            };
            if self.coalesces {
                return Ok(Accepted::Coalesced(id));
            }
            if self.received_at - received_at < WINDOW {
                return Ok(Accepted::Duplicate(id));
            }
            self.release(conn)?;
        }
        Err(Failure::internal(
            "an event's identity changed hands without end",
        ))
    }

    /// Whether the event is new; it is not if another holds its identity.
    fn insert(&self, conn: &mut AnyConnection) -> Result<bool, Failure> {
        let record_id = match self.records.as_slice() {
            [id] => Some(id.as_str()),
            _ => None,
        };
        let row = (
            log::event_id.eq(&self.id),
            log::connection_id.eq(CONNECTION),
            log::source.eq("zoho"),
            log::entity.eq(self.entity.key()),
            log::module.eq(self.module.as_deref()),
            log::operation.eq(self.operation.word()),
            log::record_id.eq(record_id),
            log::record_ids.eq(self.record_ids.as_deref()),
            log::identity.eq(self.identity.as_deref()),
            log::status.eq("accepted"),
            log::payload.eq(&self.payload),
            log::received_at.eq(self.received_at),
        );
        let query = upsert!(log, row, on () nothing);
        let inserted = on_backend!(conn, c => query.execute(c))?;
        Ok(inserted == 1)
    }

    /// The event that holds the identity, with its time.
    fn holder(&self, conn: &mut AnyConnection) -> Result<Option<(String, NaiveDateTime)>, Failure> {
        let Some(identity) = self.identity.as_deref() else {
            return Err(Failure::internal("an event with this id exists"));
        };
        let query = log::table
            .filter(log::connection_id.eq(CONNECTION))
            .filter(log::identity.eq(identity))
            .select((log::event_id, log::received_at));
        Ok(on_backend!(conn, c => query.get_result(c).optional())?)
    }

    fn release(&self, conn: &mut AnyConnection) -> Result<(), Failure> {
        let holder = log::connection_id
            .eq(CONNECTION)
            .and(log::identity.eq(self.identity.as_deref()));
        let query = update!(log, log::identity.eq(None::<&str>), where holder);
        on_backend!(conn, c => query.execute(c))?;
        Ok(())
    }

    fn mark(&self, conn: &mut AnyConnection) -> Result<(), Failure> {
        let lane = Lane::Refresh(self.entity);
        for id in &self.records {
            work::mark(conn, lane, id.as_str(), self.flags, self.received_at)?;
        }
        Ok(())
    }
}

/// Lets go of what absorbed repeats of the claimed records' events.
pub(super) fn release_events(conn: &mut AnyConnection, keys: &[WorkKey]) -> Result<(), Failure> {
    let mut identities = Vec::with_capacity(keys.len() * OPERATIONS.len());
    for key in keys {
        if let Lane::Refresh(entity) = key.lane {
            let each = OPERATIONS.map(|operation| unclaimed(entity, &key.id, operation));
            identities.extend(each);
        }
    }
    // Chunks keep the number of bound values within SQLite's limit.
    for chunk in identities.chunks(1_000) {
        on_backend!(conn, c => diesel::update(log::table)
            .filter(log::connection_id.eq(CONNECTION))
            .filter(log::identity.eq_any(chunk))
            .set(log::identity.eq(None::<&str>))
            .execute(c))?;
    }
    Ok(())
}

fn keep_rejected(conn: &mut AnyConnection, rejected: &RejectedEvent) -> Result<(), Failure> {
    let row = (
        log::event_id.eq(&rejected.id),
        log::connection_id.eq(CONNECTION),
        log::source.eq("zoho"),
        log::status.eq("rejected"),
        log::code.eq(rejected.code),
        log::tail.eq(storable(&rejected.tail)),
        log::payload.eq(storable(&rejected.payload)),
        log::received_at.eq(moment::stored(rejected.received_at)),
    );
    on_backend!(conn, c => diesel::insert_into(log::table).values(row).execute(c))?;
    Ok(())
}

fn identity_of(event: &NewEvent) -> Option<String> {
    let identity = match (&event.provenance, event.records.as_slice()) {
        (Provenance::Sender(name), _) => format!("sender/{}", storable(name)),
        (Provenance::ModifiedTime(state), _) => format!("time/{}", storable(state)),
        (Provenance::None, [id]) => unclaimed(event.entity, id, event.operation),
        (Provenance::None, _) => return None,
    };
    if identity.len() <= LONGEST_IDENTITY {
        return Some(identity);
    }
    Some(format!("hash/{}", hex::encode(Sha256::digest(&identity))))
}

/// By this key an event that nobody has started on absorbs its repeats.
fn unclaimed(entity: Entity, id: &ZohoId, operation: Operation) -> String {
    format!("coalesce/{entity}/{id}/{}", operation.word())
}

/// Ids are digits, so nothing needs escaping.
fn json_list(ids: &[ZohoId]) -> String {
    let quoted: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
    format!("[{}]", quoted.join(","))
}
