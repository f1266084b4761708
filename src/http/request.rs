//! Reads request headers: credentials, cookies, fetch site and client address.

pub(super) mod authorization;
pub(super) mod client_address;
pub(super) mod cookies;
pub(super) mod fetch_site;
