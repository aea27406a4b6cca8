//! One at a time for each key, within this process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// Locks that come into being with their key and go with their last holder.
#[derive(Default)]
pub(crate) struct KeyedLocks(Mutex<HashMap<String, Lock>>);

impl KeyedLocks {
    /// Waits until nobody else holds any of these keys; they are free again when the answer is
    /// dropped.
    ///
    /// Keys are taken in order, so that two callers cannot wait for each other.
    pub(crate) async fn hold<const N: usize>(&self, mut keys: [String; N]) -> impl Send + use<N> {
        keys.sort_unstable();
        let mut held: Vec<OwnedMutexGuard<()>> = Vec::with_capacity(N);
        for lock in self.locks(keys) {
            held.push(lock.lock_owned().await);
        }
        held
    }

    fn locks<const N: usize>(&self, keys: [String; N]) -> Vec<Lock> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        let mut wanted: Vec<Lock> = Vec::with_capacity(N);
        for key in keys {
            let lock = Arc::clone(locks.entry(key).or_default());
            // The same key twice would wait for itself.
            if !wanted.iter().any(|known| Arc::ptr_eq(known, &lock)) {
                wanted.push(lock);
            }
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn keys<const N: usize>(names: [&str; N]) -> [String; N] {
        names.map(str::to_owned)
    }

    #[tokio::test]
    async fn a_key_in_common_waits_and_others_do_not() {
        let locks = KeyedLocks::default();
        let first = locks.hold(keys(["a", "b"])).await;
        assert!(locks.hold(keys(["c", "b"])).now_or_never().is_none());
        assert!(locks.hold(keys(["c", "d"])).now_or_never().is_some());
        drop(first);
        assert!(locks.hold(keys(["c", "b"])).now_or_never().is_some());
    }

    #[tokio::test]
    async fn the_same_key_twice_does_not_wait_for_itself() {
        let locks = KeyedLocks::default();
        assert!(locks.hold(keys(["a", "a"])).now_or_never().is_some());
    }

    #[tokio::test]
    async fn keys_nobody_holds_are_forgotten() {
        let locks = KeyedLocks::default();
        for n in 0..100 {
            drop(locks.hold([n.to_string()]).await);
        }
        assert!(locks.0.lock().unwrap().len() <= 1);
    }
}
