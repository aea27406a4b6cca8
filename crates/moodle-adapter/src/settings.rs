//! Which site, with which token, how hard.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// Two to three parallel calls are what a site gains from (contracts/moodle.md §6).
const PARALLEL_CALLS: usize = 3;
/// Below the 90 seconds for which a worker holds its claim (reliability.md §3.2).
const TIMEOUT: Duration = Duration::from_secs(30);

/// A Moodle site and how to speak to it.
#[derive(Debug, Clone)]
pub struct MoodleSettings {
    pub(crate) endpoint: Url,
    pub(crate) token: SecretString,
    pub(crate) parallel_calls: usize,
    pub(crate) timeout: Duration,
}

/// Whether the token may travel unencrypted: on loopback, or where private hosts are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainHttp {
    /// Only `https`.
    Refused,
    /// `http` too.
    Allowed,
}

/// Why an address or token cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    /// The address is no address of a site.
    #[error("the Moodle address {reason}")]
    Address {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The address is not encrypted, and that is not allowed.
    #[error("the Moodle address must begin with https://")]
    PlainHttp,
    /// There is no token.
    #[error("the Moodle token is empty")]
    NoToken,
}

impl MoodleSettings {
    /// Reads the site's address, with or without trailing slashes, and its token.
    pub fn parse(
        base_url: &str,
        token: SecretString,
        plain_http: PlainHttp,
    ) -> Result<Self, InvalidSettings> {
        let token = SecretString::from(token.expose_secret().trim());
        if token.expose_secret().is_empty() {
            return Err(InvalidSettings::NoToken);
        }
        Ok(Self {
            endpoint: endpoint(base_url, plain_http)?,
            token,
            parallel_calls: PARALLEL_CALLS,
            timeout: TIMEOUT,
        })
    }

    /// At most this many calls at a time, and at least one.
    pub fn with_parallel_calls(mut self, calls: usize) -> Self {
        self.parallel_calls = calls.max(1);
        self
    }

    /// How long one call may take, from connecting to its last byte.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

fn endpoint(base_url: &str, plain_http: PlainHttp) -> Result<Url, InvalidSettings> {
    let address = |reason| InvalidSettings::Address { reason };
    let base = base_url.trim().trim_end_matches('/');
    let url = Url::parse(base)
        .ok()
        .filter(Url::has_host)
        .ok_or(address("is not a web address"))?;
    match url.scheme() {
        "https" => {}
        "http" if plain_http == PlainHttp::Allowed => {}
        "http" => return Err(InvalidSettings::PlainHttp),
        _ => return Err(address("is not a web address")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(address("must not carry a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(address("must end before '?' or '#'"));
    }
    Url::parse(&format!("{base}/webservice/rest/server.php"))
        .ok()
        .ok_or(address("is not a web address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(base: &str, plain_http: PlainHttp) -> Result<MoodleSettings, InvalidSettings> {
        MoodleSettings::parse(base, "0123456789abcdef".into(), plain_http)
    }

    #[test]
    fn trailing_slashes_and_white_space_do_not_matter() {
        for base in [
            "https://college.example/moodle",
            " https://college.example/moodle// ",
        ] {
            let settings = parse(base, PlainHttp::Refused).unwrap();
            assert_eq!(
                settings.endpoint.as_str(),
                "https://college.example/moodle/webservice/rest/server.php"
            );
        }
    }

    #[test]
    fn an_unencrypted_address_needs_permission() {
        let base = "http://127.0.0.1:8080";
        assert_eq!(
            parse(base, PlainHttp::Refused).unwrap_err(),
            InvalidSettings::PlainHttp
        );
        assert!(parse(base, PlainHttp::Allowed).is_ok());
    }

    #[test]
    fn what_is_no_address_of_a_site_is_refused() {
        for base in [
            "",
            "college.example",
            "ftp://college.example",
            "https://",
            "https://user:pass@college.example",
            "https://college.example/?lang=en",
            "https://college.example/#top",
        ] {
            let refused = parse(base, PlainHttp::Allowed).unwrap_err();
            assert!(matches!(refused, InvalidSettings::Address { .. }), "{base}");
        }
    }

    #[test]
    fn a_token_is_needed_and_never_shown() {
        let blank =
            MoodleSettings::parse("https://college.example", " \n".into(), PlainHttp::Refused);
        assert_eq!(blank.unwrap_err(), InvalidSettings::NoToken);
        let settings = parse("https://college.example", PlainHttp::Refused).unwrap();
        assert!(!format!("{settings:?}").contains("0123456789abcdef"));
    }
}
