//! The one table: what was measured, against the limit of the same run and the goal of the design.

use std::fmt;

use serde::Serialize;

/// One figure.
#[derive(Debug, Clone)]
pub struct Row {
    /// The goal's number in the design, §13.
    goal: &'static str,
    what: String,
    unit: Unit,
    measured: Option<f64>,
    limit: Option<f64>,
    demands: Vec<Demand>,
    note: String,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Answers, records or calls per second.
    PerSecond,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Megabytes of resident memory.
    Megabytes,
    /// Anything counted.
    Count,
}

/// What the design asks of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Demand {
    /// At least this share of the limit.
    ShareAtLeast(f64),
    /// At most so many times the limit.
    TimesAtMost(f64),
    /// At most this.
    AtMost(f64),
    /// Exactly this.
    Exactly(f64),
}

/// A row as JSON shows it.
#[derive(Serialize)]
struct Line<'a> {
    goal: &'a str,
    figure: &'a str,
    unit: &'static str,
    measured: Option<f64>,
    limit: Option<f64>,
    ratio: Option<f64>,
    demanded: String,
    met: Option<bool>,
    note: &'a str,
}

impl Row {
    /// A figure that was measured.
    pub fn new(goal: &'static str, what: impl Into<String>, unit: Unit, measured: f64) -> Self {
        let (limit, demands, note) = (None, Vec::new(), String::new());
        Self {
            goal,
            what: what.into(),
            unit,
            measured: Some(measured),
            limit,
            demands,
            note,
        }
    }

    /// A figure that could not be measured, and why.
    pub fn skipped(goal: &'static str, what: impl Into<String>, why: &str) -> Self {
        Self {
            measured: None,
            ..Self::new(goal, what, Unit::Count, 0.0)
        }
        .note(why)
    }

    /// The limit, measured in the same run.
    pub fn limit(self, limit: f64) -> Self {
        Self {
            limit: Some(limit),
            ..self
        }
    }

    /// What the design asks.
    pub fn demand(mut self, demand: Demand) -> Self {
        self.demands.push(demand);
        self
    }

    /// What a reader must know beside the numbers.
    pub fn note(self, note: impl Into<String>) -> Self {
        Self {
            note: note.into(),
            ..self
        }
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.measured? / self.limit.filter(|limit| *limit > 0.0)?)
    }

    /// Whether all is as demanded; nothing where nothing is, or nothing was measured.
    fn met(&self) -> Option<bool> {
        let measured = self.measured?;
        if self.demands.is_empty() {
            return None;
        }
        let ratio = self.ratio();
        Some(
            self.demands
                .iter()
                .all(|demand| demand.is_met(measured, ratio)),
        )
    }

    fn demanded(&self) -> String {
        let words: Vec<String> = self
            .demands
            .iter()
            .map(|one| one.words(self.unit))
            .collect();
        words.join(", ")
    }

    fn line(&self) -> Line<'_> {
        Line {
            goal: self.goal,
            figure: &self.what,
            unit: self.unit.name(),
            measured: self.measured,
            limit: self.limit,
            ratio: self.ratio(),
            demanded: self.demanded(),
            met: self.met(),
            note: &self.note,
        }
    }

    fn cells(&self) -> [String; 8] {
        let shown = |value: Option<f64>| value.map_or_else(String::new, |v| self.unit.show(v));
        let met = match self.met() {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        [
            self.goal.to_owned(),
            self.what.clone(),
            self.measured
                .map_or_else(|| "skipped".to_owned(), |value| self.unit.show(value)),
            shown(self.limit),
            self.ratio()
                .map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            self.demanded(),
            met.to_owned(),
            self.note.clone(),
        ]
    }
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::PerSecond => "1/s",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Megabytes => "MB",
            Self::Count => "",
        }
    }

    fn show(self, value: f64) -> String {
        let number = match value.abs() {
            _ if self == Self::Count && value.fract() == 0.0 => format!("{value}"),
            size if size >= 100.0 => format!("{value:.0}"),
            size if size >= 10.0 => format!("{value:.1}"),
            _ => format!("{value:.2}"),
        };
        format!("{number} {}", self.name()).trim_end().to_owned()
    }
}

impl Demand {
    fn is_met(self, measured: f64, ratio: Option<f64>) -> bool {
        match self {
            Self::ShareAtLeast(share) => ratio.is_some_and(|ratio| ratio >= share),
            Self::TimesAtMost(times) => ratio.is_some_and(|ratio| ratio <= times),
            Self::AtMost(most) => measured <= most,
            Self::Exactly(value) => (measured - value).abs() < f64::EPSILON,
        }
    }

    fn words(self, unit: Unit) -> String {
        match self {
            Self::ShareAtLeast(share) => format!("≥ {share:.2} of limit"),
            Self::TimesAtMost(times) => format!("≤ {times:.1} × limit"),
            Self::AtMost(most) => format!("≤ {}", unit.show(most)),
            Self::Exactly(value) => format!("= {}", unit.show(value)),
        }
    }
}

/// Every figure of a run.
#[derive(Debug, Default)]
pub struct Report(pub Vec<Row>);

impl Report {
    /// The same for machines.
    pub fn json(&self) -> serde_json::Result<String> {
        let lines: Vec<Line<'_>> = self.0.iter().map(Row::line).collect();
        serde_json::to_string_pretty(&lines)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = [
            "goal", "figure", "measured", "limit", "ratio", "demanded", "met", "note",
        ];
        let mut lines = vec![head.map(str::to_owned)];
        lines.extend(self.0.iter().map(Row::cells));
        let mut widths = [0; 8];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = cell.chars().count().max(*width);
            }
        }
        for line in &lines {
            let cells: Vec<String> = line
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            writeln!(out, "{}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_only_when_every_demand_is() {
        let row = |measured| {
            Row::new("G2", "p99", Unit::Milliseconds, measured)
                .limit(2.0)
                .demand(Demand::TimesAtMost(2.5))
                .demand(Demand::AtMost(4.5))
        };
        assert_eq!(row(4.0).met(), Some(true));
        assert_eq!(row(4.8).met(), Some(false));
        assert_eq!(row(5.1).met(), Some(false));
    }

    #[test]
    fn a_share_without_a_limit_is_not_met() {
        let row = Row::new("G1", "c1", Unit::PerSecond, 9.0).demand(Demand::ShareAtLeast(0.5));
        assert_eq!(row.met(), Some(false));
    }

    #[test]
    fn what_was_skipped_is_neither_met_nor_missed() {
        let row = Row::skipped("G3", "slow disk", "no strace").demand(Demand::AtMost(1.0));
        assert_eq!(row.met(), None);
        assert!(Report(vec![row]).to_string().contains("skipped"));
    }

    #[test]
    fn numbers_are_shown_with_the_digits_that_matter() {
        assert_eq!(Unit::PerSecond.show(12_345.6), "12346 1/s");
        assert_eq!(Unit::Milliseconds.show(1.2345), "1.23 ms");
        assert_eq!(Unit::Megabytes.show(24.96), "25.0 MB");
        assert_eq!(Unit::Count.show(1.0), "1");
    }
}
