//! Documents: the text of a request is read once, by one parser with limits; a document that was read lately is not read
//! again, which takes longer than all else about a small one.

use std::borrow::Cow;
use std::sync::Arc;

use apollo_compiler::ast;
use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::parser::Parser;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument};
use async_graphql::{Pos, Positioned, ServerError, Variables};
use quick_cache::sync::Cache;

use super::limits::DocumentCost;
use super::null_propagation::select_operation;
use crate::config::OperationLimits;
use crate::error::Result;

mod convert;
mod lexer;
mod position;
pub(super) mod selections;
#[cfg(test)]
mod tests;
mod validation;
mod variables;

pub(super) use lexer::MAX_BRACKETS;
use position::Positions;
use validation::ValidationSchema;
use variables::Coerced;

/// Most documents that are kept.
const MAX_DOCUMENTS: usize = 500;

/// Longest query that is kept, in bytes: what is parsed of it takes many times as much.
const MAX_CACHED_QUERY_BYTES: usize = 2_048;

/// What a query was read to.
#[derive(Debug)]
pub struct Document {
    /// The operations and fragments, if it could be parsed and has an operation.
    executable: Option<ExecutableDocument>,
    /// Why it cannot be executed.
    pub(super) errors: Vec<ServerError>,
    /// Its lexical tokens.
    pub(super) token_count: usize,
    /// What it asks for.
    pub(super) cost: DocumentCost,
    /// Whether what it selects depends on variables.
    is_conditional: bool,
}

impl Document {
    /// Parses `text`, which is within the limit of bytes.
    ///
    /// # Errors
    /// [`Error::TooComplex`](crate::error::Error::TooComplex) if it has more than `max_tokens` tokens, or nests too deeply
    /// for a parser that recurses.
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
            Err(refused) => {
                let first = refused.errors.iter().next();
                let location = first.as_ref().and_then(|first| first.error.location());
                let position = Positions::new(text).at(location.map_or(0, |location| location.offset()));
                let message = first.map(|first| first.error.to_string()).unwrap_or_default();
                document.errors.push(syntax_error(message.trim_start_matches(SYNTAX_ERROR_PREFIX), position));
                return Ok((document, None));
            }
        };
        let converted = convert::convert(&ast, text);
        // apollo-parser 0.8 lets some errors pass and leaves out what it did not understand: `me(id)`.
        if converted.errors.is_empty() && converted.token_count + tokens.descriptions != tokens.count {
            document.errors.push(syntax_error("expected another token", Pos { line: 1, column: 1 }));
            return Ok((document, None));
        }
        document.cost = converted.document.as_ref().map(DocumentCost::of).unwrap_or_default();
        (document.executable, document.errors) = (converted.document, converted.errors);
        Ok((document, Some(ast)))
    }

    /// Reads `text`, which is within the limit of bytes: parses it, and validates it if it is within the other limits.
    ///
    /// # Errors
    /// [`Error::TooComplex`](crate::error::Error::TooComplex) with the limit that it passes.
    fn parse_and_validate(text: &str, types: &ValidationSchema, limits: &OperationLimits) -> Result<Self> {
        let (mut document, ast) = Self::parse_ast(text, limits.tokens)?;
        document.cost.check(limits)?;
        if let Some(ast) = ast {
            let errors = types.validate(&ast, text);
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

    /// The operations and fragments, if it can be executed.
    pub(super) fn executable(&self) -> Option<&ExecutableDocument> {
        self.executable.as_ref().filter(|_| self.errors.is_empty())
    }

    /// The operations and fragments of what could be parsed, whether it can be executed or not.
    pub fn parsed(&self) -> Option<&ExecutableDocument> {
        self.executable.as_ref()
    }
}

/// A document as the executor wants it for one request.
#[derive(Debug)]
pub(crate) struct Prepared<'a> {
    /// What it asks for, for whoever reads the answer.
    pub document: Cow<'a, ExecutableDocument>,
    /// Its operation alone, for the executor, which takes it. It has no name there.
    pub executable: ExecutableDocument,
    /// The variables that have values.
    pub variables: Variables,
}

/// The tokens that the parser calls by names of its own.
const TOKEN_NAMES: [(&str, &str); 4] = [("R_CURLY", "`}`"), ("R_PAREN", "`)`"), ("R_BRACK", "`]`"), ("AT", "`@`")];

const SYNTAX_ERROR_PREFIX: &str = "syntax error: ";

/// An error at `position` that repeats nothing of the text, which may hold a secret.
fn syntax_error(message: &str, position: Pos) -> ServerError {
    // `expected R_CURLY, got …`, `Unexpected character "…"`
    let message = message.split_once(", got ").map_or(message, |(expected, _)| expected);
    let message = &TOKEN_NAMES.iter().fold(message.to_owned(), |message, (name, token)| message.replace(name, token));
    let message = if message.starts_with("Unexpected character") { "unexpected character" } else { message };
    let mut error = ServerError::new(format!("{SYNTAX_ERROR_PREFIX}{message}"), Some(position));
    error.extensions.get_or_insert_default().set("code", SYNTAX_ERROR_CODE);
    error
}

/// The code of what cannot be parsed.
pub(crate) const SYNTAX_ERROR_CODE: &str = "GRAPHQL_PARSE_FAILED";

/// What queries were read to.
pub(crate) struct DocumentCache {
    types: ValidationSchema,
    cache: Cache<String, Arc<Document>>,
}

impl DocumentCache {
    /// Documents for the schema that `sdl` describes.
    pub fn new(sdl: &str) -> Self {
        Self { types: ValidationSchema::from_sdl(sdl), cache: Cache::new(MAX_DOCUMENTS) }
    }

    /// Reads `text`, which is within the limit of bytes, if it was not read lately.
    ///
    /// # Errors
    /// [`Error::TooComplex`](crate::error::Error::TooComplex) with the limit that it passes.
    pub fn get_or_parse(&self, text: &str, limits: &OperationLimits) -> Result<Arc<Document>> {
        if let Some(cached) = self.cache.get(text) {
            return Ok(cached);
        }
        let document = Arc::new(Document::parse_and_validate(text, &self.types, limits)?);
        // What stands in the query itself may be a password; and such queries seldom come twice.
        if document.executable().is_some() && text.len() <= MAX_CACHED_QUERY_BYTES && !text.contains('"') {
            self.cache.insert(text.to_owned(), Arc::clone(&document));
        }
        Ok(document)
    }

    /// Prepares the operation of `document` that is called `name`, or its only one, for these variables.
    ///
    /// # Errors
    /// Why it cannot be executed.
    pub fn prepare<'a>(
        &self,
        document: &'a Document,
        name: Option<&str>,
        values: Variables,
    ) -> std::result::Result<Prepared<'a>, Vec<ServerError>> {
        let Some(executable) = document.executable() else { return Err(document.errors.clone()) };
        let operation = select_operation(executable, name).ok_or_else(|| {
            let message = if name.is_some() { UNKNOWN_OPERATION } else { SEVERAL_OPERATIONS };
            vec![ServerError::new(message, None)]
        })?;
        let Coerced { variables, absent } = variables::coerce(self.types.schema(), operation, values)?;
        let mut resolved = Cow::Borrowed(executable);
        if document.is_conditional {
            selections::normalize(resolved.to_mut(), &variables);
        }
        let operation = select_operation(&resolved, name).unwrap_or(operation);
        // The executor weighs all operations of a document, with the variables of one.
        let operation = Positioned::new(operation.clone(), Pos::default());
        let operations = DocumentOperations::Single(operation);
        let mut executable_document = ExecutableDocument { operations, fragments: resolved.fragments.clone() };
        variables::remove_absent(&mut executable_document, &absent);
        Ok(Prepared { document: resolved, executable: executable_document, variables })
    }
}

const UNKNOWN_OPERATION: &str = "the document has no operation of the name in operationName";
const SEVERAL_OPERATIONS: &str = "the document has several operations: operationName must say which one runs";
