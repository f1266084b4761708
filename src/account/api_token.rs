//! API tokens: credentials of programs that act for a user.

pub(crate) mod create;
pub mod new_token;
pub mod token;
pub(crate) mod update;

pub use create::{CreatedApiToken, SecretFormat, create};
pub use update::{ApiTokenUpdate, update};
