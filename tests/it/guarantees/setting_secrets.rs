//! No message contains a word of a setting that may hold a secret, however invalid the setting is.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use accountd::config::{Config, Flags, SETTINGS};

/// The secret that no message may contain.
const SECRET_MARKER: &str = "Canary7Word";

/// An address without listener.
const UNREACHABLE: &str = "127.0.0.1:1";

/// Malformed and unusable values of every setting that may hold a secret. `¤` is the secret.
fn malformed() -> BTreeMap<&'static str, Vec<String>> {
    let servers = |scheme: &str| -> Vec<String> {
        [
            "u:a/¤?c#d@127.0.0.1:1/x",
            "u:1/¤@127.0.0.1:1/x",
            "u:1?¤@127.0.0.1:1/x",
            "u:1#¤@127.0.0.1:1/x",
            "u:#¤@127.0.0.1:1/x",
            "u:¤#@127.0.0.1:1/x",
            "u:¤/@127.0.0.1:1/x",
            "u:¤@127.0.0.1:1/x#y",
            "u:1#¤",
            "u:¤",
            "u:¤@bad host/x",
            "u:¤ @127.0.0.1:1/x",
            "u:\t¤@127.0.0.1:1/x",
            "u:¤@127.0.0.1:port/x",
            "u:¤@127.0.0.1:99999/x",
            "u:¤@[::1/x",
            "u:¤@[¤]/x",
            "u:¤@/x",
            "u:¤@",
            "u:¤%zz%ff@127.0.0.1:1/x",
            "u:¤@127.0.0.1:1/x?port=¤",
            "u:¤@127.0.0.1:1/x?sslmode=¤",
            "u:¤@127.0.0.1:1/x?ssl-mode=¤",
            "u:¤@127.0.0.1:1/x?statement-cache-capacity=¤",
            "u:x@127.0.0.1:1/x?password=¤&passwort=¤",
            "u:¤@127.0.0.1:1/x?¤=¤",
            "¤:¤@127.0.0.1:1/x",
            ":¤@127.0.0.1:1/0/x",
            "¤@127.0.0.1:1/x",
        ]
        .map(|rest| format!("{scheme}://{rest}"))
        .to_vec()
    };
    let mut database = [servers("postgres"), servers("postgresql"), servers("mysql"), servers("mariadb")].concat();
    database.extend(
        ["¤", "pg://u:¤@h/x", "postgres:u:¤@h/x", "postgres:/u:¤@h/x", "//u:¤@h/x", "u:¤@h/x", "sqlite:x?key=¤"]
            .map(str::to_owned),
    );
    let mut redis = servers("redis");
    redis.extend(["¤", "rediss://:¤@h:1/0", "redis:¤@h", "redis://:¤@127.0.0.1:1/x"].map(str::to_owned));
    let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let rows = [
        ("database_url", database),
        ("redis_url", redis),
        ("secret_key", words(&["¤", "¤¤¤¤¤¤", "changeme-¤-changeme-changeme-changeme", "¤\nmore"])),
        ("token_introspection.secret", words(&["¤", "¤¤¤¤¤¤", "secret-¤-changeme-changeme-changeme", "¤\nmore"])),
        (
            "webhooks.endpoints",
            words(&[
                "¤",
                "crm=¤",
                "crm=https://u:¤@h/",
                "crm=https://h/¤#¤",
                "crm=https://h:¤/",
                "crm=https://h h/¤",
                "https://h/¤",
                "https://h/?a=¤",
                "crm=ftp://h/¤",
                "crm=http://h/¤",
                "crm=https://h/¤ crm=https://h/¤",
                "crm=https://h/¤",
            ]),
        ),
        (
            "webhooks.secrets",
            words(&[
                "¤",
                "crm=¤",
                "crm=whsec_¤",
                "whsec_¤=",
                "whsec_¤=crm",
                "¤=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
            ]),
        ),
    ];
    rows.into_iter()
        .map(|(name, values)| (name, values.iter().map(|value| value.replace('¤', SECRET_MARKER)).collect()))
        .collect()
}

fn load(name: &str, value: &str) -> Result<Config, accountd::config::Problems> {
    let setting = SETTINGS.iter().find(|setting| setting.name == name).unwrap();
    Config::load(Flags::default(), [(setting.variable(), value.to_owned())])
}

/// A setting that may hold a secret is marked, and has its row above; errors quote the others.
#[test]
fn every_secret_setting_is_listed() {
    let rows = malformed();
    for setting in SETTINGS {
        let sounds_so = ["url", "secret", "_key", "password", "credential", "endpoints"]
            .iter()
            .any(|word| setting.name.rsplit('.').next().is_some_and(|last| last.contains(word)));
        assert!(!sounds_so || setting.is_secret(), "{}: may it hold a secret?", setting.name);
        assert_eq!(rows.contains_key(setting.name), setting.is_secret(), "{} needs malformed values", setting.name);
    }
}

#[test]
fn setting_errors_reveal_no_secret() {
    for (name, values) in malformed() {
        for value in values {
            let message = match load(name, &value) {
                Ok(config) => format!("{config:?}"),
                Err(problems) => format!("{problems} {problems:?}"),
            };
            assert!(!message.contains(SECRET_MARKER), "{name} = {value}: {message}");
            let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
            let (section, key) = name.split_once('.').unwrap_or(("", name));
            let section = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
            for written in [format!("{value:?}"), value.clone(), format!("[{value:?}]"), format!("'''{value}''")] {
                std::fs::write(&file, format!("{section}{key} = {written}\n")).unwrap();
                let flags = Flags { config: Some(file.path().to_owned()), ..Flags::default() };
                let message = match Config::load(flags, []) {
                    Ok(config) => format!("{config:?}"),
                    Err(problems) => format!("{problems} {problems:?}"),
                };
                assert!(!message.contains(SECRET_MARKER), "{name} = {written}: {message}");
            }
        }
    }
}

/// The output of a command with these variables, which has to fail.
fn failed(arguments: &[&str], variables: &[(&str, &str)], input: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_accountd"));
    command.current_dir(&home).env("ACCOUNTD_SECRET_KEY", crate::support::database::SECRET).args(arguments);
    command.envs(variables.iter().copied()).env_remove("RUST_BACKTRACE");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(!output.status.success(), "{arguments:?} {variables:?}: {text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}

/// At every log level, by every command that reads it.
#[test]
fn command_errors_reveal_no_database_secret() {
    let commands: [(&[&str], &str); 5] = [
        (&["serve", "--listen", "127.0.0.1:0"], ""),
        (&["migrate"], ""),
        (&["admin", "create", "ann", "--password-stdin"], "correct-horse-battery-7"),
        (&["admin", "end-all-sessions"], ""),
        (&["import", "jsonl", "/dev/null", "--dry-run"], ""),
    ];
    let values = &malformed()["database_url"];
    std::thread::scope(|scope| {
        for (index, (arguments, input)) in commands.into_iter().enumerate() {
            scope.spawn(move || {
                // Each command has a share of the values; together they have all, and each has the first.
                let own = values.iter().enumerate().filter(|(number, _)| number % 5 == index || *number == 0);
                for (_, value) in own.filter(|(_, value)| !value.starts_with("sqlite")) {
                    let variables = [("ACCOUNTD_DATABASE_URL", value.as_str()), ("ACCOUNTD_LOG__FILTER", "trace")];
                    let text = failed(arguments, &variables, input);
                    assert!(!text.contains(SECRET_MARKER), "{arguments:?} {value}: {text}");
                }
            });
        }
        // Most of the time they wait for unreachable servers.
        let older = values.iter().filter(|value| value.starts_with("mysql") || value.starts_with("postgres:"));
        for value in older {
            scope.spawn(move || {
                let text = failed(&["import", "user-api", value, "--dry-run"], &[], "");
                assert!(!text.contains(SECRET_MARKER), "{value}: {text}");
            });
        }
    });
}

/// The location and the cause, once.
#[test]
fn unreachable_database_is_named_without_secret() {
    let url = |rest: &str| [("ACCOUNTD_DATABASE_URL", format!("postgres://u:{SECRET_MARKER}@{rest}"))];
    let message_for = |rest: &str| {
        let [(name, value)] = url(rest);
        failed(&["migrate"], &[(name, &value)], "")
    };
    let text = message_for(&format!("{UNREACHABLE}/x"));
    assert!(text.contains(UNREACHABLE) && text.matches("refused").count() == 1, "{text}");
    let text = message_for("no-such-host.invalid/x");
    assert!(text.contains("no-such-host.invalid:5432") && text.contains("percent-encode"), "{text}");
    let text = failed(&["migrate"], &[("ACCOUNTD_DATABASE_URL", "postgres://u:a/b?c#d@h/x")], "");
    assert!(text.contains("%23 for #") && text.matches("database_url").count() == 1, "{text}");
}
