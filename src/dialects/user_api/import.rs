//! Import format of user-api: its database of users with PBKDF2-HMAC-SHA1 hashes, roles, and customers as tenants.

use std::collections::{BTreeSet, HashMap};

use secrecy::ExposeSecret;

use crate::account::import::row::{LegacyPassword, LegacyUser, Row};
use crate::account::import::{DatabaseLocation, ImportFormat, Reader, Source, SourceDatabase, SourceRow};
use crate::account::names::canonical::canonical;
use crate::account::names::name::Name;
use crate::error::Result;

/// All users. The addition converts each database's boolean to an integer.
const USERS: &str = "SELECT id, CAST(email AS CHAR) AS email, CAST(name AS CHAR) AS name, CAST(hash AS CHAR) AS hash,
    CAST(salt AS CHAR) AS salt, active + 0 AS active, customer_id FROM _user ORDER BY id";

/// All role assignments. Pairs can repeat.
const ROLES: &str =
    "SELECT user_has_role.user_id AS user_id, CAST(role.code AS CHAR) AS code, CAST(role.name AS CHAR) AS name
    FROM user_has_role JOIN role ON role.id = user_has_role.role_id ORDER BY role.id";

/// A row of `_user`.
#[derive(Debug)]
struct UserApiUser {
    /// The id in the old service's routes.
    id: i64,
    /// The e-mail address, which is the login name.
    email: Result<Option<String>>,
    /// The display name.
    name: Result<Option<String>>,
    /// The password hash in hexadecimal.
    hash: Result<Option<String>>,
    /// The salt in hexadecimal.
    salt: Result<Option<String>>,
    /// Whether the user may sign in: 0 or 1.
    active: Option<i64>,
    /// Id of the user's customer.
    customer: Option<i64>,
}

impl UserApiUser {
    fn from_row(row: &SourceRow) -> Result<Self> {
        Ok(Self {
            id: row.value("id")?,
            email: row.value("email"),
            name: row.value("name"),
            hash: row.value("hash"),
            salt: row.value("salt"),
            active: row.value("active")?,
            customer: row.value("customer_id")?,
        })
    }
}

/// The format of `accountd import user-api`.
pub const FORMAT: ImportFormat = ImportFormat {
    name: "user-api",
    about: "The database of user-api: an SQLite file or a mysql:// URL",
    reader: Reader::Database(|location| Box::pin(read(location))),
};

/// Reads the tables.
///
/// # Errors
/// The database cannot be opened, or lacks the tables.
pub async fn read(location: DatabaseLocation<'_>) -> Result<Source> {
    let db = match location {
        DatabaseLocation::File(path) => SourceDatabase::open_file(path).await?,
        DatabaseLocation::Url(url) => SourceDatabase::open_url(url.expose_secret()).await?,
    };
    let mut roles: HashMap<i64, Vec<String>> = HashMap::new();
    let mut role_descriptions = HashMap::new();
    for row in &db.rows(ROLES).await? {
        let user: i64 = row.value("user_id")?;
        let (role, title): (String, Option<String>) = (row.value("code")?, row.value("name")?);
        role_descriptions
            .extend(title.and_then(|title| Name::parse(&title).ok()).map(|title| (canonical(&role), title)));
        let roles = roles.entry(user).or_default();
        // The schema allows duplicate assignments.
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    let users = db.rows(USERS).await?.iter().map(UserApiUser::from_row).collect::<Result<Vec<_>>>()?;
    db.close().await?;
    let customers: BTreeSet<i64> = users.iter().filter_map(|user| user.customer).collect();
    let row = |user: UserApiUser| {
        let name = user.email.as_ref().ok().cloned().flatten().unwrap_or_default();
        let roles = roles.remove(&user.id).unwrap_or_default();
        Row { number: u64::try_from(user.id).unwrap_or_default(), name, user: convert_user(user, roles) }
    };
    let rows = users.into_iter().map(row).collect();
    Ok(Source { rows, customers: customers.into_iter().collect(), role_descriptions })
}

fn convert_user(user: UserApiUser, roles: Vec<String>) -> Result<LegacyUser, String> {
    let login = user.email.map_err(|_| "`email` is not text")?.unwrap_or_default();
    let hash = user.hash.map_err(|_| "`hash` is not text")?.unwrap_or_default();
    let salt = user.salt.map_err(|_| "`salt` is not text")?.unwrap_or_default();
    Ok(LegacyUser {
        id: Some(user.id),
        // The column takes any text; the first user's is `admin`.
        username: Some(login),
        display_name: user.name.map_err(|_| "`name` is not text")?,
        password: LegacyPassword::from_hash(
            (!hash.is_empty()).then(|| format!("$pbkdf2-sha1-hexsalt$i=1000${salt}${hash}")),
        ),
        roles,
        customer: user.customer,
        is_disabled: user.active != Some(1),
        ..LegacyUser::default()
    })
}
