//! Names and ids: canonical forms, usernames, e-mail addresses, display names and public ids.

pub mod canonical;
pub mod email;
pub mod id;
pub mod identifier;
pub mod name;
pub mod username;
