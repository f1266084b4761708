//! accountd, an account service, outermost layer first: `cli` and `startup` wire, then `http` -> `graphql`, `gateway` and
//! `dialects` -> `account` -> `store` -> `entity`.
//!
//! | module | purpose |
//! |---|---|
//! | [`cli`] | commands: serve, migrate, import, schema, openapi, admin |
//! | [`startup`] | opens database and keys, builds the [`app::App`]; [`background`] joins the background jobs |
//! | [`http`] | server, router, middleware and the GraphQL endpoint |
//! | [`graphql`] | the GraphQL schema: one file per capability |
//! | [`gateway`] | REST routes for other services: token introspection, revocation list |
//! | [`dialects`] | REST dialects of older services: one folder per service |
//! | [`openapi_builder`] | builds the OpenAPI descriptions of routes |
//! | [`account`] | use cases: authorize, decide, store |
//! | [`app`] | the context of every use case |
//! | [`cache`] | authentication cache, and its invalidation across nodes |
//! | [`limits`] | rate limits, backoff and quotas |
//! | [`database`] | connection pools, transactions, group commit |
//! | [`store`] | named database statements |
//! | [`security`] | password hashing, tokens, keys, password policy |
//! | [`egress`] | requests to other services, at checked addresses |
//! | [`redis`] | the Redis that nodes share, where one is configured |
//! | [`config`] | settings; the only reader of environment and config file |
//! | [`hooks`] | callbacks of an embedding program |
//! | [`clock`], [`entropy`] | time and randomness, injected |
//! | [`error`] | errors and their codes |
//! | [`headers`] | readers of request headers |
//! | [`strict_json`] | JSON parsing of untrusted input |
//!
//! # Embedding
//!
//! An axum application nests [`router`] and protects its own routes with the extractor [`CurrentUser`] and the layers
//! [`require_role`] and [`require_permission`]. [`open`] returns the [`App`] that all of them share, [`background`] runs
//! beside it, and [`hooks::Hooks`] reports changes. `examples/embedded.rs` is a complete example.

#![warn(missing_docs, clippy::too_many_lines)]

pub use app::App;
pub use http::{CurrentUser, require_permission, require_role, router};
pub use startup::{background, open};

pub mod account;
pub mod app;
pub mod cache;
pub mod cli;
pub mod clock;
pub mod config;
pub mod database;
pub mod dialects;
pub mod egress;
pub mod entropy;
pub mod error;
pub mod gateway;
pub mod graphql;
pub mod headers;
pub mod hooks;
pub mod http;
pub mod limits;
pub mod openapi_builder;
pub mod redis;
pub mod security;
pub mod startup;
pub mod store;
pub mod strict_json;
