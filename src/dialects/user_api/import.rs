//! The database of user-api: e-mail addresses with PBKDF2-HMAC-SHA1 hashes, roles, and customers, who become tenants.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use crate::account::import::Source;
use crate::account::import::row::{LegacyPassword, LegacyUser, Row};
use crate::account::user::canonical::canonical;
use crate::account::user::name::Name;
use crate::error::Result;
use crate::store::import_sources::{self, UserApiUser};

/// Where the database is.
#[derive(Debug)]
pub enum DatabaseLocation<'a> {
    /// A file of SQLite.
    File(&'a Path),
    /// A server; the URL may hold a password.
    Url(SecretString),
}

/// Reads the tables.
///
/// # Errors
/// When the database cannot be opened, or has no such tables.
pub async fn read(place: DatabaseLocation<'_>) -> Result<Source> {
    let db = match place {
        DatabaseLocation::File(path) => import_sources::open_file(path).await?,
        DatabaseLocation::Url(url) => import_sources::open_url(url.expose_secret()).await?,
    };
    let mut roles: HashMap<i64, Vec<String>> = HashMap::new();
    let mut role_descriptions = HashMap::new();
    for (user, role, title) in import_sources::user_api_roles(&db).await? {
        role_descriptions
            .extend(title.and_then(|title| Name::parse(&title).ok()).map(|title| (canonical(&role), title)));
        let roles = roles.entry(user).or_default();
        // Nothing there keeps a role from being given twice.
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    let users = import_sources::user_api_users(&db).await?;
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
    let login = user.email.map_err(|_| "`email` is no text")?.unwrap_or_default();
    let hash = user.hash.map_err(|_| "`hash` is no text")?.unwrap_or_default();
    let salt = user.salt.map_err(|_| "`salt` is no text")?.unwrap_or_default();
    Ok(LegacyUser {
        id: Some(user.id),
        // Any text may stand there, and the first account's is `admin`.
        username: Some(login),
        display_name: user.name.map_err(|_| "`name` is no text")?,
        password: LegacyPassword::from_hash(
            (!hash.is_empty()).then(|| format!("$pbkdf2-sha1-hexsalt$i=1000${salt}${hash}")),
        ),
        roles,
        customer: user.customer,
        is_disabled: user.active != Some(1),
        ..LegacyUser::default()
    })
}
