//! The modules of the program and the paths that each names, read by `syn`.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::source_files::{SourceFile, rust_files};

/// A path, segment by segment: `account::access` is `["account", "access"]`.
pub type Segments = Vec<String>;

/// A file of `src` as a module.
pub struct Module {
    /// From the crate's root.
    pub path: Segments,
    /// Relative to the repository.
    pub file: String,
    /// What it names of the crate, from the crate's root; tests inside of the file are left out.
    pub names: BTreeSet<Segments>,
    /// The other paths it names, such as those of other crates.
    pub others: BTreeSet<Segments>,
}

/// Every module of the program, the crate's root aside.
pub fn modules() -> Vec<Module> {
    let mut files = rust_files(&["src"]);
    files.retain(|file| file.path != "src/lib.rs");
    assert!(files.len() > 50, "the source was not found");
    files.iter().map(read).collect()
}

fn read(file: &SourceFile) -> Module {
    let path: Segments = file.path["src/".len()..].trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    let (names, others) = paths_of(&file.text, &path);
    Module { path, file: file.path.clone(), names, others }
}

/// The modules of the crates `entity` and `migration`, below the crate's name.
pub fn crate_modules() -> Vec<Module> {
    let files = rust_files(&["entity/src", "migration/src"]);
    let module = |file: &SourceFile| {
        let path: Segments =
            file.path.trim_end_matches(".rs").replace("/src", "").split('/').map(str::to_owned).collect();
        let (names, others) = paths_of(&file.text, &path);
        Module { path, file: file.path.clone(), names, others }
    };
    files.iter().map(module).collect()
}

/// The paths in `text`, a file of the module `own`: those of the crate, absolute, and all others.
pub fn paths_of(text: &str, own: &[String]) -> (BTreeSet<Segments>, BTreeSet<Segments>) {
    let parsed = syn::parse_file(text).expect("the source parses");
    let children = parsed.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_none() => Some(module.ident.to_string()),
        _ => None,
    });
    let mut reader = Reader {
        // The entry of the command line names the library from outside.
        root: if own == ["main"] { "accountd" } else { "crate" },
        children: children.collect(),
        own: own.to_vec(),
        depth: 0,
        names: BTreeSet::new(),
        others: BTreeSet::new(),
    };
    reader.visit_file(&parsed);
    (reader.names, reader.others)
}

struct Reader {
    root: &'static str,
    own: Segments,
    children: BTreeSet<String>,
    /// How many inline modules are around.
    depth: usize,
    names: BTreeSet<Segments>,
    others: BTreeSet<Segments>,
}

impl Reader {
    fn record(&mut self, path: &[String]) {
        let Some(first) = path.first() else { return };
        if first == self.root {
            self.names.insert(path[1..].to_vec());
            return;
        }
        let climbed = path.iter().take_while(|segment| *segment == "super").count();
        if climbed > self.depth {
            let kept = self.own.len().checked_sub(climbed - self.depth).expect("`super` stays in the crate");
            self.names.insert([&self.own[..kept], &path[climbed..]].concat());
        } else if self.depth == 0 && self.children.contains(first) {
            self.names.insert([&self.own[..], path].concat());
        } else if climbed == 0 && first != "self" {
            self.others.insert(path.to_vec());
        }
    }

    fn record_use(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.record_use(&path.tree, &with(&path.ident)),
            syn::UseTree::Name(name) if name.ident == "self" => self.record(before),
            syn::UseTree::Name(name) => self.record(&with(&name.ident)),
            syn::UseTree::Rename(name) => self.record(&with(&name.ident)),
            syn::UseTree::Glob(_) => self.record(before),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.record_use(tree, before)),
        }
    }

    /// What a macro is given has no syntax of its own: words with `::` between them are paths.
    fn record_tokens(&mut self, tokens: TokenStream) {
        let mut path = Segments::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(word) if path.is_empty() || colons == 2 => {
                    path.push(word.to_string());
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(word) => {
                    self.end_of_path(&mut path);
                    path.push(word.to_string());
                }
                TokenTree::Group(group) => {
                    self.end_of_path(&mut path);
                    self.record_tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => self.end_of_path(&mut path),
            }
            colons = 0;
        }
        self.end_of_path(&mut path);
    }

    fn end_of_path(&mut self, path: &mut Segments) {
        if path.len() > 1 {
            self.record(path);
        }
        path.clear();
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let is_test = |attribute: &syn::Attribute| {
            attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "test")
        };
        if module.content.is_some() && !module.attrs.iter().any(is_test) {
            self.depth += 1;
            visit::visit_item_mod(self, module);
            self.depth -= 1;
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.record_use(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.record(&segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        self.record_tokens(invocation.tokens.clone());
        visit::visit_macro(self, invocation);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        visit::visit_attribute(self, attribute);
        if let syn::Meta::List(list) = &attribute.meta {
            self.record_tokens(list.tokens.clone());
        }
    }

    /// `pub(in crate::a)` says who may name an item; it names nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

#[test]
fn paths_are_read_wherever_code_names_them() {
    let text = "use crate::{a, b::c::{self, D}};\nuse super::e::F;\nuse axum::Router;\nmod child;\n\
                pub(in crate::hidden) fn x() -> crate::g::H { child::run(vec![super::i::J, k::l()]) }\n\
                #[cfg(test)]\nmod tests { use crate::m; }\nmod inline { use super::n; use super::super::o; }";
    let own = ["room", "file"].map(str::to_owned);
    let (names, others) = paths_of(text, &own);
    let joined = |paths: &BTreeSet<Segments>| paths.iter().map(|path| path.join("::")).collect::<Vec<_>>();
    assert_eq!(
        joined(&names),
        ["a", "b::c", "b::c::D", "g::H", "room::e::F", "room::file::child::run", "room::i::J", "room::o"]
    );
    assert_eq!(joined(&others), ["axum::Router", "k::l"]);
}
