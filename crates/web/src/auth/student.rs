//! The student on whose behalf the plugin asks: only the token says who that is.

use std::{future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    web::{Bytes, Data},
};
use chrono::Utc;
use mzi_domain::MoodleUserId;

use crate::{
    Web,
    auth::{
        api_key::bearer,
        plugin_token::{Bound, Scope, Verified},
    },
    problem::Problem,
};

/// A proven request to read one student's data, by the student or by staff on their behalf.
#[derive(Debug, Clone, Copy)]
pub struct StudentReader {
    /// The Moodle user whose data is read.
    pub user: MoodleUserId,
}

impl StudentReader {
    /// What a valid token admits to: a wrong scope is told apart from a wrong subject.
    pub fn admitted(token: Verified) -> Result<Self, Problem> {
        if token.scope != Scope::StudentRead {
            return Err(Problem::ScopeNotAllowed);
        }
        let user = token.user.ok_or(Problem::InvalidToken)?;
        Ok(Self { user })
    }
}

impl FromRequest for StudentReader {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = Bytes::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let body = body.await.ok().ok_or(Problem::TooLarge)?;
            let web = request.app_data::<Data<Web>>().ok_or(Problem::Internal)?;
            let tokens = web.plugin.as_ref().ok_or(Problem::PluginDisabled)?;
            let token = bearer(&request).ok_or(Problem::InvalidToken)?;
            let target = request
                .uri()
                .path_and_query()
                .map_or("/", |target| target.as_str());
            let bound = Bound {
                method: request.method().as_str(),
                target,
                body: &body,
            };
            let verified = tokens.verify(token, bound, now())?;
            Self::admitted(verified)
        })
    }
}

/// Tokens are checked against the wall clock: the plugin on the other side has no other.
#[expect(
    clippy::disallowed_methods,
    reason = "the token's times are another machine's wall clock"
)]
fn now() -> chrono::DateTime<Utc> {
    Utc::now()
}
