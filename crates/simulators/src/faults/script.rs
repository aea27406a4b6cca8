//! Decides which scripted fault meets a call.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{Effect, Fault, Matcher};
use crate::locked;

/// The scripted faults of one simulator, in the order they were added.
#[derive(Debug, Default)]
pub struct Faults {
    armed: Mutex<Vec<Armed>>,
    /// Spares every call the lock while nothing is scripted.
    any: AtomicBool,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    matched: u64,
    met: u64,
    dice: StdRng,
}

/// What the script says about one call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verdict {
    /// How long to wait first.
    pub latency: Duration,
    /// The one effect besides waiting.
    pub effect: Option<Effect>,
}

impl Faults {
    /// Adds a fault to the script.
    pub fn add(&self, fault: Fault) {
        let dice = StdRng::seed_from_u64(fault.when.seed);
        locked(&self.armed).push(Armed {
            fault,
            matched: 0,
            met: 0,
            dice,
        });
        self.any.store(true, Ordering::Release);
    }

    /// Removes every fault.
    pub fn clear(&self) {
        locked(&self.armed).clear();
        self.any.store(false, Ordering::Release);
    }

    /// The faults with how often each was met.
    #[must_use]
    pub fn list(&self) -> Vec<(Fault, u64)> {
        locked(&self.armed)
            .iter()
            .map(|armed| (armed.fault.clone(), armed.met))
            .collect()
    }

    /// Decides about a call: latencies add up, the first other effect wins.
    #[must_use]
    pub fn of_call(&self, method: &str, target: &str) -> Verdict {
        if !self.any.load(Ordering::Acquire) {
            return Verdict::default();
        }
        let mut verdict = Verdict::default();
        for armed in locked(&self.armed).iter_mut() {
            let effect = &armed.fault.effect;
            let waits = matches!(effect, Effect::Latency { .. });
            if effect.is_for_notifications() || (verdict.effect.is_some() && !waits) {
                continue;
            }
            match armed.meets(method, target) {
                Some(Effect::Latency { ms }) => verdict.latency += Duration::from_millis(ms),
                met => verdict.effect = verdict.effect.or(met),
            }
        }
        verdict
    }

    /// Decides about a notification of a module.
    #[must_use]
    pub fn of_notification(&self, module: &str) -> Option<Effect> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        locked(&self.armed)
            .iter_mut()
            .filter(|armed| armed.fault.effect.is_for_notifications())
            .find_map(|armed| armed.meets("POST", module))
    }
}

impl Armed {
    fn meets(&mut self, method: &str, target: &str) -> Option<Effect> {
        let when = &self.fault.when;
        if !when.describes(method, target) || when.times.is_some_and(|times| self.met >= times) {
            return None;
        }
        if let Some(probability) = when.probability
            && !self.dice.random_bool(probability.clamp(0.0, 1.0))
        {
            return None;
        }
        self.matched += 1;
        if self.matched <= when.skip {
            return None;
        }
        self.met += 1;
        Some(self.fault.effect.clone())
    }
}

impl Matcher {
    fn describes(&self, method: &str, target: &str) -> bool {
        self.method
            .as_ref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self
                .contains
                .as_ref()
                .is_none_or(|part| target.contains(part.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_skips_then_meets_its_number_of_calls() {
        let faults = Faults::default();
        let when = Matcher {
            skip: 1,
            times: Some(2),
            ..Matcher::target("/upsert")
        };
        faults.add(Fault {
            when,
            effect: Effect::ResetAfter,
        });

        let met: Vec<bool> = (0..5)
            .map(|_| faults.of_call("POST", "/crm/v8/M/upsert").effect.is_some())
            .collect();

        assert_eq!(met, [false, true, true, false, false]);
    }

    #[test]
    fn latencies_add_up_and_the_first_other_effect_wins() {
        let faults = Faults::default();
        faults.add(Fault::always(Effect::Latency { ms: 10 }));
        faults.add(Fault::always(Effect::ResetBefore));
        faults.add(Fault::always(Effect::Latency { ms: 5 }));
        faults.add(Fault::always(Effect::ResetAfter));

        let verdict = faults.of_call("GET", "/");

        assert_eq!(verdict.latency, Duration::from_millis(15));
        assert_eq!(verdict.effect, Some(Effect::ResetBefore));
    }

    #[test]
    fn the_same_seed_meets_the_same_calls() {
        let run = |seed| {
            let faults = Faults::default();
            let when = Matcher {
                probability: Some(0.3),
                seed,
                ..Matcher::default()
            };
            faults.add(Fault {
                when,
                effect: Effect::ResetBefore,
            });
            (0..64)
                .map(|_| faults.of_call("GET", "/").effect.is_some())
                .collect::<Vec<_>>()
        };

        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }

    #[test]
    fn a_fault_of_notifications_leaves_calls_alone() {
        let faults = Faults::default();
        faults.add(Fault::always(Effect::DropNotifications));

        assert_eq!(faults.of_call("GET", "/"), Verdict::default());
        assert_eq!(
            faults.of_notification("BTEC_Students"),
            Some(Effect::DropNotifications)
        );
    }
}
