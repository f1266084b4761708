//! The dialects of older services: recorded exchanges, mounting, and what each adds.

pub(crate) mod corvus;
pub(crate) mod flask_auth_service_mongo;
pub(crate) mod mounting;
pub(crate) mod plantdb;
pub(crate) mod replay;
pub(crate) mod tecladocode;
pub(crate) mod user_api;
