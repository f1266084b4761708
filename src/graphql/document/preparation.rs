//! Preparation of a document for execution: its operation, its variables and its conditions.

use std::borrow::Cow;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument};
use async_graphql::{Pos, Positioned, ServerError, Variables};

use super::operation::select_operation;
use super::validation::ValidationSchema;
use super::variables::{self, Coerced};
use super::{Document, selections};

/// A document prepared for the execution of one request.
#[derive(Debug)]
pub(crate) struct Prepared<'a> {
    /// The document, to complete the response.
    pub document: Cow<'a, ExecutableDocument>,
    /// The selected operation alone, without its name, for async-graphql.
    pub executable: ExecutableDocument,
    /// The coerced variables that have a value.
    pub variables: Variables,
}

impl Document {
    /// Prepares the operation `name` of this document, or its only one, with these variables.
    ///
    /// # Errors
    /// The errors of the document, of the operation's name or of the variables.
    pub(in crate::graphql) fn prepare(
        &self,
        schema: &ValidationSchema,
        name: Option<&str>,
        values: Variables,
    ) -> std::result::Result<Prepared<'_>, Vec<ServerError>> {
        let Some(executable) = self.executable() else { return Err(self.errors.clone()) };
        let operation = select_operation(executable, name).ok_or_else(|| {
            let message = if name.is_some() { UNKNOWN_OPERATION } else { SEVERAL_OPERATIONS };
            vec![ServerError::new(message, None)]
        })?;
        let Coerced { variables, absent } = variables::coerce(schema.schema(), operation, values)?;
        let mut resolved = Cow::Borrowed(executable);
        if self.is_conditional {
            selections::normalize(resolved.to_mut(), &variables);
        }
        let operation = select_operation(&resolved, name).unwrap_or(operation);
        // async-graphql computes the complexity of all operations of a document with the variables of one.
        let operation = Positioned::new(operation.clone(), Pos::default());
        let operations = DocumentOperations::Single(operation);
        let mut executable_document = ExecutableDocument { operations, fragments: resolved.fragments.clone() };
        variables::remove_absent(&mut executable_document, &absent);
        Ok(Prepared { document: resolved, executable: executable_document, variables })
    }
}

const UNKNOWN_OPERATION: &str = "operationName matches no operation of the document";
const SEVERAL_OPERATIONS: &str = "the document has several operations: set operationName";
