//! The REST protocol as bytes: bracketed form parameters in, JSON or XML out.

pub(super) mod clean;
pub(super) mod form;
pub(super) mod json;
pub(super) mod params;
pub(super) mod xml;
