//! The source text, for tests that hold rules about it.

use std::fs;
use std::path::Path;

/// A file below the repository's root.
pub struct SourceFile {
    /// Its path, with `/` between the parts.
    pub path: String,
    /// What it contains.
    pub text: String,
}

/// Every Rust file below these directories (or these files themselves), in no particular order.
pub fn rust_files(roots: &[&str]) -> Vec<SourceFile> {
    let mut found = Vec::new();
    for root in roots {
        collect(root, &mut found);
    }
    found.retain(|file| file.path.ends_with(".rs"));
    found
}

fn collect(path: &str, found: &mut Vec<SourceFile>) {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if place.is_dir() {
        for entry in fs::read_dir(place).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            collect(&format!("{path}/{name}"), found);
        }
    } else if place.is_file() {
        let text = String::from_utf8_lossy(&fs::read(place).unwrap()).into_owned();
        found.push(SourceFile { path: path.to_owned(), text });
    }
}

impl SourceFile {
    /// The text without what only people read.
    pub fn code(&self) -> String {
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        self.text.lines().filter(is_code).map(|line| format!("{line}\n")).collect()
    }
}
