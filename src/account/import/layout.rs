//! What the person who imports says of a file of a general format: how it is written, and what its columns are.

use std::collections::HashMap;

use super::quoting::{Escape, Quote};

/// The fields of a row.
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

/// How a file is written, as far as that is said.
#[derive(Debug, Default)]
pub struct Layout {
    /// What stands between two cells of a table.
    pub delimiter: Option<u8>,
    /// The columns of a table whose first line does not name them.
    pub columns: Vec<String>,
    /// What stands around the cells of a table; without it the table shows.
    pub quote: Option<Quote>,
    /// What a backslash in a table is; without it the table shows.
    pub escape: Option<Escape>,
    /// What [`Layout::rename`] took.
    pub renames: HashMap<String, Option<&'static str>>,
}

impl Layout {
    /// Takes `passwordHash=password_hash`: the column or field of the file, and which of ours it is. Nothing behind
    /// the `=` passes it over.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn rename(&mut self, text: &str) -> Result<(), String> {
        let (old, new) = text.rsplit_once('=').ok_or("write it like passwordHash=password_hash")?;
        let field = FIELDS.into_iter().find(|field| *field == new);
        if field.is_none() && !new.is_empty() {
            let new = new.escape_debug();
            return Err(format!("there is no field `{new}`: use {}, or nothing to pass it over", FIELDS.join(", ")));
        }
        match self.renames.insert(old.to_owned(), field) {
            Some(_) => Err(format!("`{}` comes twice", old.escape_debug())),
            None => Ok(()),
        }
    }

    /// The field that a column or a field of the file is; none if it is passed over.
    pub(super) fn field<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.renames.get(name).map_or(Some(name), |field| *field)
    }
}
