//! Counts the tokens and the bracket nesting of a document, with the parser's own lexer.
//!
//! A second lexer that differs by one quotation mark would bypass the limits. The parser recurses once per bracket;
//! nothing else in the grammar recurses.

use apollo_parser::{Lexer, Token, TokenKind};
use async_graphql::ServerError;

use super::position::Positions;
use super::syntax_error::syntax_error;
use crate::error::{Error, Result};

/// Maximum nesting of `{`, `[` and `(` that is parsed.
pub(in crate::graphql) const MAX_BRACKETS: usize = 50;

/// The token count of a document, and its text prepared for the parser.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TokenCount {
    /// Number of punctuators, names, numbers and strings (GraphQL section 2.1.6).
    pub count: usize,
    /// Number of tokens that are descriptions of operations, fragments and variables.
    pub descriptions: usize,
    /// The text with commas, comments and descriptions replaced by spaces, at the same offsets.
    ///
    /// The lookahead of apollo-parser 0.8 does not skip commas, and it does not support descriptions here (GraphQL
    /// section 2.4).
    pub cleaned: String,
    /// The first invalid character or unterminated string.
    pub error: Option<ServerError>,
}

/// Counts the tokens of `text` up to the first error.
///
/// # Errors
/// [`Error::OperationTooComplex`] beyond `max` tokens or [`MAX_BRACKETS`].
pub(super) fn count(text: &str, max: usize) -> Result<TokenCount> {
    let mut tokens = TokenCount { count: 0, descriptions: 0, cleaned: String::new(), error: None };
    let mut cleaned = text.as_bytes().to_vec();
    let mut open = Vec::new();
    let mut previous = None;
    let mut description: Option<Token<'_>> = None;
    for token in Lexer::new(text) {
        let token = match token {
            Ok(token) => token,
            Err(error) => {
                let position = Positions::new(text).at(error.index());
                tokens.error = Some(syntax_error(error.message(), position));
                return Ok(tokens);
            }
        };
        let kind = token.kind();
        match kind {
            TokenKind::Whitespace | TokenKind::Eof => continue,
            TokenKind::Comment | TokenKind::Comma => {
                overwrite_with_spaces(&mut cleaned, &token);
                continue;
            }
            _ => {}
        }
        if let Some(description) = description.take()
            && can_have_description(&token)
        {
            overwrite_with_spaces(&mut cleaned, &description);
            tokens.descriptions += 1;
        }
        match kind {
            TokenKind::LCurly | TokenKind::LBracket | TokenKind::LParen => open.push(kind),
            TokenKind::RCurly | TokenKind::RBracket | TokenKind::RParen => drop(open.pop()),
            TokenKind::StringValue => {
                let is_first = match open[..] {
                    [] => matches!(previous, None | Some(TokenKind::RCurly)),
                    // Variable definitions of an operation: a string after `=` is a default value, after `:` an
                    // argument.
                    [TokenKind::LParen] => !matches!(
                        previous,
                        Some(TokenKind::Eq | TokenKind::Colon | TokenKind::StringValue | TokenKind::Dollar)
                    ),
                    _ => false,
                };
                description = is_first.then_some(token);
            }
            _ => {}
        }
        previous = Some(kind);
        tokens.count += 1;
        if tokens.count > max {
            return Err(Error::OperationTooComplex { limit: "graphql.max_tokens", max: max.to_string() });
        }
        if open.len() > MAX_BRACKETS {
            return Err(Error::OperationTooComplex { limit: "graphql.max_depth", max: MAX_BRACKETS.to_string() });
        }
    }
    tokens.cleaned = String::from_utf8(cleaned).map_err(Error::internal)?;
    Ok(tokens)
}

/// Whether `token` starts a definition that can have a description.
fn can_have_description(token: &Token<'_>) -> bool {
    match token.kind() {
        TokenKind::Dollar => true,
        TokenKind::Name => matches!(token.data(), "query" | "mutation" | "subscription" | "fragment"),
        _ => false,
    }
}

fn overwrite_with_spaces(text: &mut [u8], token: &Token<'_>) {
    if let Some(written) = text.get_mut(token.index()..token.index() + token.data().len()) {
        written.fill(b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_count(text: &str) -> usize {
        let tokens = count(text, usize::MAX).unwrap();
        assert_eq!(tokens.error, None, "{text}");
        tokens.count
    }

    fn exceeded_limit(text: &str, max: usize) -> Option<&'static str> {
        match count(text, max) {
            Err(Error::OperationTooComplex { limit, .. }) => Some(limit),
            _ => None,
        }
    }

    #[test]
    fn token_count_follows_the_specification() {
        assert_eq!(token_count("{ me { id } }"), 6);
        assert_eq!(token_count("query Q($a: [Int!]! = [1, -2.5e3]) @skip(if: $a) { ...F }"), 29);
        assert_eq!(token_count("# { { {\n{ a }"), 3);
        assert_eq!(token_count(r#"{ a(b: "} ] \" {", c: """x " \""" } """) }"#), 11);
        assert_eq!(token_count("\u{feff}{ a }"), 3);
    }

    #[test]
    fn commas_comments_and_descriptions_become_spaces() {
        let cleaned = |text: &str| count(text, 1_000).unwrap().cleaned;
        assert_eq!(cleaned("{ a,:b # é\n}"), "{ a :b     \n}");
        assert_eq!(
            cleaned(r#""x" query("y" $a: S = "z" $b: S) { a(b: ",") }"#),
            r#"    query(    $a: S = "z" $b: S) { a(b: ",") }"#
        );
        for unchanged in [r#""x" { a }"#, r#"query "x" fragment"#, r#"{ a(b: ["x" $c]) }"#, r#"query @a(b: "x" $c)"#] {
            assert_eq!(cleaned(unchanged), unchanged);
        }
    }

    #[test]
    fn token_and_nesting_limits_are_exact() {
        assert_eq!(exceeded_limit("{ me { id } }", 6), None);
        assert_eq!(exceeded_limit("{ me { id } }", 5), Some("graphql.max_tokens"));
        for bracket in ["[", "{", "(", "{a(b:[{"] {
            let open = bracket.chars().filter(|one| "[{(".contains(*one)).count();
            let text = |brackets: usize| bracket.repeat(brackets / open);
            assert_eq!(exceeded_limit(&text(48), 1_000), None, "{bracket}");
            assert_eq!(exceeded_limit(&text(52), 1_000), Some("graphql.max_depth"), "{bracket}");
        }
        assert_eq!(exceeded_limit(&format!("{{ a(b: \"{}\") }}", "[".repeat(60)), 1_000), None);
    }

    #[test]
    fn unterminated_strings_are_syntax_errors() {
        for text in
            ["{ a(b: \"\"\"\"[[[[)}", "{ a(b: \"\"\"x\")}", "{ a(b: \"x\n\")}", "{ a(b: \")}", "{ a(b: \"\\\")}"]
        {
            let error = count(text, 1_000).unwrap().error.unwrap();
            assert!(error.message.starts_with("syntax error: "), "{text}: {error:?}");
            assert_eq!(error.locations.len(), 1);
        }
        for text in ["{ a(b: 01) }", "{ a(b: 1x) }", "{ a ? }", "{ a(b: 1.) }", "{ .. }"] {
            assert!(count(text, 1_000).unwrap().error.is_some(), "{text}");
        }
    }
}
