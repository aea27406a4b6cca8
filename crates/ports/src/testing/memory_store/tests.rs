use std::future::{Ready, ready};

use async_trait::async_trait;

use super::*;
use crate::{
    Inbox, Ledger,
    ledger::{Claim, Effects, Verdict, WorkResult},
    testing::store_contract::{
        Subject,
        samples::{claim_of, named, noon, read_student},
    },
};

struct InMemory(MemoryStore);

#[async_trait]
impl Subject for InMemory {
    type Store = MemoryStore;

    fn store(&self) -> MemoryStore {
        self.0.clone()
    }

    async fn restart(&mut self) {
        self.0 = self.0.restarted();
    }

    async fn history(&self, entity: Entity, id: &ZohoId) -> Vec<String> {
        let history = self.0.history(entity, id);
        history
            .iter()
            .map(|entry| entry.kind.word().to_owned())
            .collect()
    }
}

fn open() -> Ready<Option<InMemory>> {
    ready(Some(InMemory(MemoryStore::new())))
}

crate::store_contract!(open);

#[tokio::test]
async fn a_scripted_fault_strikes_once_and_before_any_effect() {
    let store = MemoryStore::new();
    store.fail_next(StoreCall::Accept);

    let first = store.accept(&named("e1", "n1", 1)).await;

    assert!(matches!(first, Err(StoreError::Unavailable { .. })));
    assert_eq!(store.events(), []);
    assert!(store.accept(&named("e1", "n1", 1)).await.is_ok());
}

#[tokio::test]
async fn a_lost_answer_strikes_after_the_effect() {
    let store = MemoryStore::new();
    store.mark(&[read_student(1)], noon()).await.unwrap();
    let lease = store
        .claim(&Claim {
            limit: 1,
            ..claim_of(read_student(1).lane, noon())
        })
        .await
        .unwrap()
        .remove(0);
    let result = WorkResult {
        lease,
        verdict: Verdict::Done,
        effects: Effects::default(),
    };
    store.lose_next_answer(StoreCall::Commit);

    let first = store.commit(std::slice::from_ref(&result), noon()).await;

    assert!(matches!(first, Err(StoreError::Unavailable { .. })));
    assert!(!store.is_unsettled(&read_student(1)));
}
