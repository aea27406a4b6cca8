//! The worker as the server runs it, and two of them on one database.

use std::time::Duration;

use mzi_ports::testing::fake_lms::LmsVerb;
use tokio_util::sync::CancellationToken;

use crate::{
    arriving::permutations,
    ids::{CLASS, LINA, OMAR, OTHER_SEAT, SEAT},
    world::World,
};

/// Lets the others run until this holds.
async fn comes_true(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(in_time.is_ok(), "{what}");
}

#[tokio::test]
async fn a_running_worker_takes_up_what_arrives_and_ends_when_told() {
    let world = World::new();
    world.has_lina();
    let stop = CancellationToken::new();
    let running = world.started(stop.clone());
    comes_true("the place is looked at", || {
        world.lms.count(LmsVerb::Site) > 0
    })
    .await;

    world.notify("BTEC_Students", LINA).await;
    comes_true("the notice is worked", || !world.crm.writes().is_empty()).await;

    stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(5), running).await;
    ended.unwrap().unwrap();
    world.user_of(LINA);
}

#[tokio::test]
async fn two_instances_on_one_database_end_like_one() {
    let notices = [
        ("BTEC_Students", LINA),
        ("BTEC_Students", OMAR),
        ("BTEC_Classes", CLASS),
        ("BTEC_Enrollments", SEAT),
        ("BTEC_Enrollments", OTHER_SEAT),
    ];
    for order in permutations(&notices).into_iter().step_by(10) {
        let world = World::new();
        world.has_college();
        world.has_student(OMAR, "Omar", "Aziz");
        world.has_seat(OTHER_SEAT, OMAR, CLASS);
        let twin = world.twin();
        // Calls that take a moment let the two get in each other's way.
        world.lms.set_latency(Duration::from_micros(50));
        world.crm.set_latency(Duration::from_micros(50));
        for (number, (module, id)) in order.iter().enumerate() {
            world.notify(module, id).await;
            if number % 2 == 1 {
                tokio::join!(world.work(), twin.work());
            }
        }
        tokio::join!(world.work(), twin.work());
        world.settle().await;

        assert!(world.takes_part(LINA, CLASS), "{order:?}");
        assert!(world.takes_part(OMAR, CLASS), "{order:?}");
        assert_eq!(world.lms.count(LmsVerb::CreateUser), 2, "{order:?}");
        assert_eq!(world.lms.count(LmsVerb::CreateCourse), 1, "{order:?}");
        assert_eq!(world.issue_codes().await, [""; 0], "{order:?}");
        world.keeps_its_invariants().await;
        world.has_nothing_left_to_do().await;
    }
}

#[tokio::test]
async fn work_of_an_instance_that_is_gone_is_taken_over_and_its_late_results_count_nothing() {
    let world = World::new();
    world.has_lina();
    world.notify("BTEC_Students", LINA).await;
    world.lms.set_latency(Duration::from_millis(5));
    let twin = world.twin();

    // The first instance stands still in the middle of a call for longer than its lease.
    let slow = world.work();
    let other = async {
        comes_true("the account is begun", || {
            world.lms.count(LmsVerb::UsersBy) > 0
        })
        .await;
        world.clock.advance(chrono::Duration::seconds(91));
        twin.work().await;
    };
    tokio::join!(slow, other);
    world.settle().await;

    assert_eq!(world.lms.users().len(), 1);
    assert_eq!(world.lms.count(LmsVerb::CreateUser), 1);
    world.keeps_its_invariants().await;
    world.has_nothing_left_to_do().await;
}
