//! Registration, login, refresh, logout, passwords and sessions.

pub mod activity;
pub mod api_token_login;
pub mod credentials;
pub mod login;
pub mod login_origin;
pub mod logout;
pub mod logout_authority;
pub mod password;
pub mod password_attempt;
pub mod password_policy;
pub mod password_reset;
pub mod refresh;
pub mod refresh_decision;
pub mod register;
pub mod session;
pub mod session_end;
pub mod session_query;
pub mod token_introspection;
pub mod unknown_names;
pub(crate) mod verify_credentials;
