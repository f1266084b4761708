//! One bound on complexity for requests that came together; the library bounds each of them alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation};
use async_graphql::{Request, ServerError, ValidationResult};

use crate::error::Error;
use crate::graphql::error::{ResolverError, without_location};

/// What is left for requests that came together.
struct BatchBudget {
    remaining: AtomicUsize,
    limit: usize,
}

/// Gives several requests one budget.
pub(super) fn share_budget(requests: Vec<&mut Request>, limit: usize) {
    if requests.len() > 1 {
        let budget = Arc::new(BatchBudget { remaining: AtomicUsize::new(limit), limit });
        for request in requests {
            request.data.insert(Arc::clone(&budget));
        }
    }
}

/// Refuses the request that is beyond the budget, before anything of it runs.
#[derive(Clone, Copy)]
pub(in crate::graphql) struct BatchComplexity;

impl ExtensionFactory for BatchComplexity {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(*self)
    }
}

#[async_trait]
impl Extension for BatchComplexity {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await?;
        let Some(budget) = ctx.data_opt::<Arc<BatchBudget>>() else { return Ok(result) };
        let paid = budget
            .remaining
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(result.complexity));
        paid.map(|_| result).map_err(|_| {
            let error = Error::OperationTooComplex { limit: "graphql.max_complexity", most: budget.limit.to_string() };
            vec![without_location(ResolverError::from(error))]
        })
    }
}
