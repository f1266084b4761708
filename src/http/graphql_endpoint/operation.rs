//! The operation of a request, for the log and the HTTP method check.

use async_graphql::parser::types::{DocumentOperations, OperationDefinition, OperationType};

use crate::graphql::Document;
use crate::http::middleware::access_log::{LoggedOperation, OperationKind};

/// Maximum bytes of an operation name in the log.
const MAX_LOGGED_NAME_BYTES: usize = 100;

/// The operation; the default if the document is invalid or has no such operation.
pub(super) fn describe(document: &Document, operation_name: Option<&str>) -> LoggedOperation {
    let Some(document) = document.parsed() else { return LoggedOperation::default() };
    let kind = |operation: &OperationDefinition| match operation.ty {
        OperationType::Query => OperationKind::Query,
        OperationType::Mutation => OperationKind::Mutation,
        OperationType::Subscription => OperationKind::Subscription,
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
