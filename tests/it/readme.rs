//! The README tells the truth about settings and rooms.

use std::fmt::Write;

use accountd::config::SETTINGS;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// The table of settings, as the README shows it.
fn table() -> String {
    let mut table = "| setting | default | what it does |\n|---|---|---|\n".to_owned();
    for setting in SETTINGS {
        let default = setting.default.map_or_else(String::new, |default| format!("`{default}`"));
        writeln!(table, "| `{}` | {default} | {} |", setting.name, setting.description).unwrap();
    }
    table
}

/// `UPDATE_SCHEMA=1` writes the table; read the difference.
#[test]
fn readme_lists_every_setting_with_its_default() {
    let readme = std::fs::read_to_string(README).unwrap();
    let from = readme.find("| setting |").expect("a table of settings");
    let to = from + readme[from..].find("\n\n").map_or(readme.len() - from, |end| end + 1);
    #[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the tests")]
    if std::env::var("UPDATE_SCHEMA").is_ok() {
        std::fs::write(README, format!("{}{}{}", &readme[..from], table(), &readme[to..])).unwrap();
    } else {
        assert!(readme[from..to] == table(), "run UPDATE_SCHEMA=1 cargo test --test it readme and read the difference");
    }
}

#[test]
fn readme_maps_every_module() {
    let readme = std::fs::read_to_string(README).unwrap();
    let library = include_str!("../../src/lib.rs");
    for room in library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')) {
        assert!(readme.contains(&format!("`src/{room}`")), "the map of the README lacks src/{room}");
    }
}
