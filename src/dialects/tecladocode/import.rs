//! The SQLite file of tecladocode's course: passwords in plain text or, where its readers went on, hashes.

use std::path::Path;

use crate::account::import::Source;
use crate::account::import::row::{LegacyPassword, LegacyUser, Row};
use crate::error::Result;
use crate::store::import_sources::{self, TecladocodeUser};

/// Reads the file.
///
/// # Errors
/// When it is no SQLite file, or has no such table.
pub async fn read(path: &Path) -> Result<Source> {
    let db = import_sources::open_file(path).await?;
    let rows = import_sources::tecladocode_users(&db).await?.into_iter().map(convert_row).collect();
    db.close().await?;
    Ok(Source { rows, ..Source::default() })
}

fn convert_row(user: TecladocodeUser) -> Row {
    let number = u64::try_from(user.id).unwrap_or_default();
    let name = user.username.as_ref().ok().cloned().flatten().unwrap_or_default();
    Row { number, name, user: convert_user(user) }
}

fn convert_user(user: TecladocodeUser) -> Result<LegacyUser, String> {
    let password = user.password.map_err(|_| "`password` is no text")?;
    // It had no roles: its first account was the administrator, whoever made it.
    let was_admin = user.id == 1;
    Ok(LegacyUser {
        id: Some(user.id),
        username: Some(user.username.map_err(|_| "`username` is no text")?.unwrap_or_default()),
        // The column tells not which of them it holds.
        password: LegacyPassword::from_plain(password),
        remarks: was_admin
            .then(|| "as number 1 it was the administrator: here that is who has the role `admin`".to_owned())
            .into_iter()
            .collect(),
        ..LegacyUser::default()
    })
}
