//! CSV, the general format: the fields of JSON Lines as columns, named in the first line.

use csv::{ReaderBuilder, StringRecord};

use super::Source;
use super::lines::password;
use super::row::{OldAccount, Row, time};
use crate::error::{Error, Result};

/// The columns that there may be.
const COLUMNS: [&str; 12] = [
    "username",
    "email",
    "display_name",
    "password_hash",
    "password",
    "roles",
    "active",
    "must_change_password",
    "id",
    "created_at",
    "last_login_at",
    "password_changed_at",
];

/// Reads the table.
///
/// # Errors
/// When the first line names a column that is unknown, or one twice.
pub fn read(text: &str) -> Result<Source> {
    // The reader counts a line that ends with two characters after the next one has begun.
    let text = text.replace("\r\n", "\n");
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(Error::internal)?.clone();
    for (place, column) in header.iter().enumerate() {
        if !COLUMNS.contains(&column) {
            let column = column.escape_debug();
            return Err(Error::internal(format!("there is no column `{column}`: use {}", COLUMNS.join(", "))));
        }
        if header.iter().take(place).any(|earlier| earlier == column) {
            return Err(Error::internal(format!("the column `{column}` comes twice")));
        }
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(Error::internal)?;
        let number = record.position().map_or(0, csv::Position::line);
        let cells = Cells { header: &header, record: &record };
        let name = cells.text("username").or_else(|| cells.text("email")).unwrap_or_default();
        rows.push(Row { number, name, account: account(&cells) });
    }
    Ok(Source { rows, ..Source::default() })
}

struct Cells<'a> {
    header: &'a StringRecord,
    record: &'a StringRecord,
}

impl Cells<'_> {
    /// What stands in a column; an empty cell counts as missing.
    fn text(&self, column: &str) -> Option<String> {
        let place = self.header.iter().position(|name| name == column)?;
        self.record.get(place).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn flag(&self, column: &str) -> Result<Option<bool>, String> {
        let flag = |text: String| match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(format!("`{column}` is neither true nor false")),
        };
        self.text(column).map(flag).transpose()
    }

    fn time(&self, column: &str) -> Result<Option<chrono::DateTime<chrono::Utc>>, String> {
        let wrong = || format!("`{column}` is no time like 2026-03-01T12:00:00Z");
        self.text(column).map(|text| time(&text).ok_or_else(wrong)).transpose()
    }
}

fn account(cells: &Cells<'_>) -> Result<OldAccount, String> {
    if cells.record.len() != cells.header.len() {
        return Err(format!("it has {} cells, and the first line {}", cells.record.len(), cells.header.len()));
    }
    let number = cells.text("id").map(|text| text.parse().map_err(|_| "`id` is no whole number"));
    let roles = cells.text("roles").unwrap_or_default();
    Ok(OldAccount {
        number: number.transpose()?,
        username: cells.text("username"),
        email: cells.text("email"),
        display_name: cells.text("display_name"),
        password: password(cells.text("password_hash"), cells.text("password"))?,
        roles: roles.split(';').map(str::trim).filter(|role| !role.is_empty()).map(str::to_owned).collect(),
        disabled: cells.flag("active")? == Some(false),
        must_change_password: cells.flag("must_change_password")? == Some(true),
        created_at: cells.time("created_at")?,
        last_login_at: cells.time("last_login_at")?,
        password_changed_at: cells.time("password_changed_at")?,
        ..OldAccount::default()
    })
}
