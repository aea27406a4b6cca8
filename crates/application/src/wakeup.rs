//! A bell that tells the worker that something is due.

use std::sync::Arc;

use tokio::sync::Notify;

/// Rings whoever waits for work; ringing without a waiter is remembered once.
#[derive(Debug, Clone, Default)]
pub struct Wakeup(Arc<Notify>);

impl Wakeup {
    /// Something may be due now.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Waits for the next ring.
    pub async fn rung(&self) {
        self.0.notified().await;
    }
}
