//! How a simulator is started.

use std::{net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};

/// The Moodle whose answers are given. They differ in little (`contracts/moodle.md` §4, end).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum MoodleVersion {
    /// 4.5 LTS, the oldest one the plugin supports.
    #[serde(rename = "4.5")]
    V4_5,
    /// 5.1, the newest one measured.
    #[default]
    #[serde(rename = "5.1")]
    V5_1,
}

impl MoodleVersion {
    pub(super) fn release(self) -> &'static str {
        match self {
            Self::V4_5 => "4.5.6 (Build: 20250811)",
            Self::V5_1 => "5.1+ (Build: 20251017)",
        }
    }

    /// The version of the core, and of core functions.
    pub(super) fn core(self) -> &'static str {
        match self {
            Self::V4_5 => "2024100706",
            Self::V5_1 => "2025100600.02",
        }
    }

    /// The version of functions that come with a plug-in.
    pub(super) fn plugin(self) -> &'static str {
        match self {
            Self::V4_5 => "2024100700",
            Self::V5_1 => "2025100600",
        }
    }
}

/// What the site holds at first, besides its guest, administrator and service user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Content {
    /// Categories, courses, a teacher, a few students, assignments and grades.
    #[default]
    Demo,
    /// The default category and the site's own course only.
    Bare,
}

/// Options of a simulator; the defaults suit a test.
#[derive(Debug, Clone)]
pub struct MoodleOptions {
    /// Where to listen; port 0 chooses a free one.
    pub addr: SocketAddr,
    /// The token of the service user.
    pub token: String,
    /// Whose answers to give.
    pub version: MoodleVersion,
    /// What the site holds at first.
    pub content: Content,
    /// While set, creating and enrolling look for duplicates this long before they write, so that
    /// parallel calls make duplicates as measured on real sites (`contracts/moodle.md` §3, races).
    pub race_window: Option<Duration>,
}

impl Default for MoodleOptions {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            token: "11111111111111111111111111111111".to_owned(),
            version: MoodleVersion::default(),
            content: Content::default(),
            race_window: None,
        }
    }
}
