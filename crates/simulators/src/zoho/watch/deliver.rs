//! Posts notifications to their channels' URLs.
//!
//! One attempt each: no retry of Zoho's is documented, so a refused notification is lost.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;
use tokio::{
    sync::{Notify, Semaphore, mpsc},
    task::JoinSet,
    time::timeout,
};

use super::channel::Channel;
use crate::{
    faults::Effect,
    locked,
    zoho::{store::Operation, world::World},
};

/// How many deliveries run at once.
const AT_ONCE: usize = 16;
/// How many past deliveries are remembered.
const REMEMBERED: usize = 4096;
/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a notification waits to be overtaken when the script reorders it.
const HELD_BACK: Duration = Duration::from_millis(200);

/// A notification on its way.
#[derive(Debug, Clone)]
pub(in crate::zoho) struct Notification {
    url: String,
    body: Value,
    delivery: Delivery,
}

/// What became of a notification.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Delivery {
    /// The channel.
    pub channel_id: String,
    /// The module of the records.
    pub module: String,
    /// `insert`, `update` or `delete`.
    pub operation: &'static str,
    /// The records.
    pub ids: Vec<String>,
    /// The receiver's status; none when it did not answer or the script dropped the notification.
    pub status: Option<u16>,
}

impl Notification {
    pub(super) fn new(
        channel: &Channel,
        module: &str,
        operation: Operation,
        ids: Vec<String>,
        body: Value,
    ) -> Self {
        let delivery = Delivery {
            channel_id: channel.id.clone(),
            module: module.to_owned(),
            operation: operation.in_notification(),
            ids,
            status: None,
        };
        Self {
            url: channel.notify_url.clone(),
            body,
            delivery,
        }
    }
}

/// The queue of notifications and the memory of those delivered.
#[derive(Debug)]
pub(in crate::zoho) struct Outbox {
    queue: mpsc::UnboundedSender<Notification>,
    pending: AtomicU64,
    settled: Notify,
    done: Mutex<VecDeque<Delivery>>,
}

impl Outbox {
    pub(in crate::zoho) fn new(queue: mpsc::UnboundedSender<Notification>) -> Self {
        Self {
            queue,
            pending: AtomicU64::new(0),
            settled: Notify::new(),
            done: Mutex::new(VecDeque::new()),
        }
    }

    pub(in crate::zoho) fn queue(&self, notification: Notification) {
        self.pending.fetch_add(1, Ordering::SeqCst);
        // After stop there is nobody left to deliver; the notification is lost as in an outage.
        if self.queue.send(notification).is_err() {
            self.finish_one();
        }
    }

    /// Waits until nothing is queued or on its way.
    pub(in crate::zoho) async fn settle(&self) {
        loop {
            let changed = self.settled.notified();
            if self.pending.load(Ordering::SeqCst) == 0 {
                return;
            }
            changed.await;
        }
    }

    pub(in crate::zoho) fn deliveries(&self) -> Vec<Delivery> {
        locked(&self.done).iter().cloned().collect()
    }

    fn remember(&self, delivery: Delivery) {
        let mut done = locked(&self.done);
        if done.len() >= REMEMBERED {
            done.pop_front();
        }
        done.push_back(delivery);
    }

    fn finish_one(&self) {
        self.pending.fetch_sub(1, Ordering::SeqCst);
        self.settled.notify_waiters();
    }
}

/// Delivers until the queue closes.
pub(in crate::zoho) async fn deliver_all(
    world: Arc<World>,
    client: reqwest::Client,
    mut queue: mpsc::UnboundedReceiver<Notification>,
) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    let mut held: VecDeque<Notification> = VecDeque::new();
    loop {
        let next = if held.is_empty() {
            queue.recv().await
        } else {
            timeout(HELD_BACK, queue.recv()).await.unwrap_or_default()
        };
        let mut batch = match (next, held.pop_front()) {
            (Some(next), earlier) => {
                held.extend(earlier);
                match scripted(&world, next) {
                    Script::Deliver(batch) => batch,
                    Script::HoldBack(notification) => {
                        held.push_back(notification);
                        continue;
                    }
                }
            }
            // Nobody overtook it in time, or the queue is closed.
            (None, Some(earlier)) => vec![earlier],
            (None, None) => return,
        };
        batch.extend(held.drain(..));
        for notification in batch {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let (world, client) = (Arc::clone(&world), client.clone());
            running.spawn(async move {
                let delivery = deliver(&client, notification).await;
                world.outbox.remember(delivery);
                world.outbox.finish_one();
                drop(place);
            });
        }
        while running.try_join_next().is_some() {}
    }
}

enum Script {
    Deliver(Vec<Notification>),
    HoldBack(Notification),
}

/// What the script makes of a notification.
fn scripted(world: &World, notification: Notification) -> Script {
    match world.faults.of_notification(&notification.delivery.module) {
        Some(Effect::ReorderNotifications) => Script::HoldBack(notification),
        Some(Effect::DropNotifications) => {
            world.outbox.remember(notification.delivery);
            world.outbox.finish_one();
            Script::Deliver(Vec::new())
        }
        Some(Effect::DuplicateNotifications { times }) => {
            let again = u64::from(times.saturating_sub(1));
            world.outbox.pending.fetch_add(again, Ordering::SeqCst);
            Script::Deliver((0..=again).map(|_| notification.clone()).collect())
        }
        _ => Script::Deliver(vec![notification]),
    }
}

async fn deliver(client: &reqwest::Client, notification: Notification) -> Delivery {
    let Notification {
        url,
        body,
        mut delivery,
    } = notification;
    let request = client
        .post(&url)
        .timeout(PATIENCE)
        .header("content-type", "application/json;charset=UTF-8")
        .body(body.to_string());
    match request.send().await {
        Ok(answer) => delivery.status = Some(answer.status().as_u16()),
        Err(error) => tracing::debug!(%error, "a notification was not delivered"),
    }
    delivery
}
