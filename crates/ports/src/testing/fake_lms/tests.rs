use std::sync::atomic::{AtomicU64, Ordering};

use mzi_domain::{MoodleCategoryId, MoodleRoleId};

use super::*;
use crate::testing::lms_contract::{LmsHarness, newcomer};

#[derive(Default)]
struct World {
    lms: FakeLms,
    used: AtomicU64,
}

#[async_trait]
impl LmsHarness for World {
    fn lms(&self) -> &dyn Lms {
        &self.lms
    }

    fn fresh(&self) -> u64 {
        900_000_000_000_000 + self.used.fetch_add(1, Ordering::Relaxed)
    }

    fn category(&self) -> MoodleCategoryId {
        MoodleCategoryId::new(1).unwrap()
    }

    fn student(&self) -> MoodleRoleId {
        MoodleRoleId::new(5).unwrap()
    }

    async fn lose_next_answer(&self) {
        self.lms.script(None, LmsFault::LoseAnswer);
    }
}

async fn world() -> World {
    std::future::ready(World::default()).await
}

crate::lms_contract!(world);

fn outage() -> LmsError {
    LmsError::Unavailable {
        reason: "the site is under maintenance".into(),
    }
}

#[tokio::test]
async fn a_scripted_failure_meets_one_call_of_its_verb_and_has_no_effect() {
    let world = World::default();
    world.lms.fail_next_of(LmsVerb::CreateUser, outage());
    assert!(world.lms.site().await.is_ok());
    let user = newcomer(&world);
    assert_eq!(world.lms.create_user(&user).await, Err(outage()));
    assert_eq!(world.lms.users(), []);
    assert!(world.lms.create_user(&user).await.is_ok());
    assert_eq!(world.lms.count(LmsVerb::CreateUser), 2);
}

#[tokio::test]
async fn an_outage_lasts_until_it_is_ended() {
    let world = World::default();
    world.lms.set_outage(Some(outage()));
    for _ in 0..3 {
        assert_eq!(world.lms.site().await, Err(outage()));
    }
    world.lms.set_outage(None);
    assert!(world.lms.site().await.is_ok());
}

#[tokio::test]
async fn hidden_users_are_not_found_but_still_hold_their_keys() {
    let world = World::default();
    let user = newcomer(&world);
    let account = &user.account;
    world.lms.add_user(&account.username, &account.email, "");
    world.lms.hide_users(true);
    let names = [account.username.clone()];
    let found = world.lms.users_by(UserKey::Username, &names).await;
    assert_eq!(found, Ok(Vec::new()));
    let outcome = world.lms.create_user(&user).await;
    assert!(matches!(outcome, Err(LmsError::Rejected { .. })));
}

#[tokio::test]
async fn one_row_of_many_can_be_made_to_fail() {
    let world = World::default();
    let course = world.lms.add_course("", "R&S", "Research & Skills");
    let seats = ["one", "two"].map(|name| Enrolment {
        user: world.lms.add_user(name, name, ""),
        course,
        role: world.student(),
        suspended: false,
    });
    let error = outage();
    world
        .lms
        .script(Some(LmsVerb::Enrol), LmsFault::RefuseItem { at: 1, error });
    let outcomes = world.lms.enrol(&seats).await;
    assert_eq!(outcomes, Ok(vec![Ok(()), Err(outage())]));
    assert_eq!(world.lms.enrolments(), [seats[0]]);
}
