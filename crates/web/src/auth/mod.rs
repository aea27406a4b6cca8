//! Ways of proving who sends a request.

pub mod api_key;
pub mod plugin_token;
pub mod student;
