//! How quick the store is on this machine: `cargo run --release -p mzi-persistence --example pace`,
//! with `intake`, `repeats`, `sync` or `reads` behind `--` to run one part, and a database URL
//! behind that to run it elsewhere than on a new SQLite file.
//!
//! Prints events per second for intake at several widths beside the same statements in one thread
//! and one transaction, then reads per second. Nothing is asserted: machines differ.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use mzi_domain::{
    Entity, Lane, MoodleUserId, Operation, Provenance, RecordChange, Value, Values, WorkKey,
    ZohoId,
    record::{ChangeKind, FieldChange, content_hash},
};
use mzi_persistence::{Db, Options, SealKey, SqlStore};
use mzi_ports::{
    IdSource, Inbox, Ledger, Views,
    inbox::NewEvent,
    ledger::{Claim, Effects, Link, LinkKind, Verdict, WorkResult},
};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const RUN: Duration = Duration::from_secs(3);

struct Ids(AtomicU64);

impl IdSource for Ids {
    fn next(&self) -> String {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        format!("01a7f000-0000-7000-8000-{number:012}")
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let mut arguments = std::env::args().skip(1);
    let part = arguments.next().unwrap_or_else(|| "all".into());
    let here = || format!("sqlite:///{}", folder.path().join("pace.db").display());
    let db = Db::open(&arguments.next().unwrap_or_else(here), &Options::default())?;
    db.migrate()?;
    let ids = Arc::new(Ids(AtomicU64::new(0)));
    let store = SqlStore::new(db, SealKey::from_bytes([1; 32]), ids.clone());
    let asked = |name: &str| part == "all" || part == name;
    if asked("intake") {
        for width in [1, 16, 64] {
            intake(&store, &ids, width, false).await?;
        }
    }
    if asked("repeats") {
        intake(&store, &ids, 64, true).await?;
    }
    if asked("sync") || asked("reads") {
        sync(&store).await?;
    }
    if asked("reads") {
        for width in [1, 16] {
            reads(&store, width).await?;
        }
    }
    Ok(())
}

fn start() -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn zoho_id(number: u64) -> Outcome<ZohoId> {
    Ok(ZohoId::parse(&format!(
        "{}",
        900_000_000_000_000_000 + number
    ))?)
}

async fn intake(store: &SqlStore, ids: &Arc<Ids>, width: usize, repeat: bool) -> Outcome<()> {
    let began = Instant::now();
    let tasks = (0..width).map(|_| {
        let (store, ids) = (store.clone(), Arc::clone(ids));
        tokio::spawn(async move {
            let mut waits = Vec::new();
            while began.elapsed() < RUN {
                let event = event(&ids, repeat)?;
                let asked = Instant::now();
                store.accept(&event).await?;
                waits.push(asked.elapsed());
            }
            Outcome::Ok(waits)
        })
    });
    let mut waits = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        waits.extend(task.await??);
    }
    waits.sort_unstable();
    let at = |share: usize| waits.get(waits.len() * share / 100).copied();
    let (half, slow) = (at(50).unwrap_or_default(), at(99).unwrap_or_default());
    let what = if repeat { "repeated" } else { "new" };
    let what = format!("{what} events, {width} callers (half in {half:?}, 99 % in {slow:?})");
    report(&what, u64::try_from(waits.len())?, began);
    Ok(())
}

fn event(ids: &Ids, repeat: bool) -> Outcome<NewEvent> {
    let id = ids.next();
    let name = if repeat { "one" } else { id.as_str() };
    let number = if repeat {
        7
    } else {
        ids.0.load(Ordering::Relaxed)
    };
    Ok(NewEvent {
        entity: Entity::Students,
        module: Some("BTEC_Students".into()),
        operation: Operation::Update,
        provenance: Provenance::Sender(format!("10001/{name}/BTEC_Students/update")),
        records: vec![zoho_id(number)?],
        payload: "{\"module\":\"BTEC_Students\"}".repeat(10),
        received_at: start(),
        id,
    })
}

fn student(number: u64) -> Outcome<RecordChange> {
    let values: Values = Entity::Students
        .columns()
        .iter()
        .filter(|column| column.kind == mzi_domain::columns::Kind::Text)
        .map(|column| {
            (
                column.name,
                Some(Value::Text(format!("{} {number}", column.name))),
            )
        })
        .collect();
    let fields = values.iter().map(|(column, value)| FieldChange {
        column,
        field: "Some_Field_Name".into(),
        rule: "value",
        before: None,
        after: value.cloned(),
    });
    Ok(RecordChange {
        entity: Entity::Students,
        id: zoho_id(number)?,
        kind: ChangeKind::Created,
        modified_at: Some(start()),
        mapping_version: 1,
        content_hash: content_hash(&values),
        fields: fields.collect(),
        values,
    })
}

async fn sync(store: &SqlStore) -> Outcome<()> {
    const RECORDS: u64 = 20_000;
    let lane = Lane::Refresh(Entity::Students);
    let began = Instant::now();
    for first in (0..RECORDS).step_by(100) {
        let keys = (first..first + 100)
            .map(|number| Ok(WorkKey::new(lane, zoho_id(500_000_000 + number)?)))
            .collect::<Outcome<Vec<_>>>()?;
        store.mark(&keys, start() - TimeDelta::days(1)).await?;
        let claim = Claim {
            lane,
            limit: 100,
            owner: "pace".into(),
            now: start() - TimeDelta::hours(1),
            lease_for: Duration::from_secs(90),
        };
        let leases = store.claim(&claim).await?;
        let results = leases.into_iter().zip(first..).map(|(lease, number)| {
            let effects = Effects {
                record: Some(RecordChange {
                    id: lease.key.id.clone(),
                    ..student(number)?
                }),
                desired: vec![mzi_ports::ledger::DesiredState {
                    key: WorkKey::new(Lane::Account, lease.key.id.clone()),
                    desired: "{\"first_name\":\"Lina\"}".repeat(6),
                }],
                link: Some(Link {
                    kind: LinkKind::User,
                    id: lease.key.id.clone(),
                    moodle_id: i64::try_from(number)? + 1,
                }),
                ..Effects::default()
            };
            Ok(WorkResult {
                lease,
                verdict: Verdict::Done,
                effects,
            })
        });
        store
            .commit(&results.collect::<Outcome<Vec<_>>>()?, start())
            .await?;
    }
    report("records marked, claimed and stored", RECORDS, began);
    Ok(())
}

async fn reads(store: &SqlStore, width: u64) -> Outcome<()> {
    let began = Instant::now();
    let tasks = (0..width).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut count = 0_u64;
            while began.elapsed() < RUN {
                let user = i64::try_from((count * 97 + task * 13) % 10_000)? + 1;
                let view = store.student_of(MoodleUserId::new(user)?).await?;
                count += u64::from(view.is_some());
            }
            Outcome::Ok(count)
        })
    });
    let mut total = 0;
    for task in tasks.collect::<Vec<_>>() {
        total += task.await??;
    }
    report(&format!("students read, {width} callers"), total, began);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "printing is what this example is for")]
fn report(what: &str, count: u64, began: Instant) {
    let seconds = began.elapsed().as_secs_f64();
    let pace = f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds;
    println!("{pace:>9.0} per second, {count:>7} in all: {what}");
}
