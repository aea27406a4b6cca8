//! How many tests passed, failed and were skipped, read from what cargo's test runners print.

/// Sums over every test binary of one run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}

impl Counts {
    /// One check that is not a test but weighs like one: formatting, lints, the crate graph.
    pub fn of_check(passed: bool) -> Self {
        Self {
            passed: u32::from(passed),
            failed: u32::from(!passed),
            skipped: 0,
        }
    }

    /// `None` where the line is not a summary of either runner.
    pub fn from_line(line: &str) -> Option<Self> {
        let line = line.trim_start();
        if let Some(rest) = line.strip_prefix("test result: ") {
            return Some(Self::from_items(rest.split([';', '.'])));
        }
        if line.starts_with("Summary [") {
            let (_, items) = line.split_once(" run: ")?;
            return Some(Self::from_items(without_parentheses(items).split(',')));
        }
        None
    }

    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    fn from_items<'a>(items: impl Iterator<Item = &'a str>) -> Self {
        let mut counts = Self::default();
        for item in items {
            let Some((number, what)) = item.trim().split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u32>() else {
                continue;
            };
            match what {
                "passed" => counts.passed += number,
                "skipped" | "ignored" => counts.skipped += number,
                // Chosen away by the caller, or not a test at all.
                "filtered out" | "measured" => {}
                // "failed", and nextest's "timed out" and "exec failed".
                _ => counts.failed += number,
            }
        }
        counts
    }
}

/// `3 passed (1 slow, 1 leaky), 0 skipped` → `3 passed , 0 skipped`.
fn without_parentheses(text: &str) -> String {
    let mut depth = 0_u32;
    text.chars()
        .filter(|character| {
            match character {
                '(' => depth += 1,
                ')' => {
                    depth = depth.saturating_sub(1);
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u32, failed: u32, skipped: u32) -> Option<Counts> {
        Some(Counts {
            passed,
            failed,
            skipped,
        })
    }

    #[test]
    fn the_summary_of_cargo_test_is_read() {
        let line = "test result: FAILED. 12 passed; 2 failed; 3 ignored; 0 measured; 7 filtered out; finished in 0.31s";
        assert_eq!(Counts::from_line(line), counts(12, 2, 3));
    }

    #[test]
    fn the_summary_of_nextest_is_read() {
        let line = "     Summary [   0.006s] 3 tests run: 3 passed, 1 skipped";
        assert_eq!(Counts::from_line(line), counts(3, 0, 1));
    }

    #[test]
    fn a_test_that_timed_out_or_did_not_start_counts_as_failed() {
        let line = "Summary [  61.2s] 8/9 tests run: 4 passed (1 slow, 2 leaky), 1 failed, 2 timed out, 1 exec failed, 1 skipped";
        assert_eq!(Counts::from_line(line), counts(4, 4, 1));
    }

    #[test]
    fn other_lines_are_no_summary() {
        for line in ["test a_test ... ok", "running 3 tests", "Summary", ""] {
            assert_eq!(Counts::from_line(line), None, "{line}");
        }
    }
}
