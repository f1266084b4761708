//! JSON Lines, the general format: one object per line; docs/import.md describes its fields.

use serde_json::Value;

use super::Source;
use super::fields::Fields;
use super::row::{OldAccount, OldPassword, Row};

/// Reads the lines; empty ones are passed over.
pub fn read(text: &str) -> Source {
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    Source { rows: lines.map(|(line, number)| row(line, number)).collect(), ..Source::default() }
}

fn row(line: &str, number: u64) -> Row {
    let Ok(value) = serde_json::from_str::<Value>(line) else {
        return Row { number, name: String::new(), account: Err("it is no JSON".to_owned()) };
    };
    let name = |field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let name = name("username").or_else(|| name("email")).unwrap_or_default();
    Row { number, name, account: account(value) }
}

fn account(value: Value) -> Result<OldAccount, String> {
    let mut fields = Fields::of(value)?;
    let (hash, plain) = (fields.text("password_hash")?, fields.text("password")?);
    let account = OldAccount {
        number: fields.number("id")?,
        username: fields.text("username")?,
        email: fields.text("email")?,
        display_name: fields.text("display_name")?,
        password: password(hash, plain)?,
        roles: fields.texts("roles")?,
        disabled: fields.flag("active")? == Some(false),
        must_change_password: fields.flag("must_change_password")? == Some(true),
        created_at: fields.time("created_at")?,
        last_login_at: fields.time("last_login_at")?,
        password_changed_at: fields.time("password_changed_at")?,
        ..OldAccount::default()
    };
    fields.finish()?;
    Ok(account)
}

/// One of the two at most.
pub(super) fn password(hash: Option<String>, plain: Option<String>) -> Result<OldPassword, String> {
    match (hash, plain) {
        (Some(_), Some(_)) => Err("it has a `password` and a `password_hash`: give one".to_owned()),
        (hash @ Some(_), None) => Ok(OldPassword::hash(hash)),
        (None, plain) => Ok(OldPassword::plain(plain)),
    }
}
