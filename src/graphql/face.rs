//! The schema as it is served: runs requests and completes their answers.

use std::sync::{Arc, LazyLock};

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, Response, Schema, ServerError, Variables};
use futures_util::stream::BoxStream;

use super::completion::Types;
use super::documents::{Document, Documents, Prepared};
use super::introspection::Introspection;
use super::limits::{self, complexity};
use super::response_limit::ResponseBounds;
use super::{Mutation, Query, Subscription, Subscriptions, builder, context, sdl};
use crate::account::requester::{Requester, Vigil};
use crate::app::App;
use crate::config;
use crate::error;

/// Runs GraphQL requests; a clone is a pointer.
#[derive(Clone)]
pub struct Face {
    schema: Schema<Query, Mutation, Subscriptions>,
    types: Arc<Types>,
    documents: Arc<Documents>,
    introspection: &'static Introspection,
}

/// The schema's description of itself, which no setting changes.
static INTROSPECTION: LazyLock<Introspection> = LazyLock::new(|| Introspection::of(&builder().finish()));

impl Face {
    /// The schema with these settings.
    pub fn new(settings: &config::GraphQl) -> Self {
        let builder = builder().limit_complexity(settings.limits.complexity);
        let is_closed = settings.introspection == config::Introspection::Closed;
        let builder = if is_closed { builder.disable_introspection() } else { builder };
        // Extensions make every field dearer, so this one is there only where requests can come together.
        let builder = if settings.batch_max > 0 { builder.extension(complexity::Shared) } else { builder };
        Self {
            schema: builder.finish(),
            types: Arc::new(Types::of(&sdl())),
            documents: Arc::new(Documents::new(&sdl())),
            introspection: &INTROSPECTION,
        }
    }

    /// Reads the documents of requests that came together, and refuses what is beyond `limits`.
    ///
    /// # Errors
    /// [`Error::TooComplex`](error::Error::TooComplex) with the limit that they passed together.
    pub fn read(
        &self,
        requests: Vec<&mut Request>,
        limits: &config::OperationLimits,
    ) -> error::Result<Vec<Arc<Document>>> {
        limits::check_all(requests, &self.documents, limits)
    }

    /// Runs `request`, whose document was found within the limits, for whoever asks, if what it introspects is within
    /// `bounds`.
    pub async fn run(
        &self,
        mut request: Request,
        document: &Document,
        app: &App,
        requester: Requester,
        bounds: &ResponseBounds,
    ) -> Response {
        let name = request.operation_name.take();
        let prepared = match self.prepare(document, name.as_deref(), std::mem::take(&mut request.variables)) {
            Ok(prepared) => prepared,
            Err(errors) => return Response::from_errors(errors),
        };
        if let Err(refusal) = self.introspection.admit(&prepared.document, name.as_deref(), bounds) {
            return *refusal;
        }
        request.variables = prepared.variables;
        request.set_parsed_query(prepared.executed);
        let request = context::data(request, app, requester).data(bounds.clone());
        let mut response = self.schema.execute(request).await;
        self.complete(&prepared.document, name.as_deref(), &mut response);
        response
    }

    /// Prepares the operation of `document` that is called `name`, or its only one, for these variables.
    ///
    /// # Errors
    /// Why it cannot be executed.
    pub(super) fn prepare<'a>(
        &self,
        document: &'a Document,
        name: Option<&str>,
        variables: Variables,
    ) -> Result<Prepared<'a>, Vec<ServerError>> {
        self.documents.prepare(document, name, variables)
    }

    /// Begins the subscription in `request`, whose document was found within the limits, for whoever keeps the vigil.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub async fn subscribe(
        &self,
        request: Request,
        document: Arc<Document>,
        app: &App,
        vigil: Vigil,
    ) -> Result<Subscription, Response> {
        Subscription::begin(self.clone(), request, document, app, vigil).await
    }

    pub(super) fn stream(&self, request: Request) -> BoxStream<'static, Response> {
        self.schema.execute_stream(request)
    }

    pub(super) fn complete(&self, document: &ExecutableDocument, name: Option<&str>, response: &mut Response) {
        self.types.complete(document, name, response);
    }
}
