//! Import format of tecladocode's course: its SQLite file, with plain-text passwords or, in later chapters, hashes.

use std::path::Path;

use crate::account::import::row::{LegacyPassword, LegacyUser, Row};
use crate::account::import::{ImportFormat, Reader, Source, SourceDatabase, SourceRow};
use crate::error::Result;

/// All users.
const USERS: &str =
    "SELECT id, CAST(username AS CHAR) AS username, CAST(password AS CHAR) AS password FROM users ORDER BY id";

/// A row of `users`.
#[derive(Debug)]
struct TecladocodeUser {
    /// The id in the old service's routes.
    id: i64,
    /// The username; an error if it is not valid text.
    username: Result<Option<String>>,
    /// The password in plain text, or its hash in the newer course.
    password: Result<Option<String>>,
}

impl TecladocodeUser {
    fn from_row(row: &SourceRow) -> Result<Self> {
        Ok(Self { id: row.value("id")?, username: row.value("username"), password: row.value("password") })
    }
}

/// The format of `accountd import tecladocode`.
pub const FORMAT: ImportFormat = ImportFormat {
    name: "tecladocode",
    about: "The SQLite file of tecladocode's course",
    reader: Reader::File(|path| Box::pin(read(path))),
};

/// Reads the file.
///
/// # Errors
/// It is not an SQLite file, or lacks the table.
pub async fn read(path: &Path) -> Result<Source> {
    let db = SourceDatabase::open_file(path).await?;
    let users = db.rows(USERS).await?.iter().map(TecladocodeUser::from_row).collect::<Result<Vec<_>>>()?;
    db.close().await?;
    Ok(Source { rows: users.into_iter().map(convert_row).collect(), ..Source::default() })
}

fn convert_row(user: TecladocodeUser) -> Row {
    let number = u64::try_from(user.id).unwrap_or_default();
    let name = user.username.as_ref().ok().cloned().flatten().unwrap_or_default();
    Row { number, name, user: convert_user(user) }
}

fn convert_user(user: TecladocodeUser) -> Result<LegacyUser, String> {
    let password = user.password.map_err(|_| "`password` is not text")?;
    // The course has no roles: the first user was the administrator.
    let was_admin = user.id == 1;
    Ok(LegacyUser {
        id: Some(user.id),
        username: Some(user.username.map_err(|_| "`username` is not text")?.unwrap_or_default()),
        // The column holds either.
        password: LegacyPassword::from_plain(password),
        remarks: was_admin
            .then(|| "it was the administrator as user 1: assign the role `admin` to keep that".to_owned())
            .into_iter()
            .collect(),
        ..LegacyUser::default()
    })
}
