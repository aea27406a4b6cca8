//! Writing records (`zoho.md` §4): every item has its own result.

mod body;
mod delete;
mod results;
mod save;

pub(super) use delete::{many as delete_many, one as delete_one};
pub(super) use save::{insert, update, upsert};
