//! The SQLite file of tecladocode's course: passwords in plain text or, where its readers went on, hashes.

use std::path::Path;

use super::Source;
use super::row::{OldAccount, OldPassword, Row};
use crate::error::Result;
use crate::store::older::{self, Teclado};

/// Reads the file.
///
/// # Errors
/// When it is no SQLite file, or has no such table.
pub async fn read(path: &Path) -> Result<Source> {
    let db = older::open_file(path).await?;
    let rows = older::teclado_users(&db).await?.into_iter().map(row).collect();
    db.close().await?;
    Ok(Source { rows, ..Source::default() })
}

fn row(user: Teclado) -> Row {
    let number = u64::try_from(user.id).unwrap_or_default();
    let name = user.username.as_ref().ok().cloned().flatten().unwrap_or_default();
    Row { number, name, account: account(user) }
}

fn account(user: Teclado) -> Result<OldAccount, String> {
    let password = user.password.map_err(|_| "`password` is no text")?;
    // It had no roles: its first account was the administrator, whoever made it.
    let was_admin = user.id == 1;
    Ok(OldAccount {
        number: Some(user.id),
        username: Some(user.username.map_err(|_| "`username` is no text")?.unwrap_or_default()),
        // The column tells not which of them it holds.
        password: OldPassword::plain(password),
        left_out: was_admin
            .then(|| "as number 1 it was the administrator: here that is who has the role `admin`".to_owned())
            .into_iter()
            .collect(),
        ..OldAccount::default()
    })
}
