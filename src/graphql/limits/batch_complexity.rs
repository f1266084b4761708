//! One complexity limit for all requests of a batch; async-graphql limits each request alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation};
use async_graphql::{Request, ServerError, ValidationResult};

use crate::error::Error;
use crate::graphql::error::{ResolverError, without_location};

/// The remaining complexity of a batch.
struct BatchBudget {
    remaining: AtomicUsize,
    limit: usize,
}

/// Attaches one budget to all requests of a batch.
pub(super) fn share_budget(requests: Vec<&mut Request>, limit: usize) {
    if requests.len() > 1 {
        let budget = Arc::new(BatchBudget { remaining: AtomicUsize::new(limit), limit });
        for request in requests {
            request.data.insert(Arc::clone(&budget));
        }
    }
}

/// Extension that refuses a request beyond the batch's budget before it is executed.
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
            let error = Error::OperationTooComplex { limit: "graphql.max_complexity", max: budget.limit.to_string() };
            vec![without_location(ResolverError::from(error))]
        })
    }
}
