//! Notifications as Zoho's channels send them: body variant V3 of the contract.

use anyhow::Result;
use serde_json::json;

use crate::{http, proof};

const CHANNEL: &str = "10001";

/// Makes notices, each with a `server_time` of its own, so that none repeats another.
pub struct Notices {
    token: String,
    /// Milliseconds, as Zoho's are.
    server_time: u64,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The entity's key, which is the end of the path.
    pub entity: &'a str,
    /// The module's name in Zoho.
    pub module: &'a str,
}

/// Students.
pub const STUDENTS: About<'static> = About {
    entity: "students",
    module: "BTEC_Students",
};
/// Classes.
pub const CLASSES: About<'static> = About {
    entity: "classes",
    module: "BTEC_Classes",
};
/// Enrolments.
pub const ENROLMENTS: About<'static> = About {
    entity: "enrollments",
    module: "BTEC_Enrollments",
};

impl Notices {
    /// Starts at a moment of its own: two series with different numbers never repeat each other.
    pub fn series(number: u64) -> Result<Self> {
        let token = proof::channel_token(proof::WEBHOOK_SECRET, CHANNEL)?;
        Ok(Self {
            token,
            server_time: 1_771_000_000_000 + number * 1_000_000_000,
        })
    }

    /// The next notice, about these records.
    pub fn next(&mut self, about: About<'_>, ids: &[String]) -> Vec<u8> {
        self.server_time += 1;
        let changed: Vec<_> = ids
            .iter()
            .map(|id| json!({id: ["Email", "Status"]}))
            .collect();
        let body = json!({
            "server_time": self.server_time, "query_params": {}, "module": about.module,
            "resource_uri": format!("https://www.zohoapis.com/crm/v2/{}", about.module),
            "ids": ids, "affected_fields": changed, "operation": "update",
            "channel_id": CHANNEL, "token": self.token,
        });
        let target = format!("/api/v1/webhooks/{}", about.entity);
        http::request(
            "POST",
            &target,
            &["Content-Type: application/json"],
            body.to_string().as_bytes(),
        )
    }

    /// A notice each for so many records that nothing else names.
    pub fn of_strangers(&mut self, about: About<'_>, count: u32) -> Vec<Vec<u8>> {
        let first = self.server_time * 1_000;
        let ids = (0..count).map(|number| (first + u64::from(number)).to_string());
        ids.map(|id| self.next(about, &[id])).collect()
    }

    /// A notice each for these records.
    pub fn one_each(&mut self, about: About<'_>, ids: &[String]) -> Vec<Vec<u8>> {
        ids.iter()
            .map(|id| self.next(about, std::slice::from_ref(id)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_notice_repeats_another_within_or_across_series() {
        let all: Vec<Vec<u8>> = [1, 2]
            .iter()
            .flat_map(|number| {
                Notices::series(*number)
                    .unwrap()
                    .of_strangers(STUDENTS, 500)
            })
            .collect();
        let distinct: BTreeSet<&Vec<u8>> = all.iter().collect();
        assert_eq!(distinct.len(), 1_000);
    }
}
