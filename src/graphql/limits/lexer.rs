//! Counts the tokens of a query and how deep its brackets nest, before a parser that recurses sees it.

/// What a text amounts to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lexed {
    /// Punctuators, names, numbers and strings (GraphQL section 2.1.6).
    pub tokens: usize,
    /// The deepest nesting of `{`, `[` and `(`.
    pub brackets: usize,
}

/// Counts. Text that is no GraphQL is counted somehow, and never more than once.
pub(super) fn scan(text: &str) -> Lexed {
    let mut lexed = Lexed::default();
    let mut open = 0_usize;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            // White space and commas separate tokens and are none.
            '\u{feff}' | ' ' | '\t' | '\n' | '\r' | ',' => first.len_utf8(),
            '#' => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            _ => {
                lexed.tokens += 1;
                match first {
                    '{' | '[' | '(' => {
                        open += 1;
                        lexed.brackets = lexed.brackets.max(open);
                        1
                    }
                    '}' | ']' | ')' => {
                        open = open.saturating_sub(1);
                        1
                    }
                    '"' => string(rest),
                    '.' if rest.starts_with("...") => 3,
                    '-' | '0'..='9' => rest.find(|next| !is_word(next) && next != '.').unwrap_or(rest.len()),
                    _ if is_word(first) => rest.find(|next| !is_word(next)).unwrap_or(rest.len()),
                    other => other.len_utf8(),
                }
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    lexed
}

/// Letters of names and of numbers; a sign begins a number.
fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '+')
}

/// The length of the string that `text` begins with, or of all of it if the string does not end.
fn string(text: &str) -> usize {
    if let Some(block) = text.strip_prefix("\"\"\"") {
        let mut from = 0;
        while let Some(found) = block.get(from..).and_then(|rest| rest.find("\"\"\"")) {
            let end = from + found;
            if !block.get(..end).is_some_and(|before| before.ends_with('\\')) {
                return end + 6;
            }
            from = end + 3;
        }
        return text.len();
    }
    let mut escaped = false;
    for (place, character) in text.char_indices().skip(1) {
        match character {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return place + 1,
            '\n' | '\r' => return place,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(text: &str) -> usize {
        scan(text).tokens
    }

    #[test]
    fn counts_what_the_specification_calls_tokens() {
        assert_eq!(tokens("{ me { id } }"), 6);
        assert_eq!(tokens("query Q($a: [Int!]! = [1, -2.5e3]) @skip(if: $a) { ...F }"), 29);
        assert_eq!(tokens("# { { {\n{ a }"), 3);
        assert_eq!(tokens(r#"{ a(b: "} ] \" {", c: """x " \""" } """) }"#), 11);
    }

    #[test]
    fn sees_how_deep_brackets_nest_outside_of_strings() {
        assert_eq!(scan("{ a(b: [[{c: 1}]]) { d } }").brackets, 5);
        assert_eq!(scan(r#"{ a(b: "[[[[[") }"#).brackets, 2);
        assert_eq!(scan(&"[".repeat(9)).brackets, 9);
    }

    proptest! {
        #[test]
        fn comes_to_an_end_with_any_text(text in ".{0,300}") {
            prop_assert!(scan(&text).tokens <= text.chars().count());
        }
    }
}
