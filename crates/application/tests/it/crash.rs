//! Whichever call goes wrong, and however: the end is the same.
//!
//! Each scenario is run once undisturbed and then once for every port call it makes and every
//! way in which that call can go wrong.

use mzi_domain::FieldValue;

use crate::{
    ids::{CLASS, LINA, OMAR, OTHER_CLASS, OTHER_SEAT, OTHER_TEACHER, SEAT, TEACHER},
    world::{Outside, World, fuse::Mishap, lookup, text},
};

/// What happens in Zoho, notice by notice.
#[derive(Debug, Clone, Copy)]
enum Happening {
    /// A whole college arrives, enrolment first.
    Arrival,
    /// Names, addresses, the class and the teacher change.
    Changes,
    /// An enrolment moves, another is deleted, a third comes back under a new record.
    Departures,
}

impl Happening {
    async fn happen(self, world: &World) {
        match self {
            Self::Arrival => {
                world.notify("BTEC_Enrollments", SEAT).await;
                world.notify("BTEC_Classes", CLASS).await;
                world.notify("BTEC_Students", LINA).await;
            }
            Self::Changes => {
                let address = text("l.haddad@students.college.example");
                world
                    .edit("BTEC_Students", LINA, "Academic_Email", address)
                    .await;
                world
                    .edit("BTEC_Classes", CLASS, "Class_Name", text("Evening class"))
                    .await;
                world
                    .edit("BTEC_Classes", CLASS, "Teacher", lookup(OTHER_TEACHER))
                    .await;
            }
            Self::Departures => {
                world
                    .edit("BTEC_Enrollments", SEAT, "Classes", lookup(OTHER_CLASS))
                    .await;
                world.delete("BTEC_Enrollments", OTHER_SEAT).await;
                world
                    .edit("BTEC_Classes", CLASS, "Teacher", FieldValue::Null)
                    .await;
            }
        }
    }
}

/// Before the scenario: everything it needs to have something to change.
async fn prepared(happening: Happening) -> World {
    let world = World::new();
    world.has_college();
    if matches!(happening, Happening::Arrival) {
        return world;
    }
    world.has_teacher(OTHER_TEACHER, "Dana Khoury", "dana.khoury@college.example");
    let dana = "dana.khoury@college.example";
    world.lms.add_user(dana, dana, "");
    world.has_student(OMAR, "Omar", "Aziz");
    world.has_class(OTHER_CLASS, "PROG-B", "Active");
    world.has_seat(OTHER_SEAT, OMAR, CLASS);
    world.notify("BTEC_Teachers", TEACHER).await;
    world.notify("BTEC_Classes", OTHER_CLASS).await;
    world.notify("BTEC_Enrollments", OTHER_SEAT).await;
    world.notify_and_settle("BTEC_Enrollments", SEAT).await;
    world
}

/// The scenario with one call going wrong; nothing if it makes fewer calls.
async fn disturbed(happening: Happening, at: usize, mishap: Mishap) -> Option<Outside> {
    let mut world = prepared(happening).await;
    world.fuse.arm(at, mishap);
    happening.happen(&world).await;
    world.settle().await;
    let struck = world.fuse.has_struck();
    if world.fuse.is_dead() {
        world = world.restarted();
        world.settle().await;
    }
    world.fuse.disarm();
    world.keeps_its_invariants().await;
    world.has_nothing_left_to_do().await;
    struck.then_some(world.outside().await)
}

async fn ends_the_same_whatever_goes_wrong(happening: Happening) {
    let expected = {
        let world = prepared(happening).await;
        happening.happen(&world).await;
        world.settle().await;
        world.outside().await
    };
    assert!(expected.issues.is_empty(), "{expected:#?}");
    for mishap in Mishap::ALL {
        let mut calls = 0;
        while let Some(end) = disturbed(happening, calls, mishap).await {
            assert_eq!(end, expected, "{happening:?}: call {calls} {mishap:?}");
            calls += 1;
        }
        assert!(calls > 20, "{happening:?} makes only {calls} calls");
    }
}

#[tokio::test]
async fn an_arrival_ends_the_same_whichever_call_goes_wrong() {
    ends_the_same_whatever_goes_wrong(Happening::Arrival).await;
}

#[tokio::test]
async fn changes_end_the_same_whichever_call_goes_wrong() {
    ends_the_same_whatever_goes_wrong(Happening::Changes).await;
}

#[tokio::test]
async fn departures_end_the_same_whichever_call_goes_wrong() {
    ends_the_same_whatever_goes_wrong(Happening::Departures).await;
}

/// I6: an enrolment is suspended only in answer to a deletion, whatever goes wrong meanwhile.
#[tokio::test]
async fn nothing_is_suspended_without_a_fact_whichever_call_goes_wrong() {
    for mishap in Mishap::ALL {
        for at in 0.. {
            let world = prepared(Happening::Arrival).await;
            world.fuse.arm(at, mishap);
            Happening::Arrival.happen(&world).await;
            world.settle().await;
            let struck = world.fuse.has_struck();
            let world = world.restarted();
            world.settle().await;
            let suspended = world
                .fuse
                .enrolled()
                .into_iter()
                .filter(|seat| seat.suspended);
            assert_eq!(suspended.count(), 0, "call {at} {mishap:?}");
            if !struck {
                break;
            }
        }
    }
}

/// I1: what was acknowledged survives the end of the process before any work was done on it.
#[tokio::test]
async fn an_acknowledged_notice_survives_the_end_of_the_process() {
    let world = World::new();
    world.has_lina();
    world.notify("BTEC_Students", LINA).await;

    let world = world.restarted();
    world.settle().await;

    world.user_of(LINA);
}

/// A withdrawal after a beginning whose end nobody saw.
#[tokio::test]
async fn an_enrolment_whose_making_was_not_seen_is_still_ours_to_suspend() {
    for mishap in [Mishap::LosesItsAnswer, Mishap::DiesAfter] {
        for at in 0.. {
            let mut world = prepared(Happening::Arrival).await;
            world.fuse.arm(at, mishap);
            Happening::Arrival.happen(&world).await;
            world.work_in_vain().await;
            let struck = world.fuse.has_struck();
            world = world.restarted();
            world.delete("BTEC_Enrollments", SEAT).await;
            world.settle().await;

            let still = world.lms.users().into_iter().any(|user| {
                user.idnumber == LINA && world.enrolment(LINA, CLASS).is_some_and(|s| !s.suspended)
            });
            assert!(
                !still,
                "call {at} {mishap:?}: access outlived the enrolment"
            );
            assert_eq!(world.issue_codes().await, [""; 0], "call {at} {mishap:?}");
            if !struck {
                break;
            }
        }
    }
}
