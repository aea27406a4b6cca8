//! Issues, for whoever looks after the bridge.

use std::sync::Arc;

use mzi_ports::{
    StoreError, Views,
    views::{IssueFilter, IssueView},
};

/// Most issues one answer carries.
const MOST: u32 = 200;

/// Lists issues.
pub struct Issues {
    views: Arc<dyn Views>,
}

/// A page of issues.
pub struct IssuePage {
    /// The issues, newest first.
    pub items: Vec<IssueView>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
}

impl Issues {
    /// Reads from `views`.
    pub fn new(views: Arc<dyn Views>) -> Self {
        Self { views }
    }

    /// A page of issues; `open` limits them to open or to resolved ones.
    pub async fn page(
        &self,
        open: Option<bool>,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<IssuePage, StoreError> {
        let limit = limit.clamp(1, MOST);
        let filter = IssueFilter {
            open,
            before: cursor,
            limit: limit + 1,
        };
        let mut items = self.views.issues(&filter).await?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > wanted;
        items.truncate(wanted);
        let next_cursor = items.last().filter(|_| more).map(|issue| issue.id.clone());
        Ok(IssuePage { items, next_cursor })
    }
}
