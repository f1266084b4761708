//! Authentication of requests: from credentials to a caller.

pub mod auth_cookies;
pub(crate) mod cached_caller;
pub(crate) mod reload;
pub mod requester;
pub(crate) mod session_monitor;
