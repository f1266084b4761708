//! Parsing, validation and preparation of documents, by one parser with limits.

use apollo_compiler::ast;
use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::parser::Parser;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Pos, ServerError, Variables};

use crate::config::OperationLimits;
use crate::error::Result;

mod convert;
pub(crate) mod cost;
mod lexer;
pub(crate) mod operation;
mod position;
mod preparation;
pub(super) mod selections;
pub(crate) mod syntax_error;
#[cfg(test)]
mod tests;
mod validation;
mod variables;

use cost::DocumentCost;
use position::Positions;
pub(crate) use preparation::Prepared;
use syntax_error::{SYNTAX_ERROR_PREFIX, syntax_error};
pub(super) use validation::ValidationSchema;

/// A parsed query, valid or not.
#[derive(Debug)]
pub struct Document {
    /// The operations and fragments, if the query could be parsed and has an operation.
    executable: Option<ExecutableDocument>,
    /// The errors that prevent execution.
    pub(super) errors: Vec<ServerError>,
    /// Number of lexical tokens.
    pub(super) token_count: usize,
    /// Cost of all operations and fragments.
    pub(super) cost: DocumentCost,
    /// Whether its selections depend on variables.
    is_conditional: bool,
}

impl Document {
    /// Parses `text`, which must be within the byte limit.
    ///
    /// # Errors
    /// [`Error::OperationTooComplex`](crate::error::Error::OperationTooComplex) if it has more than `max_tokens` tokens or
    /// nests too deeply for the recursive parser.
    pub fn parse(text: &str, max_tokens: usize) -> Result<Self> {
        Ok(Self::parse_ast(text, max_tokens)?.0)
    }

    fn parse_ast(text: &str, max_tokens: usize) -> Result<(Self, Option<ast::Document>)> {
        let tokens = lexer::count(text, max_tokens)?;
        let mut document = Self {
            executable: None,
            errors: Vec::new(),
            token_count: tokens.count,
            cost: DocumentCost::default(),
            is_conditional: false,
        };
        if let Some(error) = tokens.error {
            document.errors.push(error);
            return Ok((document, None));
        }
        let ast = match Parser::new().parse_ast(tokens.cleaned, "") {
            Ok(ast) => ast,
            Err(invalid) => {
                let first = invalid.errors.iter().next();
                let location = first.as_ref().and_then(|first| first.error.location());
                let position = Positions::new(text).at(location.map_or(0, |location| location.offset()));
                let message = first.map(|first| first.error.to_string()).unwrap_or_default();
                document.errors.push(syntax_error(message.trim_start_matches(SYNTAX_ERROR_PREFIX), position));
                return Ok((document, None));
            }
        };
        let converted = convert::convert(&ast, text);
        // apollo-parser 0.8 misses some errors and drops the tokens it does not understand: `me(id)`.
        if converted.errors.is_empty() && converted.token_count + tokens.descriptions != tokens.count {
            document.errors.push(syntax_error("expected another token", Pos { line: 1, column: 1 }));
            return Ok((document, None));
        }
        document.cost = converted.document.as_ref().map(DocumentCost::of).unwrap_or_default();
        (document.executable, document.errors) = (converted.document, converted.errors);
        Ok((document, Some(ast)))
    }

    /// Parses `text`, which must be within the byte limit, and validates it if it is within `limits`.
    ///
    /// # Errors
    /// [`Error::OperationTooComplex`](crate::error::Error::OperationTooComplex) with the exceeded limit.
    pub(super) fn parse_and_validate(text: &str, schema: &ValidationSchema, limits: &OperationLimits) -> Result<Self> {
        let (mut document, ast) = Self::parse_ast(text, limits.tokens)?;
        document.cost.check(limits)?;
        if let Some(ast) = ast {
            let errors = schema.validate(&ast, text);
            if !errors.is_empty() {
                document.errors = errors;
            }
        }
        if document.errors.is_empty()
            && let Some(executable) = &mut document.executable
        {
            document.is_conditional = selections::is_conditional(executable);
            if !document.is_conditional {
                selections::normalize(executable, &Variables::default());
            }
        }
        Ok(document)
    }

    /// The operations and fragments, if the document is valid.
    pub(super) fn executable(&self) -> Option<&ExecutableDocument> {
        self.executable.as_ref().filter(|_| self.errors.is_empty())
    }

    /// The operations and fragments that could be parsed, valid or not.
    pub fn parsed(&self) -> Option<&ExecutableDocument> {
        self.executable.as_ref()
    }
}
