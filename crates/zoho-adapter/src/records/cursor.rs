//! Where a walk through a module stands.
//!
//! Pages follow each other by Zoho's page token where it gives one, by number before (2 000
//! records at most). A token lives for a day and walks end at 100 000 records; the walk then
//! starts over from the last `Modified_Time` it saw, which is possible because pages come oldest
//! change first. Records of that second are read twice, which does no harm.

use chrono::{DateTime, Duration, Utc};
use mzi_domain::CrmRecord;
use serde::{Deserialize, Serialize};

use crate::wire::Info;

/// Records on a page.
pub(super) const PER_PAGE: u32 = 200;

/// The last page that has a number.
const LAST_NUMBERED: u32 = 2_000 / PER_PAGE;

/// A place in a walk; as JSON it is the port's page token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    pub(super) step: Step,
    /// Only records modified since then: the request's limit, or where the walk started over.
    pub(super) since: Option<DateTime<Utc>>,
    /// The last `Modified_Time` seen so far.
    last: Option<DateTime<Utc>>,
}

/// The page to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Step {
    Number(u32),
    Token(String),
}

impl Cursor {
    /// The beginning of a walk.
    pub(super) fn start(since: Option<DateTime<Utc>>) -> Self {
        Self {
            step: Step::Number(1),
            since,
            last: None,
        }
    }

    /// Reads a page token of ours.
    pub(super) fn parse(token: &str) -> Option<Self> {
        serde_json::from_str(token).ok()
    }

    /// The port's page token.
    pub(super) fn token(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// The place after this page; nothing at the end of the walk. `Err` when the walk cannot go
    /// on: more records share one second than a walk may hold.
    pub(super) fn after(&self, info: &Info, records: &[CrmRecord]) -> Result<Option<Self>, Stuck> {
        if !info.more_records {
            return Ok(None);
        }
        let last = records.iter().filter_map(|record| record.modified_at).max();
        let here = Self {
            last: last.max(self.last),
            ..self.clone()
        };
        let step = match (&info.next_page_token, &self.step) {
            (Some(token), _) => Step::Token(token.clone()),
            (None, Step::Number(page)) if *page < LAST_NUMBERED => Step::Number(page + 1),
            (None, _) => return here.anew().map(Some),
        };
        Ok(Some(Self { step, ..here }))
    }

    /// A new walk from the last change this one saw.
    pub(super) fn anew(&self) -> Result<Self, Stuck> {
        // Zoho's header means "since" or "after": a second earlier is right for both.
        let since = self.last.ok_or(Stuck)? - Duration::seconds(1);
        if self.since.is_some_and(|before| since <= before) {
            return Err(Stuck);
        }
        Ok(Self::start(Some(since)))
    }
}

/// A walk that cannot make progress.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stuck;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::TimeZone;
    use mzi_domain::ZohoId;

    use super::*;

    fn second(second: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, second).unwrap()
    }

    fn changed_at(at: u32) -> Vec<CrmRecord> {
        vec![CrmRecord {
            id: ZohoId::parse("900000000000101").unwrap(),
            modified_at: Some(second(at)),
            fields: BTreeMap::new(),
        }]
    }

    fn more(token: Option<&str>) -> Info {
        Info {
            more_records: true,
            next_page_token: token.map(str::to_owned),
        }
    }

    #[test]
    fn a_token_is_followed_and_a_number_where_there_is_none() {
        let start = Cursor::start(None);
        let numbered = start.after(&more(None), &changed_at(1)).unwrap().unwrap();
        assert_eq!(numbered.step, Step::Number(2));
        let token = numbered
            .after(&more(Some("t1")), &changed_at(2))
            .unwrap()
            .unwrap();
        assert_eq!(token.step, Step::Token("t1".into()));
        assert_eq!(Cursor::parse(&token.token().unwrap()), Some(token.clone()));
        assert_eq!(token.after(&Info::default(), &[]), Ok(None));
    }

    #[test]
    fn a_walk_that_ends_early_starts_over_from_the_last_change() {
        let last_numbered = Cursor {
            step: Step::Number(LAST_NUMBERED),
            ..Cursor::start(None)
        };
        let anew = last_numbered
            .after(&more(None), &changed_at(30))
            .unwrap()
            .unwrap();
        assert_eq!(anew, Cursor::start(Some(second(29))));
    }

    #[test]
    fn a_walk_that_would_start_over_where_it_began_is_stuck() {
        let walk = Cursor {
            step: Step::Token("t".into()),
            ..Cursor::start(Some(second(29)))
        };
        assert_eq!(walk.after(&more(None), &changed_at(30)), Err(Stuck));
    }
}
