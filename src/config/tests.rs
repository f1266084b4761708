//! Settings, loaded as `serve` loads them: from flags, a list of variables and a file.

mod rules;

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use tempfile::NamedTempFile;

use super::*;

const KEY: &str = "q8Zs1vXo4kTn7RbL2mYc9HdW5uEj3GfA6pNi0QwKxBg=";
const POSTGRES: &str = "postgres://ann:hunter2@db/accounts";

fn load(environment: &[(&str, &str)]) -> Result<Config, Problems> {
    load_with(Flags::default(), environment)
}

fn load_with(flags: Flags, environment: &[(&str, &str)]) -> Result<Config, Problems> {
    Config::load(flags, environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// The names of the rejected settings, and the full message.
fn rejected_settings(environment: &[(&str, &str)]) -> (Vec<String>, String) {
    let problems = load(environment).unwrap_err();
    let text = problems.to_string();
    (problems.0.into_iter().map(|problem| problem.setting).collect(), text)
}

/// A config file that is deleted on drop.
fn write_config_file(text: &str) -> NamedTempFile {
    let file = NamedTempFile::with_suffix(".toml").unwrap();
    std::fs::write(&file, text).unwrap();
    file
}

fn path_of(file: &NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

fn load_file(text: &str) -> Result<Config, Problems> {
    load(&[("ACCOUNTD_CONFIG", path_of(&write_config_file(text)))])
}

#[test]
fn config_loads_from_defaults_alone() {
    let config = load(&[("PATH", "/bin"), ("ACCOUNTD_TEST_POSTGRES", "x")]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert!(matches!(config.database, Database::Embedded(path) if path.as_os_str() == "./data/accountd.db"));
    assert!(config.secret_key.is_none());
    assert_eq!((config.log.format, config.log.filter.as_str()), (LogFormat::Text, "info"));
    assert_eq!(config.registration.mode, RegistrationMode::Open);
    assert!(config.limits.is_enabled);
    assert_eq!((config.password.argon2_memory_kib, config.password.argon2_iterations), (19_456, 2));
    assert_eq!(config.password.hash_threads, None);
    assert_eq!(
        (config.token.access_lifetime, config.token.refresh_idle),
        (TimeDelta::minutes(15), TimeDelta::days(14))
    );
    assert_eq!(
        (config.token.refresh_absolute, config.token.refresh_grace),
        (TimeDelta::days(30), TimeDelta::seconds(30))
    );
    assert_eq!(config.rest.mounts("plantdb")[0].path.as_str(), "/");
    assert_eq!(config.server.drain_timeout, Duration::from_secs(15));
    assert_eq!((config.server.max_connections, config.server.max_connections_per_address), (10_000, 256));
    assert_eq!(config.server.trusted_proxies, IpNetworks::default());
}

#[test]
fn all_config_problems_are_reported_together() {
    let file = write_config_file("[server]\ndrain_seconds = 0\n\n[log]\ncolour = true\n");
    let path = path_of(&file);
    let (names, text) = rejected_settings(&[
        ("ACCOUNTD_CONFIG", path),
        ("ACCOUNTD_LISTEN", "localhost"),
        ("ACCOUNTD_TOKEN__ISSUER", ""),
        ("ACCOUNTD_REGISTRATION__MODE", "maybe"),
        ("ACCOUNTD_TOKEN__REFRESH_IDLE_SECONDS", "60"),
    ]);
    let expected = [
        "log.colour",
        "listen",
        "registration.mode",
        "token.issuer",
        "token.refresh_idle_seconds",
        "server.drain_seconds",
    ];
    assert_eq!(names, expected);
    assert!(
        text.contains(
            "listen (ACCOUNTD_LISTEN): \"localhost\" is not an address and a port\n    fix: use an address like"
        ),
        "{text}"
    );
    assert!(text.contains(&format!("server.drain_seconds ({path}): \"0\" is not an integer from 1 to 300")), "{text}");
}

#[test]
fn misspelt_setting_gets_a_suggestion() {
    for (variable, meant) in [
        ("ACCOUNTD_LOG_FORMAT", "ACCOUNTD_LOG__FORMAT"),
        ("ACCOUNTD_DATABSE_URL", "ACCOUNTD_DATABASE_URL"),
        ("ACCOUNTD_ISSUER", "ACCOUNTD_TOKEN__ISSUER"),
    ] {
        let (names, text) = rejected_settings(&[(variable, "x")]);
        assert_eq!(names, [variable]);
        assert!(text.contains(&format!("did you mean {meant}?")), "{text}");
    }
    let text = load_file("[tokens]\nissuer = 'x'\n").unwrap_err().to_string();
    assert!(text.contains("did you mean token.issuer?"), "{text}");
    let text = load_file("log = 'debug'\n").unwrap_err().to_string();
    assert!(text.contains("log") && text.contains("is a section"), "{text}");
    let (_, text) = rejected_settings(&[("ACCOUNTD_REST__DIALECTS__KEYSTONE", "/")]);
    assert!(text.contains("docs/configuration.md lists all settings"), "{text}");
}

#[test]
fn kubernetes_service_variables_are_ignored() {
    for service in ["", "_WEB", "_REDIS_MASTER", "_8080", "_LISTEN", "_SECRET_KEY", "_PORT", "_SERVICE"] {
        let variables = [
            ("_SERVICE_HOST", "10.0.0.1"),
            ("_SERVICE_PORT", "80"),
            ("_SERVICE_PORT_HTTP", "80"),
            ("_SERVICE_PORT_HTTP_METRICS", "9090"),
            ("_PORT", "tcp://10.0.0.1:80"),
            ("_PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("_PORT_80_TCP_PROTO", "tcp"),
            ("_PORT_80_TCP_PORT", "80"),
            ("_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("_PORT_53_UDP", "udp://[fd00::1]:53"),
            ("_PORT_53_UDP_ADDR", "fd00::1"),
        ];
        let named: Vec<_> = variables.iter().map(|(end, value)| (format!("ACCOUNTD{service}{end}"), *value)).collect();
        let all: Vec<_> = named.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let config = load(&all).unwrap();
        assert_eq!(config.service_variables, named.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
    }
    // Similar variables are settings of ours.
    for (variable, value) in [
        ("ACCOUNTD_PORT", "80"),
        ("ACCOUNTD_HTTP_PORT", "80"),
        ("ACCOUNTD_SERVICE_HOST", "auth.example.com"),
        ("ACCOUNTD_SERVICE_PORT", "auth"),
        ("ACCOUNTD_WEB_PORT_HTTP_TCP", "tcp://10.0.0.1:80"),
        ("ACCOUNTD_WEB", "x"),
    ] {
        assert_eq!(rejected_settings(&[(variable, value)]).0, [variable]);
    }
    assert!(load(&[("ACCOUNTD_LISTEN", "127.0.0.1:1")]).unwrap().service_variables.is_empty());
}

#[test]
fn listen_accepts_localhost_and_unix_sockets() {
    for (text, shown) in [
        ("localhost:8080", "127.0.0.1:8080"),
        ("[::1]:8080", "[::1]:8080"),
        ("0.0.0.0:80", "0.0.0.0:80"),
        ("unix:/run/accountd/socket", "unix:/run/accountd/socket"),
    ] {
        assert_eq!(load(&[("ACCOUNTD_LISTEN", text)]).unwrap().listen.to_string(), shown);
    }
    for text in [
        "localhost",
        "localhost:",
        "localhost:65536",
        "localhost:http",
        "db:80",
        "unix:",
        "unix:socket",
        "unix:/run/",
        "8080",
    ] {
        assert_eq!(rejected_settings(&[("ACCOUNTD_LISTEN", text)]).0, ["listen"], "{text}");
    }
    // Behind a Unix socket is a proxy, so it does not count as loopback.
    let unix = ("ACCOUNTD_LISTEN", "unix:/run/accountd/socket");
    assert_eq!(rejected_settings(&[unix, ("ACCOUNTD_LIMITS__ENABLED", "false")]).0, ["limits.enabled"]);
}

#[test]
fn flag_overrides_environment_and_environment_overrides_file() {
    let file = write_config_file(
        "listen = '127.0.0.1:1'\ndata_dir = '/file'\n[rest.dialects]\nplantdb = '/a/b'\n[token]\nissuer = 'file'\n",
    );
    let environment = [("ACCOUNTD_LISTEN", "127.0.0.1:2"), ("ACCOUNTD_TOKEN__ISSUER", "environment")];
    let flags =
        Flags { config: Some(file.path().to_owned()), listen: Some("127.0.0.1:3".to_owned()), ..Flags::default() };
    let config = load_with(flags, &environment).unwrap();
    assert!(config.listen.to_string().ends_with(":3"));
    assert_eq!(config.token.issuer, "environment");
    assert_eq!(config.data_dir, PathBuf::from("/file"));
    assert_eq!(config.rest.mounts("plantdb")[0].path.as_str(), "/a/b");
}

#[test]
fn config_file_error_names_the_line() {
    let text = load_file("listen = '127.0.0.1:1'\ndata_dir = \n").unwrap_err().to_string();
    assert!(text.contains("config (ACCOUNTD_CONFIG)") && text.contains("line 2"), "{text}");
    let (names, text) = rejected_settings(&[("ACCOUNTD_CONFIG", "/nowhere/accountd.toml"), ("ACCOUNTD_LISTEN", "x")]);
    assert_eq!(names, ["config", "listen"]);
    assert!(text.contains("cannot read /nowhere/accountd.toml"), "{text}");
    assert!(load_file("listen = ['127.0.0.1:1']").unwrap_err().to_string().contains("is a list"));
    assert!(load_file("config = 'other.toml'").unwrap_err().to_string().contains("is not allowed in a config file"));
}

#[test]
fn every_environment_variable_maps_to_one_setting() {
    let mut variables: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
    assert!(variables.contains(&"ACCOUNTD_REST__DIALECTS__PLANTDB".to_owned()));
    variables.sort();
    variables.dedup();
    assert_eq!(variables.len(), SETTINGS.len());
}
