//! The GraphQL schema of flask_auth_service_mongo: names, nullability and messages are those of the older service.

mod administration;
mod error;
mod executor;
mod global_id;
mod node;
mod page;
mod password;
mod refresh;
mod role;
mod root;
mod user;

pub use executor::{ExecutionResult, Executor, OperationRequest};
pub use root::{Mutation, Query, sdl};
