//! Import format of PlantDB: `users.json`, an array of users with Argon2id hashes.

use serde_json::Value;

use crate::account::import::fields::ObjectFields;
use crate::account::import::row::{LegacyPassword, LegacyUser, Row};
use crate::account::import::{ImportFormat, Reader, Source};
use crate::error::Result;

/// The format of `accountd import plantdb`.
pub const FORMAT: ImportFormat =
    ImportFormat { name: "plantdb", about: "PlantDB's users.json", reader: Reader::Text(read) };

/// Reads the file.
///
/// # Errors
/// It is not a JSON array.
pub fn read(text: &str) -> Result<Source> {
    let rows = crate::account::import::parse_json_list(text)?
        .into_iter()
        .zip(1..)
        .map(|(value, number)| parse_row(value, number));
    Ok(Source { rows: rows.collect(), ..Source::default() })
}

fn parse_row(value: Value, number: u64) -> Row {
    let name = value.get("username").and_then(Value::as_str).unwrap_or_default().to_owned();
    Row { number, name, user: parse_user(value) }
}

/// Default accounts of the service: names and passwords.
const DEFAULT_CREDENTIALS: [(&str, &str); 2] = [("admin", "admin"), ("guest", "guest")];

fn parse_user(value: Value) -> Result<LegacyUser, String> {
    let mut fields = ObjectFields::from_object(value)?;
    let extra = fields.value("_extra_permissions");
    let has_extra = extra.is_some_and(|list| list.as_array().is_none_or(|list| !list.is_empty()));
    let failures = fields.integer("failed_attempts")?.unwrap_or_default();
    let username = fields.text("username")?.unwrap_or_default();
    let default = DEFAULT_CREDENTIALS.iter().find(|(name, _)| *name == username);
    Ok(LegacyUser {
        default_password: default.map(|(_, password)| *password),
        username: Some(username),
        display_name: fields.text("fullname")?,
        password: LegacyPassword::from_hash(fields.text("password_hash")?),
        roles: fields.texts("roles")?,
        is_disabled: fields.bool("is_active")? == Some(false),
        failed_logins: i32::try_from(failures).unwrap_or(i32::MAX),
        locked_until: fields.time("locked_until")?,
        created_at: fields.time("created_at")?,
        last_login_at: fields.time("last_login")?,
        password_changed_at: fields.time("password_last_change")?,
        remarks: if has_extra { vec!["its extra permissions are not imported".to_owned()] } else { Vec::new() },
        ..LegacyUser::default()
    })
}
