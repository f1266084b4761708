//! The GraphQL layer: schema, documents, variables, errors and limits.

pub(crate) mod absent_variables;
pub(crate) mod document_parsing;
pub(crate) mod errors;
pub(crate) mod query_limits;
pub(crate) mod schema;
pub(crate) mod schema_introspection;
pub(crate) mod selections;
pub(crate) mod variables;
