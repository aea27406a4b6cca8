//! I8: ids belong to a place; when another place answers, all writing stops.

use chrono::Duration;
use mzi_domain::Upstream;
use mzi_ports::{crm::Organisation, lms::Site, testing::fake_lms::LmsVerb};

use crate::{
    ids::{LINA, OMAR},
    world::{World, text},
};

fn another_site() -> Site {
    Site {
        url: "https://moodle-copy.college.example".into(),
        name: "Northfield College (copy)".into(),
        release: "4.5.6 (Build: 20250811)".into(),
        functions: Vec::new(),
    }
}

fn another_organisation() -> Organisation {
    Organisation {
        id: "900000002".into(),
        name: Some("Another College".into()),
        time_zone: None,
    }
}

/// Lina is known; Omar is about to come; one side now answers as another place.
async fn moved(upstream: Upstream) -> World {
    let world = World::new();
    world.has_lina();
    world.has_student(OMAR, "Omar", "Aziz");
    world.notify_and_settle("BTEC_Students", LINA).await;
    match upstream {
        Upstream::Zoho => world.crm.set_organisation(another_organisation()),
        Upstream::Moodle => world.lms.set_site(another_site()),
    }
    world.clock.advance(Duration::minutes(10));
    world
}

#[tokio::test]
async fn another_organisation_or_site_stops_all_writing_until_it_is_accepted() {
    for upstream in [Upstream::Zoho, Upstream::Moodle] {
        let world = moved(upstream).await;
        world.notify("BTEC_Students", OMAR).await;
        world
            .edit("BTEC_Students", LINA, "First_Name", text("Leena"))
            .await;
        world.live_through(Duration::minutes(25)).await;

        let issue = world.the_issue("place_changed").await;
        assert!(issue.message.contains("9000000") || issue.message.contains("moodle-copy"));
        assert_eq!(world.lms.count(LmsVerb::CreateUser), 1, "{upstream}");
        assert_eq!(world.lms.count(LmsVerb::UpdateUsers), 0, "{upstream}");
        assert_eq!(world.crm.writes().len(), 1, "{upstream}");

        world.places.accept(upstream).await.unwrap();
        world.settle().await;
        assert_eq!(world.issue_codes().await, [""; 0]);
        world.user_of(OMAR);
        assert_eq!(
            world.lms.user(world.user_of(LINA)).unwrap().first_name,
            "Leena"
        );
    }
}

#[tokio::test]
async fn another_place_is_noticed_by_a_new_process_before_it_writes_anything() {
    for upstream in [Upstream::Zoho, Upstream::Moodle] {
        let world = moved(upstream).await.restarted();
        world.notify_and_settle("BTEC_Students", OMAR).await;

        assert_eq!(world.lms.count(LmsVerb::CreateUser), 1, "{upstream}");
        world.the_issue("place_changed").await;
    }
}

#[tokio::test]
async fn the_right_place_that_answers_again_lets_writing_go_on() {
    let world = moved(Upstream::Moodle).await;
    world.notify_and_settle("BTEC_Students", OMAR).await;
    world.the_issue("place_changed").await;

    world.lms.set_site(Site {
        url: "https://moodle.college.example".into(),
        ..another_site()
    });
    world.live_through(Duration::minutes(11)).await;

    assert_eq!(world.issue_codes().await, [""; 0]);
    world.user_of(OMAR);
}

#[tokio::test]
async fn records_of_another_organisation_are_not_even_read() {
    let world = moved(Upstream::Zoho).await;
    world.work().await;
    let read = world.crm.calls().len();

    world.notify("BTEC_Students", OMAR).await;
    world.work().await;

    assert_eq!(world.crm.calls().len(), read);
}

#[tokio::test]
async fn credentials_that_may_not_name_their_organisation_are_no_reason_to_stop() {
    let world = World::new();
    world.has_lina();
    world.crm.fail_next_of(
        mzi_ports::testing::fake_crm::CrmVerb::Organisation,
        mzi_ports::CrmError::Forbidden {
            operation: "org".into(),
            code: "OAUTH_SCOPE_MISMATCH".into(),
        },
    );

    world.notify_and_settle("BTEC_Students", LINA).await;

    world.user_of(LINA);
}
