//! The schema as it is served: runs requests and completes their answers.

use std::sync::{Arc, LazyLock};

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, Response, Schema, ServerError, Variables};
use futures_util::stream::BoxStream;

use super::document::{Document, DocumentCache, Prepared};
use super::limits::introspection::IntrospectionModel;
use super::limits::response::ResponseBudget;
use super::limits::{self, batch_complexity};
use super::null_propagation::FieldTypes;
use super::{Mutation, Query, Subscription, Subscriptions, builder, context, sdl};
use crate::account::caller::requester::Requester;
use crate::account::caller::session_monitor::SessionMonitor;
use crate::app::App;
use crate::config;
use crate::error;

/// Runs GraphQL requests; a clone is a pointer.
#[derive(Clone)]
pub struct Executor {
    schema: Schema<Query, Mutation, Subscriptions>,
    field_types: Arc<FieldTypes>,
    document_cache: Arc<DocumentCache>,
    introspection: &'static IntrospectionModel,
}

/// The schema's description of itself, which no setting changes.
static INTROSPECTION: LazyLock<IntrospectionModel> =
    LazyLock::new(|| IntrospectionModel::from_schema(&builder().finish()));

impl Executor {
    /// The schema with these settings.
    pub fn new(settings: &config::GraphQl) -> Self {
        let builder = builder().limit_complexity(settings.limits.complexity);
        let is_closed = settings.schema_introspection == config::SchemaIntrospection::Closed;
        let builder = if is_closed { builder.disable_introspection() } else { builder };
        // Extensions make every field dearer, so this one is there only where requests can come together.
        let builder =
            if settings.max_batch > 0 { builder.extension(batch_complexity::BatchComplexity) } else { builder };
        Self {
            schema: builder.finish(),
            field_types: Arc::new(FieldTypes::from_sdl(&sdl())),
            document_cache: Arc::new(DocumentCache::new(&sdl())),
            introspection: &INTROSPECTION,
        }
    }

    /// Reads the documents of requests that came together, and refuses what is beyond `limits`.
    ///
    /// # Errors
    /// [`Error::TooComplex`](error::Error::TooComplex) with the limit that they passed together.
    pub fn parse_documents(
        &self,
        requests: Vec<&mut Request>,
        limits: &config::OperationLimits,
    ) -> error::Result<Vec<Arc<Document>>> {
        limits::parse_batch_checked(requests, &self.document_cache, limits)
    }

    /// Runs `request`, whose document was found within the limits, for whoever asks, if what it introspects is within
    /// `bounds`.
    pub async fn execute(
        &self,
        mut request: Request,
        document: &Document,
        app: &App,
        requester: Requester,
        budget: &ResponseBudget,
    ) -> Response {
        let name = request.operation_name.take();
        let prepared = match self.prepare(document, name.as_deref(), std::mem::take(&mut request.variables)) {
            Ok(prepared) => prepared,
            Err(errors) => return Response::from_errors(errors),
        };
        if let Err(refusal) = self.introspection.reserve(&prepared.document, name.as_deref(), budget) {
            return *refusal;
        }
        request.variables = prepared.variables;
        request.set_parsed_query(prepared.executable);
        let request = context::with_request_data(request, app, requester).data(budget.clone());
        let mut response = self.schema.execute(request).await;
        self.propagate_nulls(&prepared.document, name.as_deref(), &mut response);
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
        self.document_cache.prepare(document, name, variables)
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
        monitor: SessionMonitor,
    ) -> Result<Subscription, Response> {
        Subscription::start(self.clone(), request, document, app, monitor).await
    }

    pub(super) fn execute_stream(&self, request: Request) -> BoxStream<'static, Response> {
        self.schema.execute_stream(request)
    }

    pub(super) fn propagate_nulls(&self, document: &ExecutableDocument, name: Option<&str>, response: &mut Response) {
        self.field_types.propagate_nulls(document, name, response);
    }
}
