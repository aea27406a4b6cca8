//! Many rows in few calls, when one bad row spoils a call.

use mzi_ports::LmsError;

use crate::ROWS_PER_CALL;

/// One outcome for each row, in order.
pub(crate) type Outcomes = Vec<Result<(), LmsError>>;

/// Rows on their way, in calls of up to [`ROWS_PER_CALL`].
///
/// A refused call is halved until the bad rows stand alone: one bad row in 100 costs at most 12
/// further calls.
pub(crate) struct Sending<'a, R> {
    waiting: Vec<&'a [R]>,
    sent: &'a [R],
    total: usize,
    outcomes: Outcomes,
    blames_a_row: fn(&LmsError) -> bool,
}

impl<'a, R> Sending<'a, R> {
    /// `blames_a_row` tells a refusal that one row may have caused from a failure that would meet
    /// any other call as well.
    pub(crate) fn new(rows: &'a [R], blames_a_row: fn(&LmsError) -> bool) -> Self {
        Self {
            waiting: rows.chunks(ROWS_PER_CALL).rev().collect(),
            sent: &[],
            total: rows.len(),
            outcomes: Outcomes::with_capacity(rows.len()),
            blames_a_row,
        }
    }

    /// The rows of the next call; then [`note`](Self::note) its answer.
    pub(crate) fn next(&mut self) -> Option<&'a [R]> {
        self.sent = self.waiting.pop()?;
        Some(self.sent)
    }

    /// Takes down the answer to the rows last handed out.
    ///
    /// A failure that is no row's fault ends the sending: it is the outcome of all who have none
    /// yet, or of the whole when nobody has.
    pub(crate) fn note(&mut self, answer: Result<Outcomes, LmsError>) -> Result<(), LmsError> {
        match answer {
            Ok(each) => self.outcomes.extend(each),
            Err(error) if !(self.blames_a_row)(&error) => {
                if self.outcomes.is_empty() {
                    return Err(error);
                }
                self.waiting.clear();
                self.outcomes.resize(self.total, Err(error));
            }
            Err(error) if self.sent.len() == 1 => self.outcomes.push(Err(error)),
            Err(_) => {
                let (first, rest) = self.sent.split_at(self.sent.len() / 2);
                self.waiting.push(rest);
                self.waiting.push(first);
            }
        }
        Ok(())
    }

    /// What became of each row.
    pub(crate) fn outcomes(self) -> Outcomes {
        self.outcomes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> LmsError {
        LmsError::Rejected {
            operation: "enrol".into(),
            code: "invaliduser".into(),
            message: String::new(),
        }
    }

    fn outage() -> LmsError {
        LmsError::Unavailable {
            reason: "HTTP 503".into(),
        }
    }

    /// Sends rows to somebody who answers; with the number of calls it took.
    fn send<R>(
        rows: &[R],
        answer: impl Fn(usize, &[R]) -> Result<(), LmsError>,
    ) -> (Result<Outcomes, LmsError>, usize) {
        let mut calls = 0;
        let mut sending = Sending::new(rows, |error| *error == refusal());
        while let Some(batch) = sending.next() {
            calls += 1;
            let answer = answer(calls, batch).map(|()| vec![Ok(()); batch.len()]);
            if let Err(error) = sending.note(answer) {
                return (Err(error), calls);
            }
        }
        (Ok(sending.outcomes()), calls)
    }

    #[test]
    fn one_bad_row_in_a_hundred_is_found_in_at_most_sixteen_further_calls() {
        let rows: Vec<usize> = (0..100).collect();
        for bad in 0..100 {
            let refuse = |_, batch: &[usize]| match batch.contains(&bad) {
                true => Err(refusal()),
                false => Ok(()),
            };
            let (outcomes, calls) = send(&rows, refuse);
            let mut expected = vec![Ok(()); 100];
            expected[bad] = Err(refusal());
            assert_eq!(outcomes, Ok(expected));
            assert!(calls <= 2 + 16, "{calls} calls for row {bad}");
        }
    }

    #[test]
    fn an_outage_is_nobodys_fault_and_ends_the_sending() {
        let second_fails = |call, _: &[i32]| if call == 2 { Err(outage()) } else { Ok(()) };
        let (outcomes, calls) = send(&[0; 120], second_fails);
        let outcomes = outcomes.unwrap();
        assert_eq!(outcomes[49..51], [Ok(()), Err(outage())]);
        assert_eq!((outcomes.len(), calls), (120, 2));

        let all_fail = |_, _: &[i32]| Err(outage());
        assert_eq!(send(&[0; 120], all_fail), (Err(outage()), 1));
    }

    #[test]
    fn nothing_to_send_is_not_sent() {
        assert_eq!(send(&[], |_, _: &[i32]| Err(outage())), (Ok(vec![]), 0));
    }
}
