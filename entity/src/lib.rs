//! Database rows, one file per table: columns and relations, nothing else.

pub mod api_token;
pub mod audit_event;
pub mod change_counter;
pub mod imported;
pub mod login_origin;
pub mod revoked_token;
pub mod role;
pub mod role_permission;
pub mod secret;
pub mod session;
pub mod signing_key;
pub mod tenant;
pub mod throttle;
pub mod timestamp;
pub mod user;
pub mod user_role;
pub mod webhook_delivery;
