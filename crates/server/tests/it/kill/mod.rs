//! The bridge is killed again and again in the middle of its work; afterwards nothing that it
//! acknowledged is missing and nothing was done twice.
//!
//! `MZI_TEST_KILLS` says how often it is killed, `MZI_TEST_SEED` repeats a run's dice. The dice
//! decide when a kill falls and what the load does; how the processes interleave they do not.

mod history;
mod invariants;
mod load;
mod outside;

use std::{sync::Arc, time::Duration};

use mzi_simulators::faults::{Effect, Fault};
use rand::{Rng, SeedableRng, rngs::StdRng};

use self::load::Load;
use crate::harness::{Backend, Bridge, World, on_each_database};

on_each_database!(whatever_was_acknowledged_survives_being_killed_again_and_again);

const KILLS: u32 = 15;
/// Longest life between two kills, in milliseconds; some end before they are ready.
const LONGEST_LIFE: u64 = 500;
/// How long the rest of the work may take after the last kill.
const PATIENCE: Duration = Duration::from_secs(180);

async fn whatever_was_acknowledged_survives_being_killed_again_and_again(backend: Backend) {
    let kills = number("MZI_TEST_KILLS").map_or(KILLS, |kills| u32::try_from(kills).unwrap());
    let seed = number("MZI_TEST_SEED").unwrap_or_else(|| rand::rng().random());
    eprintln!("{kills} kills, MZI_TEST_SEED={seed}");
    let world = Arc::new(World::new(backend).await);
    slow_down(&world);
    outside::prepare(&world);
    let mut dice = StdRng::seed_from_u64(seed);

    let mut bridge = world.start().await;
    let load = Load::begin(&world, vec![bridge.url.clone()], &mut dice);
    for kill in 0..kills {
        tokio::time::sleep(Duration::from_millis(dice.random_range(20..LONGEST_LIFE))).await;
        bridge.kill();
        load.looks_on(&world);
        bridge = world.spawn();
        // Most of them are let live until they work, some are killed while they start.
        if dice.random_bool(0.8) {
            let begun = std::time::Instant::now();
            bridge.is_ready().await;
            let took = begun.elapsed();
            assert!(
                took < Duration::from_secs(10),
                "ready after {took:?} (kill {kill})"
            );
        }
    }
    bridge.is_ready().await;
    holds(&world, &bridge, load).await;
}

/// Lets the load end and the work settle, then looks at everything.
async fn holds(world: &World, bridge: &Bridge, load: Load) {
    let memory = load.end().await;
    eprintln!("{memory}");
    bridge.settles(PATIENCE).await;
    invariants::acknowledged_is_durable(world, &memory).await;
    invariants::every_record_is_applied(world, &memory).await;
    invariants::confirmed_is_desired(world, &memory).await;
    invariants::places_are_remembered(world).await;
    outside::everybody_is_there_once(world, &memory);
    outside::only_withdrawals_suspended(world, &memory);
    history::explains_every_value(world).await;
    outside::students_see_what_zoho_says(world, bridge, &memory).await;
}

/// A little latency on both sides makes it likely that a kill falls into a call.
fn slow_down(world: &World) {
    world.zoho.fault(Fault::always(Effect::Latency { ms: 10 }));
    world
        .moodle
        .fault(Fault::always(Effect::Latency { ms: 15 }));
    // Two creates at once would make two people, as on a real site.
    world.moodle.set_race_window(Some(Duration::from_millis(5)));
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Two bridges on one database, killed in turn, never both at once.
#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_bridges_killed_in_turn_lose_nothing_either() {
    use crate::harness::Port;

    if Backend::Postgres.is_left_out() {
        return;
    }
    let kills = number("MZI_TEST_KILLS").map_or(KILLS, |kills| u32::try_from(kills).unwrap());
    let seed = number("MZI_TEST_SEED").unwrap_or_else(|| rand::rng().random());
    eprintln!("{kills} kills, MZI_TEST_SEED={seed}");
    let mut world = World::new(Backend::Postgres).await;
    slow_down(&world);
    outside::prepare(&world);
    let port = Port::claim();
    let first = world.start().await;
    world.set("BIND_ADDR", format!("127.0.0.1:{}", port.number));
    let beside = world.command(&["serve"]);
    let second = Bridge::spawn(beside, &world.log_file(), port.number);
    second.is_ready().await;
    let world = Arc::new(world);
    let mut dice = StdRng::seed_from_u64(seed);
    let load = Load::begin(
        &world,
        vec![first.url.clone(), second.url.clone()],
        &mut dice,
    );
    let ports = [world.port.number, port.number];
    let mut bridges = [Some(first), Some(second)];
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(dice.random_range(20..LONGEST_LIFE))).await;
        let which = usize::from(dice.random_bool(0.5));
        if let Some(bridge) = bridges[which].take() {
            bridge.kill();
        }
        load.looks_on(&world);
        let mut command = world.command(&["serve"]);
        command.env("BIND_ADDR", format!("127.0.0.1:{}", ports[which]));
        let again = Bridge::spawn(command, &world.log_file(), ports[which]);
        if dice.random_bool(0.8) {
            again.is_ready().await;
        }
        bridges[which] = Some(again);
    }
    let [Some(first), Some(second)] = bridges else {
        panic!("both run at the end")
    };
    first.is_ready().await;
    second.is_ready().await;
    holds(&world, &first, load).await;
}
