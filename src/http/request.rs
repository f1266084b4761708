//! Reads request headers: credentials, cookies, fetch site and client address.

pub(crate) mod authorization;
pub(crate) mod client_address;
pub(crate) mod cookies;
pub(crate) mod fetch_site;
