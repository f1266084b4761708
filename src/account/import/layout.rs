//! Options of the general formats: how the file is written, and what its columns are.

use std::collections::HashMap;

use super::csv_syntax::{Escape, Quote};

/// The fields of an imported user.
pub(super) const FIELDS: [&str; 12] = [
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

/// How a file is written, where the operator specifies it.
#[derive(Debug, Default)]
pub struct Layout {
    /// Separator of two CSV cells.
    pub delimiter: Option<u8>,
    /// Columns of a CSV file without a header line.
    pub columns: Vec<String>,
    /// Quoting of CSV cells; detected if absent.
    pub quote: Option<Quote>,
    /// Meaning of a backslash in CSV cells; detected if absent.
    pub escape: Option<Escape>,
    /// Fields by column name, from [`Layout::rename`]; `None` skips the column.
    pub renames: HashMap<String, Option<&'static str>>,
}

impl Layout {
    /// Parses `passwordHash=password_hash`: the file's column or field, and the field it maps to. An empty right side
    /// skips it.
    ///
    /// # Errors
    /// The problem of the text.
    pub fn rename(&mut self, text: &str) -> Result<(), String> {
        let (old, new) = text.rsplit_once('=').ok_or("write it like passwordHash=password_hash")?;
        let field = FIELDS.into_iter().find(|field| *field == new);
        if field.is_none() && !new.is_empty() {
            let new = new.escape_debug();
            return Err(format!("unknown field `{new}`: use {}, or nothing to skip it", FIELDS.join(", ")));
        }
        match self.renames.insert(old.to_owned(), field) {
            Some(_) => Err(format!("`{}` is given twice", old.escape_debug())),
            None => Ok(()),
        }
    }

    /// The field that a column or field of the file maps to; `None` if it is skipped.
    pub(super) fn field<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.renames.get(name).map_or(Some(name), |field| *field)
    }
}
