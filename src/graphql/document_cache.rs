//! The document cache: parsing a small document takes longer than everything else about its request.

use std::sync::Arc;

use async_graphql::{ServerError, Variables};
use quick_cache::sync::Cache;

use super::document::{Document, Prepared, ValidationSchema};
use crate::config::OperationLimits;
use crate::error::Result;

/// Capacity of the cache, in documents.
const MAX_DOCUMENTS: usize = 500;

/// Longest cached query, in bytes: its parsed form takes many times as much memory.
const MAX_CACHED_QUERY_BYTES: usize = 2_048;

/// Cache of parsed, valid documents, by their text.
pub(crate) struct DocumentCache {
    schema: ValidationSchema,
    cache: Cache<String, Arc<Document>>,
}

impl DocumentCache {
    /// An empty cache for the schema that `sdl` describes.
    pub fn new(sdl: &str) -> Self {
        Self { schema: ValidationSchema::from_sdl(sdl), cache: Cache::new(MAX_DOCUMENTS) }
    }

    /// Returns the cached document for `text`, which must be within the byte limit, or parses and validates it.
    ///
    /// # Errors
    /// [`Error::OperationTooComplex`](crate::error::Error::OperationTooComplex) with the exceeded limit.
    pub fn get_or_parse(&self, text: &str, limits: &OperationLimits) -> Result<Arc<Document>> {
        if let Some(cached) = self.cache.get(text) {
            return Ok(cached);
        }
        let document = Arc::new(Document::parse_and_validate(text, &self.schema, limits)?);
        // A string literal may be a password, and queries with literals seldom repeat.
        if document.executable().is_some() && text.len() <= MAX_CACHED_QUERY_BYTES && !text.contains('"') {
            self.cache.insert(text.to_owned(), Arc::clone(&document));
        }
        Ok(document)
    }

    /// Prepares the operation `name` of `document`, or its only one, with these variables.
    ///
    /// # Errors
    /// The errors of the document, of the operation's name or of the variables.
    pub fn prepare<'a>(
        &self,
        document: &'a Document,
        name: Option<&str>,
        values: Variables,
    ) -> std::result::Result<Prepared<'a>, Vec<ServerError>> {
        document.prepare(&self.schema, name, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDL: &str = "type Query { me: User }
        type Mutation { login(input: LoginInput!): LoginPayload }
        type User { id: ID! }
        type LoginPayload { errors: [AccountError!] }
        type AccountError { code: String }
        input LoginInput { username: String! password: String! }";

    const LIMITS: OperationLimits = OperationLimits {
        query_bytes: 65_536,
        tokens: 1_000,
        depth: 10,
        aliases: 15,
        root_fields: 10,
        directives: 20,
        operations: 5,
        selections: 500,
        variables: 100,
        variable_bytes: 65_536,
        complexity: 1_000,
    };

    fn is_cached(query: &str) -> bool {
        let documents = DocumentCache::new(SDL);
        documents.get_or_parse(query, &LIMITS).unwrap();
        documents.cache.get(query).is_some()
    }

    #[test]
    fn only_valid_documents_without_string_literals_are_cached() {
        assert!(is_cached("{ me { id } }"));
        assert!(!is_cached("{ me { id }"));
        assert!(!is_cached(
            "mutation { login(input: { username: \"ann\", password: \"secret\" }) { errors { code } } }"
        ));
        assert!(!is_cached(&format!("{{ me {{ id }} }}{}", " ".repeat(MAX_CACHED_QUERY_BYTES))));
    }

    #[test]
    fn document_cache_is_bounded() {
        let documents = DocumentCache::new(SDL);
        for number in 0..MAX_DOCUMENTS * 3 {
            documents.get_or_parse(&format!("{{ a{number}: me {{ id }} }}"), &LIMITS).unwrap();
        }
        // The cache rounds the capacity of each shard up.
        assert!(documents.cache.len() < MAX_DOCUMENTS * 2);
    }
}
