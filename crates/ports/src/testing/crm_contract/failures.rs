//! Promises about calls that fail.

use super::{CrmHarness, Failure};
use crate::error::{CrmError, Retry};

/// Later it may work, and nothing happened meanwhile.
pub async fn an_unwell_crm_is_unavailable(world: &dyn CrmHarness) {
    world.fail_next(Failure::Unwell).await;
    let error = world.crm().modules().await.unwrap_err();
    assert!(matches!(error, CrmError::Unavailable { .. }), "{error:?}");
    assert!(world.crm().modules().await.is_ok());
}

/// The credentials are good; only the pace is not.
pub async fn too_many_calls_are_told_apart(world: &dyn CrmHarness) {
    world.fail_next(Failure::Throttled).await;
    let error = world.crm().modules().await.unwrap_err();
    assert!(matches!(error, CrmError::RateLimited { .. }), "{error:?}");
}

/// A person must grant the scope, and must be told for what.
pub async fn a_missing_scope_is_forbidden_and_names_what_was_attempted(world: &dyn CrmHarness) {
    world.fail_next(Failure::ScopeMissing).await;
    let error = world.crm().modules().await.unwrap_err();
    assert_eq!(error.retry(), Retry::Never);
    match error {
        CrmError::Forbidden { operation, code } => {
            assert_eq!(code, "OAUTH_SCOPE_MISMATCH");
            assert!(operation.contains("modules"), "{operation}");
        }
        other => panic!("not forbidden: {other:?}"),
    }
}
