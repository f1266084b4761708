//! The schema as it is served: runs requests and completes their answers.

use std::sync::Arc;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, Response, Schema};
use futures_util::stream::BoxStream;

use super::completion::Types;
use super::documents::Documents;
use super::limits::complexity;
use super::{Mutation, Query, Subscription, Subscriptions, builder, context, sdl};
use crate::account::requester::{Requester, Vigil};
use crate::app::App;
use crate::config;

/// Runs GraphQL requests; a clone is a pointer.
#[derive(Clone)]
pub struct Face {
    schema: Schema<Query, Mutation, Subscriptions>,
    types: Arc<Types>,
    documents: Arc<Documents>,
}

impl Face {
    /// The schema with these settings.
    pub fn new(settings: &config::GraphQl) -> Self {
        let builder = builder().limit_complexity(settings.limits.complexity);
        let builder = if settings.introspection { builder } else { builder.disable_introspection() };
        // Extensions make every field dearer, so this one is there only where requests can come together.
        let builder = if settings.batch_max > 0 { builder.extension(complexity::Shared) } else { builder };
        Self { schema: builder.finish(), types: Arc::new(Types::of(&sdl())), documents: Arc::default() }
    }

    /// Spares `request` the parsing, if its query was run before.
    pub fn recall(&self, request: &mut Request) {
        self.documents.lend(request);
    }

    /// Runs `request`, which was found within the limits, for whoever asks.
    pub async fn run(&self, mut request: Request, app: &App, requester: Requester) -> Response {
        let document = self.documents.of(&mut request);
        let name = request.operation_name.clone();
        let mut response = self.schema.execute(context::data(request, app, requester)).await;
        if let Some(document) = document {
            self.complete(&document, name.as_deref(), &mut response);
        }
        response
    }

    /// Begins the subscription in `request`, which was found within the limits, for whoever keeps the vigil.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub async fn subscribe(&self, request: Request, app: &App, vigil: Vigil) -> Result<Subscription, Response> {
        Subscription::begin(self.clone(), request, app, vigil).await
    }

    pub(super) fn stream(&self, request: Request) -> BoxStream<'static, Response> {
        self.schema.execute_stream(request)
    }

    pub(super) fn complete(&self, document: &ExecutableDocument, name: Option<&str>, response: &mut Response) {
        self.types.complete(document, name, response);
    }
}
