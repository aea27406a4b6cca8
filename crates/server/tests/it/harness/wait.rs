//! Waiting for what happens elsewhere: looking again until it is there, never just sleeping.

use std::{
    future::Future,
    time::{Duration, Instant},
};

/// Longest wait for anything, unless a test knows better.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// Looks until there is something to see, or patience ends.
pub async fn eventually<T, F>(look: impl Fn() -> F) -> Option<T>
where
    F: Future<Output = Option<T>>,
{
    within(PATIENCE, look).await
}

/// The same with a patience of its own.
pub async fn within<T, F>(patience: Duration, look: impl Fn() -> F) -> Option<T>
where
    F: Future<Output = Option<T>>,
{
    let begun = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return Some(seen);
        }
        if begun.elapsed() > patience {
            return None;
        }
        tokio::time::sleep(LOOK).await;
    }
}
