//! What use cases emit: audit events, domain events, webhooks and revocations.

pub mod account_events;
pub mod audit;
pub mod audit_action;
pub mod domain_event;
pub mod failure_audit;
pub mod revocation;
pub(crate) mod unit_of_work;
pub mod webhook;
