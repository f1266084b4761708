//! Databases of older services, only read: their tables as they are, whatever stands in them.

use std::path::Path;
use std::time::Duration;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, QueryResult, RuntimeErr, SqlxError,
    Statement, TryGetable,
};

use crate::error::{Error, Result};

/// One row of `users` of tecladocode's course.
#[derive(Debug)]
pub struct TecladocodeUser {
    /// The number that its routes show.
    pub id: i64,
    /// The name; an error tells that it is no text.
    pub username: Result<Option<String>>,
    /// The password itself, or its hash in the newer course.
    pub password: Result<Option<String>>,
}

/// One row of `_user` of user-api.
#[derive(Debug)]
pub struct UserApiUser {
    /// The number that its routes show.
    pub id: i64,
    /// What its users sign in with.
    pub email: Result<Option<String>>,
    /// The name that is shown.
    pub name: Result<Option<String>>,
    /// The hash in hexadecimal digits.
    pub hash: Result<Option<String>>,
    /// The salt in hexadecimal digits.
    pub salt: Result<Option<String>>,
    /// Whether the user may sign in.
    pub active: Option<i64>,
    /// The customer whose user it is.
    pub customer: Option<i64>,
}

/// How long the server of an older database may take until it answers.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a file of SQLite.
///
/// # Errors
/// When there is none, or it is another kind of file.
pub async fn open_file(path: &Path) -> Result<DatabaseConnection> {
    let path = path.to_str().ok_or_else(|| Error::internal("the path is not UTF-8"))?.to_owned();
    let mut options = ConnectOptions::new("sqlite:");
    options.max_connections(1).sqlx_logging(false);
    options.map_sqlx_sqlite_opts(move |options| options.filename(&path).read_only(true));
    Ok(Database::connect(options).await?)
}

/// Opens the database that a URL names; one of MySQL, MariaDB or PostgreSQL.
///
/// # Errors
/// When it cannot be reached. What quotes the URL is left out.
pub async fn open_url(url: &str) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
    match Database::connect(options).await {
        Err(DbErr::Conn(RuntimeErr::SqlxError(cause))) if !matches!(*cause, SqlxError::Configuration(_)) => {
            Err(Error::internal(cause.to_string()))
        }
        Err(_) => Err(Error::internal("the URL has something that the driver cannot read")),
        Ok(db) => Ok(db),
    }
}

/// Every user of tecladocode's course.
pub async fn tecladocode_users(db: &DatabaseConnection) -> Result<Vec<TecladocodeUser>> {
    let sql =
        "SELECT id, CAST(username AS CHAR) AS username, CAST(password AS CHAR) AS password FROM users ORDER BY id";
    let user = |row: &QueryResult| {
        Ok(TecladocodeUser {
            id: value(row, "id")?,
            username: value(row, "username"),
            password: value(row, "password"),
        })
    };
    rows(db, sql).await?.iter().map(user).collect()
}

/// Every user of user-api.
pub async fn user_api_users(db: &DatabaseConnection) -> Result<Vec<UserApiUser>> {
    // The sum makes a number of what the databases call a boolean.
    let sql = "SELECT id, CAST(email AS CHAR) AS email, CAST(name AS CHAR) AS name, CAST(hash AS CHAR) AS hash,
        CAST(salt AS CHAR) AS salt, active + 0 AS active, customer_id FROM _user ORDER BY id";
    let user = |row: &QueryResult| {
        Ok(UserApiUser {
            id: value(row, "id")?,
            email: value(row, "email"),
            name: value(row, "name"),
            hash: value(row, "hash"),
            salt: value(row, "salt"),
            active: value(row, "active")?,
            customer: value(row, "customer_id")?,
        })
    };
    rows(db, sql).await?.iter().map(user).collect()
}

/// Every role of every user of user-api: the user's number, the role's code and its name. A pair can come twice.
pub async fn user_api_roles(db: &DatabaseConnection) -> Result<Vec<(i64, String, Option<String>)>> {
    let sql =
        "SELECT user_has_role.user_id AS user_id, CAST(role.code AS CHAR) AS code, CAST(role.name AS CHAR) AS name
        FROM user_has_role JOIN role ON role.id = user_has_role.role_id ORDER BY role.id";
    let role = |row: &QueryResult| Ok((value(row, "user_id")?, value(row, "code")?, value(row, "name")?));
    rows(db, sql).await?.iter().map(role).collect()
}

async fn rows(db: &DatabaseConnection, sql: &str) -> Result<Vec<QueryResult>> {
    Ok(db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, [])).await?)
}

fn value<T: TryGetable>(row: &QueryResult, column: &str) -> Result<T> {
    Ok(row.try_get("", column)?)
}
