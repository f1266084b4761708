//! CSV, a general format: the fields of JSON Lines as columns, named in the header line; as in RFC 4180, and as
//! PostgreSQL, MySQL and Excel write it.

use super::csv_syntax::Escape;
use super::layout::{FIELDS, Layout};
use super::records::{Record, RecordError, Records};
use super::row::{LegacyPassword, LegacyUser, Row};
use super::{Source, cell, quoting};
use crate::error::{Error, Result};
use crate::security::schemes::looks_like_hash;

/// Supported delimiters, the most common first.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// Longest column name that an error shows; longer text is no column name.
const MAX_SHOWN_NAME: usize = 64;

/// Reads a CSV file with detected syntax.
///
/// # Errors
/// As [`read_with`].
pub fn read(text: &str) -> Result<Source> {
    read_with(text, &Layout::default())
}

/// Reads a CSV file.
///
/// # Errors
/// A column is unknown or named twice, or the cells cannot be separated.
pub fn read_with(text: &str, layout: &Layout) -> Result<Source> {
    let text = normalize_line_ends(text);
    let (separator, text) = strip_separator_line(&text);
    let first = 1 + u64::from(separator.is_some());
    let delimiter = char::from(layout.delimiter.or(separator).unwrap_or_else(|| detect_delimiter(text)));
    let syntax = quoting::detect_syntax(text, delimiter, layout, first).map_err(Error::internal)?;
    let mut records = Records::new(text, syntax, first);
    let columns = if layout.columns.is_empty() {
        let named = records.next().transpose().map_err(into_error)?.unwrap_or_default();
        let names: Vec<&str> = named.cells.iter().map(|cell| cell.text.as_str()).collect();
        if let Some(problem) = wrong_delimiter(&names, layout, delimiter) {
            return Err(Error::internal(problem));
        }
        column_fields(names.into_iter(), layout)?
    } else {
        column_fields(layout.columns.iter().map(String::as_str), layout)?
    };
    let columns = Columns { fields: columns, has_header: layout.columns.is_empty(), escape: syntax.escape };
    let mut rows = Vec::new();
    for record in records {
        let record = record.map_err(into_error)?;
        if !record.is_empty() {
            rows.extend(columns.parse_rows(&record));
        }
    }
    Ok(Source { rows, ..Source::default() })
}

fn into_error(fault: RecordError) -> Error {
    Error::internal(fault.message())
}

/// The text with `\n` line endings.
fn normalize_line_ends(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    // Excel's CSV for the Macintosh.
    if text.contains('\n') { text } else { text.replace('\r', "\n") }
}

/// Excel's first line `sep=;`, and the rest of the text.
fn strip_separator_line(text: &str) -> (Option<u8>, &str) {
    let named = text.strip_prefix("sep=").and_then(|rest| rest.split_once('\n'));
    match named.map(|(separator, rest)| (separator.as_bytes(), rest)) {
        Some((&[separator], rest)) => (Some(separator), rest),
        _ => (None, text),
    }
}

/// The most frequent delimiter of the first line, outside of quotes.
fn detect_delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let bare: String = first.split('"').step_by(2).collect();
    let most = DELIMITERS.into_iter().rev().max_by_key(|delimiter| bare.matches(*delimiter).count());
    most.and_then(|delimiter| u8::try_from(delimiter).ok()).unwrap_or(b',')
}

/// The error if another delimiter separates the column names.
fn wrong_delimiter(names: &[&str], layout: &Layout, delimiter: char) -> Option<String> {
    let &[line] = names else { return None };
    let is_field = |name: &str| layout.renames.contains_key(name) || FIELDS.contains(&name);
    let other = DELIMITERS.into_iter().find(|other| {
        *other != delimiter && line.contains(*other) && line.split(*other).any(|name| is_field(name.trim()))
    })?;
    Some(format!("the first line is separated by {other:?}, not {delimiter:?}: change --delimiter"))
}

/// The field of each column; `None` if it is skipped.
fn column_fields<'a>(names: impl Iterator<Item = &'a str>, layout: &Layout) -> Result<Vec<Option<String>>> {
    let mut columns: Vec<Option<String>> = Vec::new();
    for (name, position) in names.zip(1..) {
        // Spreadsheets write emptied columns.
        let field = layout.field(name).filter(|field| !field.is_empty());
        if let Some(unknown) = field.filter(|field| !FIELDS.contains(field)) {
            return Err(Error::internal(unknown_column(unknown, position)));
        }
        if field.is_some() && columns.iter().any(|earlier| earlier.as_deref() == field) {
            return Err(Error::internal(format!("the column `{}` is named twice", field.unwrap_or_default())));
        }
        columns.push(field.map(str::to_owned));
    }
    Ok(columns)
}

/// The error for an unknown column. A file without a header begins with a row, which may hold a secret.
fn unknown_column(name: &str, position: usize) -> String {
    let is_like_name = name.chars().all(|one| one.is_alphanumeric() || matches!(one, ' ' | '_' | '-' | '.'));
    if name.len() > MAX_SHOWN_NAME || !is_like_name || looks_like_hash(name) {
        return format!(
            "the first line does not name column {position}: name all columns with --columns, or set the \
             separator with --delimiter"
        );
    }
    let fields = FIELDS.join(", ");
    format!("unknown column `{name}`: use {fields}, or map it with --map '{name}=FIELD'")
}

/// The columns of a table.
struct Columns {
    fields: Vec<Option<String>>,
    /// Whether the first line names them.
    has_header: bool,
    escape: Escape,
}

impl Columns {
    /// The row of a record. An invalid record is refused with each of its lines: the count must include lines that a
    /// stray quote swallowed.
    fn parse_rows(&self, record: &Record) -> Vec<Row> {
        let cells = Cells { columns: self, record };
        let name = cells.text("username").or_else(|| cells.text("email")).unwrap_or_default();
        let user = parse_user(&cells);
        let last_line = if user.is_err() { record.last_line } else { record.line };
        let more = (record.line + 1..=last_line).map(|number| Row {
            number,
            name: String::new(),
            user: Err(format!("it belongs to a cell that begins in line {}", record.line)),
        });
        [Row { number: record.line, name, user }].into_iter().chain(more).collect()
    }
}

struct Cells<'a> {
    columns: &'a Columns,
    record: &'a Record,
}

impl Cells<'_> {
    /// The text of a column; `None` for null.
    fn text(&self, column: &str) -> Option<String> {
        let index = self.columns.fields.iter().position(|name| name.as_deref() == Some(column))?;
        let cell = self.record.cells.get(index).filter(|cell| !cell.is_null)?;
        // Escaped, `\N` is text like any other.
        let is_null_text = cell.text == cell::MYSQL_NULL && self.columns.escape == Escape::Backslash;
        if is_null_text { Some(cell.text.clone()) } else { cell::non_null(&cell.text).map(str::to_owned) }
    }

    /// Rejects a cell of more than one line: no field has more, and a stray quote causes such cells.
    fn reject_multiline_cells(&self) -> Result<(), String> {
        let mut line = self.record.line;
        for (cell, field) in self.record.cells.iter().zip(&self.columns.fields) {
            if let Some(field) = field.as_ref().filter(|_| cell.last_line > line) {
                return Err(format!(
                    "`{field}` spans lines {line} to {}: write it in one line, or use --quote none if \
                     quotes are part of the cells",
                    cell.last_line
                ));
            }
            line = cell.last_line;
        }
        Ok(())
    }

    fn bool(&self, column: &str) -> Result<Option<bool>, String> {
        let wrong = || format!("`{column}` is neither true nor false");
        self.text(column).map(|text| cell::parse_bool(&text).ok_or_else(wrong)).transpose()
    }

    fn time(&self, column: &str) -> Result<Option<chrono::DateTime<chrono::Utc>>, String> {
        let text = self.text(column).unwrap_or_default();
        cell::parse_optional_time(&text).map_err(|()| format!("`{column}` is not a time like 2026-03-01T12:00:00Z"))
    }
}

fn parse_user(cells: &Cells<'_>) -> Result<LegacyUser, String> {
    let (count, expected) = (cells.record.cells.len(), cells.columns.fields.len());
    if count != expected {
        let source = if cells.columns.has_header { "the first line" } else { "--columns" };
        return Err(format!("it has {count} cells, and {source} {expected}"));
    }
    cells.reject_multiline_cells()?;
    let id = cells.text("id").map(|text| text.parse().map_err(|_| "`id` is not an integer"));
    let roles = cells.text("roles").unwrap_or_default();
    Ok(LegacyUser {
        id: id.transpose()?,
        username: cells.text("username"),
        email: cells.text("email"),
        display_name: cells.text("display_name"),
        password: LegacyPassword::from_either(cells.text("password_hash"), cells.text("password"))?,
        roles: cell::parse_names(&roles).ok_or("`roles` is not a list of names")?,
        is_disabled: cells.bool("active")? == Some(false),
        must_change_password: cells.bool("must_change_password")? == Some(true),
        created_at: cells.time("created_at")?,
        last_login_at: cells.time("last_login_at")?,
        password_changed_at: cells.time("password_changed_at")?,
        ..LegacyUser::default()
    })
}
