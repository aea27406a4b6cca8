//! Notification channels: one for every entity, replaced in time, and never believed unread.

use chrono::Duration;
use mzi_domain::Entity;
use mzi_ports::{Clock, Crm, CrmError, crm::Channel, testing::fake_crm::CrmVerb};

use crate::world::World;

const BASE: &str = "https://mzi.college.example";

async fn listed(world: &World) -> Vec<Channel> {
    world.crm.channels().await.unwrap()
}

#[tokio::test]
async fn every_entity_that_is_on_gets_a_channel_to_its_own_address() {
    let world = World::new();
    assert!(world.keeper(BASE).keep().await);

    let mut urls: Vec<String> = listed(&world)
        .await
        .into_iter()
        .filter_map(|channel| channel.notify_url)
        .collect();
    urls.sort();
    let mut expected: Vec<String> = Entity::ALL
        .iter()
        .map(|entity| format!("{BASE}/api/v1/webhooks/{entity}"))
        .collect();
    expected.sort();
    assert_eq!(urls, expected);
    assert_eq!(world.issue_codes().await, [""; 0]);
}

#[tokio::test]
async fn a_good_channel_is_left_alone_also_by_a_new_process() {
    let world = World::new();
    world.keeper(BASE).keep().await;
    world.clock.advance(Duration::days(4));

    assert!(world.keeper(BASE).keep().await);

    assert_eq!(world.crm.count(CrmVerb::Subscribe), Entity::ALL.len());
}

#[tokio::test]
async fn a_channel_is_replaced_while_two_days_are_left_and_keeps_its_id() {
    let world = World::new();
    let keeper = world.keeper(BASE);
    keeper.keep().await;
    let before: Vec<String> = ids(&listed(&world).await);
    for _ in 0..30 {
        world.clock.advance(Duration::days(1));
        keeper.keep().await;
        let now = world.clock.now();
        let channels = listed(&world).await;
        assert_eq!(channels.len(), Entity::ALL.len(), "no gap");
        for channel in channels {
            let left = channel.expires_at.unwrap() - now;
            assert!(left >= Duration::hours(48), "{left}");
        }
    }
    assert_eq!(ids(&listed(&world).await), before);
}

#[tokio::test]
async fn another_public_address_repoints_every_channel() {
    let world = World::new();
    world.keeper(BASE).keep().await;
    world.keeper("https://new.college.example").keep().await;

    let channels = listed(&world).await;
    assert_eq!(channels.len(), Entity::ALL.len());
    for channel in channels {
        assert!(
            channel
                .notify_url
                .unwrap()
                .starts_with("https://new.college.example/")
        );
    }
}

#[tokio::test]
async fn a_channel_that_zoho_forgot_is_made_again() {
    let world = World::new();
    let keeper = world.keeper(BASE);
    keeper.keep().await;
    let lost = ids(&listed(&world).await).remove(0);
    world
        .crm
        .unsubscribe(std::slice::from_ref(&lost))
        .await
        .unwrap();

    keeper.keep().await;

    assert!(ids(&listed(&world).await).contains(&lost));
}

#[tokio::test]
async fn a_channel_that_is_refused_is_an_issue_until_it_is_made() {
    let world = World::new();
    let keeper = world.keeper(BASE);
    world.crm.fail_next_of(
        CrmVerb::Subscribe,
        CrmError::Forbidden {
            operation: "notifications".into(),
            code: "OAUTH_SCOPE_MISMATCH".into(),
        },
    );
    assert!(!keeper.keep().await);
    let issue = world.the_issue("channel_failed").await;
    assert!(issue.message.contains("programs"), "{}", issue.message);
    assert_eq!(
        listed(&world).await.len(),
        Entity::ALL.len() - 1,
        "the others are made"
    );

    assert!(keeper.keep().await);
    assert_eq!(world.issue_codes().await, [""; 0]);
}

fn ids(channels: &[Channel]) -> Vec<String> {
    let mut ids: Vec<String> = channels.iter().map(|one| one.channel_id.clone()).collect();
    ids.sort();
    ids
}
