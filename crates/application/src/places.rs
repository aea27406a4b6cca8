//! Which organisation and which site the stored ids belong to (invariant I8).
//!
//! The first answer is remembered. When the same credentials later lead somewhere else, nothing
//! is written any more until a person has said what that means.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Duration, Utc};
use mzi_domain::{Issue, IssueCode, Upstream};
use mzi_ports::{Clock, Crm, CrmError, Ledger, Lms, LmsError, SettingsStore, StoreError};

use crate::failure::Failure;

/// How often a place that was right is looked at again.
const LOOK_AGAIN_MINUTES: i64 = 10;
/// How often one that was not: somebody may be accepting it or pointing the bridge back just now,
/// and everything waits for that.
const LOOK_AGAIN_WHILE_WRONG_SECONDS: i64 = 15;

/// What is known about an upstream's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is the stored place, or the first one ever seen, or it does not tell.
    Right,
    /// It is another place than the stored one.
    Other {
        /// What is stored.
        stored: String,
        /// What answers now.
        found: String,
    },
    /// It could not be asked.
    Unknown,
}

/// Why a place could not be determined.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Zoho could not be asked.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// Moodle could not be asked.
    #[error(transparent)]
    Lms(#[from] LmsError),
    /// The stored place could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PlaceError {
    /// The failure as the breakers see it; the store's own failures are not theirs.
    pub fn failure(&self) -> Option<&dyn Failure> {
        match self {
            Self::Crm(error) => Some(error),
            Self::Lms(error) => Some(error),
            Self::Store(_) => None,
        }
    }
}

/// Watches over places.
pub struct Places {
    crm: Arc<dyn Crm>,
    lms: Arc<dyn Lms>,
    settings: Arc<dyn SettingsStore>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    seen: Mutex<HashMap<Upstream, (Standing, DateTime<Utc>)>>,
}

impl Places {
    /// Remembers places in `settings`.
    pub fn new(
        crm: Arc<dyn Crm>,
        lms: Arc<dyn Lms>,
        settings: Arc<dyn SettingsStore>,
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            crm,
            lms,
            settings,
            ledger,
            clock,
            seen: Mutex::default(),
        }
    }

    /// What was last seen, without asking anybody.
    pub fn standing(&self, upstream: Upstream) -> Standing {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&upstream)
            .map_or(Standing::Unknown, |(standing, _)| standing.clone())
    }

    /// Whether it is time to look.
    pub fn is_due(&self, upstream: Upstream) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&upstream).is_none_or(|(standing, at)| {
            let again = match standing {
                Standing::Right => Duration::minutes(LOOK_AGAIN_MINUTES),
                Standing::Other { .. } | Standing::Unknown => {
                    Duration::seconds(LOOK_AGAIN_WHILE_WRONG_SECONDS)
                }
            };
            self.clock.now() - *at >= again
        })
    }

    /// Asks the upstream where it is and compares; a first answer is stored.
    pub async fn look(&self, upstream: Upstream) -> Result<Standing, PlaceError> {
        let standing = match self.ask(upstream).await? {
            None => Standing::Right,
            Some(found) => self.compare(upstream, found).await?,
        };
        let now = self.clock.now();
        let issue = match &standing {
            Standing::Other { stored, found } => Some(Issue::new(
                IssueCode::PlaceChanged,
                format!("{upstream} answers as {found}, but the stored ids belong to {stored}."),
            )),
            Standing::Right | Standing::Unknown => None,
        };
        self.ledger
            .connection_issue(&subject(upstream), issue.as_ref(), now)
            .await?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(upstream, (standing.clone(), now));
        Ok(standing)
    }

    /// Accepts the place that answers now as the stored one, under a new address.
    pub async fn accept(&self, upstream: Upstream) -> Result<Option<String>, PlaceError> {
        let Some(found) = self.ask(upstream).await? else {
            return Ok(None);
        };
        self.settings
            .put(&subject(upstream), &found, self.clock.now())
            .await?;
        self.look(upstream).await?;
        Ok(Some(found))
    }

    /// The place's own name for itself; nothing if these credentials may not ask, which is no
    /// reason to stop.
    async fn ask(&self, upstream: Upstream) -> Result<Option<String>, PlaceError> {
        match upstream {
            Upstream::Zoho => match self.crm.organisation().await {
                Ok(organisation) => Ok(Some(format!("organisation {}", organisation.id))),
                Err(
                    CrmError::Forbidden { .. }
                    | CrmError::Rejected { .. }
                    | CrmError::Protocol { .. },
                ) => Ok(None),
                Err(error) => Err(error.into()),
            },
            Upstream::Moodle => Ok(Some(self.lms.site().await?.url)),
        }
    }

    async fn compare(&self, upstream: Upstream, found: String) -> Result<Standing, StoreError> {
        let now = self.clock.now();
        let stored = self
            .settings
            .put_if_absent(&subject(upstream), &found, now)
            .await?;
        Ok(if stored == found {
            Standing::Right
        } else {
            Standing::Other { stored, found }
        })
    }
}

/// The setting, and the subject of the issue.
fn subject(upstream: Upstream) -> String {
    format!("place:{}", upstream.word())
}
