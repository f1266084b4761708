//! The words of the source and the documents: no retired word, and a glossary in order.

use std::collections::BTreeSet;

use regex::Regex;

use crate::support::source_files::files;

/// Words that make a person of a component, or for which the field has another word; docs/glossary.md has those in use.
const RETIRED: [&str; 13] = [
    "told",
    "tells",
    "whoever",
    "those who",
    "nobody",
    "somebody",
    "everybody",
    "vigil",
    "ledger",
    "nudge",
    "bulletin",
    "neighbour",
    "strangers",
];

/// The one stored value that holds such a word: a prefix of rows that older versions wrote, too.
const STORED: &str = "const DUMMY_PREFIX: &str = \"nobody:\";";

#[test]
fn retired_words_stay_out_of_names_and_prose() {
    // `_` separates words here, so that parts of names are found, too.
    let pattern = format!("(?i)(?:^|[^a-z])({})(?:$|[^a-z])", RETIRED.join("|"));
    let retired = Regex::new(&pattern).unwrap();
    let roots =
        ["src", "entity/src", "migration/src", "docs", "README.md", "CONTRIBUTING.md", "web/client", "web/console"];
    let mut found = Vec::new();
    for file in files(&roots, &["rs", "md", "ts", "tsx", "css", "html", "graphql"]) {
        for (line, number) in file.text.lines().zip(1..) {
            if retired.is_match(line) && line.trim() != STORED {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert_eq!(found, [""; 0], "docs/glossary.md has the words that are in use");
}

#[test]
fn glossary_explains_each_term_once_in_one_line() {
    let glossary = &files(&["docs/glossary.md"], &["md"])[0].text;
    let rows: Vec<(&str, &str)> = glossary
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| term"))
        .map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            (cells.next().unwrap_or_default(), cells.next().unwrap_or_default())
        })
        .collect();
    assert!((50..=90).contains(&rows.len()), "{} terms", rows.len());
    let terms: Vec<String> = rows.iter().map(|(term, _)| term.to_lowercase()).collect();
    assert!(terms.is_sorted(), "in the order of the alphabet: {terms:?}");
    assert_eq!(terms.iter().collect::<BTreeSet<_>>().len(), terms.len(), "each term once");
    for (term, meaning) in rows {
        assert!(meaning.len() > 10 && meaning.split(' ').count() <= 30, "{term}: {meaning}");
    }
}

#[test]
fn glossary_terms_are_in_use() {
    let glossary = &files(&["docs/glossary.md"], &["md"])[0].text;
    let source: String = files(&["src", "docs", "README.md"], &["rs", "md"])
        .into_iter()
        .filter(|file| file.path != "docs/glossary.md")
        .map(|file| file.text.to_lowercase().replace(['_', '-'], " "))
        .collect();
    let terms = glossary.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next()).skip(1);
    let unused: Vec<&str> = terms
        .filter(|term| !source.contains(&term.to_lowercase().replace(['_', '-', '`'], " ").trim().to_owned()))
        .collect();
    assert_eq!(unused, [""; 0]);
}
