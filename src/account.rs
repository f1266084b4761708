//! The use cases: one public function per verb, which says first who may and owns its transaction.

pub mod access;
pub mod api_token;
pub mod authentication;
pub mod caller;
pub mod event;
pub mod import;
pub mod operator;
pub mod pagination;
pub mod user;
