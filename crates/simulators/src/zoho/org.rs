//! `GET /org`: which organisation this is.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::world::World;
use crate::{locked, serve::Answer};

/// The invented organisation without its `zgid`, which can be changed.
static ORGANISATION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("org.json")).unwrap_or_default());

/// Answers with the one organisation.
pub(super) fn answer(world: &World) -> Answer {
    let mut organisation = ORGANISATION.clone();
    organisation["zgid"] = json!(*locked(&world.org_id));
    Answer::json(200, &json!({"org": [organisation]}))
}
