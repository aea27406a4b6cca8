//! The accounts server: tokens and what they allow (`zoho.md` §1).

mod book;
mod endpoint;
mod scopes;

pub(super) use book::TokenBook;
pub(super) use endpoint::{revoke, token};
pub(super) use scopes::{Action, Area, Need, allow, invalid_token};

/// The client id of the simulated self client. Invented.
pub const CLIENT_ID: &str = "1000.SIMULATEDSELFCLIENT";
/// The client secret of the simulated self client. Invented.
pub const CLIENT_SECRET: &str = "simulated-client-secret";
/// A refresh token that is valid from the start. Invented.
pub const REFRESH_TOKEN: &str = "1000.simulated.refreshtoken";
/// A grant code that is valid from the start, once. Invented.
pub const GRANT_CODE: &str = "1000.simulated.grantcode";
