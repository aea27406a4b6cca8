//! What Zoho's refusals mean: decided by `code`, because statuses differ between versions
//! (contracts/zoho.md §1.5, §4.2, §12).

use std::time::Duration;

use mzi_domain::text::clipped;
use mzi_ports::CrmError;
use reqwest::StatusCode;

use crate::{
    call::{Call, Effect},
    exchange::{Lost, Received},
    wire::Verdict,
};

/// A refusal of the whole call.
pub(crate) fn of_answer(call: &Call, received: &Received) -> CrmError {
    let after = received.retry_after();
    match serde_json::from_slice::<Verdict>(&received.body) {
        Ok(verdict) => of_verdict(call, received.status, after, &verdict),
        Err(_) => of_status(call, received.status, after),
    }
}

/// A refusal of one item of a write, whatever the status of the whole was.
pub(crate) fn of_item(call: &Call, verdict: &Verdict) -> CrmError {
    of_verdict(call, StatusCode::BAD_REQUEST, None, verdict)
}

/// No answer. A change that may have arrived is of unknown outcome.
pub(crate) fn of_lost(call: &Call, lost: &Lost) -> CrmError {
    match (lost, call.effect) {
        (Lost::Unanswered(reason), Effect::Repeatable | Effect::Once) => CrmError::UnknownOutcome {
            reason: format!("{}: {reason}", call.operation),
        },
        (lost, _) => unavailable(call, lost.reason()),
    }
}

/// An answer that cannot be read. What a change did is then unknown.
pub(crate) fn of_nonsense(call: &Call, what: &str) -> CrmError {
    match call.effect {
        Effect::None => CrmError::Protocol {
            detail: format!("{}: {what}", call.operation),
        },
        Effect::Repeatable | Effect::Once => CrmError::UnknownOutcome {
            reason: format!("{}: {what}", call.operation),
        },
    }
}

fn of_verdict(
    call: &Call,
    status: StatusCode,
    after: Option<Duration>,
    verdict: &Verdict,
) -> CrmError {
    let code = clipped(&verdict.code, 60);
    match code.as_str() {
        "OAUTH_SCOPE_MISMATCH" => CrmError::Forbidden {
            operation: format!("{} without the scope {}", call.operation, call.scope),
            code,
        },
        "NO_PERMISSION" | "AUTHORIZATION_FAILED" => CrmError::Forbidden {
            operation: call.operation.clone(),
            code,
        },
        "INVALID_TOKEN" | "AUTHENTICATION_FAILURE" => CrmError::Unauthorised { code },
        "TOO_MANY_REQUESTS" => CrmError::RateLimited { after },
        "INTERNAL_ERROR" => unwell(call, &code),
        _ if status == StatusCode::UNAUTHORIZED => CrmError::Unauthorised { code },
        _ if status == StatusCode::TOO_MANY_REQUESTS => CrmError::RateLimited { after },
        _ if status.is_server_error() => unwell(call, &code),
        _ => call.rejected(&code, message(verdict)),
    }
}

/// A refusal without a code of Zoho's: a proxy's page, or nothing.
fn of_status(call: &Call, status: StatusCode, after: Option<Duration>) -> CrmError {
    let code = format!("HTTP_{}", status.as_u16());
    match status {
        StatusCode::UNAUTHORIZED => CrmError::Unauthorised { code },
        StatusCode::FORBIDDEN => CrmError::Forbidden {
            operation: call.operation.clone(),
            code,
        },
        StatusCode::TOO_MANY_REQUESTS => CrmError::RateLimited { after },
        status if status.is_server_error() => unwell(call, &code),
        _ => of_nonsense(call, &format!("{code} without a code of Zoho's")),
    }
}

/// Zoho is unwell. An insert may have been saved all the same (contracts/zoho.md §9).
fn unwell(call: &Call, code: &str) -> CrmError {
    match call.effect {
        Effect::Once => CrmError::UnknownOutcome {
            reason: format!("{}: {code}", call.operation),
        },
        Effect::None | Effect::Repeatable => unavailable(call, code),
    }
}

fn unavailable(call: &Call, reason: &str) -> CrmError {
    CrmError::Unavailable {
        reason: format!("{}: {reason}", call.operation),
    }
}

/// Zoho's message, with the field or parameter it is about in front.
fn message(verdict: &Verdict) -> String {
    let keys = ["api_name", "param_name", "param"];
    let field = keys.iter().find_map(|key| verdict.detail(key));
    let text = match field {
        Some(field) => format!("{field}: {}", verdict.message),
        None => verdict.message.clone(),
    };
    clipped(&text, 200)
}
