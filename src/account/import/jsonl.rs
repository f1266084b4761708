//! JSON Lines, the general format: one object per line; docs/import.md describes its fields.

use serde_json::{Map, Value};

use super::Source;
use super::fields::ObjectFields;
use super::layout::Layout;
use super::row::{LegacyPassword, LegacyUser, Row};

/// Reads lines whose fields have the names that they have here; empty ones are passed over.
pub fn read(text: &str) -> Source {
    read_with(text, &Layout::default())
}

/// Reads the lines; empty ones are passed over.
pub fn read_with(text: &str, layout: &Layout) -> Source {
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    Source { rows: lines.map(|(line, number)| parse_row(line, number, layout)).collect(), ..Source::default() }
}

fn parse_row(line: &str, number: u64, layout: &Layout) -> Row {
    let refused = |text: String| Row { number, name: String::new(), user: Err(text) };
    let Ok(value) = serde_json::from_str::<Value>(line) else { return refused("it is no JSON".to_owned()) };
    let value = match rename_fields(value, layout) {
        Ok(value) => value,
        Err(text) => return refused(text),
    };
    let name = |field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let name = name("username").or_else(|| name("email")).unwrap_or_default();
    Row { number, name, user: parse_user(value) }
}

/// The object with the names that its fields have here.
fn rename_fields(value: Value, layout: &Layout) -> Result<Value, String> {
    let Value::Object(fields) = value else { return Ok(value) };
    let mut named = Map::new();
    for (name, value) in fields {
        let field = layout.field(&name).map(str::to_owned);
        if let Some(field) = field
            && named.insert(field.clone(), value).is_some()
        {
            return Err(format!("it has two fields for `{}`", field.escape_debug()));
        }
    }
    Ok(Value::Object(named))
}

fn parse_user(value: Value) -> Result<LegacyUser, String> {
    let mut fields = ObjectFields::from_object(value)?;
    let (hash, plain) = (fields.text("password_hash")?, fields.text("password")?);
    let account = LegacyUser {
        id: fields.integer("id")?,
        username: fields.text("username")?,
        email: fields.text("email")?,
        display_name: fields.text("display_name")?,
        password: either_password(hash, plain)?,
        roles: fields.texts("roles")?,
        is_disabled: fields.bool("active")? == Some(false),
        must_change_password: fields.bool("must_change_password")? == Some(true),
        created_at: fields.time("created_at")?,
        last_login_at: fields.time("last_login_at")?,
        password_changed_at: fields.time("password_changed_at")?,
        ..LegacyUser::default()
    };
    fields.reject_unknown()?;
    Ok(account)
}

/// One of the two at most.
pub(super) fn either_password(hash: Option<String>, plain: Option<String>) -> Result<LegacyPassword, String> {
    match (hash, plain) {
        (Some(_), Some(_)) => Err("it has a `password` and a `password_hash`: give one".to_owned()),
        (hash @ Some(_), None) => Ok(LegacyPassword::from_hash(hash)),
        (None, plain) => Ok(LegacyPassword::from_plain(plain)),
    }
}
