//! Stateful, scriptable simulators of the two systems the bridge joins: Zoho CRM v8 and Moodle.
//!
//! They answer over real HTTP on a loopback port, so that the demo, the end-to-end tests and the
//! benches exercise the whole way a call takes. They know wire formats only and depend on none of
//! the bridge's crates: a mistake shared by client and simulator would otherwise stay unseen.
//!
//! | module | what |
//! |---|---|
//! | [`zoho`] | Zoho CRM v8: OAuth, metadata, records, notifications, limits |
//! | [`moodle`] | Moodle's REST web services |
//! | [`faults`] | faults to script and the log of calls, the same for both |
//! | [`serve`] | the small HTTP/1 server both run on |
//! | [`clock`] | a clock that can be moved |
//! | [`invented`] | invented education data of any size, the same for the same seed |
//! | `conformance` | checks calls against Zoho's published OpenAPI files (feature `conformance`) |

pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod faults;
pub mod invented;
pub mod moodle;
pub mod serve;
pub mod zoho;

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// Locks `mutex`, also after a panic elsewhere: a simulator goes on answering when one test fails.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One JSON object with the keys of both; those of `more` win.
pub(crate) fn joined(mut object: Value, more: Value) -> Value {
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}
