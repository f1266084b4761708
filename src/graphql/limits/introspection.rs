//! Limits of introspection queries: fields and bytes of the response are computed before execution.
//!
//! async-graphql does not limit introspection, and types refer to each other: a query of 243 bytes returned 18 MB. Here
//! one full introspection is the model of all responses; a query is evaluated on it, each selection set once per
//! object.

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Response, ServerError};

use super::response::ResponseBudget;
use crate::graphql::document::operation::select_operation;
use crate::graphql::error::{ResolverError, without_location};

mod estimate;
mod model;

use estimate::SizeEstimator;
pub(crate) use model::IntrospectionModel;

impl IntrospectionModel {
    /// Reserves the introspection of the operation `name` of `document`, or of its only one, from `budget`.
    ///
    /// # Errors
    /// The error response, if introspection is closed or exceeds the limits.
    pub fn reserve(
        &self,
        document: &ExecutableDocument,
        name: Option<&str>,
        budget: &ResponseBudget,
    ) -> std::result::Result<(), Box<Response>> {
        let Some(operation) = select_operation(document, name) else { return Ok(()) };
        let mut estimator = SizeEstimator::new(self, document, budget.remaining_bytes());
        let roots = estimator.find_roots(operation);
        if roots.is_empty() {
            return Ok(());
        }
        if !budget.can_introspect() {
            let message = "introspection is closed: the setting graphql.introspection opens it";
            return Err(Response::from_errors(vec![ServerError::new(message, None)]).into());
        }
        estimator
            .reserve(&roots, budget)
            .map_err(|error| Response::from_errors(vec![without_location(ResolverError::from(error))]).into())
    }
}
