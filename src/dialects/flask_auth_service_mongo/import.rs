//! What mongoexport makes of flask_auth_service_mongo's users and roles: one document per line or one list, with
//! bcrypt hashes.

use std::collections::HashMap;

use serde_json::Value;

use crate::account::import::Source;
use crate::account::import::fields::ObjectFields;
use crate::account::import::row::{LegacyPassword, LegacyUser, Row};
use crate::error::{Error, Result};

/// Reads the users and, if they are given, the roles that the users refer to.
///
/// # Errors
/// When a file is no JSON.
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
    documents.map_err(|error| Error::internal(format!("it is no JSON in line {}", error.line())))
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

/// The name of the role that is referred to by a DBRef or, where MongoEngine was told so, by its id alone.
fn role_name(reference: &Value, roles: &HashMap<String, String>) -> Result<String, String> {
    let id = object_id(reference.get("$id")).or_else(|| object_id(Some(reference)));
    let id = id.ok_or("`role` is no reference to a role")?;
    let unknown = || {
        let help =
            if roles.is_empty() { "give them with --roles" } else { "it was deleted, or their file is an older one" };
        // Digits, or whatever the file has.
        let id: String = id.chars().take(24).flat_map(char::escape_debug).collect();
        format!("its role {id} is not among the roles: {help}")
    };
    roles.get(&id).cloned().ok_or_else(unknown)
}

/// The digits of `{"$oid": "…"}`.
fn object_id(value: Option<&Value>) -> Option<String> {
    Some(value?.get("$oid")?.as_str()?.to_owned())
}
