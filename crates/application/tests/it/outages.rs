//! Either side may be away for an hour: nothing is lost, given up or hammered.

use chrono::Duration;
use mzi_domain::Upstream;
use mzi_ports::{CrmError, LmsError, testing::fake_lms::LmsVerb};

use crate::{
    ids::{CLASS, LINA, OMAR, OTHER_SEAT, SEAT},
    world::{World, text},
};

/// Every half minute one probe, and what it takes to open the breaker (`reliability` §4, row 7).
const PROBES_AN_HOUR: usize = 130;

fn moodle_down() -> LmsError {
    LmsError::Unavailable {
        reason: "503".into(),
    }
}

fn zoho_down() -> CrmError {
    CrmError::Unavailable {
        reason: "503".into(),
    }
}

/// Lina takes part; Omar and his seat are about to come; Lina's class and name are about to change.
async fn busy() -> World {
    let world = World::new();
    world.has_lina_enrolled();
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    world.has_student(OMAR, "Omar", "Aziz");
    world.has_seat(OTHER_SEAT, OMAR, CLASS);
    world
}

/// What happens in Zoho meanwhile.
async fn meanwhile(world: &World) {
    world
        .edit("BTEC_Students", LINA, "First_Name", text("Leena"))
        .await;
    world
        .edit("BTEC_Classes", CLASS, "Class_Name", text("Programming"))
        .await;
    world.notify("BTEC_Students", OMAR).await;
    world.notify("BTEC_Enrollments", OTHER_SEAT).await;
    world.notify("BTEC_Enrollments", SEAT).await;
}

async fn converged(world: &World) {
    world.settle().await;
    assert!(world.takes_part(LINA, CLASS));
    assert!(world.takes_part(OMAR, CLASS));
    assert_eq!(
        world.lms.user(world.user_of(LINA)).unwrap().first_name,
        "Leena"
    );
    let course = world.lms.course(world.course_of(CLASS)).unwrap();
    assert_eq!(course.found.fullname, "Programming");
    assert_eq!(world.issue_codes().await, [""; 0]);
    world.has_nothing_left_to_do().await;
    world.keeps_its_invariants().await;
}

#[tokio::test]
async fn an_hour_without_moodle_loses_nothing_and_asks_seldom() {
    let world = busy().await;
    world.lms.set_outage(Some(moodle_down()));
    meanwhile(&world).await;
    let before = world.lms.calls().len();
    world.live_through(Duration::hours(1)).await;

    let probes = world.lms.calls().len() - before;
    assert!(
        probes <= PROBES_AN_HOUR,
        "{probes} calls in an hour of outage"
    );
    assert_eq!(world.issue_codes().await, [""; 0], "no attempt was used up");

    world.lms.set_outage(None);
    world.live_through(Duration::minutes(1)).await;
    converged(&world).await;
}

#[tokio::test]
async fn an_hour_without_zoho_loses_nothing_and_asks_seldom() {
    let world = busy().await;
    world.crm.set_outage(Some(zoho_down()));
    meanwhile(&world).await;
    let before = world.crm.calls().len();
    world.live_through(Duration::hours(1)).await;

    let probes = world.crm.calls().len() - before;
    assert!(
        probes <= PROBES_AN_HOUR,
        "{probes} calls in an hour of outage"
    );
    assert_eq!(world.issue_codes().await, [""; 0]);

    world.crm.set_outage(None);
    world.live_through(Duration::minutes(1)).await;
    converged(&world).await;
}

#[tokio::test]
async fn three_days_without_moodle_give_nothing_up() {
    let world = busy().await;
    world.lms.set_outage(Some(moodle_down()));
    meanwhile(&world).await;
    for _ in 0..(74 * 6) {
        world.work().await;
        world.clock.advance(Duration::minutes(10));
    }
    world.lms.set_outage(None);
    // Whoever waited longer than a day for an account was shown, and is revived.
    world.live_through(Duration::minutes(1)).await;
    converged(&world).await;
}

#[tokio::test]
async fn work_that_needs_no_call_does_not_make_a_dead_moodle_look_alive() {
    let world = busy().await;
    world.notify_and_settle("BTEC_Students", OMAR).await;
    world.lms.set_outage(Some(moodle_down()));
    world.notify("BTEC_Enrollments", OTHER_SEAT).await;
    world.live_through(Duration::minutes(2)).await;
    let seen = world.breakers.state(Upstream::Moodle).last_success;

    for round in 0..10 {
        let asked = world.lms.calls().len();
        while world.lms.calls().len() == asked {
            world.live_through(Duration::seconds(5)).await;
        }
        // Lina's enrolment agrees already: its work, due before the next try of Omar's, is done
        // without a word to Moodle.
        let day = format!("2027-06-{}", 10 + round);
        world
            .edit("BTEC_Enrollments", SEAT, "End_Date", text(&day))
            .await;
        world.work().await;
        world.live_through(Duration::seconds(40)).await;

        let state = world.breakers.state(Upstream::Moodle);
        assert!(state.down_since.is_some(), "round {round}");
        assert_eq!(state.last_success, seen, "round {round}");
    }
}

#[tokio::test]
async fn a_moodle_that_fails_every_other_call_is_left_alone_too() {
    let world = World::new();
    world.has_active_class();
    world.notify_and_settle("BTEC_Classes", CLASS).await;
    for round in 0..60 {
        world.lms.fail_next_of(LmsVerb::UpdateCourse, moodle_down());
        world
            .edit(
                "BTEC_Classes",
                CLASS,
                "Class_Name",
                text(&format!("Name {round}")),
            )
            .await;
        world.work().await;
        if world.breakers.state(Upstream::Moodle).down_since.is_some() {
            return;
        }
        world.clock.advance(Duration::seconds(6));
        world.work().await;
    }
    panic!("half of the calls fail and nobody minds");
}

#[tokio::test]
async fn refused_credentials_are_one_issue_and_recover_by_themselves() {
    for zoho in [false, true] {
        let world = busy().await;
        refuse(&world, zoho, true);
        meanwhile(&world).await;
        let before = world.lms.calls().len() + world.crm.calls().len();
        world.live_through(Duration::minutes(30)).await;

        let issue = world.the_issue("connection_refused_credentials").await;
        assert_eq!(issue.zoho_id, None);
        let calls = world.lms.calls().len() + world.crm.calls().len() - before;
        assert!(calls <= 60, "{calls} calls with refused credentials");

        refuse(&world, zoho, false);
        world.live_through(Duration::minutes(2)).await;
        converged(&world).await;
    }
}

#[tokio::test]
async fn credentials_renewed_by_a_restart_close_the_issue_too() {
    for zoho in [false, true] {
        let world = busy().await;
        refuse(&world, zoho, true);
        meanwhile(&world).await;
        world.live_through(Duration::minutes(5)).await;
        world.the_issue("connection_refused_credentials").await;

        let world = world.restarted();
        refuse(&world, zoho, false);
        world.live_through(Duration::minutes(2)).await;
        converged(&world).await;
    }
}

fn refuse(world: &World, zoho: bool, refused: bool) {
    let code = || "INVALID_TOKEN".to_owned();
    if zoho {
        world
            .crm
            .set_outage(refused.then(|| CrmError::Unauthorised { code: code() }));
    } else {
        world
            .lms
            .set_outage(refused.then(|| LmsError::Unauthorised { code: code() }));
    }
}

#[tokio::test]
async fn a_limit_says_when_to_come_back_and_is_obeyed() {
    let world = World::new();
    world.has_lina();
    world.crm.fail_next_of(
        mzi_ports::testing::fake_crm::CrmVerb::Records,
        CrmError::RateLimited {
            after: Some(std::time::Duration::from_secs(45)),
        },
    );
    world.notify("BTEC_Students", LINA).await;
    world.work().await;
    let asked = world
        .crm
        .count(mzi_ports::testing::fake_crm::CrmVerb::Records);

    world.clock.advance(Duration::seconds(44));
    world.work().await;
    assert_eq!(
        world
            .crm
            .count(mzi_ports::testing::fake_crm::CrmVerb::Records),
        asked
    );

    world.clock.advance(Duration::seconds(1));
    world.work().await;
    world.user_of(LINA);
}
