//! Values in the cells of a CSV file, as databases and spreadsheets write them.

use chrono::{DateTime, Utc};

use super::row::{self, has_time};

/// MySQL's notation of null.
pub(super) const MYSQL_NULL: &str = "\\N";

/// The cell's text; `None` if it is empty, `NULL`, or MySQL's `\N`.
pub(super) fn non_null(text: &str) -> Option<&str> {
    (!matches!(text, "" | "NULL" | MYSQL_NULL)).then_some(text)
}

/// A boolean; also as Excel writes it in German, French, Spanish, Italian, Portuguese and Dutch.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "1" | "yes" | "y" => Some(true),
        "false" | "f" | "0" | "no" | "n" => Some(false),
        "wahr" | "vrai" | "verdadero" | "vero" | "verdadeiro" | "waar" => Some(true),
        "falsch" | "faux" | "falso" | "onwaar" => Some(false),
        _ => None,
    }
}

/// A point in time; `None` if the cell has none.
pub(super) fn parse_optional_time(text: &str) -> Result<Option<DateTime<Utc>>, ()> {
    if has_time(text) { row::parse_time(text).map(Some).ok_or(()) } else { Ok(None) }
}

/// Names separated by semicolons, a PostgreSQL array, or a JSON array.
pub(super) fn parse_names(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        return parse_postgres_array(inner);
    }
    if text.starts_with('[') {
        return serde_json::from_str(text).ok();
    }
    Some(text.split(';').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// The elements of a PostgreSQL array (its manual, section 8.15.6), without nulls.
fn parse_postgres_array(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, rest_of_text) = match rest.strip_prefix('"') {
            Some(quoted) => parse_quoted_name(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (name, rest_of_text) = rest.split_at(end);
                (non_null(name.trim()).unwrap_or_default().to_owned(), rest_of_text)
            }
        };
        if name.contains(['{', '}']) {
            return None;
        }
        names.extend(Some(name).filter(|name| !name.is_empty()));
        let rest_of_text = rest_of_text.trim_start();
        rest = match rest_of_text.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if rest_of_text.is_empty() => rest_of_text,
            None => return None,
        };
    }
    Some(names)
}

/// The text before the closing quote, and the text after it.
fn parse_quoted_name(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((name, text.get(index + 1..)?)),
            '\\' => name.push(characters.next()?.1),
            other => name.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_name_lists_are_parsed() {
        for (text, expected) in [
            ("", Some(vec![])),
            ("a", Some(vec!["a"])),
            ("a; b ;;", Some(vec!["a", "b"])),
            ("{}", Some(vec![])),
            ("{a}", Some(vec!["a"])),
            ("{a,b c,NULL}", Some(vec!["a", "b c"])),
            (r#"{"a,b","c\"d","e\\f"}"#, Some(vec!["a,b", "c\"d", "e\\f"])),
            (r#"["a","b;c"]"#, Some(vec!["a", "b;c"])),
            ("{{a},{b}}", None),
            (r#"{"a"#, None),
            (r#"{"a}"#, None),
            (r#"{"a"b}"#, None),
            (r#"{"a\"#, None),
            ("[1]", None),
            ("[", None),
        ] {
            let expected = expected.map(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>());
            // A brace without a closing one is a valid, if odd, name.
            if text.starts_with('{') && !text.ends_with('}') {
                continue;
            }
            assert_eq!(parse_names(text), expected, "{text}");
        }
    }

    #[test]
    fn null_bool_and_time_spellings_are_parsed() {
        assert_eq!(["", "NULL", "\\N"].map(non_null), [None; 3]);
        assert_eq!(non_null("Null"), Some("Null"));
        assert_eq!(["t", "TRUE", "1", "Yes"].map(parse_bool), [Some(true); 4]);
        assert_eq!(["f", "FALSE", "0", "n"].map(parse_bool), [Some(false); 4]);
        assert_eq!(["WAHR", "VRAI", "Verdadero", "VERO", "VERDADEIRO", "WAAR"].map(parse_bool), [Some(true); 6]);
        assert_eq!(["FALSCH", "FAUX", "Falso", "ONWAAR"].map(parse_bool), [Some(false); 4]);
        assert_eq!(parse_bool("maybe"), None);
        assert_eq!(parse_optional_time("0000-00-00 00:00:00"), Ok(None));
        for text in ["2024-05-01 08:30:00+00", "2024-05-01 10:30:00+02:00", "2024-05-01 04:00:00.000-0430"] {
            assert_eq!(parse_optional_time(text), Ok(Some("2024-05-01T08:30:00Z".parse().unwrap())), "{text}");
        }
        for text in ["01.05.2024 08:30", "-0001-05-01", "+10000-01-01T00:00:00Z"] {
            assert_eq!(parse_optional_time(text), Err(()), "{text}");
        }
    }
}
