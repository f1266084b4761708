//! JSON Lines, a general format: one object per line; docs/import.md describes its fields.

use serde_json::{Map, Value};

use super::Source;
use super::fields::ObjectFields;
use super::layout::Layout;
use super::row::{LegacyPassword, LegacyUser, Row};
use crate::strict_json;

/// Reads lines that use our field names; empty lines are skipped.
pub fn read(text: &str) -> Source {
    read_with(text, &Layout::default())
}

/// Reads lines with the mapping of `layout`; empty lines are skipped.
pub fn read_with(text: &str, layout: &Layout) -> Source {
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    Source { rows: lines.map(|(line, number)| parse_row(line, number, layout)).collect(), ..Source::default() }
}

fn parse_row(line: &str, number: u64, layout: &Layout) -> Row {
    let invalid_row = |text: String| Row { number, name: String::new(), user: Err(text) };
    let value = match strict_json::parse(line.as_bytes()) {
        Ok(value) => value,
        Err(error) if error.is_data() => return invalid_row("a field is given twice".to_owned()),
        Err(_) => return invalid_row("it is not JSON".to_owned()),
    };
    let value = match rename_fields(value, layout) {
        Ok(value) => value,
        Err(text) => return invalid_row(text),
    };
    let name = |field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let name = name("username").or_else(|| name("email")).unwrap_or_default();
    Row { number, name, user: parse_user(value) }
}

/// The object with our field names.
fn rename_fields(value: Value, layout: &Layout) -> Result<Value, String> {
    let Value::Object(fields) = value else { return Ok(value) };
    let mut named = Map::new();
    for (name, value) in fields {
        let field = layout.field(&name).map(str::to_owned);
        if let Some(field) = field
            && named.insert(field.clone(), value).is_some()
        {
            return Err(format!("two fields map to `{}`", field.escape_debug()));
        }
    }
    Ok(Value::Object(named))
}

fn parse_user(value: Value) -> Result<LegacyUser, String> {
    let mut fields = ObjectFields::from_object(value)?;
    let (hash, plain) = (fields.text("password_hash")?, fields.text("password")?);
    let user = LegacyUser {
        id: fields.integer("id")?,
        username: fields.text("username")?,
        email: fields.text("email")?,
        display_name: fields.text("display_name")?,
        password: LegacyPassword::from_either(hash, plain)?,
        roles: fields.texts("roles")?,
        is_disabled: fields.bool("active")? == Some(false),
        must_change_password: fields.bool("must_change_password")? == Some(true),
        created_at: fields.time("created_at")?,
        last_login_at: fields.time("last_login_at")?,
        password_changed_at: fields.time("password_changed_at")?,
        ..LegacyUser::default()
    };
    fields.reject_unknown()?;
    Ok(user)
}
