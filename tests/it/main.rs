//! Integration tests of every promise through the real router, in rooms by subject.

// So that clippy treats helpers as tests.
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
