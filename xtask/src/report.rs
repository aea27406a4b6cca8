//! The table at the end of a run, and the closing line a machine reads.

use std::time::Duration;

use crate::counts::Counts;

/// One step of the run.
#[derive(Debug)]
pub struct Row {
    pub step: String,
    pub counts: Counts,
    pub took: Duration,
    /// Why it failed, where the counts alone do not say.
    pub note: Option<String>,
}

/// What ran, in the order it ran.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
}

impl Report {
    pub fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for row in &self.rows {
            total.add(row.counts);
        }
        total
    }

    /// A run without a single passed check proves nothing, so it is not clean.
    pub fn is_clean(&self) -> bool {
        let total = self.total();
        total.failed == 0 && total.passed > 0
    }

    pub fn table(&self) -> String {
        let width = self.rows.iter().map(|row| row.step.len()).max();
        let width = width.unwrap_or_default().max("step".len());
        let mut table = format!(
            "{:width$}  {:>6}  {:>6}  {:>7}  {:>7}\n",
            "step", "passed", "failed", "skipped", "seconds"
        );
        for row in &self.rows {
            let Counts {
                passed,
                failed,
                skipped,
            } = row.counts;
            let seconds = row.took.as_secs_f64();
            let note = row.note.as_deref().unwrap_or_default();
            let line = format!(
                "{:width$}  {passed:>6}  {failed:>6}  {skipped:>7}  {seconds:>7.1}  {note}",
                row.step
            );
            table.push_str(line.trim_end());
            table.push('\n');
        }
        table
    }

    pub fn closing_line(&self) -> String {
        let total = self.total();
        let mut line = format!("{} passed, {} failed", total.passed, total.failed);
        if total.skipped > 0 {
            line.push_str(&format!(", {} skipped", total.skipped));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: &str, passed: u32, failed: u32, skipped: u32) -> Row {
        Row {
            step: step.to_owned(),
            counts: Counts {
                passed,
                failed,
                skipped,
            },
            took: Duration::from_millis(1_250),
            note: (failed > 0).then(|| "did not build".to_owned()),
        }
    }

    #[test]
    fn the_closing_line_sums_every_step() {
        let mut report = Report::default();
        report.push(row("formatting", 1, 0, 0));
        report.push(row("tests", 40, 2, 3));
        assert_eq!(report.closing_line(), "41 passed, 2 failed, 3 skipped");
        assert!(!report.is_clean());
    }

    #[test]
    fn nothing_skipped_is_not_mentioned() {
        let mut report = Report::default();
        report.push(row("tests", 4, 0, 0));
        assert_eq!(report.closing_line(), "4 passed, 0 failed");
        assert!(report.is_clean());
    }

    #[test]
    fn a_run_that_checked_nothing_is_not_clean() {
        assert!(!Report::default().is_clean());
    }

    #[test]
    fn the_table_has_a_line_per_step_and_the_reason_of_a_failure() {
        let mut report = Report::default();
        report.push(row("formatting", 1, 0, 0));
        report.push(row("lints", 0, 1, 0));
        let table = report.table();
        assert_eq!(table.lines().count(), 3);
        assert!(table.contains("formatting       1       0        0      1.2\n"));
        assert!(table.contains("lints            0       1        0      1.2  did not build\n"));
    }
}
