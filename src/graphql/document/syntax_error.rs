//! Syntax errors of documents.

use async_graphql::{Pos, ServerError};

/// The parser's names of tokens, with the tokens themselves.
const TOKEN_NAMES: [(&str, &str); 4] = [("R_CURLY", "`}`"), ("R_PAREN", "`)`"), ("R_BRACK", "`]`"), ("AT", "`@`")];

/// The start of every syntax error message.
pub(super) const SYNTAX_ERROR_PREFIX: &str = "syntax error: ";

/// A syntax error at `position`. It repeats nothing of the text, which may contain a secret.
pub(super) fn syntax_error(message: &str, position: Pos) -> ServerError {
    // `expected R_CURLY, got …`, `Unexpected character "…"`
    let message = message.split_once(", got ").map_or(message, |(expected, _)| expected);
    let message = &TOKEN_NAMES.iter().fold(message.to_owned(), |message, (name, token)| message.replace(name, token));
    let message = if message.starts_with("Unexpected character") { "unexpected character" } else { message };
    let mut error = ServerError::new(format!("{SYNTAX_ERROR_PREFIX}{message}"), Some(position));
    error.extensions.get_or_insert_default().set("code", SYNTAX_ERROR_CODE);
    error
}

/// The code of syntax errors.
pub(crate) const SYNTAX_ERROR_CODE: &str = "GRAPHQL_PARSE_FAILED";
