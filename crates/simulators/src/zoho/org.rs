//! `GET /org`: which organisation this is.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::world::World;
use crate::{joined, locked, serve::Answer};

/// The invented organisation without its `zgid`, which can be changed.
static ORGANISATION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("org.json")).unwrap_or_default());

/// Answers with the one organisation.
pub(super) fn answer(world: &World) -> Answer {
    let zgid = locked(&world.org_id).clone();
    let organisation = joined(ORGANISATION.clone(), json!({"zgid": zgid}));
    Answer::json(200, &json!({"org": [organisation]}))
}
