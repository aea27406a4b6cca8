//! What a call needs and whether its token allows it (`zoho.md` §1.4 and §1.5).

use crate::{
    locked,
    serve::Request,
    zoho::{refusal::Refusal, world::World},
};

/// What a call touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::zoho) enum Area<'a> {
    /// Records of a module.
    Records(&'a str),
    /// Searching and counting them needs a second scope.
    Search(&'a str),
    /// `modules` or `fields`.
    Settings(&'static str),
    Notifications,
    Org,
}

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::zoho) enum Action {
    Read,
    Create,
    Update,
    Delete,
}

/// What a call needs.
#[derive(Debug, Clone, Copy)]
pub(in crate::zoho) struct Need<'a> {
    pub area: Area<'a>,
    pub action: Action,
}

/// Refuses a call without a living token that has the scopes it needs.
pub(in crate::zoho) fn allow(
    world: &World,
    request: &Request,
    need: Need<'_>,
) -> Result<(), Refusal> {
    let token = request
        .header("authorization")
        .and_then(|header| header.strip_prefix("Zoho-oauthtoken "))
        .filter(|token| !token.trim().is_empty())
        .ok_or_else(|| Refusal::new(401, "AUTHENTICATION_FAILURE", "Authentication failed"))?;
    let tokens = locked(&world.tokens);
    let scopes = tokens
        .scopes_of(token.trim(), world.now())
        .ok_or_else(invalid_token)?;
    if need.is_met_by(scopes) {
        Ok(())
    } else {
        Err(scope_mismatch())
    }
}

/// The refusal of a token that is unknown, expired or revoked.
pub(in crate::zoho) fn invalid_token() -> Refusal {
    Refusal::new(401, "INVALID_TOKEN", "invalid oauth token")
}

fn scope_mismatch() -> Refusal {
    Refusal::new(
        401,
        "OAUTH_SCOPE_MISMATCH",
        "invalid oauth scope to access this URL",
    )
}

impl Need<'_> {
    fn is_met_by(&self, scopes: &str) -> bool {
        match self.area {
            Area::Search(module) => {
                let records = Self {
                    area: Area::Records(module),
                    ..*self
                };
                records.is_met_by(scopes) && has(scopes, "ZohoSearch.securesearch.READ")
            }
            Area::Records(module) => {
                self.in_group(scopes, "ZohoCRM.modules")
                    || self.in_group(scopes, &format!("ZohoCRM.modules.{module}"))
            }
            Area::Settings(what) => {
                self.in_group(scopes, "ZohoCRM.settings")
                    || self.in_group(scopes, &format!("ZohoCRM.settings.{what}"))
            }
            Area::Notifications => self.in_group(scopes, "ZohoCRM.notifications"),
            Area::Org => self.in_group(scopes, "ZohoCRM.org"),
        }
    }

    fn in_group(&self, scopes: &str, group: &str) -> bool {
        let words: &[&str] = match self.action {
            Action::Read => &["ALL", "READ"],
            Action::Create => &["ALL", "CREATE", "WRITE"],
            Action::Update => &["ALL", "UPDATE", "WRITE"],
            Action::Delete => &["ALL", "DELETE"],
        };
        words
            .iter()
            .any(|word| has(scopes, &format!("{group}.{word}")))
    }
}

fn has(scopes: &str, wanted: &str) -> bool {
    scopes
        .split(',')
        .any(|scope| scope.trim().eq_ignore_ascii_case(wanted))
}
