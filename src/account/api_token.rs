//! API tokens: credentials of programs that act for a user.

pub(crate) mod authenticate;
pub(crate) mod create;
pub mod new_token;
pub mod token;
pub(crate) mod update;

pub use create::{CreatedApiToken, SecretFormat, create, create_by_login};
pub use update::{ApiTokenUpdate, update};
