//! Reading records.

pub(super) mod count;
mod criteria;
pub(super) mod deleted;
pub(super) mod list;
pub(super) mod one;
mod page;
mod render;
pub(super) mod search;
mod whole;

pub(super) use render::{full, time, user};
pub(super) use whole::whole;
