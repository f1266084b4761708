//! Operation limits, checked before execution. All requests of a batch share the limits of one request.

use std::sync::Arc;

use async_graphql::{Request, Variables};

use super::document::Document;
use super::document::cost::{DocumentCost, check_limit};
use super::document_cache::DocumentCache;
use crate::config::OperationLimits;
use crate::error::Result;

pub(super) mod batch_complexity;
pub(crate) mod introspection;
pub mod response;

/// Parses the request's document and checks it against `limits`. An invalid document is returned with its errors.
///
/// # Errors
/// [`Error::OperationTooComplex`](crate::error::Error::OperationTooComplex) with the exceeded limit.
pub(crate) fn parse_checked(
    request: &Request,
    documents: &DocumentCache,
    limits: &OperationLimits,
) -> Result<Arc<Document>> {
    BatchUsage::default().add(request, documents, limits)
}

/// As [`parse_checked`] for a batch, whose sum may not exceed the limits of one request.
///
/// # Errors
/// [`Error::OperationTooComplex`](crate::error::Error::OperationTooComplex) with the exceeded limit.
pub(super) fn parse_batch_checked(
    requests: Vec<&mut Request>,
    documents: &DocumentCache,
    limits: &OperationLimits,
) -> Result<Vec<Arc<Document>>> {
    let mut usage = BatchUsage::default();
    let documents = requests.iter().map(|request| usage.add(request, documents, limits)).collect::<Result<_>>()?;
    batch_complexity::share_budget(requests, limits.complexity);
    Ok(documents)
}

/// The sums over the requests of a batch so far.
#[derive(Default)]
struct BatchUsage {
    query_bytes: usize,
    tokens: usize,
    variables: usize,
    variable_bytes: usize,
    cost: DocumentCost,
}

impl BatchUsage {
    fn add(&mut self, request: &Request, documents: &DocumentCache, limits: &OperationLimits) -> Result<Arc<Document>> {
        self.query_bytes += request.query.len();
        check_limit("graphql.max_query_bytes", self.query_bytes, limits.query_bytes)?;
        self.variables += request.variables.len();
        check_limit("graphql.max_variables", self.variables, limits.variables)?;
        self.variable_bytes += json_bytes(&request.variables);
        check_limit("graphql.max_variable_bytes", self.variable_bytes, limits.variable_bytes)?;
        let document = documents.get_or_parse(&request.query, limits)?;
        self.tokens += document.token_count;
        check_limit("graphql.max_tokens", self.tokens, limits.tokens)?;
        self.cost = self.cost.plus(document.cost);
        self.cost.check(limits)?;
        Ok(document)
    }
}

/// The size of the variables as JSON. Variables that cannot be serialized did not arrive as JSON and count as
/// unlimited.
fn json_bytes(variables: &Variables) -> usize {
    serde_json::to_vec(variables).map_or(usize::MAX, |json| json.len())
}
