//! `/graphql`: the GraphQL-over-HTTP working draft, and what Apollo clients need.
//!
//! The library's own integration runs mutations by GET and from forms, reads bodies of any size, and always answers
//! with one media type and 200. This one does not.

mod batch;
mod handler;
mod negotiation;
mod operation;
mod parameters;
mod persisted_queries;
mod response;
mod sse;
mod subscribe;
mod websocket;

pub(super) use batch::GraphqlHandler;
pub(super) use handler::{get, post};
