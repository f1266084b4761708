//! Merges flags over the environment over the file; rejects unknown names.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use config::{ConfigError, File, FileFormat, Map, Source, Value, ValueKind};

use super::Flags;
use super::problem::{InvalidValue, invalid};
use super::reader::Reader;
use super::settings::{self, Setting, VARIABLE_PREFIX};

impl Reader {
    /// Collects all sources, lowest priority first.
    pub(super) fn collect(flags: Flags, environment: impl IntoIterator<Item = (String, String)>) -> Reader {
        let mut environment: Vec<(String, String)> =
            environment.into_iter().filter(|(name, _)| is_own_variable(name)).collect();
        let mut reader = Reader::default();
        for (name, _) in environment.extract_if(.., |(name, value)| is_service_link(name, value)) {
            reader.add_service_variable(name);
        }
        let file = environment.iter().find(|(name, _)| name == "ACCOUNTD_CONFIG");
        if let Some(path) = flags.config {
            reader.add_file(&path, "--config");
        } else if let Some((name, path)) = file {
            reader.add_file(Path::new(path), name);
        }
        for (name, value) in environment {
            reader.add_variable(name, value);
        }
        reader.add_flag("listen", flags.listen);
        reader.add_flag("database_url", flags.database_url);
        match flags.data_dir.map(PathBuf::into_os_string).map(OsString::into_string) {
            Some(Ok(path)) => reader.add_flag("data_dir", Some(path)),
            Some(Err(_)) => reader.add_problem(
                "data_dir",
                Some("--data-dir".to_owned()),
                invalid("is not UTF-8", "use a directory with a UTF-8 name"),
            ),
            None => {}
        }
        reader
    }

    fn add_file(&mut self, path: &Path, origin: &str) {
        let entries = std::fs::read_to_string(path)
            .map_err(|error| {
                let problem = format!("cannot read {}: {error}", path.display());
                invalid(&problem, "name a TOML file that the server may read")
            })
            .and_then(|text| {
                File::from_str(&text, FileFormat::Toml).collect().map_err(|error| {
                    let problem = format!("{} is not TOML: {}", path.display(), toml_error(&error));
                    invalid(&problem, "correct it there; put text in quotes")
                })
            });
        match entries {
            Ok(entries) => self.add_table("", entries, &path.display().to_string()),
            Err(refused) => self.add_problem("config", Some(origin.to_owned()), refused),
        }
    }

    fn add_table(&mut self, section: &str, entries: Map<String, Value>, origin: &str) {
        let mut entries: Vec<(String, Value)> = entries.into_iter().collect();
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
        for (key, value) in entries {
            let name = if section.is_empty() { key } else { format!("{section}.{key}") };
            let setting = settings::find(&name).filter(|setting| setting.name != "config");
            match (setting, value.kind) {
                (None, ValueKind::Table(inner)) if is_section(&name) || !inner.is_empty() => {
                    self.add_table(&name, inner, origin);
                }
                (None, _) => self.add_problem(
                    &name,
                    Some(origin.to_owned()),
                    unknown_setting(&name, |setting| setting.name.to_owned()),
                ),
                (Some(setting), ValueKind::Array(items)) => match join_list(setting.name, items) {
                    Ok(text) => self.add(setting.name, text, origin.to_owned()),
                    Err(refused) => self.add_problem(setting.name, Some(origin.to_owned()), refused),
                },
                (Some(setting), ValueKind::Table(_) | ValueKind::Nil) => {
                    self.add_problem(setting.name, Some(origin.to_owned()), invalid("is a section", "set one value"));
                }
                (Some(setting), kind) => {
                    self.add(setting.name, kind.to_string(), origin.to_owned());
                }
            }
        }
    }

    fn add_variable(&mut self, variable: String, value: String) {
        let mut settings = settings::SETTINGS.iter();
        if let Some(setting) = settings.find(|setting| setting.variable() == variable) {
            return self.add(setting.name, value, variable);
        }
        let rest = variable.strip_prefix(VARIABLE_PREFIX).unwrap_or(&variable);
        let name = rest.replace("__", ".").to_lowercase();
        self.add_problem(&variable, None, unknown_setting(&name, Setting::variable));
    }

    fn add_flag(&mut self, name: &'static str, value: Option<String>) {
        let flag = settings::find(name).and_then(Setting::flag);
        if let (Some(flag), Some(value)) = (flag, value) {
            self.add(name, value, flag.to_owned());
        }
    }
}

/// A TOML array in the text form of the setting.
fn join_list(name: &str, items: Vec<Value>) -> Result<String, InvalidValue> {
    let separator = match name {
        "cors.origins" | "cors.allowed_headers" | "server.trusted_proxies" | "webhooks.allowed_networks" => ",",
        "webhooks.endpoints" | "webhooks.events" | "webhooks.secrets" => " ",
        _ if name.starts_with("rest.dialects.") => ",",
        _ => return Err(invalid("is a list", "set one value")),
    };
    let text = |item: Value| match item.kind {
        ValueKind::String(text) => Ok(text),
        _ => Err(invalid("is a list with entries other than strings", "put each entry in quotes")),
    };
    let texts = items.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
    if texts.is_empty() {
        return Err(invalid("is an empty list", "remove it, or add an entry"));
    }
    Ok(texts.join(separator))
}

/// Whether the variable is for the server.
fn is_own_variable(name: &str) -> bool {
    name.strip_prefix(VARIABLE_PREFIX).is_some_and(|rest| !rest.starts_with("TEST_"))
}

/// Whether Kubernetes has set the variable. Near a Service named `accountd` or `accountd-web`, every pod gets the likes
/// of `ACCOUNTD_SERVICE_HOST` and `ACCOUNTD_WEB_PORT_8080_TCP_ADDR` (its documentation, "Environment variables" of a
/// Service). Rejecting them would prevent the start.
fn is_service_link(name: &str, value: &str) -> bool {
    if settings::SETTINGS.iter().any(|setting| setting.variable() == name) {
        return false;
    }
    let words: Vec<&str> = name.split('_').skip(1).collect();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_protocol = |text: &str| matches!(text, "TCP" | "UDP" | "SCTP");
    match words.as_slice() {
        [.., "SERVICE", "HOST"] => value.parse::<std::net::IpAddr>().is_ok(),
        [.., "PORT", port, protocol] if is_number(port) && is_protocol(protocol) => value.contains("://"),
        [.., "PORT", port, protocol, "PROTO" | "PORT" | "ADDR"] => is_number(port) && is_protocol(protocol),
        // A port of the service may have a name.
        words if words.windows(2).any(|pair| pair == ["SERVICE", "PORT"]) && is_number(value) => true,
        [.., "PORT"] => value.contains("://"),
        _ => false,
    }
}

fn is_section(name: &str) -> bool {
    let within = |setting: &Setting| setting.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    settings::SETTINGS.iter().any(within)
}

fn unknown_setting(name: &str, written: impl Fn(&Setting) -> String) -> InvalidValue {
    if name == "config" {
        return invalid("is not allowed in a config file", "name the file by --config or ACCOUNTD_CONFIG");
    }
    if is_section(name) {
        return invalid("is a section, not a setting", "set its settings one by one");
    }
    match settings::suggest(name).map(written) {
        Some(meant) => invalid("is not a setting", &format!("did you mean {meant}? Otherwise remove it")),
        None => invalid("is not a setting", "remove it; docs/configuration.md lists all settings"),
    }
}

/// Position and cause of a TOML error, without the line itself, which may hold a secret.
fn toml_error(error: &ConfigError) -> String {
    let ConfigError::FileParse { cause, .. } = error else {
        return "unreadable".to_owned();
    };
    let text = cause.to_string();
    let mut lines = text.lines();
    let position = lines.next().and_then(|line| line.strip_prefix("TOML parse error "));
    match (position, lines.next_back()) {
        (Some(position), Some(cause)) => format!("{position}: {cause}"),
        _ => "a number is out of range".to_owned(),
    }
}
