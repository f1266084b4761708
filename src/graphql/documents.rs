//! Documents: a query that was parsed lately is not parsed again, which takes longer than all else about a small one.

use std::sync::Arc;

use async_graphql::Request;
use async_graphql::parser::types::ExecutableDocument;
use quick_cache::sync::Cache;

/// Most documents that are kept.
const MAX_DOCUMENTS: usize = 500;

/// Longest query that is kept, in bytes: what is parsed of it takes many times as much.
const MAX_BYTES: usize = 2_048;

/// What queries were parsed to.
pub(super) struct Documents(Cache<String, Arc<ExecutableDocument>>);

impl Default for Documents {
    fn default() -> Self {
        Self(Cache::new(MAX_DOCUMENTS))
    }
}

impl Documents {
    /// Gives `request` what its query was parsed to before, if that is known.
    pub fn lend(&self, request: &mut Request) {
        if let Some(known) = self.0.get(&request.query) {
            request.set_parsed_query((*known).clone());
        }
    }

    /// What the query of `request`, which was found within the limits, is parsed to; nothing if it cannot be parsed.
    pub fn of(&self, request: &mut Request) -> Option<Arc<ExecutableDocument>> {
        if let Some(known) = self.0.get(&request.query) {
            return Some(known);
        }
        let document = Arc::new(request.parsed_query().ok()?.clone());
        // What stands in the query itself may be a password; and such queries seldom come twice.
        if request.query.len() <= MAX_BYTES && !request.query.contains('"') {
            self.0.insert(request.query.clone(), Arc::clone(&document));
        }
        Some(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_kept(query: &str) -> bool {
        let documents = Documents::default();
        documents.of(&mut Request::new(query));
        documents.0.get(query).is_some()
    }

    #[test]
    fn keeps_what_can_be_parsed_and_holds_no_text() {
        assert!(is_kept("{ me { id } }"));
        assert!(!is_kept("{ me { id }"));
        assert!(!is_kept("mutation { login(input: { username: \"ann\", password: \"secret\" }) { errors { code } } }"));
        assert!(!is_kept(&format!("{{ me {{ id }} }}{}", " ".repeat(MAX_BYTES))));
    }

    #[test]
    fn is_bounded() {
        let documents = Documents::default();
        for number in 0..MAX_DOCUMENTS * 3 {
            documents.of(&mut Request::new(format!("{{ a{number} }}")));
        }
        // The cache rounds up for each of its parts.
        assert!(documents.0.len() < MAX_DOCUMENTS * 2);
    }
}
