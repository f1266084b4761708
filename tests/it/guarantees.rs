//! Guarantees that hold for every capability: access, durability, outages, races, cache, overload.

pub(crate) mod access;
pub(crate) mod arbitrary_input;
pub(crate) mod backup_restore;
pub(crate) mod clock;
pub(crate) mod conditional_updates;
pub(crate) mod durability;
pub(crate) mod egress;
pub(crate) mod file_modes;
pub(crate) mod forged_tokens;
pub(crate) mod identity_cache;
pub(crate) mod log_secrets;
pub(crate) mod migration;
pub(crate) mod model;
pub(crate) mod outage;
pub(crate) mod overload;
pub(crate) mod password_guessing;
pub(crate) mod pgbouncer;
pub(crate) mod races;
pub(crate) mod redis;
pub(crate) mod retention;
pub(crate) mod secrets_at_rest;
pub(crate) mod session_termination;
pub(crate) mod setting_secrets;
pub(crate) mod sql_injection;
pub(crate) mod token_audience;
pub(crate) mod token_claims;
