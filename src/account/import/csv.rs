//! CSV, the general format: the fields of JSON Lines as columns, named in the first line; as RFC 4180 has it, and as
//! PostgreSQL, MySQL and Excel write it.

use super::jsonl::either_password;
use super::layout::{FIELDS, Layout};
use super::quoting::Escape;
use super::records::{Record, RecordError, Records};
use super::row::{LegacyUser, Row};
use super::{Source, cell, quoting};
use crate::error::{Error, Result};
use crate::security::schemes::looks_like_hash;

/// What may stand between cells, the likeliest first.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// Longest name of a column that is told: what is longer is none.
const MAX_SHOWN_NAME: usize = 64;

/// Reads a table of which nothing is known.
///
/// # Errors
/// As [`read_with`].
pub fn read(text: &str) -> Result<Source> {
    read_with(text, &Layout::default())
}

/// Reads the table.
///
/// # Errors
/// When the first line names a column that is unknown, or one twice; when the cells cannot be determined.
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

/// The text with `\n` at the end of each line, whatever it was.
fn normalize_line_ends(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    // Excel's CSV for the Macintosh.
    if text.contains('\n') { text } else { text.replace('\r', "\n") }
}

/// Excel's first line `sep=;`, and what is behind it.
fn strip_separator_line(text: &str) -> (Option<u8>, &str) {
    let named = text.strip_prefix("sep=").and_then(|rest| rest.split_once('\n'));
    match named.map(|(separator, rest)| (separator.as_bytes(), rest)) {
        Some((&[separator], rest)) => (Some(separator), rest),
        _ => (None, text),
    }
}

/// What comes most often in the first line, outside of quotes.
fn detect_delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let bare: String = first.split('"').step_by(2).collect();
    let most = DELIMITERS.into_iter().rev().max_by_key(|delimiter| bare.matches(*delimiter).count());
    most.and_then(|delimiter| u8::try_from(delimiter).ok()).unwrap_or(b',')
}

/// The error if another character than the given delimiter separates the column names.
fn wrong_delimiter(names: &[&str], layout: &Layout, delimiter: char) -> Option<String> {
    let &[line] = names else { return None };
    let is_field = |name: &str| layout.renames.contains_key(name) || FIELDS.contains(&name);
    let other = DELIMITERS.into_iter().find(|other| {
        *other != delimiter && line.contains(*other) && line.split(*other).any(|name| is_field(name.trim()))
    })?;
    Some(format!("{other:?} stands between the cells of the first line, not {delimiter:?}: change --delimiter"))
}

/// The field that each column is; none if it is passed over.
fn column_fields<'a>(names: impl Iterator<Item = &'a str>, layout: &Layout) -> Result<Vec<Option<String>>> {
    let mut columns: Vec<Option<String>> = Vec::new();
    for (name, place) in names.zip(1..) {
        // Spreadsheets write columns that somebody emptied.
        let field = layout.field(name).filter(|field| !field.is_empty());
        if let Some(unknown) = field.filter(|field| !FIELDS.contains(field)) {
            return Err(Error::internal(unknown_column(unknown, place)));
        }
        if field.is_some() && columns.iter().any(|earlier| earlier.as_deref() == field) {
            return Err(Error::internal(format!("the column `{}` comes twice", field.unwrap_or_default())));
        }
        columns.push(field.map(str::to_owned));
    }
    Ok(columns)
}

/// A file may begin with its first row: what stands there may be a secret.
fn unknown_column(name: &str, place: usize) -> String {
    let is_like_name = name.chars().all(|one| one.is_alphanumeric() || matches!(one, ' ' | '_' | '-' | '.'));
    if name.len() > MAX_SHOWN_NAME || !is_like_name || looks_like_hash(name) {
        return format!(
            "the first line does not name the column {place}: name all with --columns, or say with --delimiter what \
             stands between cells"
        );
    }
    let fields = FIELDS.join(", ");
    format!("there is no column `{name}`: use {fields}, or say with --map '{name}=FIELD' which of them it is")
}

/// The columns of a table, and remarks about them.
struct Columns {
    fields: Vec<Option<String>>,
    /// The first line names them.
    has_header: bool,
    escape: Escape,
}

impl Columns {
    /// The row of a record. One that cannot be read is refused with each line that it has: what a quote too many
    /// swallowed must not be missing from the sum.
    fn parse_rows(&self, record: &Record) -> Vec<Row> {
        let cells = Cells { columns: self, record };
        let name = cells.text("username").or_else(|| cells.text("email")).unwrap_or_default();
        let account = parse_user(&cells);
        let last_line = if account.is_err() { record.last_line } else { record.line };
        let more = (record.line + 1..=last_line).map(|number| Row {
            number,
            name: String::new(),
            user: Err(format!("it belongs to a cell that line {} begins", record.line)),
        });
        [Row { number: record.line, name, user: account }].into_iter().chain(more).collect()
    }
}

struct Cells<'a> {
    columns: &'a Columns,
    record: &'a Record,
}

impl Cells<'_> {
    /// What stands in a column.
    fn text(&self, column: &str) -> Option<String> {
        let place = self.columns.fields.iter().position(|name| name.as_deref() == Some(column))?;
        let cell = self.record.cells.get(place).filter(|cell| !cell.is_null)?;
        // Escaped, it is a text like any other.
        let is_null_text = cell.text == cell::MYSQL_NULL && self.columns.escape == Escape::Backslash;
        if is_null_text { Some(cell.text.clone()) } else { cell::non_null(&cell.text).map(str::to_owned) }
    }

    /// Refuses a cell of more than one line: no field has more, and a quote too many makes such cells.
    fn reject_multiline_cells(&self) -> Result<(), String> {
        let mut line = self.record.line;
        for (cell, field) in self.record.cells.iter().zip(&self.columns.fields) {
            if let Some(field) = field.as_ref().filter(|_| cell.last_line > line) {
                return Err(format!(
                    "`{field}` goes on from line {line} to line {}: write it in one line, and give --quote none if \
                     quotes belong to the cells",
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
        cell::parse_optional_time(&text).map_err(|()| format!("`{column}` is no time like 2026-03-01T12:00:00Z"))
    }
}

fn parse_user(cells: &Cells<'_>) -> Result<LegacyUser, String> {
    let (count, expected) = (cells.record.cells.len(), cells.columns.fields.len());
    if count != expected {
        let place = if cells.columns.has_header { "the first line" } else { "--columns" };
        return Err(format!("it has {count} cells, and {place} {expected}"));
    }
    cells.reject_multiline_cells()?;
    let number = cells.text("id").map(|text| text.parse().map_err(|_| "`id` is no whole number"));
    let roles = cells.text("roles").unwrap_or_default();
    Ok(LegacyUser {
        id: number.transpose()?,
        username: cells.text("username"),
        email: cells.text("email"),
        display_name: cells.text("display_name"),
        password: either_password(cells.text("password_hash"), cells.text("password"))?,
        roles: cell::parse_names(&roles).ok_or("`roles` is no list of names")?,
        is_disabled: cells.bool("active")? == Some(false),
        must_change_password: cells.bool("must_change_password")? == Some(true),
        created_at: cells.time("created_at")?,
        last_login_at: cells.time("last_login_at")?,
        password_changed_at: cells.time("password_changed_at")?,
        ..LegacyUser::default()
    })
}
