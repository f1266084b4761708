//! Documents: the text of a request is read once, by one parser with limits; a document that was read lately is not read
//! again, which takes longer than all else about a small one.

use std::sync::Arc;

use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::parser::Parser;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Pos, ServerError};
use quick_cache::sync::Cache;

use crate::error::Result;

mod convert;
mod position;
#[cfg(test)]
mod tests;
mod tokens;

use position::Positions;
pub(super) use tokens::MAX_BRACKETS;

/// Most documents that are kept.
const MAX_DOCUMENTS: usize = 500;

/// Longest query that is kept, in bytes: what is parsed of it takes many times as much.
const MAX_BYTES: usize = 2_048;

/// What a query was read to.
#[derive(Debug)]
pub struct Document {
    /// The operations and fragments, if it could be parsed and has an operation.
    pub(super) executable: Option<ExecutableDocument>,
    /// Why it cannot be executed.
    pub(super) errors: Vec<ServerError>,
    /// Its lexical tokens.
    pub(super) tokens: usize,
}

impl Document {
    /// Reads `text`, which is within the limit of bytes.
    ///
    /// # Errors
    /// [`Error::TooComplex`](crate::error::Error::TooComplex) if it has more than `max_tokens` tokens, or nests too deeply
    /// for a parser that recurses.
    pub fn parse(text: &str, max_tokens: usize) -> Result<Self> {
        let tokens = tokens::count(text, max_tokens)?;
        let count = tokens.count;
        let unread = |error| Ok(Self { executable: None, errors: vec![error], tokens: count });
        if let Some(error) = tokens.error {
            return unread(error);
        }
        let ast = match Parser::new().parse_ast(text, "") {
            Ok(ast) => ast,
            Err(refused) => {
                let first = refused.errors.iter().next();
                let location = first.as_ref().and_then(|first| first.error.location());
                let position = Positions::new(text).at(location.map_or(0, |location| location.offset()));
                let message = first.map(|first| first.error.to_string()).unwrap_or_default();
                return unread(syntax_error(message.trim_start_matches(SYNTAX_ERROR), position));
            }
        };
        let converted = convert::convert(&ast, text);
        Ok(Self { executable: converted.document, errors: converted.errors, tokens: count })
    }

    /// The operations and fragments, if it can be executed.
    pub(super) fn executable(&self) -> Option<&ExecutableDocument> {
        self.executable.as_ref().filter(|_| self.errors.is_empty())
    }

    /// The operations and fragments of what could be parsed, whether it can be executed or not.
    pub fn parsed(&self) -> Option<&ExecutableDocument> {
        self.executable.as_ref()
    }
}

const SYNTAX_ERROR: &str = "syntax error: ";

/// An error at `position` that repeats nothing of the text, which may hold a secret.
fn syntax_error(message: &str, position: Pos) -> ServerError {
    // `expected R_CURLY, got …`, `Unexpected character "…"`
    let message = message.split_once(", got ").map_or(message, |(expected, _)| expected);
    let message = if message.starts_with("Unexpected character") { "unexpected character" } else { message };
    let mut error = ServerError::new(format!("{SYNTAX_ERROR}{message}"), Some(position));
    error.extensions.get_or_insert_default().set("code", SYNTAX_ERROR_CODE);
    error
}

/// The code of what cannot be parsed.
pub(super) const SYNTAX_ERROR_CODE: &str = "GRAPHQL_PARSE_FAILED";

/// What queries were read to.
pub(super) struct Documents(Cache<String, Arc<Document>>);

impl Default for Documents {
    fn default() -> Self {
        Self(Cache::new(MAX_DOCUMENTS))
    }
}

impl Documents {
    /// Reads `text`, which is within the limit of bytes, if it was not read lately.
    ///
    /// # Errors
    /// See [`Document::parse`].
    pub fn read(&self, text: &str, max_tokens: usize) -> Result<Arc<Document>> {
        if let Some(known) = self.0.get(text) {
            return Ok(known);
        }
        let document = Arc::new(Document::parse(text, max_tokens)?);
        // What stands in the query itself may be a password; and such queries seldom come twice.
        if document.executable().is_some() && text.len() <= MAX_BYTES && !text.contains('"') {
            self.0.insert(text.to_owned(), Arc::clone(&document));
        }
        Ok(document)
    }
}
