//! Paging (`zoho.md` §3.1): 2 000 records by page number, 100 000 by page token.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::FixedOffset;
use serde_json::{Value, json};

use super::render::time;
use crate::{
    joined,
    serve::Request,
    zoho::{refusal::Refusal, store::Key},
};

/// The most records of one page.
pub(super) const MAX_PER_PAGE: usize = 200;
/// How far page numbers reach.
const DISCRETE_LIMIT: usize = 2000;
/// How far page tokens reach.
const TOKEN_LIMIT: usize = 100_000;
/// How long a page token lives, in seconds.
const TOKEN_LIFE: i64 = 24 * 3600;

/// Which page is asked for.
#[derive(Debug, Clone)]
pub(super) struct Paging {
    pub page: usize,
    pub per_page: usize,
    /// The last record of the page before, when a token says so.
    pub after: Option<Key>,
    /// A digest of everything a token is bound to.
    bound_to: u64,
}

impl Paging {
    /// Reads `page`, `per_page` and `page_token`.
    pub(super) fn of(request: &Request, module: &str, now: i64) -> Result<Self, Refusal> {
        let per_page = number(request, "per_page", MAX_PER_PAGE)?;
        if per_page == 0 || per_page > MAX_PER_PAGE {
            return Err(Refusal::bad_param("per_page"));
        }
        let bound_to = digest(request, module);
        let token = request.query_value("page_token");
        let page = request.query_value("page");
        match (token, page) {
            (Some(_), Some(_)) => {
                let message = "page and page_token cannot be used together";
                Err(Refusal::new(400, "AMBIGUITY_DURING_PROCESSING", message))
            }
            (Some(token), None) => Self::from_token(&token, per_page, bound_to, now),
            (None, _) => {
                let page = number(request, "page", 1)?;
                if page == 0 {
                    return Err(Refusal::bad_param("page"));
                }
                if page.saturating_mul(per_page) > DISCRETE_LIMIT {
                    let message = "records past the first 2000 are read with page_token";
                    return Err(
                        Refusal::new(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", message)
                            .with(json!({"limit": DISCRETE_LIMIT})),
                    );
                }
                Ok(Self {
                    page,
                    per_page,
                    after: None,
                    bound_to,
                })
            }
        }
    }

    fn from_token(token: &str, per_page: usize, bound_to: u64, now: i64) -> Result<Self, Refusal> {
        let bad = || Refusal::bad_param("page_token");
        let token = Token::parse(token).ok_or_else(bad)?;
        if token.bound_to != bound_to {
            let message = "the page token belongs to other parameters";
            return Err(Refusal::new(400, "TOKEN_BOUND_DATA_MISMATCH", message));
        }
        if token.expires <= now {
            let message = "the page token has expired";
            return Err(
                Refusal::new(400, "EXPIRED_VALUE", message).with(json!({"param": "page_token"}))
            );
        }
        if token.page.saturating_mul(per_page) > TOKEN_LIMIT {
            let message = "records past the first 100000 cannot be listed";
            return Err(Refusal::new(400, "PAGINATION_LIMIT_EXCEEDED", message)
                .with(json!({"limit": TOKEN_LIMIT})));
        }
        Ok(Self {
            page: token.page,
            per_page,
            after: Some(token.after),
            bound_to,
        })
    }

    /// How many records come before this page, when no token says where it starts.
    pub(super) fn skipped(&self) -> usize {
        if self.after.is_some() {
            0
        } else {
            (self.page - 1) * self.per_page
        }
    }

    /// The `info` of an answer without tokens.
    pub(super) fn info(&self, count: usize, more: bool) -> Value {
        json!({
            "per_page": self.per_page, "count": count, "page": self.page, "more_records": more,
        })
    }

    /// The `info` of a list; `last` is the last record's place when more follow.
    pub(super) fn list_info(
        &self,
        count: usize,
        last: Option<Key>,
        sorting: (&str, &str),
        (now, zone): (i64, FixedOffset),
    ) -> Value {
        let token = last.map(|after| Token {
            bound_to: self.bound_to,
            after,
            page: self.page + 1,
            expires: now + TOKEN_LIFE,
        });
        let sorted = json!({
            "sort_by": sorting.0,
            "sort_order": sorting.1,
            "call": false,
            "email": false,
            "page_token_expiry": token.as_ref().map(|token| time(token.expires, zone)),
            "next_page_token": token.as_ref().map(Token::text),
            // Tokens lead forwards only here; the client has no use for the way back.
            "previous_page_token": null,
        });
        joined(self.info(count, token.is_some()), sorted)
    }
}

struct Token {
    bound_to: u64,
    after: Key,
    page: usize,
    expires: i64,
}

impl Token {
    fn text(&self) -> String {
        let Self {
            bound_to,
            after: (value, id),
            page,
            expires,
        } = self;
        format!("{bound_to:016x}.{value}.{id}.{page}.{expires}")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let bound_to = u64::from_str_radix(parts.next()?, 16).ok()?;
        let after = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let page = parts.next()?.parse().ok()?;
        let expires = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self {
            bound_to,
            after,
            page,
            expires,
        })
    }
}

fn number(request: &Request, name: &str, otherwise: usize) -> Result<usize, Refusal> {
    match request.query_value(name) {
        None => Ok(otherwise),
        Some(text) => text
            .parse()
            .map_err(|_not_a_number| Refusal::bad_param(name)),
    }
}

fn digest(request: &Request, module: &str) -> u64 {
    let mut bound: Vec<_> = request.query_pairs();
    bound.retain(|(name, _)| name != "page" && name != "page_token");
    bound.sort();
    let mut hasher = DefaultHasher::new();
    (module, bound, request.header("if-modified-since")).hash(&mut hasher);
    hasher.finish()
}
