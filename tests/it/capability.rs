//! One module for each capability, through the real router.

pub(crate) mod account_events;
pub(crate) mod administration;
pub(crate) mod api_token;
pub(crate) mod audit;
pub(crate) mod import;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod password;
pub(crate) mod profile;
pub(crate) mod refresh;
pub(crate) mod register;
pub(crate) mod revocation_list;
pub(crate) mod role;
pub(crate) mod session;
pub(crate) mod tenant;
pub(crate) mod token_introspection;
pub(crate) mod user;
pub(crate) mod webhook;
