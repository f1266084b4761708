//! Merges flags over the environment over the file; rejects unknown names.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Flags;
use super::file;
use super::problem::invalid;
use super::reader::{Layer, Reader};
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
        match file::read(path) {
            Ok(table) => self.add_table("", table, &path.display().to_string()),
            Err(refused) => self.add_problem("config", Some(origin.to_owned()), refused),
        }
    }

    fn add_variable(&mut self, variable: String, value: String) {
        if let Some(setting) = settings::find_variable(&variable) {
            return self.add(setting.name, value, Layer::Environment, variable);
        }
        let rest = variable.strip_prefix(VARIABLE_PREFIX).unwrap_or(&variable);
        let name = rest.replace("__", ".").to_lowercase();
        self.add_problem(&variable, None, settings::unknown(&name, Setting::variable));
    }

    fn add_flag(&mut self, name: &'static str, value: Option<String>) {
        let flag = settings::find(name).and_then(Setting::flag);
        if let (Some(flag), Some(value)) = (flag, value) {
            self.add(name, value, Layer::Flags, flag.to_owned());
        }
    }
}

/// Whether the variable is for the server.
fn is_own_variable(name: &str) -> bool {
    name.strip_prefix(VARIABLE_PREFIX).is_some_and(|rest| !rest.starts_with("TEST_"))
}

/// Whether Kubernetes has set the variable. Near a Service named `accountd` or `accountd-web`, every pod gets the likes
/// of `ACCOUNTD_SERVICE_HOST` and `ACCOUNTD_WEB_PORT_8080_TCP_ADDR` (its documentation, "Environment variables" of a
/// Service). Rejecting them would prevent the start.
fn is_service_link(name: &str, value: &str) -> bool {
    if settings::find_variable(name).is_some() {
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
