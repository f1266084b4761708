//! The config file: TOML, with arrays and tables where a setting is a list.

use std::path::Path;

use toml::{Table, Value};

use super::problem::{InvalidValue, invalid};
use super::reader::{Layer, Reader};
use super::settings;

/// Another form of `webhooks.endpoints`, `webhooks.events` and `webhooks.secrets`: one table for each endpoint.
const ENDPOINT: &str = "webhooks.endpoint";

const ENDPOINT_HINT: &str = "write [[webhooks.endpoint]] with name and url, and lists of secrets and events";

/// Reads a TOML file.
pub(super) fn read(path: &Path) -> Result<Table, InvalidValue> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let problem = format!("cannot read {}: {error}", path.display());
        invalid(&problem, "name a TOML file that the server may read")
    })?;
    toml::from_str(&text).map_err(|error| {
        let problem = format!("{} is not TOML: {}", path.display(), describe(&error, &text));
        invalid(&problem, "correct it there; put text in quotes")
    })
}

/// Position and cause of a TOML error, without the line itself, which may hold a secret.
fn describe(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {}, column {column}: {}", before.matches('\n').count() + 1, error.message())
}

impl Reader {
    /// Adds the settings of a table and of the tables in it.
    pub(super) fn add_table(&mut self, section: &str, entries: Table, origin: &str) {
        for (key, value) in entries {
            let name = if section.is_empty() { key } else { format!("{section}.{key}") };
            let setting = settings::find(&name).filter(|setting| setting.name != "config");
            let added = match (setting, value) {
                (None, value) if name == ENDPOINT => self.add_endpoints(value, origin),
                (None, Value::Table(inner)) if settings::is_section(&name) || !inner.is_empty() => {
                    self.add_table(&name, inner, origin);
                    continue;
                }
                (None, _) => Err(settings::unknown(&name, |setting| setting.name.to_owned())),
                (Some(setting), value) => text_of(setting.name, value)
                    .map(|text| self.add(setting.name, text, Layer::File, origin.to_owned())),
            };
            if let Err(refused) = added {
                self.add_problem(&name, Some(origin.to_owned()), refused);
            }
        }
    }

    /// Adds the endpoints in the text form of the three settings.
    fn add_endpoints(&mut self, value: Value, origin: &str) -> Result<(), InvalidValue> {
        let (mut endpoints, mut events, mut secrets) = (Vec::new(), Vec::new(), Vec::new());
        let no_tables = || invalid("is not a list of tables", ENDPOINT_HINT);
        let Value::Array(items) = value else { return Err(no_tables()) };
        if items.is_empty() {
            return Err(invalid("is an empty list", "remove it, or add an entry"));
        }
        for item in items {
            let Value::Table(mut table) = item else { return Err(no_tables()) };
            let name = word(table.remove("name"))?;
            endpoints.push(format!("{name}={}", word(table.remove("url"))?));
            if let Some(list) = table.remove("events") {
                events.push(format!("{name}={}", words(list)?.join(",")));
            }
            if let Some(list) = table.remove("secrets") {
                secrets.extend(words(list)?.iter().map(|secret| format!("{name}={secret}")));
            }
            if let Some(key) = table.keys().next() {
                return Err(invalid(&format!("has an unknown key {key:?}"), ENDPOINT_HINT));
            }
        }
        let settings = [("webhooks.endpoints", endpoints), ("webhooks.events", events), ("webhooks.secrets", secrets)];
        for (name, entries) in settings.into_iter().filter(|(_, entries)| !entries.is_empty()) {
            self.add(name, entries.join(" "), Layer::File, origin.to_owned());
        }
        Ok(())
    }
}

/// A string without blanks, which separate entries in the text form. Never quoted in a problem: it may be a secret.
fn word(value: Option<Value>) -> Result<String, InvalidValue> {
    match value {
        Some(Value::String(text)) if !text.is_empty() && !text.contains(char::is_whitespace) => Ok(text),
        _ => Err(invalid("lacks a name, url, secret or event, or has one with blanks", ENDPOINT_HINT)),
    }
}

fn words(value: Value) -> Result<Vec<String>, InvalidValue> {
    match value {
        Value::Array(items) if !items.is_empty() => items.into_iter().map(|item| word(Some(item))).collect(),
        _ => Err(invalid("has secrets or events that are no list", ENDPOINT_HINT)),
    }
}

/// A TOML value in the text form of the setting.
fn text_of(name: &str, value: Value) -> Result<String, InvalidValue> {
    match value {
        Value::String(text) => Ok(text),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(value) => Ok(value.to_string()),
        Value::Datetime(time) => Ok(time.to_string()),
        Value::Array(items) => join_list(name, items),
        Value::Table(_) => Err(invalid("is a section", "set one value")),
    }
}

fn join_list(name: &str, items: Vec<Value>) -> Result<String, InvalidValue> {
    let separator = match name {
        "cors.origins" | "cors.allowed_headers" | "server.trusted_proxies" | "webhooks.allowed_networks" => ",",
        "webhooks.endpoints" | "webhooks.events" | "webhooks.secrets" => " ",
        _ if name.starts_with("rest.dialects.") => ",",
        _ => return Err(invalid("is a list", "set one value")),
    };
    let text = |item: Value| match item {
        Value::String(text) => Ok(text),
        _ => Err(invalid("is a list with entries other than strings", "put each entry in quotes")),
    };
    let texts = items.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
    if texts.is_empty() {
        return Err(invalid("is an empty list", "remove it, or add an entry"));
    }
    Ok(texts.join(separator))
}
