//! Selection of the operation to execute.

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition};

/// The operation `name` of `document`, or its only one (GraphQL section 6.1, GetOperation).
pub(crate) fn select_operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    match &document.operations {
        DocumentOperations::Single(only) => Some(&only.node).filter(|_| name.is_none()),
        DocumentOperations::Multiple(named) => match name {
            Some(name) => named.get(name).map(|one| &one.node),
            None if named.len() == 1 => named.values().next().map(|one| &one.node),
            None => None,
        },
    }
}
