//! The seven set-up steps and the go-live gate.

/// A step of the set-up wizard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SetupStep {
    /// The bridge itself.
    Backend,
    /// Zoho CRM API.
    Zoho,
    /// Moodle web services.
    Moodle,
    /// The local database.
    Database,
    /// Field mapping.
    Mapping,
    /// Zoho webhooks.
    Webhooks,
    /// Go live.
    GoLive,
}

impl SetupStep {
    /// The steps in their order.
    pub const ALL: [Self; 7] = [
        Self::Backend,
        Self::Zoho,
        Self::Moodle,
        Self::Database,
        Self::Mapping,
        Self::Webhooks,
        Self::GoLive,
    ];

    /// The word in `SETUP_COMPLETED_STEPS`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Backend => "backend",
            Self::Zoho => "zoho",
            Self::Moodle => "moodle",
            Self::Database => "database",
            Self::Mapping => "mapping",
            Self::Webhooks => "webhooks",
            Self::GoLive => "golive",
        }
    }
}

/// Whether the bridge may write to Moodle and Zoho.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Takes in, fetches, maps and stores, but writes nothing outside.
    Observing,
    /// All seven steps are done.
    Live,
}

impl Gate {
    /// Opens only when every step is in the comma-separated list.
    pub fn from_completed(list: &str) -> Self {
        let done: Vec<&str> = list.split(',').map(str::trim).collect();
        if SetupStep::ALL
            .iter()
            .all(|step| done.contains(&step.word()))
        {
            Self::Live
        } else {
            Self::Observing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_opens_only_with_all_seven_steps() {
        let all = "backend,zoho,moodle,database,mapping,webhooks,golive";
        assert_eq!(Gate::from_completed(all), Gate::Live);
        assert_eq!(
            Gate::from_completed(" golive , webhooks,mapping,database,moodle,zoho,backend"),
            Gate::Live
        );
        assert_eq!(Gate::from_completed(""), Gate::Observing);
        assert_eq!(
            Gate::from_completed("backend,zoho,moodle,database,mapping,webhooks"),
            Gate::Observing
        );
    }
}
