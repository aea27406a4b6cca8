//! Promises of [`SettingsStore`](crate::SettingsStore), [`TokenVault`](crate::TokenVault) and
//! [`KeyStore`](crate::KeyStore).

use futures_util::future::join_all;
use mzi_domain::role::Role;
use secrecy::{ExposeSecret, SecretString};

use super::{
    Subject,
    samples::{noon, noon_plus},
};
use crate::{KeyStore, SettingsStore, TokenVault, keys::ApiKey, settings::StoredToken};

fn api_key(id: &str, second: i64) -> ApiKey {
    ApiKey {
        id: id.to_owned(),
        name: "Invented".into(),
        secret_hash: "00ff".repeat(16),
        role: Role::Operator,
        created_at: noon_plus(second),
        expires_at: Some(noon_plus(9_000)),
        revoked_at: None,
    }
}

/// The value of a key is the last one put.
pub async fn a_setting_is_put_replaced_and_forgotten<S: Subject>(subject: &mut S) {
    let store = subject.store();
    assert_eq!(SettingsStore::find(&store, "a").await, Ok(None));
    for value in ["first", "", "الثاني"] {
        assert_eq!(store.put("a", value, noon()).await, Ok(()));
        let found = SettingsStore::find(&store, "a").await;
        assert_eq!(found, Ok(Some(value.to_owned())));
    }
    assert_eq!(SettingsStore::find(&store, "A").await, Ok(None));
    for _ in 0..2 {
        assert_eq!(store.forget("a").await, Ok(()));
        assert_eq!(SettingsStore::find(&store, "a").await, Ok(None));
    }
}

/// MUST answer the same value to concurrent callers.
pub async fn the_first_value_holds_for_concurrent_callers<S: Subject>(subject: &mut S) {
    let tries = (0..12).map(|number| {
        let store = subject.store();
        async move {
            store
                .put_if_absent("a", &format!("value {number}"), noon())
                .await
        }
    });

    let answers = join_all(tries).await;

    let held = SettingsStore::find(&subject.store(), "a").await;
    let held = held.map(Option::unwrap_or_default);
    assert!(held.as_ref().is_ok_and(|value| !value.is_empty()));
    assert!(answers.iter().all(|answer| *answer == held), "{answers:?}");
}

/// A secret is readable only as one.
pub async fn a_secret_is_not_readable_as_a_setting<S: Subject>(subject: &mut S) {
    let store = subject.store();
    for value in ["the first secret", "the second secret"] {
        let secret = SecretString::from(value);
        assert_eq!(store.put_secret("s", &secret, noon()).await, Ok(()));
        let found = store.find_secret("s").await;
        let found = found.unwrap_or_else(|reason| panic!("{reason}"));
        let shown = found.as_ref().map(|secret| secret.expose_secret());
        assert_eq!(shown, Some(value));
    }
    assert_eq!(SettingsStore::find(&store, "s").await, Ok(None));
    assert!(store.put_if_absent("s", "clear", noon()).await.is_err());
    assert!(matches!(store.find_secret("none").await, Ok(None)));
    assert_eq!(store.put("s", "clear", noon()).await, Ok(()));
    assert!(matches!(store.find_secret("s").await, Ok(None)));
}

/// The access token is kept across restarts.
pub async fn the_token_comes_back_after_a_restart<S: Subject>(subject: &mut S) {
    assert!(matches!(subject.store().load().await, Ok(None)));
    for number in 1..=2 {
        let token = StoredToken {
            token: SecretString::from(format!("invented token {number}")),
            api_domain: (number == 2).then(|| "https://api.example.test".to_owned()),
            expires_at: noon_plus(3_600),
            credentials: "print".into(),
        };
        assert_eq!(subject.store().store(&token).await, Ok(()));
    }

    subject.restart().await;

    let loaded = subject.store().load().await;
    let Ok(Some(token)) = loaded else {
        panic!("no token: {loaded:?}")
    };
    assert_eq!(token.token.expose_secret(), "invented token 2");
    assert_eq!(
        token.api_domain.as_deref(),
        Some("https://api.example.test")
    );
    assert_eq!(token.expires_at, noon_plus(3_600));
    assert_eq!(token.credentials, "print");
}

/// Keys are found whatever their state, and revoked once.
pub async fn api_keys_are_listed_newest_first_and_revoked_once<S: Subject>(subject: &mut S) {
    let store = subject.store();
    for (id, second) in [("k1", 1), ("k3", 3), ("k2", 2)] {
        assert_eq!(store.add(&api_key(id, second)).await, Ok(()));
    }
    assert_eq!(store.revoke("k2", noon_plus(10)).await, Ok(true));
    assert_eq!(store.revoke("k2", noon_plus(20)).await, Ok(false));
    assert_eq!(store.revoke("none", noon_plus(20)).await, Ok(false));

    let revoked = ApiKey {
        revoked_at: Some(noon_plus(10)),
        ..api_key("k2", 2)
    };
    assert_eq!(
        KeyStore::find(&store, "k2").await,
        Ok(Some(revoked.clone()))
    );
    assert_eq!(KeyStore::find(&store, "none").await, Ok(None));
    let expected = vec![api_key("k3", 3), revoked, api_key("k1", 1)];
    assert_eq!(store.list().await, Ok(expected));
}

/// An id names one key.
pub async fn an_api_key_id_is_taken_once<S: Subject>(subject: &mut S) {
    let store = subject.store();
    assert_eq!(store.add(&api_key("k1", 1)).await, Ok(()));
    assert!(store.add(&api_key("k1", 2)).await.is_err());
    assert_eq!(store.list().await, Ok(vec![api_key("k1", 1)]));
}
