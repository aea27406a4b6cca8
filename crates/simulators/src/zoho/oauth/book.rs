//! Which codes and tokens were given out.

use std::collections::{HashMap, VecDeque};

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{GRANT_CODE, REFRESH_TOKEN};

/// The window of the limit on access tokens, in seconds.
const WINDOW: i64 = 600;

/// Codes and tokens of the simulated self client.
#[derive(Debug)]
pub(in crate::zoho) struct TokenBook {
    codes: HashMap<String, i64>,
    refresh: HashMap<String, Refresh>,
    access: HashMap<String, Access>,
    scopes: String,
    dice: StdRng,
}

#[derive(Debug, Default)]
struct Refresh {
    revoked: bool,
    /// When access tokens were given within the window.
    given: VecDeque<i64>,
    /// Its living access tokens, oldest first.
    live: VecDeque<String>,
}

#[derive(Debug, Clone)]
struct Access {
    expires: i64,
    scopes: String,
}

/// Why no access token is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::zoho) enum Denied {
    /// Unknown, used, expired or revoked.
    InvalidCode,
    /// One token too many within ten minutes.
    Throttled,
}

/// A new access token.
#[derive(Debug)]
pub(in crate::zoho) struct Given {
    pub access_token: String,
    pub scopes: String,
}

/// The limits of a token book.
#[derive(Debug, Clone, Copy)]
pub(in crate::zoho) struct Terms {
    pub life: i64,
    pub per_window: Option<usize>,
    pub live: usize,
}

impl TokenBook {
    pub(in crate::zoho) fn new(seed: u64, scopes: String) -> Self {
        Self {
            codes: HashMap::from([(GRANT_CODE.to_owned(), i64::MAX)]),
            refresh: HashMap::from([(REFRESH_TOKEN.to_owned(), Refresh::default())]),
            access: HashMap::new(),
            scopes,
            dice: StdRng::seed_from_u64(seed),
        }
    }

    /// Exchanges a code for a new refresh token; a code works once.
    pub(super) fn exchange(&mut self, code: &str, now: i64) -> Option<String> {
        let expires = self.codes.remove(code)?;
        if expires <= now {
            return None;
        }
        let token = self.mint();
        self.refresh.insert(token.clone(), Refresh::default());
        Some(token)
    }

    /// Gives an access token for a refresh token.
    pub(super) fn refresh(&mut self, token: &str, now: i64, terms: Terms) -> Result<Given, Denied> {
        let access_token = self.mint();
        let refresh = self
            .refresh
            .get_mut(token)
            .filter(|refresh| !refresh.revoked);
        let refresh = refresh.ok_or(Denied::InvalidCode)?;
        while refresh
            .given
            .front()
            .is_some_and(|given| now - given >= WINDOW)
        {
            refresh.given.pop_front();
        }
        if terms
            .per_window
            .is_some_and(|most| refresh.given.len() >= most)
        {
            return Err(Denied::Throttled);
        }
        refresh.given.push_back(now);
        refresh.live.push_back(access_token.clone());
        if refresh.live.len() > terms.live
            && let Some(oldest) = refresh.live.pop_front()
        {
            self.access.remove(&oldest);
        }
        let access = Access {
            expires: now + terms.life,
            scopes: self.scopes.clone(),
        };
        self.access.insert(access_token.clone(), access);
        Ok(Given {
            access_token,
            scopes: self.scopes.clone(),
        })
    }

    /// The scopes of an access token, while it lives.
    pub(super) fn scopes_of(&self, access_token: &str, now: i64) -> Option<&str> {
        let access = self.access.get(access_token)?;
        (access.expires > now).then_some(access.scopes.as_str())
    }

    /// Revokes a refresh token and its access tokens, or one access token; false if unknown.
    pub(in crate::zoho) fn revoke(&mut self, token: &str) -> bool {
        let Some(refresh) = self.refresh.get_mut(token) else {
            return self.access.remove(token).is_some();
        };
        let known = !refresh.revoked;
        refresh.revoked = true;
        for access_token in refresh.live.drain(..) {
            self.access.remove(&access_token);
        }
        known
    }

    /// Ends every access token; refresh tokens stay valid.
    pub(in crate::zoho) fn end_access_tokens(&mut self) {
        self.access.clear();
    }

    /// Makes a refresh token valid, also one that was revoked.
    pub(in crate::zoho) fn allow_refresh_token(&mut self, token: &str) {
        self.refresh.insert(token.to_owned(), Refresh::default());
    }

    /// Adds a grant code.
    pub(in crate::zoho) fn add_code(&mut self, code: &str, expires: i64) {
        self.codes.insert(code.to_owned(), expires);
    }

    /// Changes the scopes of tokens given from now on.
    pub(in crate::zoho) fn set_scopes(&mut self, scopes: &str) {
        scopes.clone_into(&mut self.scopes);
    }

    fn mint(&mut self) -> String {
        format!(
            "1000.{:016x}{:016x}",
            self.dice.random::<u64>(),
            self.dice.random::<u64>()
        )
    }
}
