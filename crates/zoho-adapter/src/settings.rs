//! What the adapter needs to know, checked before anything is built from it.

use std::{net::IpAddr, time::Duration};

use mzi_domain::Invalid;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::{Host, Url};

use crate::data_centre::DataCentre;

/// Which hosts may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosts {
    /// Public ones over https.
    Public,
    /// Loopback and private ones too, those also over plain http (`ALLOW_PRIVATE_HOSTS`).
    AlsoPrivate,
}

/// The client registered at Zoho, enough to trade a grant code for tokens.
#[derive(Debug, Clone)]
pub struct ZohoApp {
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    pub(crate) accounts: Url,
    pub(crate) hosts: Hosts,
    centre: DataCentre,
}

impl ZohoApp {
    /// A client of this data centre.
    pub fn new(
        centre: DataCentre,
        client_id: &str,
        client_secret: SecretString,
        hosts: Hosts,
    ) -> Result<Self, Invalid> {
        Ok(Self {
            client_id: not_blank(client_id, "Zoho client id")?.to_owned(),
            client_secret: secret(client_secret, "Zoho client secret")?,
            accounts: base_url(centre.accounts_url(), hosts, "Zoho accounts URL")?,
            hosts,
            centre,
        })
    }

    /// Issues tokens at another place than the data centre's.
    pub fn with_accounts_url(mut self, raw: &str) -> Result<Self, Invalid> {
        self.accounts = base_url(raw, self.hosts, "Zoho accounts URL")?;
        Ok(self)
    }
}

/// Everything [`ZohoCrm`](crate::ZohoCrm) needs besides a client, a vault and a clock.
#[derive(Debug, Clone)]
pub struct ZohoSettings {
    pub(crate) app: ZohoApp,
    pub(crate) refresh_token: SecretString,
    pub(crate) api: Option<Url>,
    pub(crate) concurrency: usize,
    pub(crate) daily_credits: u32,
    pub(crate) timeout: Duration,
}

impl ZohoSettings {
    /// Calls in flight that every edition bears (Free: 5; contracts/zoho.md §9).
    pub const DEFAULT_CONCURRENCY: usize = 5;
    /// Credits spent in 24 hours at most: nine tenths of the smallest paid edition's 50 000.
    pub const DEFAULT_DAILY_CREDITS: u32 = 45_000;
    /// How long one call may take from its first byte to its last.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

    /// Settings with the defaults above.
    pub fn new(app: ZohoApp, refresh_token: SecretString) -> Result<Self, Invalid> {
        Ok(Self {
            refresh_token: secret(refresh_token, "Zoho refresh token")?,
            app,
            api: None,
            concurrency: Self::DEFAULT_CONCURRENCY,
            daily_credits: Self::DEFAULT_DAILY_CREDITS,
            timeout: Self::DEFAULT_TIMEOUT,
        })
    }

    /// Calls the API here, whatever `api_domain` a token answer names.
    pub fn with_api_url(mut self, raw: &str) -> Result<Self, Invalid> {
        self.api = Some(base_url(raw, self.app.hosts, "Zoho API URL")?);
        Ok(self)
    }

    /// Keeps at most this many calls in flight; no edition allows more than 25.
    pub fn with_concurrency(mut self, calls: usize) -> Result<Self, Invalid> {
        if !(1..=25).contains(&calls) {
            return Err(Invalid::new("Zoho concurrency", "1 to 25 calls"));
        }
        self.concurrency = calls;
        Ok(self)
    }

    /// Spends at most this many credits in any 24 hours.
    pub fn with_daily_credits(mut self, credits: u32) -> Result<Self, Invalid> {
        if credits < 100 {
            return Err(Invalid::new("Zoho daily credits", "at least 100"));
        }
        self.daily_credits = credits;
        Ok(self)
    }

    /// Gives up on a call after this long.
    pub fn with_timeout(mut self, timeout: Duration) -> Result<Self, Invalid> {
        if timeout.is_zero() {
            return Err(Invalid::new("Zoho time-out", "longer than nothing"));
        }
        self.timeout = timeout;
        Ok(self)
    }

    /// Where the API answers: our setting, else what the token answer said, else the table.
    pub(crate) fn api_base(&self, api_domain: Option<&str>) -> Result<Url, Invalid> {
        match (&self.api, api_domain) {
            (Some(api), _) => Ok(api.clone()),
            (None, Some(domain)) => base_url(domain, self.app.hosts, "api_domain"),
            (None, None) => base_url(self.app.centre.api_url(), self.app.hosts, "Zoho API URL"),
        }
    }

    /// Names the credentials without showing them, so that a token of others is not used.
    pub(crate) fn credentials(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.app.client_id.as_bytes());
        hash.update([0]);
        hash.update(self.refresh_token.expose_secret().as_bytes());
        hex::encode(hash.finalize()).chars().take(16).collect()
    }
}

/// A base URL without trailing slash, query or user, to a host that may be called.
fn base_url(raw: &str, hosts: Hosts, what: &'static str) -> Result<Url, Invalid> {
    let trimmed = raw.trim().trim_end_matches('/');
    let url = Url::parse(trimmed)
        .ok()
        .ok_or(Invalid::new(what, "an absolute URL"))?;
    let bare = url.username().is_empty() && url.password().is_none();
    if !bare || url.query().is_some() || url.fragment().is_some() {
        return Err(Invalid::new(what, "no user, query or fragment"));
    }
    let private = url.host().is_some_and(|host| is_private(&host));
    match (url.scheme(), private, hosts) {
        ("https", false, _) | ("http" | "https", true, Hosts::AlsoPrivate) => Ok(url),
        (_, true, Hosts::Public) => Err(Invalid::new(what, "a public host")),
        _ => Err(Invalid::new(what, "https")),
    }
}

/// Loopback, private addresses, and names that only resolve inside a network.
fn is_private(host: &Host<&str>) -> bool {
    let address = match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let inner = [".localhost", ".local", ".internal"];
            return !name.contains('.') || inner.iter().any(|end| name.ends_with(end));
        }
        Host::Ipv4(address) => IpAddr::V4(*address),
        Host::Ipv6(address) => address.to_canonical(),
    };
    match address {
        IpAddr::V4(v4) => {
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified()
        }
        IpAddr::V6(v6) => {
            let local = v6.is_unique_local() || v6.is_unicast_link_local();
            v6.is_loopback() || v6.is_unspecified() || local
        }
    }
}

fn not_blank<'a>(raw: &'a str, what: &'static str) -> Result<&'a str, Invalid> {
    mzi_domain::text::non_blank(raw).ok_or(Invalid::new(what, "not blank"))
}

/// A secret without the white space that pasting brings along.
fn secret(raw: SecretString, what: &'static str) -> Result<SecretString, Invalid> {
    not_blank(raw.expose_secret(), what).map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(hosts: Hosts) -> ZohoApp {
        ZohoApp::new(DataCentre::Com, "1000.ID", "shh".into(), hosts).unwrap()
    }

    #[test]
    fn private_hosts_and_plain_http_need_permission() {
        for raw in [
            "http://127.0.0.1:8080",
            "https://10.0.0.4",
            "http://localhost:9",
            "http://zoho-simulator:9",
            "http://[::1]:9",
            "http://[::ffff:127.0.0.1]:9",
        ] {
            assert!(app(Hosts::Public).with_accounts_url(raw).is_err(), "{raw}");
            let allowed = app(Hosts::AlsoPrivate).with_accounts_url(raw);
            assert!(allowed.is_ok(), "{raw}");
        }
        for raw in ["http://accounts.zoho.com", "ftp://accounts.zoho.com"] {
            let hosts = Hosts::AlsoPrivate;
            assert!(app(hosts).with_accounts_url(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_base_url_carries_nothing_but_host_and_path() {
        for raw in [
            "https://u:p@x.example",
            "https://x.example?a=1",
            "x.example",
            "",
        ] {
            assert!(app(Hosts::Public).with_accounts_url(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn our_api_url_wins_over_the_one_a_token_answer_names() {
        let settings = ZohoSettings::new(app(Hosts::Public), "refresh".into()).unwrap();
        let named = settings.api_base(Some("https://www.zohoapis.eu/")).unwrap();
        assert_eq!(named.as_str(), "https://www.zohoapis.eu/");
        let ours = settings.with_api_url("https://crm.example").unwrap();
        let kept = ours.api_base(Some("https://www.zohoapis.eu")).unwrap();
        assert_eq!(kept.as_str(), "https://crm.example/");
        assert!(ours.with_concurrency(26).is_err());
    }

    #[test]
    fn credentials_are_named_without_being_shown() {
        let named = |refresh: &str| {
            let settings = ZohoSettings::new(app(Hosts::Public), refresh.into()).unwrap();
            assert!(!format!("{settings:?}").contains("shh"));
            settings.credentials()
        };
        assert_eq!(named("refresh-one"), named(" refresh-one "));
        assert_ne!(named("refresh-one"), named("refresh-two"));
    }
}
