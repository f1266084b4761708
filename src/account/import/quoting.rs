//! Whether quotes enclose the cells of a table and backslashes escape in them: as it was said, or as the table shows.

use super::layout::Layout;
use super::records::CsvSyntax;

/// What stands between cells that MySQL writes, and sometimes between those of spreadsheets.
const TAB: char = '\t';

/// What may stand around a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote {
    /// Double quotes, and two of them for one within (RFC 4180).
    Double,
    /// Nothing: a quote is a character of the cell.
    None,
}

/// What a backslash is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// It escapes the character behind it, as MySQL has it.
    Backslash,
    /// A character of the cell.
    None,
}

/// How the cells of `text`, whose first line has the number `first`, are written. Tabs stand between the cells of
/// MySQL, who quotes nothing, and of spreadsheets, who escape nothing; the server of MySQL names no columns and can be
/// told to quote. Where the readings differ and no `\N` identifies MySQL, an option has to decide, because it
/// changes passwords.
///
/// # Errors
/// What has to be said.
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
                    "line {line} has a quote at the beginning of a cell, and tabs between cells: give --quote none if \
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
                "line {line} has a backslash: give --escape backslash if MySQL wrote it, or --escape none if a \
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

/// Whether there are backslashes, all of them before what MySQL puts one before.
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

/// Whether a cell is `\N`, which MySQL writes for null: then backslashes escape what follows them.
fn has_mysql_nulls(text: &str, delimiter: char) -> bool {
    let is_border = |character: Option<char>| character.is_none_or(|one| one == delimiter || one == '\n');
    text.match_indices("\\N").any(|(place, null)| {
        let (before, behind) = (text.get(..place), text.get(place + null.len()..));
        is_border(before.and_then(|text| text.chars().next_back()))
            && is_border(behind.and_then(|text| text.chars().next()))
    })
}
