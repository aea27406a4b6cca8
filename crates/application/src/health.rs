//! Health: what load balancers, monitors and `doctor` ask.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use mzi_domain::Upstream;
use mzi_ports::{Clock, Views, views::QueueCounts};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    breaker::{Breakers, UpstreamState},
    places::{Places, Standing},
    worker::Pulse,
};

/// How something is, in the words of `contracts/bridge.md` §5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Nobody has looked yet.
    Unknown,
    /// Working, with something amiss.
    Degraded,
    /// Not working.
    Failed,
}

/// A check of our own parts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Check {
    /// How it is.
    pub status: Status,
    /// What is amiss, without paths, hosts or error texts.
    pub detail: Option<&'static str>,
}

/// A check of an upstream; it never fails readiness.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UpstreamCheck {
    /// How it is.
    pub status: Status,
    /// When a call last succeeded.
    pub last_success: Option<DateTime<Utc>>,
}

/// All checks.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Checks {
    /// The database can be written.
    pub database: Check,
    /// No migration is pending.
    pub migrations: Check,
    /// The worker goes round.
    pub worker: Check,
    /// Notices can be taken in.
    pub intake: Check,
    /// Zoho answers.
    pub zoho: UpstreamCheck,
    /// Moodle answers.
    pub moodle: UpstreamCheck,
}

/// The state of the bridge.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Report {
    /// Failed if one of database, migrations and worker failed.
    pub status: Status,
    /// The version that runs.
    pub version: &'static str,
    /// What it is made of.
    pub checks: Checks,
    /// How much work is where.
    #[schema(value_type = Object)]
    pub queue: QueueCounts,
}

impl Report {
    /// Whether traffic may be sent here: an unconfigured bridge is ready too.
    pub fn is_ready(&self) -> bool {
        self.status != Status::Failed
    }
}

/// Looks after its own health.
pub struct Health {
    views: Arc<dyn Views>,
    clock: Arc<dyn Clock>,
    breakers: Arc<Breakers>,
    places: Option<Arc<Places>>,
    /// Absent where no worker runs because nothing is configured yet.
    pulse: Option<Arc<Pulse>>,
    intake_enabled: bool,
    version: &'static str,
}

impl Health {
    /// Watches these parts.
    pub fn new(
        views: Arc<dyn Views>,
        clock: Arc<dyn Clock>,
        breakers: Arc<Breakers>,
        places: Option<Arc<Places>>,
        pulse: Option<Arc<Pulse>>,
        intake_enabled: bool,
        version: &'static str,
    ) -> Self {
        Self {
            views,
            clock,
            breakers,
            places,
            pulse,
            intake_enabled,
            version,
        }
    }

    /// Looks now; it really writes to the database.
    pub async fn report(&self) -> Report {
        let store = self.views.probe().await.ok();
        let queue = self.views.queue().await.unwrap_or_default();
        let writable = store.is_some_and(|store| store.writable);
        let current = store.is_some_and(|store| store.migrations_current);
        let now = self.clock.now();
        let alive = self.pulse.as_ref().is_none_or(|pulse| pulse.is_alive(now));
        let checks = Checks {
            database: check(writable, "the database cannot be written"),
            migrations: check(current, "a migration is pending"),
            worker: check(alive, "the worker does not go round"),
            intake: self.intake(writable),
            zoho: self.upstream(Upstream::Zoho),
            moodle: self.upstream(Upstream::Moodle),
        };
        Report {
            status: overall(&checks),
            version: self.version,
            checks,
            queue,
        }
    }

    fn intake(&self, writable: bool) -> Check {
        if self.intake_enabled {
            return check(writable, "nothing can be stored");
        }
        Check {
            status: Status::Failed,
            detail: Some("intake_disabled: no usable webhook secret is set"),
        }
    }

    fn upstream(&self, upstream: Upstream) -> UpstreamCheck {
        let UpstreamState {
            last_success,
            down_since,
            refused,
        } = self.breakers.state(upstream);
        let elsewhere = self
            .places
            .as_ref()
            .is_some_and(|places| matches!(places.standing(upstream), Standing::Other { .. }));
        let status = match (elsewhere || refused, down_since, last_success) {
            (true, ..) => Status::Failed,
            (false, Some(_), _) => Status::Degraded,
            (false, None, Some(_)) => Status::Ok,
            (false, None, None) => Status::Unknown,
        };
        UpstreamCheck {
            status,
            last_success,
        }
    }
}

fn check(good: bool, detail: &'static str) -> Check {
    let status = if good { Status::Ok } else { Status::Failed };
    Check {
        status,
        detail: (!good).then_some(detail),
    }
}

/// Upstreams and intake degrade; our own parts fail.
fn overall(checks: &Checks) -> Status {
    let own = [&checks.database, &checks.migrations, &checks.worker];
    if own.iter().any(|check| check.status == Status::Failed) {
        return Status::Failed;
    }
    let well = |status| matches!(status, Status::Ok | Status::Unknown);
    let all = checks.intake.status == Status::Ok
        && well(checks.zoho.status)
        && well(checks.moodle.status);
    if all { Status::Ok } else { Status::Degraded }
}
