//! The measurements, one file a figure.

mod convergence;
mod duplicates;
mod freshness;
mod intake;
mod memory;
mod reads;
mod slow_disk;
mod startup;
mod turns;

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use crate::{
    bridge, limit,
    place::{Disk, Place},
    plan::Plan,
    process::Served,
    report::Row,
};

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Figure {
    /// Everything.
    All,
    /// G1, G2, and what a kill -9 loses.
    Intake,
    /// G3: intake while every fsync takes 2 ms longer.
    SlowDisk,
    /// G5: equal notices.
    Duplicates,
    /// G10: student API.
    Reads,
    /// G12: start to first answer.
    Startup,
    /// G13: resident memory.
    Memory,
    /// First convergence of many students, and G9.
    Convergence,
    /// G14: the way of one edit.
    Freshness,
}

/// What every measurement is given.
pub struct Setting {
    /// The sizes.
    pub plan: Plan,
    /// Beneath which folders are made.
    pub folder: PathBuf,
}

/// Limit or bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Limit,
    Bridge,
}

impl Figure {
    /// The figures this one stands for, in the order of the goals.
    pub fn parts(self) -> Vec<Self> {
        match self {
            Self::All => Self::value_variants()
                .iter()
                .copied()
                .filter(|one| *one != Self::All)
                .collect(),
            one => vec![one],
        }
    }

    /// Its word on the command line.
    pub fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Measures it.
    pub fn measure(self, setting: &Setting) -> Result<Vec<Row>> {
        match self {
            Self::All => Ok(Vec::new()),
            Self::Intake => intake::measure(setting),
            Self::SlowDisk => slow_disk::measure(setting),
            Self::Duplicates => duplicates::measure(setting),
            Self::Reads => reads::measure(setting),
            Self::Startup => startup::measure(setting),
            Self::Memory => memory::measure(setting),
            Self::Convergence => convergence::measure(setting),
            Self::Freshness => freshness::measure(setting),
        }
    }
}

impl Setting {
    fn place(&self) -> Result<Place> {
        Place::new(&self.folder)
    }
}

impl Side {
    /// Both, the one that went last going first in the next round.
    fn in_turn(round: usize) -> [Self; 2] {
        if round.is_multiple_of(2) {
            [Self::Limit, Self::Bridge]
        } else {
            [Self::Bridge, Self::Limit]
        }
    }

    /// Starts it for intake alone.
    fn start(self, place: &Place, disk: Disk) -> Result<Served> {
        match self {
            Self::Limit => limit::start(place, disk, 0),
            Self::Bridge => bridge::start(place, disk, None),
        }
    }

    /// Counts the events it stored.
    fn events(self, place: &Place) -> Result<i64> {
        place.count(match self {
            Self::Limit => "(SELECT count(*) FROM events)",
            Self::Bridge => "(SELECT count(*) FROM integration_events_log)",
        })
    }
}

/// The middle value; of an even number, the higher of the two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_what_is_far_out() {
        assert!((median(vec![900.0, 3.0, 2.0]) - 3.0).abs() < f64::EPSILON);
    }

    #[test]
    fn all_is_every_figure_once_and_not_itself() {
        let all = Figure::All.parts();
        assert_eq!(all.len(), Figure::value_variants().len() - 1);
        assert!(!all.contains(&Figure::All));
    }
}
