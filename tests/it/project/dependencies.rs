//! The dependencies of the program: licenses, banned crates and accepted advisories. Works without network: `deny.toml`
//! holds the rules, and `Cargo.lock` the crates.

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;
use toml::{Table, Value};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> Table {
    toml::from_str(&std::fs::read_to_string(root().join(path)).unwrap()).unwrap()
}

/// A list of a section.
fn list(section: &str, name: &str) -> Vec<Value> {
    let deny = read("deny.toml");
    deny[section][name].as_array().unwrap().clone()
}

fn field(entry: &Value, name: &str) -> String {
    entry.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{entry:?} has no {name}")).to_owned()
}

/// Name and version of every crate in the lock file, for all systems.
fn locked() -> Vec<(String, String)> {
    let lock = read("Cargo.lock");
    lock["package"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (field(package, "name"), field(package, "version")))
        .collect()
}

/// Whether the `allowed` licenses satisfy an SPDX expression; old crates write `/` for OR.
fn allows(expression: &str, allowed: &[String]) -> bool {
    let text = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ").replace(" WITH ", "+WITH+");
    let words: Vec<&str> = text.split_whitespace().collect();
    let (holds, rest) = any(&words, allowed);
    assert!(rest.is_empty(), "{expression}");
    holds
}

fn any<'a>(words: &'a [&'a str], allowed: &[String]) -> (bool, &'a [&'a str]) {
    let (mut holds, mut rest) = all(words, allowed);
    while let Some(("OR", behind)) = rest.split_first().map(|(word, rest)| (*word, rest)) {
        let (other, left) = all(behind, allowed);
        (holds, rest) = (holds || other, left);
    }
    (holds, rest)
}

fn all<'a>(words: &'a [&'a str], allowed: &[String]) -> (bool, &'a [&'a str]) {
    let (mut holds, mut rest) = one(words, allowed);
    while let Some(("AND", behind)) = rest.split_first().map(|(word, rest)| (*word, rest)) {
        let (other, left) = one(behind, allowed);
        (holds, rest) = (holds && other, left);
    }
    (holds, rest)
}

fn one<'a>(words: &'a [&'a str], allowed: &[String]) -> (bool, &'a [&'a str]) {
    match words.split_first() {
        Some((&"(", inner)) => {
            let (holds, rest) = any(inner, allowed);
            assert_eq!(rest.first(), Some(&")"), "{words:?}");
            (holds, &rest[1..])
        }
        Some((name, rest)) => (allowed.contains(&name.replace("+WITH+", " WITH ")), rest),
        None => panic!("unterminated expression"),
    }
}

#[test]
fn license_expressions_are_parsed() {
    let allowed = ["MIT".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()];
    for fine in ["MIT", "MIT/GPL-3.0", "GPL-3.0 OR MIT", "(GPL-3.0 OR MIT) AND MIT", "Apache-2.0 WITH LLVM-exception"] {
        assert!(allows(fine, &allowed), "{fine}");
    }
    for wrong in ["GPL-3.0", "MIT AND GPL-3.0", "MIT AND (GPL-3.0 OR LGPL-3.0)", "Apache-2.0", "mit"] {
        assert!(!allows(wrong, &allowed), "{wrong}");
    }
}

#[test]
fn every_dependency_has_an_allowed_license() {
    let allowed: Vec<String> = list("licenses", "allow").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let host = Command::new("rustc").arg("-vV").output().unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // Only what this machine's build has downloaded.
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Json = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 200, "{}", packages.len());
    for package in packages.iter().filter(|package| !package["source"].is_null()) {
        let name = package["name"].as_str().unwrap();
        // Some name only a file: its content was read, and is recorded in deny.toml.
        let read = list("licenses", "clarify").into_iter().find(|entry| field(entry, "crate") == name);
        let read = read.map(|entry| field(&entry, "expression"));
        let licence = package["license"].as_str().or(read.as_deref()).unwrap_or_default();
        assert!(!licence.is_empty() && allows(licence, &allowed), "{name}: {licence:?}");
    }
}

#[test]
fn no_banned_crate_is_a_dependency() {
    let banned: Vec<String> = list("bans", "deny").iter().map(|entry| field(entry, "crate")).collect();
    for name in ["rsa", "openssl-sys"] {
        assert!(banned.iter().any(|banned| banned == name), "{name} is not in deny.toml");
    }
    let locked = locked();
    assert!(locked.iter().any(|(name, _)| name == "sqlx-core"));
    for (name, version) in &locked {
        assert!(!banned.contains(name), "{name} {version}");
    }
}

/// Each accepted advisory has a reason, a crate and a version, and is removed with that crate.
#[test]
fn ignored_advisories_still_concern_locked_crates() {
    let locked = locked();
    for entry in list("advisories", "ignore") {
        let (id, reason) = (field(&entry, "id"), field(&entry, "reason"));
        assert!(id.starts_with("RUSTSEC-") && reason.len() > 40, "{id}: {reason}");
        let mut words = reason.split([' ', ',']);
        let (name, version) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        assert!(locked.contains(&(name.clone(), version.clone())), "{id}: {name} {version} is no longer a dependency");
    }
}
