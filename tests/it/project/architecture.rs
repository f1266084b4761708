//! The house: who may import whom, and how files are named, opened and sized.

use std::collections::BTreeSet;

use crate::support::source_files::{SourceFile, rust_files};

/// Who may name which module of ours. A path such as `account::requester` opens that room alone.
const ALLOWED_MODULES: [(&str, &[&str]); 19] = [
    ("main", ALL_MODULES),
    ("cli", ALL_MODULES),
    // It wires an `App` for the commands, for tests and for those who embed the crate.
    ("start", ALL_MODULES),
    // The error map is the GraphQL face's own; the requester is what a request's headers become.
    ("http", &["graphql", "rest", "app", "config", "error", "json", "account::requester"]),
    // `config`: the limits of an operation are settings, which `App` hands out.
    ("graphql", &["account", "app", "config", "error"]),
    // `config`: the places of the dialects are settings, which `App` hands out.
    // The schema of auth-service: what is GraphQL in a dialect lives there, and the dialect serves it.
    ("rest", &["account", "app", "config", "error", "graphql::auth_service", "json"]),
    // `config`: use cases decide by settings such as the registration mode, which `App` hands out.
    ("account", &["store", "security", "app", "clock", "config", "entropy", "error", "hooks"]),
    // It hands out `hooks` and `outgoing`, which use cases tell what happened and send messages by.
    ("app", &["config", "clock", "entropy", "hooks", "live", "outgoing", "security", "error"]),
    ("hooks", &[]),
    ("outgoing", &["config", "error"]),
    ("live", &["store", "config", "error", "shared"]),
    ("shared", &["error"]),
    ("store", &["error"]),
    ("security", &["clock", "entropy", "config", "error", "shared"]),
    ("config", &[]),
    ("clock", &[]),
    ("entropy", &[]),
    ("error", &[]),
    ("json", &[]),
];

const ALL_MODULES: &[&str] = &[
    "account", "app", "cli", "clock", "config", "entropy", "error", "graphql", "hooks", "http", "json", "live",
    "outgoing", "rest", "security", "shared", "start", "store",
];

/// Who may name which crate; crates that are not listed are nobody's secret.
const ALLOWED_CRATES: [(&str, &[&str]); 16] = [
    ("apollo_compiler", &["graphql"]),
    ("apollo_parser", &["graphql"]),
    ("async_graphql", &["graphql", "http"]),
    ("async_graphql_value", &["graphql"]),
    ("axum", &["http", "rest", "cli"]),
    ("sea_orm", &["store", "entity", "migration", "app", "error", "account", "live"]),
    ("sea_orm_migration", &["migration"]),
    // Rows go up to the faces, read only; see below.
    ("entity", &["store", "account", "graphql", "rest"]),
    ("migration", &["start"]),
    ("argon2", &["security"]),
    ("bcrypt", &["security"]),
    ("scrypt", &["security"]),
    ("jsonwebtoken", &["security"]),
    ("clap", &["cli", "config"]),
    // `config` tells a file without certificates, and a filter that cannot be read, together with all other mistakes.
    ("tokio_rustls", &["config", "outgoing"]),
    ("tracing_subscriber", &["cli", "config"]),
];

/// The module that a file belongs to: `account` for `src/account/login.rs`, the crate's name for the other crates.
fn module(file: &SourceFile) -> &str {
    let parts: Vec<&str> = file.path.split('/').collect();
    match parts[..] {
        ["src", first, ..] => first.trim_end_matches(".rs"),
        [name, ..] => name,
        [] => "",
    }
}

fn program() -> Vec<SourceFile> {
    let mut files = rust_files(&["src"]);
    files.retain(|file| file.path != "src/lib.rs");
    assert!(files.len() > 50, "the source was not found");
    files
}

/// What follows each `name::` in `code`, one level deep: `a` and `b::c` for `name::a` and `name::{b::c, d}`.
fn named_modules(code: &str, name: &str) -> BTreeSet<String> {
    let needle = format!("{name}::");
    let mut found = BTreeSet::new();
    for (start, _) in code.match_indices(&needle) {
        if code[..start].ends_with(|before: char| before.is_alphanumeric() || matches!(before, '_' | '$' | ':')) {
            continue;
        }
        let rest = &code[start + needle.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(members(group).into_iter().map(is_two_words)),
            None => drop(found.insert(is_two_words(rest))),
        }
    }
    found
}

/// The members of a `use` group whose opening brace is gone.
fn members(group: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut members) = (0, 0, Vec::new());
    for (place, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                members.push(group[begin..place].trim());
                begin = place + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    members.retain(|member| !member.is_empty());
    members
}

/// `a::b` for `a::b::c`, `a` for `a` and for `a::{b, c}`, where any of the group may be meant.
fn is_two_words(path: &str) -> String {
    let word = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let first = word(path);
    match path[first.len()..].strip_prefix("::").map(word) {
        Some(second) if !second.is_empty() => format!("{first}::{second}"),
        _ => first,
    }
}

#[test]
fn path_parser_finds_the_modules_that_code_names() {
    let code = "use crate::{a, b::c::d, e::{f, g}};\nlet x = crate::h::i(j);\nuse mycrate::k;\n$crate::l";
    let expected = ["a", "b::c", "e", "h::i"].map(str::to_owned);
    assert_eq!(named_modules(code, "crate"), expected.into());
}

#[test]
fn modules_import_only_allowed_modules() {
    let mut wrong = Vec::new();
    for file in program() {
        let own = module(&file);
        let Some((_, allowed)) = ALLOWED_MODULES.iter().find(|(name, _)| *name == own) else { continue };
        // The command line's entry names the library from outside.
        let root = if own == "main" { "accountd" } else { "crate" };
        for path in named_modules(&file.code(), root) {
            let first = path.split("::").next().unwrap_or_default();
            if first != own && !allowed.iter().any(|may| *may == first || *may == path) {
                wrong.push(format!("{} names {path}", file.path));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// A chain of `super` that leaves the file's top-level module would go around the table.
#[test]
fn no_module_leaves_its_room_by_super() {
    for file in program() {
        let (code, depth) = (file.code(), file.path.split('/').count() - 1);
        let inline = code.lines().position(|line| line.starts_with("mod ") && line.ends_with('{'));
        for (number, line) in code.lines().enumerate() {
            let within = usize::from(inline.is_some_and(|first| number > first));
            assert!(
                !line.contains(&"super::".repeat(depth + within)),
                "{}: name it from `crate::` instead: {line}",
                file.path
            );
        }
    }
}

#[test]
fn every_module_has_a_layer_row_and_a_map_entry() {
    let library = &rust_files(&["src/lib.rs"])[0].text;
    let declared: BTreeSet<&str> = library
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ").or(line.strip_prefix("mod ")))
        .map(|rest| rest.trim_end_matches(';'))
        .collect();
    let rows: BTreeSet<&str> = ALLOWED_MODULES.iter().map(|(name, _)| *name).filter(|name| *name != "main").collect();
    assert_eq!(declared, rows, "modules of src/lib.rs, rows of this table");
    let map: BTreeSet<&str> = library
        .lines()
        .filter(|line| line.starts_with("//! | ["))
        .flat_map(|line| line.split('|').nth(1).unwrap_or_default().split(','))
        .map(|name| name.trim().trim_matches(['[', ']', '`']))
        .collect();
    assert_eq!(declared, map, "modules of src/lib.rs, rooms on its map");
    let files: BTreeSet<String> = program().iter().map(|file| module(file).to_owned()).collect();
    let known: BTreeSet<String> = ALLOWED_MODULES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, known, "files below src, rows of this table");
}

#[test]
fn crates_are_used_only_in_allowed_modules() {
    let mut wrong = Vec::new();
    for file in program().iter().chain(&rust_files(&["entity/src", "migration/src"])) {
        let (own, code) = (module(file), file.code());
        for (name, rooms) in ALLOWED_CRATES {
            if own != name && !rooms.contains(&own) && !named_modules(&code, name).is_empty() {
                wrong.push(format!("{} names {name}", file.path));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn api_layers_only_read_rows() {
    for file in program() {
        if matches!(module(&file), "graphql" | "rest" | "http") {
            for word in ["ActiveModel", "::Entity", "::Column"] {
                assert!(!file.code().contains(word), "{} names {word}: that is a use case's or a store's", file.path);
            }
        }
    }
}

#[test]
fn entity_and_migration_import_no_module_of_accountd() {
    for file in rust_files(&["entity/src", "migration/src"]) {
        let code = file.code();
        for stranger in ["accountd", "entity", "migration"] {
            let own = module(&file) == stranger;
            assert!(own || named_modules(&code, stranger).is_empty(), "{} names {stranger}", file.path);
        }
        for word in ["async_graphql", "serde::", "SimpleObject", "Serialize"] {
            assert!(!code.contains(word), "{}: a row is a row, it has no {word}", file.path);
        }
    }
}

#[test]
fn only_main_reads_the_environment() {
    for file in program() {
        assert!(
            file.path == "src/main.rs" || !file.code().contains("env::var"),
            "{} reads the environment: settings come through `config`",
            file.path
        );
    }
}

#[test]
fn every_file_has_a_module_doc_and_fits_the_size_limit() {
    const NAMELESS: [&str; 10] =
        ["mod", "utils", "util", "helpers", "common", "misc", "types", "models", "service", "manager"];
    for file in rust_files(&["src", "entity/src", "migration/src", "tests/it", "benches"]) {
        let SourceFile { path, text } = &file;
        assert!(text.starts_with("//! "), "{path}: open it with one `//!` line that says what it is for");
        let lines = text.lines().count();
        assert!(lines <= 400, "{path} has {lines} lines: look for the seam");
        for part in path.trim_end_matches(".rs").split('/') {
            assert!(!NAMELESS.contains(&part), "{path}: `{part}` says nothing; use the product's word");
        }
    }
}
