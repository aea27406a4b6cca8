//! Checks calls against the published OpenAPI files.
