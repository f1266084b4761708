//! Registration, login, refresh, logout, passwords and sessions.

pub mod login;
pub mod login_origin;
pub mod logout;
pub mod password;
pub mod password_attempt;
pub mod refresh;
pub mod register;
pub mod retention;
pub mod session;
pub mod token_introspection;
pub mod tokens;
pub mod unknown_names;
