//! Every promise, proven through the real router; one file per capability or promise.

// Lets clippy see that helpers are tests too.
#![cfg(test)]

mod limits;
mod plantdb;
mod refresh;
mod rest;
mod support;
