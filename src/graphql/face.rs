//! The schema as it is served: runs requests and completes their answers.

use async_graphql::{EmptySubscription, Request, Response, Schema};

use super::completion::Types;
use super::limits::complexity;
use super::{Mutation, Query, builder, context, sdl};
use crate::account::requester::Requester;
use crate::app::App;
use crate::config;

/// Runs GraphQL requests.
pub struct Face {
    schema: Schema<Query, Mutation, EmptySubscription>,
    types: Types,
}

impl Face {
    /// The schema with these settings.
    pub fn new(settings: &config::GraphQl) -> Self {
        let builder = builder().limit_complexity(settings.limits.complexity);
        let builder = if settings.introspection { builder } else { builder.disable_introspection() };
        // Extensions make every field dearer, so this one is there only where requests can come together.
        let builder = if settings.batch_max > 0 { builder.extension(complexity::Shared) } else { builder };
        Self { schema: builder.finish(), types: Types::of(&sdl()) }
    }

    /// Runs `request`, which was found within the limits, for whoever asks.
    pub async fn run(&self, mut request: Request, app: &App, requester: Requester) -> Response {
        let document = request.parsed_query().ok().cloned();
        let name = request.operation_name.clone();
        let mut response = self.schema.execute(context::data(request, app, requester)).await;
        if let Some(document) = document {
            self.types.complete(&document, name.as_deref(), &mut response);
        }
        response
    }
}
