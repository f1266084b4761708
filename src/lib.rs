//! accountd, outermost first: `cli` wires, `start` opens, then `http` -> `graphql` and `rest` -> `account` -> `store` -> `entity`.
//!
//! | room | what it is for |
//! |---|---|
//! | [`cli`] | the commands: serve, migrate, import, schema, openapi, admin |
//! | [`start`] | opens the database and the keys and makes the [`app::App`] |
//! | [`http`] | the router and what is about HTTP itself |
//! | [`graphql`] | the GraphQL face: one file per capability |
//! | [`rest`] | the REST faces: one file per dialect |
//! | [`account`] | the use cases: who may, then what |
//! | [`live`] | a memory in front of the database, and how nodes tell each other of changes |
//! | [`store`] | named database statements |
//! | [`security`] | hashing, tokens, keys, password policy |
//! | [`shared`] | the Redis that nodes share, where one is configured |
//! | [`app`] | what every use case is given |
//! | [`config`] | the only reader of settings |
//! | [`hooks`] | what a program that embeds the service is told |
//! | [`outgoing`] | requests to others, at addresses that were looked at |
//! | [`clock`], [`entropy`] | time and chance, injected |
//! | [`error`] | every failure and its code |
//! | [`json`] | JSON as strangers send it |
//!
//! # Embedding
//!
//! Another axum application nests [`router`] and protects its own routes with the extractor [`CurrentUser`] and the
//! layers [`require_role`] and [`require_permission`]. [`open`] makes the [`App`] that all of them are given,
//! [`background`] is to run beside it, and [`hooks::Hooks`] tells what happens. `examples/embedded.rs` is such an application.

#![warn(missing_docs)]

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
pub mod hooks;
pub mod http;
pub mod limits;
pub mod openapi_builder;
pub mod redis;
pub mod security;
pub mod startup;
pub mod store;
pub mod strict_json;
