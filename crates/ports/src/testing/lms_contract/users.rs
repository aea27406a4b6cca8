//! Promises about users.

use futures_util::future::join_all;
use mzi_domain::{MoodleUserId, account::AccountUpdate};

use super::{LmsHarness, is_honest, joined, newcomer, no_user, refusal_of};
use crate::lms::{NewUser, UserKey, UserUpdate, refusal};

pub async fn users_are_found_by_every_key(world: &dyn LmsHarness) {
    let (id, user) = joined(world).await;
    let account = &user.account;
    let keys = [
        (UserKey::Id, id.to_string()),
        (UserKey::IdNumber, account.idnumber.to_string()),
        (UserKey::Username, account.username.clone()),
        (UserKey::Email, account.email.to_uppercase()),
    ];
    for (key, value) in keys {
        let found = world.lms().users_by(key, &[value]).await.unwrap();
        let [found] = found.as_slice() else {
            panic!("{key:?} found {found:?}");
        };
        assert_eq!(found.id, id);
        assert_eq!(found.idnumber, account.idnumber.as_str());
        assert_eq!(found.username, account.username);
        assert_eq!(found.email, account.email);
        assert_eq!(found.first_name, account.first_name);
        assert_eq!(found.last_name, account.last_name);
    }
}

pub async fn any_number_of_values_may_be_looked_up(world: &dyn LmsHarness) {
    let (first, early) = joined(world).await;
    let (last, late) = joined(world).await;
    let mut values = vec![early.account.username];
    values.extend((0..120).map(|n| format!("nobody{}.{n}", world.fresh())));
    values.push(late.account.username);
    let found = world.lms().users_by(UserKey::Username, &values).await;
    let mut found: Vec<_> = found.unwrap().iter().map(|user| user.id).collect();
    found.sort();
    assert_eq!(found, [first, last]);
}

pub async fn a_blank_or_unknown_value_finds_nobody(world: &dyn LmsHarness) {
    let unknown = world.fresh().to_string();
    for values in [vec![], vec![String::new(), " ".into()], vec![unknown]] {
        for key in [UserKey::IdNumber, UserKey::Username, UserKey::Email] {
            let found = world.lms().users_by(key, &values).await.unwrap();
            assert_eq!(found, [], "{key:?} {values:?}");
        }
    }
}

pub async fn a_second_creation_of_a_user_answers_the_first(world: &dyn LmsHarness) {
    let (id, user) = joined(world).await;
    assert_eq!(world.lms().create_user(&user).await, Ok(id));
    let unlooked = NewUser {
        checked: true,
        ..user
    };
    assert_eq!(world.lms().create_user(&unlooked).await, Ok(id));
    assert_eq!(with_idnumber_of(world, &unlooked).await, [id]);
}

pub async fn a_user_wanted_many_times_at_once_is_created_once(world: &dyn LmsHarness) {
    let user = newcomer(world);
    let tries = (0..6).map(|_| world.lms().create_user(&user));
    let ids = join_all(tries).await;
    let first = ids.first().unwrap().clone().unwrap();
    assert!(ids.iter().all(|id| *id == Ok(first)), "{ids:?}");
    assert_eq!(with_idnumber_of(world, &user).await, [first]);
}

pub async fn a_user_whose_creation_went_unanswered_is_created_once(world: &dyn LmsHarness) {
    let user = NewUser {
        checked: true,
        ..newcomer(world)
    };
    world.lose_next_answer().await;
    let first = world.lms().create_user(&user).await;
    assert!(is_honest(&first), "{first:?}");
    let again = NewUser {
        checked: false,
        ..user.clone()
    };
    let second = world.lms().create_user(&again).await.unwrap();
    assert!(first.is_err() || first == Ok(second), "{first:?}");
    assert_eq!(with_idnumber_of(world, &user).await, [second]);
}

pub async fn a_taken_username_is_named(world: &dyn LmsHarness) {
    let (_, holder) = joined(world).await;
    for checked in [false, true] {
        let mut other = newcomer(world);
        other.account.username.clone_from(&holder.account.username);
        other.checked = checked;
        let outcome = world.lms().create_user(&other).await;
        assert_eq!(refusal_of(outcome), refusal::USERNAME_TAKEN);
    }
}

pub async fn a_taken_email_is_named(world: &dyn LmsHarness) {
    let (_, holder) = joined(world).await;
    for checked in [false, true] {
        let mut other = newcomer(world);
        other.account.email = holder.account.email.to_uppercase();
        other.checked = checked;
        let outcome = world.lms().create_user(&other).await;
        assert_eq!(refusal_of(outcome), refusal::EMAIL_TAKEN);
    }
}

/// Moodle alone lets 4 to 6 of 6 through: no unique index (contracts/moodle.md, "Races").
pub async fn of_two_people_with_one_email_at_once_one_is_created(world: &dyn LmsHarness) {
    let email = newcomer(world).account.email;
    let crowd: Vec<_> = (0..4)
        .map(|_| {
            let mut user = newcomer(world);
            user.account.email.clone_from(&email);
            user
        })
        .collect();
    let outcomes = join_all(crowd.iter().map(|user| world.lms().create_user(user))).await;
    let (made, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1, "{made:?}");
    for outcome in refused {
        assert_eq!(refusal_of(outcome), refusal::EMAIL_TAKEN);
    }
}

pub async fn changed_users_read_back_changed(world: &dyn LmsHarness) {
    let (id, user) = joined(world).await;
    let fields = AccountUpdate {
        username: Some(format!("renamed{}", world.fresh())),
        email: Some(format!("Renamed{}@college.example", world.fresh())),
        first_name: Some("نادية".into()),
        last_name: Some("Newman-Ōe".into()),
    };
    let idnumber = Some(world.fresh().to_string());
    let update = UserUpdate {
        id,
        idnumber: idnumber.clone(),
        fields: fields.clone(),
    };
    let outcomes = world.lms().update_users(&[update]).await.unwrap();
    assert_eq!(outcomes, [Ok(())]);
    let found = world.lms().users_by(UserKey::Id, &[id.to_string()]).await;
    let found = found.unwrap().pop().unwrap();
    assert_eq!(Some(found.idnumber), idnumber);
    assert_eq!(Some(found.username), fields.username);
    assert_eq!(Some(found.email), fields.email);
    assert_eq!(Some(found.first_name), fields.first_name);
    assert_eq!(Some(found.last_name), fields.last_name);
    assert_eq!(with_idnumber_of(world, &user).await, []);
}

pub async fn one_bad_change_among_users_leaves_the_good_ones(world: &dyn LmsHarness) {
    let (first, _) = joined(world).await;
    let (last, _) = joined(world).await;
    let updates = [first, no_user(), last].map(|id| named(id, "Noor"));
    let outcomes = world.lms().update_users(&updates).await.unwrap();
    let [Ok(()), Err(bad), Ok(())] = outcomes.as_slice() else {
        panic!("{outcomes:?}");
    };
    assert_eq!(refusal_of::<()>(Err(bad.clone())), refusal::UNKNOWN_USER);
    let ids = [first.to_string(), last.to_string()];
    let found = world.lms().users_by(UserKey::Id, &ids).await.unwrap();
    assert!(found.iter().all(|user| user.first_name == "Noor"));
    assert_eq!(world.lms().update_users(&[]).await, Ok(Vec::new()));
}

pub async fn a_change_to_a_taken_key_is_named(world: &dyn LmsHarness) {
    let (_, holder) = joined(world).await;
    let (other, _) = joined(world).await;
    let mut username = named(other, "Noor");
    username.fields.username = Some(holder.account.username.clone());
    let mut email = named(other, "Noor");
    email.fields.email = Some(holder.account.email.to_uppercase());
    for (update, code) in [
        (username, refusal::USERNAME_TAKEN),
        (email, refusal::EMAIL_TAKEN),
    ] {
        let mut outcomes = world.lms().update_users(&[update]).await.unwrap();
        assert_eq!(refusal_of(outcomes.pop().unwrap()), code);
    }
}

fn named(id: MoodleUserId, first_name: &str) -> UserUpdate {
    UserUpdate {
        id,
        idnumber: None,
        fields: AccountUpdate {
            first_name: Some(first_name.into()),
            ..AccountUpdate::default()
        },
    }
}

async fn with_idnumber_of(world: &dyn LmsHarness, user: &NewUser) -> Vec<MoodleUserId> {
    let values = [user.account.idnumber.to_string()];
    let found = world.lms().users_by(UserKey::IdNumber, &values).await;
    found.unwrap().iter().map(|user| user.id).collect()
}
