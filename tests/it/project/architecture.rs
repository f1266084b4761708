//! Architecture: allowed imports, and rules on file names, module docs and sizes.

mod cycles;
mod error_log;
mod words;

use std::collections::BTreeSet;

use crate::support::module_graph::{Module, crate_modules, modules};
use crate::support::source_files::{SourceFile, rust_files};

/// The modules that each module may name. A path such as `account::caller` allows that room alone.
const ALLOWED_MODULES: [(&str, &[&str]); 24] = [
    // They wire an `App` for the commands, for tests and for embedding applications.
    ("main", ALL_MODULES),
    ("cli", ALL_MODULES),
    ("startup", ALL_MODULES),
    (
        "http",
        &[
            "graphql",
            "dialects",
            "gateway",
            "app",
            "config",
            "error",
            "headers",
            "strict_json",
            "openapi_builder",
            "account::caller",
            // Connections per address are counted as streams per user are, under the key of the rate limits.
            "limits::counted_slots",
            "limits::key",
        ],
    ),
    // `graphql`: the building blocks of an executor, for a dialect with a schema of its own.
    ("dialects", &["graphql", "account", "app", "config", "error", "headers", "strict_json", "openapi_builder"]),
    ("gateway", &["account", "app", "config", "error", "headers", "strict_json", "openapi_builder"]),
    // `config`: limits of an operation are settings, provided by `App`.
    ("graphql", &["account", "app", "config", "error"]),
    // `config`: use cases decide by settings such as the registration mode, provided by `App`.
    (
        "account",
        &[
            "app",
            "store",
            "cache",
            "limits",
            "security",
            "database",
            "egress",
            "config",
            "hooks",
            "clock",
            "entropy",
            "error",
            "strict_json",
        ],
    ),
    ("app", &["cache", "limits", "database", "egress", "security", "config", "hooks", "clock", "entropy", "error"]),
    // `cache`: a commit raises the counters of the invalidation log.
    ("database", &["cache", "store", "config", "clock", "error"]),
    ("cache", &["store", "redis", "config", "clock", "error"]),
    ("limits", &["store", "redis", "config", "clock", "error"]),
    ("store", &["error"]),
    ("security", &["clock", "entropy", "config", "error"]),
    ("egress", &["config", "error"]),
    ("redis", &["error"]),
    ("hooks", &[]),
    ("config", &[]),
    ("clock", &[]),
    ("entropy", &[]),
    ("error", &[]),
    ("headers", &[]),
    ("strict_json", &[]),
    ("openapi_builder", &[]),
];

const ALL_MODULES: &[&str] = &[
    "account",
    "app",
    "cache",
    "cli",
    "clock",
    "config",
    "database",
    "dialects",
    "egress",
    "entropy",
    "error",
    "gateway",
    "graphql",
    "headers",
    "hooks",
    "http",
    "limits",
    "openapi_builder",
    "redis",
    "security",
    "startup",
    "store",
    "strict_json",
];

/// The modules that may name each crate; crates that are not listed are unrestricted.
const ALLOWED_CRATES: [(&str, &[&str]); 17] = [
    ("apollo_compiler", &["graphql"]),
    ("apollo_parser", &["graphql"]),
    ("async_graphql", &["graphql", "http", "dialects::flask_auth_service_mongo"]),
    // Only examples use it.
    ("async_graphql_axum", &[]),
    ("async_graphql_value", &["graphql", "dialects::flask_auth_service_mongo"]),
    ("axum", &["http", "dialects", "gateway", "headers", "cli"]),
    (
        "sea_orm",
        &["store", "entity", "migration", "database", "startup", "error", "cache", "account::event::unit_of_work"],
    ),
    ("sea_orm_migration", &["migration"]),
    // The API layers read rows, see below.
    ("entity", &["store", "account", "graphql", "dialects"]),
    ("migration", &["startup"]),
    ("argon2", &["security"]),
    ("bcrypt", &["security"]),
    ("scrypt", &["security"]),
    ("jsonwebtoken", &["security"]),
    ("clap", &["cli", "config"]),
    // `config` reports an invalid certificate file and an invalid filter together with all other errors.
    ("tokio_rustls", &["config", "egress"]),
    ("tracing_subscriber", &["cli", "config"]),
];

/// Whether a module below `rooms`, each a path such as `http` or `account::caller`.
fn is_below(path: &[String], rooms: &[&str]) -> bool {
    rooms.iter().any(|room| {
        room.split("::")
            .zip(path.iter().map(Some).chain(std::iter::repeat(None)))
            .all(|(part, own)| own.is_some_and(|own| own == part))
    })
}

fn top(module: &Module) -> &str {
    module.path.first().map(String::as_str).unwrap_or_default()
}

#[test]
fn modules_import_only_allowed_modules() {
    let mut wrong = Vec::new();
    for module in modules() {
        let Some((_, allowed)) = ALLOWED_MODULES.iter().find(|(name, _)| *name == top(&module)) else { continue };
        for named in &module.names {
            let is_own = named.first().is_some_and(|first| first == top(&module));
            // What the crate's root re-exports is for embedding applications; the entry names it, too.
            let is_root = named.len() == 1 && top(&module) == "main";
            if !is_own && !is_root && !is_below(named, allowed) {
                wrong.push(format!("{} names {}", module.file, named.join("::")));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
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
    assert_eq!(declared, map, "modules of src/lib.rs, modules on its map");
    let files: BTreeSet<String> = modules().iter().map(|module| top(module).to_owned()).collect();
    let known: BTreeSet<String> = ALLOWED_MODULES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, known, "files below src, rows of this table");
}

#[test]
fn crates_are_used_only_in_allowed_modules() {
    let mut wrong = Vec::new();
    for module in modules().into_iter().chain(crate_modules()) {
        for (name, rooms) in ALLOWED_CRATES {
            let names_it = module.others.iter().any(|path| path.first().is_some_and(|first| first == name));
            if names_it && top(&module) != name && !is_below(&module.path, rooms) {
                wrong.push(format!("{} names {name}", module.file));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn api_layers_only_read_rows() {
    for module in modules() {
        if matches!(top(&module), "graphql" | "dialects" | "gateway" | "http") {
            for word in ["ActiveModel", "Entity", "Column"] {
                let names_it = module.others.iter().any(|path| path.iter().any(|segment| segment == word));
                assert!(!names_it, "{} names {word}: only use cases and stores may", module.file);
            }
        }
    }
}

#[test]
fn entity_and_migration_import_no_module_of_accountd() {
    for module in crate_modules() {
        for crate_name in ["accountd", "entity", "migration"] {
            let names_it = module.others.iter().any(|path| path.first().is_some_and(|first| first == crate_name));
            assert!(top(&module) == crate_name || !names_it, "{} names {crate_name}", module.file);
        }
    }
    for file in rust_files(&["entity/src", "migration/src"]) {
        for word in ["async_graphql", "serde::", "SimpleObject", "Serialize"] {
            assert!(!file.code().contains(word), "{}: rows have no {word}", file.path);
        }
    }
}

#[test]
fn only_main_reads_the_environment() {
    for file in rust_files(&["src"]) {
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
        assert!(text.starts_with("//! "), "{path}: start it with a `//!` line that states its purpose");
        let lines = text.lines().count();
        assert!(lines <= 400, "{path} has {lines} lines: split it");
        for part in path.trim_end_matches(".rs").split('/') {
            assert!(!NAMELESS.contains(&part), "{path}: `{part}` is too general; use a domain word");
        }
    }
}
