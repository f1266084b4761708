//! CSV, the general format: the fields of JSON Lines as columns, named in the first line; as RFC 4180 has it, and as
//! PostgreSQL, MySQL and Excel write it.

use csv::{ReaderBuilder, StringRecord};

use super::layout::{FIELDS, Layout};
use super::lines::password;
use super::row::{OldAccount, Row};
use super::{Source, cell};
use crate::error::{Error, Result};
use crate::security::stored::has_form_of_hash;

/// What may stand between cells, the likeliest first.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// Longest name of a column that is told: what is longer is none.
const MAX_SHOWN: usize = 64;

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
/// When the first line names a column that is unknown, or one twice.
pub fn read_with(text: &str, layout: &Layout) -> Result<Source> {
    // The reader counts a line that ends with two characters after the next one has begun.
    let text = text.replace("\r\n", "\n");
    let (separator, text) = named_separator(&text);
    let skipped = u64::from(separator.is_some());
    let delimiter = layout.delimiter.or(separator).unwrap_or_else(|| sniffed(text));
    let is_escaped = has_nulls_of_mysql(text, char::from(delimiter));
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .delimiter(delimiter)
        .escape(is_escaped.then_some(b'\\'))
        .has_headers(layout.columns.is_empty())
        .from_reader(text.as_bytes());
    let columns = if layout.columns.is_empty() {
        columns(reader.headers().map_err(Error::internal)?.iter(), layout)?
    } else {
        columns(layout.columns.iter().map(String::as_str), layout)?
    };
    // Within quotes the reader replaces what is escaped.
    let is_raw = is_escaped && !text.contains('"');
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(Error::internal)?;
        let number = record.position().map_or(0, csv::Position::line) + skipped;
        let record = if is_raw { record.iter().map(unescaped).collect() } else { record };
        // Spreadsheets write lines for rows that somebody emptied.
        if record.iter().all(str::is_empty) {
            continue;
        }
        let cells = Cells { columns: &columns, record: &record };
        let name = cells.text("username").or_else(|| cells.text("email")).unwrap_or_default();
        rows.push(Row { number, name, account: account(&cells) });
    }
    Ok(Source { rows, ..Source::default() })
}

/// Excel's first line `sep=;`, and what is behind it.
fn named_separator(text: &str) -> (Option<u8>, &str) {
    let named = text.strip_prefix("sep=").and_then(|rest| rest.split_once('\n'));
    match named.map(|(separator, rest)| (separator.as_bytes(), rest)) {
        Some((&[separator], rest)) => (Some(separator), rest),
        _ => (None, text),
    }
}

/// What comes most often in the first line, outside of quotes.
fn sniffed(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let bare: String = first.split('"').step_by(2).collect();
    let most = DELIMITERS.into_iter().rev().max_by_key(|delimiter| bare.matches(*delimiter).count());
    most.and_then(|delimiter| u8::try_from(delimiter).ok()).unwrap_or(b',')
}

/// Whether a cell is `\N`, which MySQL writes for null: then backslashes escape what follows them.
fn has_nulls_of_mysql(text: &str, delimiter: char) -> bool {
    let is_border = |character: Option<char>| character.is_none_or(|one| one == delimiter || one == '\n');
    text.match_indices("\\N").any(|(place, null)| {
        let (before, behind) = (text.get(..place), text.get(place + null.len()..));
        is_border(before.and_then(|text| text.chars().next_back()))
            && is_border(behind.and_then(|text| text.chars().next()))
    })
}

/// What MySQL escaped in a cell without quotes.
fn unescaped(text: &str) -> String {
    let mut characters = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(character) = characters.next() {
        match (character, character == '\\' && text != "\\N") {
            (_, true) => plain.extend(characters.next().map(|one| match one {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                '0' => '\0',
                other => other,
            })),
            (other, false) => plain.push(other),
        }
    }
    plain
}

/// The field that each column is; none if it is passed over.
fn columns<'a>(names: impl Iterator<Item = &'a str>, layout: &Layout) -> Result<Vec<Option<String>>> {
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
    if name.len() > MAX_SHOWN || !is_like_name || has_form_of_hash(name) {
        return format!("the first line does not name the column {place}: name all with --columns");
    }
    let fields = FIELDS.join(", ");
    format!("there is no column `{name}`: use {fields}, or say with --map '{name}=FIELD' which of them it is")
}

struct Cells<'a> {
    columns: &'a [Option<String>],
    record: &'a StringRecord,
}

impl Cells<'_> {
    /// What stands in a column.
    fn text(&self, column: &str) -> Option<String> {
        let place = self.columns.iter().position(|name| name.as_deref() == Some(column))?;
        self.record.get(place).and_then(cell::given).map(str::to_owned)
    }

    fn flag(&self, column: &str) -> Result<Option<bool>, String> {
        let wrong = || format!("`{column}` is neither true nor false");
        self.text(column).map(|text| cell::flag(&text).ok_or_else(wrong)).transpose()
    }

    fn time(&self, column: &str) -> Result<Option<chrono::DateTime<chrono::Utc>>, String> {
        let text = self.text(column).unwrap_or_default();
        cell::moment(&text).map_err(|()| format!("`{column}` is no time like 2026-03-01T12:00:00Z"))
    }
}

fn account(cells: &Cells<'_>) -> Result<OldAccount, String> {
    if cells.record.len() != cells.columns.len() {
        return Err(format!("it has {} cells, and the first line {}", cells.record.len(), cells.columns.len()));
    }
    let number = cells.text("id").map(|text| text.parse().map_err(|_| "`id` is no whole number"));
    let roles = cells.text("roles").unwrap_or_default();
    Ok(OldAccount {
        number: number.transpose()?,
        username: cells.text("username"),
        email: cells.text("email"),
        display_name: cells.text("display_name"),
        password: password(cells.text("password_hash"), cells.text("password"))?,
        roles: cell::names(&roles).ok_or("`roles` is no list of names")?,
        disabled: cells.flag("active")? == Some(false),
        must_change_password: cells.flag("must_change_password")? == Some(true),
        created_at: cells.time("created_at")?,
        last_login_at: cells.time("last_login_at")?,
        password_changed_at: cells.time("password_changed_at")?,
        ..OldAccount::default()
    })
}
