//! What a failed call means for the work it was made for.

use std::time::Duration as StdDuration;

use chrono::{DateTime, Duration, Utc};
use mzi_domain::{Issue, IssueCode};
use mzi_ports::{
    CrmError, LmsError, Retry,
    ledger::{Effects, Lease, Verdict, WorkResult},
};
use rand::Rng;

/// First pause after a failure, doubled with every attempt.
const FIRST_PAUSE_SECONDS: i64 = 5;
/// Longest pause.
const LONGEST_PAUSE_SECONDS: i64 = 15 * 60;
/// The pause while the other side is out: its breaker decides when work really goes on.
const OUTAGE_PAUSE_SECONDS: i64 = 5;
/// After this much time of trying, a person must look.
const GIVE_UP_AFTER_HOURS: i64 = 72;

/// A failed call to either side, as far as work is concerned.
pub trait Failure: std::fmt::Display + Send + Sync {
    /// What it means for trying again.
    fn retry(&self) -> Retry;
    /// Whether the other side itself is unwell.
    fn is_outage(&self) -> bool;
    /// Whether the credentials are refused.
    fn is_refusal(&self) -> bool {
        self.retry() == Retry::AfterReauth
    }
    /// The code of the issue a person sees when trying again cannot help.
    fn issue_code(&self) -> IssueCode;
}

macro_rules! failure {
    ($error:ident) => {
        impl Failure for $error {
            fn retry(&self) -> Retry {
                Self::retry(self)
            }

            fn is_outage(&self) -> bool {
                Self::is_outage(self)
            }

            fn issue_code(&self) -> IssueCode {
                match self {
                    Self::Unauthorised { .. } => IssueCode::ConnectionRefused,
                    Self::Forbidden { .. } => IssueCode::NotAllowed,
                    Self::Protocol { .. } => IssueCode::Protocol,
                    _ => IssueCode::Refused,
                }
            }
        }
    };
}

failure!(CrmError);
failure!(LmsError);

/// How work ends whose call failed.
pub fn verdict(error: &dyn Failure, lease: &Lease, now: DateTime<Utc>) -> Verdict {
    let reason = error.to_string();
    let outage = error.is_outage();
    match error.retry() {
        Retry::Never => Verdict::Stopped {
            issue: Issue::new(error.issue_code(), reason),
            on: None,
        },
        Retry::After(pause) => {
            let at = now + Duration::from_std(pause).unwrap_or(longest_pause());
            Verdict::Retry {
                at,
                reason,
                counts: false,
            }
        }
        Retry::AfterReauth => {
            let at = now + Duration::seconds(OUTAGE_PAUSE_SECONDS);
            Verdict::Retry {
                at,
                reason,
                counts: false,
            }
        }
        Retry::Later if outage => {
            let at = now + jittered(Duration::seconds(OUTAGE_PAUSE_SECONDS));
            Verdict::Retry {
                at,
                reason,
                counts: false,
            }
        }
        Retry::Later => counted(lease, reason, now),
    }
}

/// The result of work whose call failed.
pub fn result(error: &dyn Failure, lease: Lease, now: DateTime<Utc>) -> WorkResult {
    let verdict = verdict(error, &lease, now);
    WorkResult {
        lease,
        verdict,
        effects: Effects::default(),
    }
}

/// The result of work a person must look at.
pub fn stopped(lease: Lease, issue: Issue) -> WorkResult {
    WorkResult {
        lease,
        verdict: Verdict::Stopped { issue, on: None },
        effects: Effects::default(),
    }
}

fn counted(lease: &Lease, reason: String, now: DateTime<Utc>) -> Verdict {
    let long_enough = Duration::hours(GIVE_UP_AFTER_HOURS);
    if lease
        .failing_since
        .is_some_and(|since| now - since >= long_enough)
    {
        return Verdict::Stopped {
            issue: Issue::new(IssueCode::GaveUp, reason),
            on: None,
        };
    }
    let doublings = lease.attempts.min(10);
    let pause = Duration::seconds(FIRST_PAUSE_SECONDS << doublings).min(longest_pause());
    Verdict::Retry {
        at: now + jittered(pause),
        reason,
        counts: true,
    }
}

fn longest_pause() -> Duration {
    Duration::seconds(LONGEST_PAUSE_SECONDS)
}

/// Between half of the pause and all of it, so that many failures do not come back together.
fn jittered(pause: Duration) -> Duration {
    let whole = pause.to_std().unwrap_or(StdDuration::ZERO);
    let factor = rand::rng().random_range(0.5..=1.0);
    Duration::from_std(whole.mul_f64(factor)).unwrap_or(pause)
}

#[cfg(test)]
mod tests {
    use mzi_domain::{Lane, WorkKey, ZohoId};

    use super::*;

    fn lease(attempts: u32, failing_hours: i64, now: DateTime<Utc>) -> Lease {
        Lease {
            key: WorkKey::new(Lane::Account, ZohoId::parse("9001").unwrap()),
            fence: 1,
            seen: 1,
            attempts,
            failing_since: Some(now - Duration::hours(failing_hours)),
            deletion_reported: false,
            recheck: false,
            waiting_since: None,
        }
    }

    #[test]
    fn an_outage_never_uses_up_attempts() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let outage = LmsError::Unavailable {
            reason: "503".into(),
        };
        let verdict = verdict(&outage, &lease(9, 80, now), now);
        assert!(matches!(verdict, Verdict::Retry { counts: false, .. }));
    }

    #[test]
    fn pauses_grow_to_a_quarter_of_an_hour_and_end_after_three_days() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let odd = LmsError::Protocol {
            detail: "no id".into(),
        };
        let pause = |attempts| match verdict(&odd, &lease(attempts, 1, now), now) {
            Verdict::Retry {
                at, counts: true, ..
            } => at - now,
            other => panic!("{other:?}"),
        };
        assert!(pause(0) <= Duration::seconds(5));
        assert!(pause(30) <= Duration::minutes(15) && pause(30) >= Duration::minutes(7));
        let ended = verdict(&odd, &lease(30, 72, now), now);
        assert!(matches!(ended, Verdict::Stopped { issue, .. } if issue.code == IssueCode::GaveUp));
    }

    #[test]
    fn a_refusal_stops_at_once_with_its_reason() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let refusal = CrmError::Rejected {
            operation: "update BTEC_Students".into(),
            code: "INVALID_DATA".into(),
            message: "Student_Moodle_ID".into(),
        };
        let Verdict::Stopped { issue, .. } = verdict(&refusal, &lease(0, 0, now), now) else {
            panic!("it was tried again")
        };
        assert_eq!(issue.code, IssueCode::Refused);
        assert!(issue.message.contains("Student_Moodle_ID"));
    }
}
