//! The operation that a request will run, as far as the log and the method check need it.

use async_graphql::parser::types::{DocumentOperations, OperationDefinition, OperationType};

use crate::graphql::Document;
use crate::http::log::Operation;

/// Longest operation name that is logged, in bytes.
const MAX_LOGGED_NAME: usize = 100;

/// The operation, or nothing if none can be told.
pub(super) fn described(document: &Document, wanted: Option<&str>) -> Operation {
    let Some(document) = document.parsed() else { return Operation::default() };
    let kind = |operation: &OperationDefinition| match operation.ty {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    };
    let mut found = match &document.operations {
        DocumentOperations::Single(only) => {
            Operation { kind: kind(&only.node), name: wanted.unwrap_or_default().to_owned(), ..Operation::default() }
        }
        DocumentOperations::Multiple(named) => named
            .iter()
            .find(|(name, _)| wanted.is_none_or(|wanted| wanted == name.as_str()))
            .map(|(name, one)| Operation { kind: kind(&one.node), name: name.to_string(), ..Operation::default() })
            .unwrap_or_default(),
    };
    found.name.truncate(found.name.floor_char_boundary(MAX_LOGGED_NAME));
    found.name.retain(|character| character.is_ascii_alphanumeric() || character == '_');
    found
}
