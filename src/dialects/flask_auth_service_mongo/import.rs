//! Import format of flask_auth_service_mongo: mongoexport files of users and roles, as JSON lines or one array, with
//! bcrypt hashes.

use std::collections::HashMap;

use serde_json::Value;

use crate::account::import::fields::ObjectFields;
use crate::account::import::row::{LegacyPassword, LegacyUser, Row};
use crate::account::import::{ImportFormat, Reader, Source};
use crate::error::{Error, Result};

/// The format of `accountd import flask-auth-service-mongo`.
pub const FORMAT: ImportFormat = ImportFormat {
    name: "flask-auth-service-mongo",
    about: "The mongoexport file of flask_auth_service_mongo's users",
    reader: Reader::TextWithRoles(read),
};

/// Reads the users and, where given, the roles that they refer to.
///
/// # Errors
/// A file is not JSON.
pub fn read(users: &str, roles: Option<&str>) -> Result<Source> {
    let mut names = HashMap::new();
    for role in roles.map(parse_documents).transpose()?.unwrap_or_default() {
        if let (Some(id), Some(name)) = (object_id(role.get("_id")), role.get("name").and_then(Value::as_str)) {
            names.insert(id, name.to_owned());
        }
    }
    let rows = parse_documents(users)?.into_iter().zip(1..).map(|(value, number)| {
        let name = value.get("username").and_then(Value::as_str).unwrap_or_default().to_owned();
        Row { number, name, user: parse_user(value, &names) }
    });
    Ok(Source { rows: rows.collect(), ..Source::default() })
}

fn parse_documents(text: &str) -> Result<Vec<Value>> {
    if text.trim_start().starts_with('[') {
        return crate::account::import::parse_json_list(text);
    }
    let documents = serde_json::Deserializer::from_str(text).into_iter().collect::<serde_json::Result<Vec<Value>>>();
    documents.map_err(|error| Error::internal(format!("invalid JSON in line {}", error.line())))
}

fn parse_user(value: Value, roles: &HashMap<String, String>) -> Result<LegacyUser, String> {
    let mut fields = ObjectFields::from_object(value)?;
    let role = fields.value("role").map(|reference| role_name(&reference, roles)).transpose()?;
    Ok(LegacyUser {
        username: Some(fields.text("username")?.unwrap_or_default()),
        password: LegacyPassword::from_hash(fields.text("password")?),
        roles: role.into_iter().collect(),
        is_disabled: fields.bool("active")? == Some(false),
        must_change_password: fields.bool("change_password")? == Some(true),
        ..LegacyUser::default()
    })
}

/// The name of the role that a DBRef refers to; MongoEngine can also store the id alone.
fn role_name(reference: &Value, roles: &HashMap<String, String>) -> Result<String, String> {
    let id = object_id(reference.get("$id")).or_else(|| object_id(Some(reference)));
    let id = id.ok_or("`role` is not a reference to a role")?;
    let unknown_role = || {
        let hint =
            if roles.is_empty() { "pass them with --roles" } else { "it was deleted, or the roles file is older" };
        // The file may contain any text here.
        let id: String = id.chars().take(24).flat_map(char::escape_debug).collect();
        format!("its role {id} is not among the roles: {hint}")
    };
    roles.get(&id).cloned().ok_or_else(unknown_role)
}

/// The hexadecimal digits of `{"$oid": "…"}`.
fn object_id(value: Option<&Value>) -> Option<String> {
    Some(value?.get("$oid")?.as_str()?.to_owned())
}
