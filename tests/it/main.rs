//! Every promise, proven through the real router; one file per capability or promise.

// Lets clippy see that helpers are tests too.
#![cfg(test)]
// The futures of requests through all layers nest deeply.
#![recursion_limit = "256"]

mod access;
mod address;
mod administration;
mod api_token;
mod architecture;
mod at_rest;
mod attempt;
mod audit;
mod auth_service;
mod batch;
mod browser;
mod canary;
mod claim;
mod clock;
mod connections;
mod cors;
mod corvus;
mod credential_ends;
mod dialects;
mod documents;
mod durability;
mod embed;
mod errors;
mod events;
mod flood;
mod forger;
mod framing;
mod hostile;
mod http;
mod import;
mod injection;
mod inputs;
mod introspection;
mod limits;
mod live;
mod login;
mod logout;
mod makefile;
mod migration;
mod model;
mod openapi;
mod modes;
mod outage;
mod outgoing;
mod password;
mod persisted;
mod plantdb;
mod profile;
mod races;
mod readme;
mod recovery;
mod refresh;
mod register;
mod replay;
mod rest;
mod retention;
mod revocation;
mod role;
mod schema;
mod session;
mod shared;
mod secrets;
mod sources;
mod store;
mod support;
mod tecladocode;
mod tenant;
mod token;
mod user;
mod user_api;
mod webhook;
