//! HTTP as clients and browsers use it: GraphQL over HTTP, REST, cookies, CORS, connections.

pub(crate) mod batch;
pub(crate) mod client_address;
pub(crate) mod client_compatibility;
pub(crate) mod connections;
pub(crate) mod cookies;
pub(crate) mod cors;
pub(crate) mod embed;
pub(crate) mod graphql_over_http;
pub(crate) mod persisted_queries;
pub(crate) mod request_smuggling;
pub(crate) mod rest;
pub(crate) mod unix_socket;
