//! Every promise, proven through the real router; one file per capability or promise.

// Lets clippy see that helpers are tests too.
#![cfg(test)]

mod administration;
mod attempt;
mod access;
mod architecture;
mod hostile;
mod http;
mod inputs;
mod limits;
mod login;
mod logout;
mod password;
mod migration;
mod plantdb;
mod profile;
mod readme;
mod refresh;
mod register;
mod rest;
mod role;
mod session;
mod schema;
mod sources;
mod support;
mod user;
