//! How a simulated organisation behaves where Zoho's own sources leave a choice.

use std::net::SocketAddr;

use chrono::NaiveDate;

/// What to simulate. [`ZohoOptions::default`] is a generous organisation on a free loopback port.
#[derive(Debug, Clone)]
pub struct ZohoOptions {
    /// Where to listen; port 0 chooses a free one.
    pub addr: SocketAddr,
    /// Seeds the invented data and the tokens.
    pub seed: u64,
    /// How many students to invent; 0 starts empty.
    pub students: usize,
    /// The day the invented data lies around; today when left out.
    pub today: Option<NaiveDate>,
    /// The offset of the API user's time zone, in minutes east of Greenwich.
    pub utc_offset_minutes: i32,
    /// The `api_domain` of token answers; the simulator's own base URL when left out.
    pub api_domain: Option<String>,
    /// The scopes of new tokens, comma-separated.
    pub scopes: String,
    /// How long access tokens live, in seconds.
    pub token_life_seconds: i64,
    /// How many access tokens one refresh token gives per ten minutes; none is no limit.
    pub tokens_per_ten_minutes: Option<usize>,
    /// How many access tokens of one refresh token live at once; one more ends the oldest.
    pub live_tokens: usize,
    /// How the token endpoint refuses one token too many.
    pub throttle: Throttle,
    /// The answer to reading an id that does not exist.
    pub missing_record: MissingRecord,
    /// The HTTP status of a write in which every item failed.
    pub failed_writes: FailedWrites,
    /// New records show in searches only after this many seconds.
    pub search_lag_seconds: i64,
    /// Module and field that are flagged "Do not allow duplicate values".
    pub unique_fields: Vec<(String, String)>,
    /// Modules that refuse notification channels.
    pub unwatchable_modules: Vec<String>,
    /// Credits and concurrency.
    pub limits: Limits,
}

/// All scopes the bridge can use (`zoho.md` §1.4).
pub const ALL_SCOPES: &str = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.notifications.ALL,\
ZohoCRM.coql.READ,ZohoSearch.securesearch.READ,ZohoCRM.bulk.ALL,ZohoCRM.Files.CREATE,\
ZohoCRM.Files.READ,ZohoFiles.files.ALL,ZohoCRM.users.READ,ZohoCRM.org.READ";

impl Default for ZohoOptions {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed: 1,
            students: 50,
            today: None,
            utc_offset_minutes: 180,
            api_domain: None,
            scopes: ALL_SCOPES.to_owned(),
            token_life_seconds: 3600,
            tokens_per_ten_minutes: Some(10),
            live_tokens: 15,
            throttle: Throttle::BadRequest,
            missing_record: MissingRecord::NoContent,
            failed_writes: FailedWrites::BadRequest,
            search_lag_seconds: 0,
            unique_fields: vec![(
                "BTEC_Grades".to_owned(),
                "Moodle_Grade_Composite_Key".to_owned(),
            )],
            unwatchable_modules: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// Both refusals of the token endpoint have been seen (`zoho.md` §1.2, `reliability.md` §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttle {
    /// HTTP 400 with `Access Denied` and a description.
    BadRequest,
    /// HTTP 200 with `Access Denied`.
    AccessDenied,
}

/// Both answers occur (`zoho.md` §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingRecord {
    /// 204 without a body.
    NoContent,
    /// 400 `INVALID_DATA`.
    InvalidData,
}

/// Both statuses occur (`zoho.md` §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedWrites {
    /// 400, as the documentation has it.
    BadRequest,
    /// 202, as older versions answer.
    Accepted,
}

/// Credits and concurrency of the organisation (`zoho.md` §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// API credits per rolling 24 hours.
    pub credits: u64,
    /// Calls at once.
    pub concurrent: u64,
    /// Calls at once among searches, sorted lists and writes of more than ten records.
    pub concurrent_heavy: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            credits: 100_000_000,
            concurrent: 10_000,
            concurrent_heavy: 10_000,
        }
    }
}

/// An edition of Zoho CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// Free.
    Free,
    /// Standard.
    Standard,
    /// Professional.
    Professional,
    /// Enterprise.
    Enterprise,
    /// Ultimate.
    Ultimate,
}

impl Limits {
    /// The published limits of an edition with this many users.
    #[must_use]
    pub fn of_edition(edition: Edition, users: u64) -> Self {
        let (base, per_user, cap, concurrent): (u64, u64, u64, u64) = match edition {
            Edition::Free => (5_000, 0, 5_000, 5),
            Edition::Standard => (50_000, 250, 100_000, 10),
            Edition::Professional => (50_000, 500, 3_000_000, 15),
            Edition::Enterprise => (50_000, 1_000, 5_000_000, 20),
            Edition::Ultimate => (50_000, 2_000, u64::MAX, 25),
        };
        let credits = per_user.saturating_mul(users).saturating_add(base).min(cap);
        Self {
            credits,
            concurrent,
            concurrent_heavy: 10,
        }
    }
}
