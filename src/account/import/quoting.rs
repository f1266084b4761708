//! Detects whether quotes enclose the cells of a CSV file and whether backslashes escape; options override it.

use super::csv_syntax::{CsvSyntax, Escape, Quote};
use super::layout::Layout;

/// Cell separator of MySQL, and of some spreadsheets.
const TAB: char = '\t';

/// The syntax of `text`, whose first line has the number `first`. Tabs separate the cells of MySQL, which quotes
/// nothing, and of spreadsheets, which escape nothing; MySQL's server writes no header and can be configured to quote.
/// Where the readings differ and no `\N` identifies MySQL, an option must decide, since the choice changes passwords.
///
/// # Errors
/// The option that is needed.
pub(super) fn detect_syntax(text: &str, delimiter: char, layout: &Layout, first: u64) -> Result<CsvSyntax, String> {
    let is_tabbed = delimiter == TAB;
    let is_from_mysql = has_mysql_nulls(text, delimiter);
    let quote = match layout.quote {
        Some(quote) => quote,
        None if !is_tabbed => Quote::Double,
        None if is_from_mysql || layout.escape == Some(Escape::Backslash) => Quote::None,
        None => match first_line_where(text, first, begins_with_quote) {
            Some(line) => {
                return Err(format!(
                    "line {line} has a quote at the start of a cell, and tabs separate the cells: use --quote none if \
                     MySQL wrote it, or --quote double if a spreadsheet did"
                ));
            }
            None => Quote::None,
        },
    };
    let is_from_spreadsheet = layout.columns.is_empty() && (!is_tabbed || layout.quote == Some(Quote::Double));
    let escape = match layout.escape {
        Some(escape) => escape,
        None if is_from_mysql => Escape::Backslash,
        None if is_from_spreadsheet || !is_escaped(text, delimiter) => Escape::None,
        None => {
            let line = first_line_where(text, first, |line| line.contains('\\')).unwrap_or(first);
            return Err(format!(
                "line {line} has a backslash: use --escape backslash if MySQL wrote it, or --escape none if a \
                 spreadsheet or `mysql --raw` did"
            ));
        }
    };
    Ok(CsvSyntax { delimiter, quote, escape })
}

fn begins_with_quote(line: &str) -> bool {
    line.split(TAB).any(|cell| cell.starts_with('"'))
}

fn first_line_where(text: &str, first: u64, matches: impl Fn(&str) -> bool) -> Option<u64> {
    text.split('\n').zip(first..).find(|(line, _)| matches(line)).map(|(_, number)| number)
}

/// Whether there are backslashes, each before a character that MySQL escapes.
fn is_escaped(text: &str, delimiter: char) -> bool {
    let mut characters = text.chars();
    let mut is_escaped = false;
    while let Some(character) = characters.next() {
        if character == '\\' {
            let escaped = characters.next();
            if escaped != Some(delimiter) && !matches!(escaped, Some('\\' | 't' | 'n' | '0' | '"' | '\n')) {
                return false;
            }
            is_escaped = true;
        }
    }
    is_escaped
}

/// Whether a cell is `\N`, MySQL's null: then backslashes escape the next character.
fn has_mysql_nulls(text: &str, delimiter: char) -> bool {
    let is_border = |character: Option<char>| character.is_none_or(|one| one == delimiter || one == '\n');
    text.match_indices("\\N").any(|(index, null)| {
        let (before, after) = (text.get(..index), text.get(index + null.len()..));
        is_border(before.and_then(|text| text.chars().next_back()))
            && is_border(after.and_then(|text| text.chars().next()))
    })
}
