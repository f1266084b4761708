//! The documents agree with the source: settings, modules, codes, audit actions, guarantees, paths and links.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use accountd::config::SETTINGS;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every document, by its path from the root.
fn documents() -> Vec<String> {
    let mut found = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "benches/README.md"]
        .map(str::to_owned)
        .to_vec();
    for directory in ["docs", "docs/migrating-from"] {
        for entry in fs::read_dir(Path::new(ROOT).join(directory)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                found.push(format!("{directory}/{name}"));
            }
        }
    }
    found
}

/// Every source file below these directories.
fn sources(directories: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = directories.iter().map(|directory| Path::new(ROOT).join(directory)).collect();
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.ends_with("node_modules") && !name.ends_with("fixtures") {
                    open.push(path);
                }
            } else if name.ends_with(".rs") || name.ends_with(".js") {
                found.push((name, String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()));
            }
        }
    }
    found
}

/// What stands between each `from` and the next `to` of `text`.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    text.split(from).skip(1).filter_map(|rest| rest.split_once(to)).map(|(found, _)| found).collect()
}

/// The table of settings, as `docs/configuration.md` has it.
fn table() -> String {
    let mut table = "| setting | default | what it does |\n|---|---|---|\n".to_owned();
    for setting in SETTINGS {
        let default = setting.default.map_or_else(String::new, |default| format!("`{default}`"));
        let earlier = setting.earlier_name.map_or_else(String::new, |name| format!("; earlier name: `{name}`"));
        writeln!(table, "| `{}` | {default} | {}{earlier} |", setting.name, setting.description).unwrap();
    }
    table
}

/// `UPDATE_SCHEMA=1` writes the table; read the diff.
#[test]
fn configuration_lists_every_setting_with_its_default() {
    let path = Path::new(ROOT).join("docs/configuration.md");
    let text = fs::read_to_string(&path).unwrap();
    let from = text.find("| setting |").expect("a table of settings");
    let to = from + text[from..].find("\n\n").map_or(text.len() - from, |end| end + 1);
    #[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the tests")]
    if std::env::var("UPDATE_SCHEMA").is_ok() {
        fs::write(path, format!("{}{}{}", &text[..from], table(), &text[to..])).unwrap();
    } else {
        assert!(text[from..to] == table(), "run UPDATE_SCHEMA=1 cargo test --test it readme and read the diff");
    }
}

#[test]
fn architecture_lists_every_module() {
    let architecture = read("docs/architecture.md");
    let library = read("src/lib.rs");
    let declared = library.lines().filter_map(|line| line.strip_prefix("pub mod ").or(line.strip_prefix("mod ")));
    for module in declared.filter_map(|rest| rest.strip_suffix(';')) {
        assert!(architecture.contains(&format!("`src/{module}`")), "docs/architecture.md lacks src/{module}");
    }
}

#[test]
fn readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= 150, "README.md has {lines} lines: move details to docs");
}

#[test]
fn errors_lists_every_code() {
    let errors = read("docs/errors.md");
    let parts = sources(&["src/error"]).into_iter().map(|(_, text)| text);
    let source: String = parts.chain([read("src/error.rs")]).collect();
    // Codes and reasons are the only texts of capital letters there.
    let is_code = |text: &&str| text.len() > 3 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let codes: BTreeSet<&str> = source.split('"').filter(is_code).collect();
    assert!(codes.len() > 30, "{codes:?}");
    for code in codes {
        assert!(errors.contains(&format!("`{code}`")), "docs/errors.md lacks {code}");
    }
}

#[test]
fn audit_lists_every_action() {
    let audit = read("docs/audit.md");
    let actions = read("src/account/event/audit_action.rs");
    let actions: BTreeSet<_> = between(&actions, "=> \"", "\"").into_iter().collect();
    assert!(actions.len() > 20, "{actions:?}");
    for action in actions {
        assert!(audit.contains(&format!("| `{action}`")), "docs/audit.md lacks {action}");
    }
}

/// A mark is a letter and a number in a comment, such as `S3`.
#[test]
fn guarantees_lists_every_mark() {
    let guarantees = read("docs/guarantees.md");
    let is_mark = |word: &&str| {
        let (has_letter, number) = match word.strip_prefix("Z-") {
            Some(number) => (true, number),
            None => {
                (word.starts_with(|letter: char| "ABCGHJLQRSXZ".contains(letter)), word.get(1..).unwrap_or_default())
            }
        };
        has_letter && (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut marks = BTreeSet::new();
    for (path, text) in sources(&["src", "tests/it", "tests/clients", "benches"]) {
        for comment in text.lines().filter_map(|line| line.split_once("//")).map(|(_, comment)| comment) {
            let words = comment.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
            marks.extend(words.filter(is_mark).map(|mark| (mark.to_owned(), path.clone())));
        }
    }
    assert!(marks.len() > 100, "{marks:?}");
    for (mark, path) in marks {
        assert!(guarantees.contains(&format!("| {mark} |")), "docs/guarantees.md lacks {mark} of {path}");
    }
}

/// Paths in code spans, and the targets of links.
#[test]
fn paths_and_links_exist() {
    let roots = ["src/", "tests/", "docs/", "entity/", "migration/", "web/", "benches/", "examples/", "scripts/"];
    let mut missing = Vec::new();
    for document in documents() {
        let text = read(&document);
        let directory = Path::new(ROOT).join(&document).parent().unwrap().to_owned();
        for span in text.split('`').skip(1).step_by(2).filter(|span| roots.iter().any(|root| span.starts_with(root))) {
            let is_path = span.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
            let path = Path::new(ROOT).join(span);
            // A module is a file or a directory.
            let is_generated = span.starts_with("web/dist") || span.starts_with("web/screenshots");
            if is_path && !is_generated && !path.exists() && !path.with_extension("rs").exists() {
                missing.push(format!("{document}: `{span}`"));
            }
        }
        for target in between(&text, "](", ")") {
            let file = target.split('#').next().unwrap_or_default();
            if !target.contains("://") && !file.is_empty() && !directory.join(file).exists() {
                missing.push(format!("{document}: ({target})"));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}
