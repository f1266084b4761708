//! The use cases: one public function per verb, which says first who may and owns its transaction.

pub mod access;
pub mod administration;
pub mod api_token;
pub mod attempt;
pub mod audit;
pub mod bootstrap;
pub mod canonical;
pub mod email;
pub mod id;
pub mod login;
pub mod logout;
pub mod name;
pub mod page;
pub mod password;
pub mod profile;
pub mod refresh;
pub mod register;
pub mod requester;
pub mod role;
pub mod session;
pub mod tenant;
pub mod tokens;
mod transaction;
pub mod user;
pub mod username;
pub mod webhook;
