//! The checks behind `mzi doctor` and the wizard: what was asked, what answered, how to mend it.

use std::sync::Arc;

use mzi_domain::{Entity, setup::Gate};
use mzi_ports::{Crm, CrmError, Lms, LmsError};
use serde::Serialize;

use crate::{health::Report, mappings::Mappings, policy::Policy};

/// The web-service functions the bridge calls; the external service must hold all of them.
pub const MOODLE_FUNCTIONS: [&str; 12] = [
    "core_webservice_get_site_info",
    "core_user_get_users_by_field",
    "core_user_create_users",
    "core_user_update_users",
    "core_course_get_courses_by_field",
    "core_course_create_courses",
    "core_course_update_courses",
    "core_course_get_categories",
    "core_enrol_get_users_courses",
    "core_enrol_get_enrolled_users",
    "enrol_manual_enrol_users",
    "core_user_get_users",
];

/// One finding.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found, in plain words.
    pub found: String,
    /// What to do about it.
    pub fix: Option<String>,
}

/// Examines the bridge and its connections.
pub struct Doctor {
    crm: Option<Arc<dyn Crm>>,
    lms: Option<Arc<dyn Lms>>,
    mappings: Option<Arc<Mappings>>,
    policy: Arc<Policy>,
}

impl Doctor {
    /// Examines what is configured; a missing connection is a finding.
    pub fn new(
        crm: Option<Arc<dyn Crm>>,
        lms: Option<Arc<dyn Lms>>,
        mappings: Option<Arc<Mappings>>,
        policy: Arc<Policy>,
    ) -> Self {
        Self {
            crm,
            lms,
            mappings,
            policy,
        }
    }

    /// Looks at everything, in the order of the wizard's steps.
    pub async fn examine(&self, report: &Report) -> Vec<Finding> {
        let mut findings = own(report);
        findings.extend(self.zoho().await);
        findings.extend(self.moodle().await);
        findings.push(self.gate());
        findings
    }

    async fn zoho(&self) -> Vec<Finding> {
        let (Some(crm), Some(mappings)) = (&self.crm, &self.mappings) else {
            return vec![missing(
                "Zoho CRM API",
                "ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET and ZOHO_REFRESH_TOKEN are not all set.",
                "Set them in the environment, or exchange a grant code with `mzi zoho token --code CODE`.",
            )];
        };
        let mut findings = Vec::new();
        match crm.modules().await {
            Ok(modules) => {
                findings.push(good(
                    "Zoho CRM API",
                    format!("{} modules are visible", modules.len()),
                ));
                findings.push(self.modules_present(mappings, |name| {
                    modules.iter().any(|module| module.api_name == name)
                }));
            }
            Err(error) => findings.push(zoho_trouble("Zoho CRM API", &error)),
        }
        findings.push(match crm.organisation().await {
            Ok(organisation) => good(
                "Zoho organisation",
                format!("organisation {}", organisation.id),
            ),
            Err(error) => zoho_trouble("Zoho organisation", &error),
        });
        findings
    }

    fn modules_present(&self, mappings: &Mappings, has: impl Fn(&str) -> bool) -> Finding {
        let absent: Vec<&str> = Entity::ALL
            .into_iter()
            .filter(|entity| self.policy.services.has(*entity))
            .map(|entity| mappings.module(entity))
            .filter(|module| !has(module))
            .collect();
        if absent.is_empty() {
            return good("Zoho modules", "every mapped module exists".to_owned());
        }
        missing(
            "Zoho modules",
            &format!("Zoho does not show: {}.", absent.join(", ")),
            "Name the account's own modules with ZOHO_MODULE_<ENTITY>, or switch the entity off in ENABLED_SERVICES.",
        )
    }

    async fn moodle(&self) -> Vec<Finding> {
        let Some(lms) = &self.lms else {
            return vec![missing(
                "Moodle",
                "MOODLE_BASE_URL and MOODLE_TOKEN are not both set.",
                "Set them in the environment.",
            )];
        };
        let site = match lms.site().await {
            Ok(site) => site,
            Err(error) => return vec![moodle_trouble(&error)],
        };
        let absent: Vec<&str> = MOODLE_FUNCTIONS
            .into_iter()
            .filter(|name| !site.functions.iter().any(|function| function == name))
            .collect();
        let functions = if absent.is_empty() {
            good(
                "Moodle functions",
                "every function the bridge calls is in the service".to_owned(),
            )
        } else {
            missing(
                "Moodle functions",
                &format!("Missing from the external service: {}.", absent.join(", ")),
                "Site administration › Server › Web services › External services › your service › Functions › Add functions.",
            )
        };
        vec![
            good(
                "Moodle",
                format!("{} ({}), release {}", site.name, site.url, site.release),
            ),
            functions,
        ]
    }

    fn gate(&self) -> Finding {
        match self.policy.gate {
            Gate::Live => good(
                "Go-live gate",
                "LIVE: the bridge writes to Moodle and Zoho".to_owned(),
            ),
            Gate::Observing => good(
                "Go-live gate",
                "OBSERVING: nothing is written to Moodle or Zoho until all seven steps are done"
                    .to_owned(),
            ),
        }
    }
}

fn own(report: &Report) -> Vec<Finding> {
    let checks = &report.checks;
    [
        ("Database", &checks.database, "Check that the disk has room and the file or server can be written."),
        ("Migrations", &checks.migrations, "Run `mzi migrate`."),
        ("Webhook intake", &checks.intake, "Set ZOHO_WEBHOOK_HMAC_SECRET to at least 16 random characters, or remove the blank line."),
    ]
    .into_iter()
    .map(|(name, check, fix)| match check.detail {
        None => good(name, "as it should be".to_owned()),
        Some(detail) => missing(name, detail, fix),
    })
    .collect()
}

fn good(check: &'static str, found: String) -> Finding {
    Finding {
        check,
        ok: true,
        found,
        fix: None,
    }
}

fn missing(check: &'static str, found: &str, fix: &str) -> Finding {
    Finding {
        check,
        ok: false,
        found: found.to_owned(),
        fix: Some(fix.to_owned()),
    }
}

fn zoho_trouble(check: &'static str, error: &CrmError) -> Finding {
    let fix = match error {
        CrmError::Unauthorised { .. } => {
            "Make a new grant code in Zoho's API console and run `mzi zoho token --code CODE`; check that ZOHO_REGION is the account's data centre."
        }
        CrmError::Forbidden { .. } => "Make a new grant code that includes the missing scope.",
        _ => "Check the network and Zoho's status page, then try again.",
    };
    missing(check, &error.to_string(), fix)
}

fn moodle_trouble(error: &LmsError) -> Finding {
    let fix = match error {
        LmsError::Unauthorised { .. } => {
            "Site administration › Server › Web services › Manage tokens: make a new token for the bridge's service."
        }
        LmsError::Forbidden { .. } => {
            "Site administration › Server › Web services › Overview: switch on web services and REST, and add the function to the service."
        }
        _ => "Check MOODLE_BASE_URL, the network, and whether the site is in maintenance.",
    };
    missing("Moodle", &error.to_string(), fix)
}
