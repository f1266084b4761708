//! Every promise, proven through the real router; one file per capability or promise.

// Lets clippy see that helpers are tests too.
#![cfg(test)]
// The futures of requests through all layers nest deeply.
#![recursion_limit = "256"]

mod capability;
mod dialects;
mod graphql;
mod guarantees;
mod http;
mod project;
mod support;
