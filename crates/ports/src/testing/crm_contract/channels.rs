//! Promises about notification channels.

use chrono::{Duration, SubsecRound};

use super::{CrmHarness, GRADES, refusal_of};
use crate::crm::{Channel, ChannelRequest};

/// What was asked for is what is kept and listed.
pub async fn a_channel_is_kept_as_it_was_asked_for(world: &dyn CrmHarness) {
    assert_eq!(world.crm().channels().await, Ok(Vec::new()));
    let asked = request(world, Duration::days(6));
    let kept = world.crm().subscribe(&asked).await.unwrap();
    let expected = Channel {
        channel_id: "1000000068001".into(),
        module: GRADES.into(),
        notify_url: Some("https://bridge.example/api/v1/webhooks/grades".into()),
        expires_at: Some(asked.expires_at),
    };
    assert_eq!(kept, expected);
    assert_eq!(world.crm().channels().await, Ok(vec![expected]));
}

/// Zoho shortens it without a word, so the answer must be believed and not the request.
pub async fn a_channel_asked_to_live_too_long_lives_for_an_hour(world: &dyn CrmHarness) {
    let asked = request(world, Duration::days(8));
    let kept = world.crm().subscribe(&asked).await.unwrap();
    let left = kept.expires_at.unwrap() - world.now();
    assert!(
        (left - Duration::hours(1)).abs() < Duration::seconds(5),
        "{left}"
    );
}

/// Renewal, and a bridge that moved to another address.
pub async fn subscribing_again_replaces_the_channel(world: &dyn CrmHarness) {
    let first = request(world, Duration::days(3));
    world.crm().subscribe(&first).await.unwrap();
    let second = ChannelRequest {
        notify_url: "https://moved.example/api/v1/webhooks/grades".into(),
        ..request(world, Duration::days(6))
    };
    world.crm().subscribe(&second).await.unwrap();
    let channels = world.crm().channels().await.unwrap();
    assert_eq!(channels.len(), 1);
    assert_eq!(channels[0].notify_url, Some(second.notify_url));
    assert_eq!(channels[0].expires_at, Some(second.expires_at));
}

/// Tidying up may be repeated.
pub async fn ending_a_channel_twice_is_no_error(world: &dyn CrmHarness) {
    let asked = request(world, Duration::days(6));
    world.crm().subscribe(&asked).await.unwrap();
    let ids = [asked.channel_id];
    for _ in 0..2 {
        assert_eq!(world.crm().unsubscribe(&ids).await, Ok(()));
        assert_eq!(world.crm().channels().await, Ok(Vec::new()));
    }
}

/// Fifty characters are the limit.
pub async fn a_channel_token_that_is_too_long_is_refused(world: &dyn CrmHarness) {
    let asked = ChannelRequest {
        token: "x".repeat(51),
        ..request(world, Duration::days(6))
    };
    let (code, _) = refusal_of(world.crm().subscribe(&asked).await);
    assert_eq!(code, "INVALID_DATA");
    assert_eq!(world.crm().channels().await, Ok(Vec::new()));
}

fn request(world: &dyn CrmHarness, life: Duration) -> ChannelRequest {
    ChannelRequest {
        channel_id: "1000000068001".into(),
        module: GRADES.into(),
        notify_url: "https://bridge.example/api/v1/webhooks/grades".into(),
        token: "proof".into(),
        expires_at: (world.now() + life).trunc_subsecs(0),
    }
}
