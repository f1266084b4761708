//! Use cases: one public function per operation; each authorizes the caller first and owns its transaction.

pub mod access;
pub mod administration;
pub mod api_token;
pub mod authentication;
pub mod caller;
pub mod event;
pub mod import;
pub mod names;
pub mod operator;
pub mod pagination;
pub mod retention;
pub mod session_lifetime;
pub mod tokens;
pub mod user;
