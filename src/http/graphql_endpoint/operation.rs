//! The operation that a request will run, as far as the log and the method check need it.

use async_graphql::parser::types::{DocumentOperations, OperationDefinition, OperationType};

use crate::graphql::Document;
use crate::http::middleware::access_log::LoggedOperation;

/// Longest operation name that is logged, in bytes.
const MAX_LOGGED_NAME_BYTES: usize = 100;

/// The operation, or nothing if none can be told.
pub(super) fn describe(document: &Document, operation_name: Option<&str>) -> LoggedOperation {
    let Some(document) = document.parsed() else { return LoggedOperation::default() };
    let kind = |operation: &OperationDefinition| match operation.ty {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    };
    let mut operation = match &document.operations {
        DocumentOperations::Single(only) => LoggedOperation {
            kind: kind(&only.node),
            name: operation_name.unwrap_or_default().to_owned(),
            ..LoggedOperation::default()
        },
        DocumentOperations::Multiple(named) => named
            .iter()
            .find(|(name, _)| operation_name.is_none_or(|wanted| wanted == name.as_str()))
            .map(|(name, one)| LoggedOperation {
                kind: kind(&one.node),
                name: name.to_string(),
                ..LoggedOperation::default()
            })
            .unwrap_or_default(),
    };
    operation.name.truncate(operation.name.floor_char_boundary(MAX_LOGGED_NAME_BYTES));
    operation.name.retain(|character| character.is_ascii_alphanumeric() || character == '_');
    operation
}
