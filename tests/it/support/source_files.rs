//! The source text, for tests of source rules.

use std::fs;
use std::path::Path;

/// A file below the repository's root.
pub struct SourceFile {
    /// Its path, with `/` as separator.
    pub path: String,
    /// Its content.
    pub text: String,
}

/// Every Rust file below these directories (or these files themselves), unordered.
pub fn rust_files(roots: &[&str]) -> Vec<SourceFile> {
    files(roots, &["rs"])
}

/// Every file with one of the extensions below these directories (or these files themselves), unordered.
pub fn files(roots: &[&str], extensions: &[&str]) -> Vec<SourceFile> {
    let mut found = Vec::new();
    for root in roots {
        collect(root, &mut found);
    }
    let has_extension =
        |file: &SourceFile| file.path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension));
    found.retain(has_extension);
    found
}

fn collect(path: &str, found: &mut Vec<SourceFile>) {
    let path_on_disk = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if path_on_disk.is_dir() {
        for entry in fs::read_dir(path_on_disk).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            collect(&format!("{path}/{name}"), found);
        }
    } else if path_on_disk.is_file() {
        let text = String::from_utf8_lossy(&fs::read(path_on_disk).unwrap()).into_owned();
        found.push(SourceFile { path: path.to_owned(), text });
    }
}

impl SourceFile {
    /// The text without comment lines.
    pub fn code(&self) -> String {
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        self.text.lines().filter(is_code).map(|line| format!("{line}\n")).collect()
    }
}
