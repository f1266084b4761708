//! Authentication of requests: from credentials to a caller.

pub mod api_token;
pub(crate) mod api_token_auth;
pub mod auth_cookies;
pub mod authorization;
pub(crate) mod cached_caller;
pub mod rate_limit;
pub(crate) mod reload;
pub mod request_auth;
pub mod request_context;
pub mod requester;
pub(crate) mod session_monitor;
pub(crate) mod user_action;
