//! The executor: runs requests on the core schema and propagates nulls in their responses.

use std::sync::{Arc, LazyLock};

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, Response, Schema, ServerError, Variables};
use futures_util::stream::BoxStream;

use super::document::{Document, Prepared};
use super::document_cache::DocumentCache;
use super::limits::introspection::IntrospectionModel;
use super::limits::response::ResponseBudget;
use super::limits::{self, batch_complexity};
use super::null_propagation::FieldTypes;
use super::response_cookies::ResponseCookies;
use super::{Mutation, Query, Subscriptions, builder, context, sdl};
use crate::account::caller::requester::Requester;
use crate::app::App;
use crate::config;
use crate::error;

/// Executes GraphQL requests. Cloning is cheap: all parts are shared.
#[derive(Clone)]
pub struct Executor {
    schema: Schema<Query, Mutation, Subscriptions>,
    field_types: Arc<FieldTypes>,
    document_cache: Arc<DocumentCache>,
    introspection: &'static IntrospectionModel,
}

/// The introspection model of the schema, which is the same for all settings.
static INTROSPECTION: LazyLock<IntrospectionModel> =
    LazyLock::new(|| IntrospectionModel::from_schema(&builder().finish()));

impl Executor {
    /// The executor with the limits of `settings`.
    pub fn new(settings: &config::GraphQl) -> Self {
        let builder = builder().limit_complexity(settings.limits.complexity);
        let is_closed = settings.schema_introspection == config::SchemaIntrospection::Closed;
        let builder = if is_closed { builder.disable_introspection() } else { builder };
        // An extension slows down every field, so it is registered only where batches are allowed.
        let builder =
            if settings.max_batch > 0 { builder.extension(batch_complexity::BatchComplexity) } else { builder };
        Self {
            schema: builder.finish(),
            field_types: Arc::new(FieldTypes::from_sdl(&sdl())),
            document_cache: Arc::new(DocumentCache::new(&sdl())),
            introspection: &INTROSPECTION,
        }
    }

    /// Parses and validates the documents of one batch and checks their sum against `limits`.
    ///
    /// # Errors
    /// [`Error::OperationTooComplex`](error::Error::OperationTooComplex) with the exceeded limit.
    pub fn parse_documents(
        &self,
        requests: Vec<&mut Request>,
        limits: &config::OperationLimits,
    ) -> error::Result<Vec<Arc<Document>>> {
        limits::parse_batch_checked(requests, &self.document_cache, limits)
    }

    /// Executes a query or mutation whose `document` has passed [`Self::parse_documents`]. Introspection and unbounded
    /// lists reserve their share of `budget`; sessions that are opened or ended update `cookies`.
    pub async fn execute(
        &self,
        mut request: Request,
        document: &Document,
        app: &App,
        requester: Requester,
        budget: &ResponseBudget,
        cookies: &ResponseCookies,
    ) -> Response {
        let name = request.operation_name.take();
        let prepared = match self.prepare(document, name.as_deref(), std::mem::take(&mut request.variables)) {
            Ok(prepared) => prepared,
            Err(errors) => return Response::from_errors(errors),
        };
        if let Err(response) = self.introspection.reserve(&prepared.document, name.as_deref(), budget) {
            return *response;
        }
        request.variables = prepared.variables;
        request.set_parsed_query(prepared.executable);
        let request = context::with_request_data(request, app, requester).data(budget.clone()).data(cookies.clone());
        let mut response = self.schema.execute(request).await;
        self.propagate_nulls(&prepared.document, name.as_deref(), &mut response);
        response
    }

    /// Prepares the operation `name` of `document`, or its only one, with these variables.
    ///
    /// # Errors
    /// The GraphQL request errors that prevent execution.
    pub(super) fn prepare<'a>(
        &self,
        document: &'a Document,
        name: Option<&str>,
        variables: Variables,
    ) -> Result<Prepared<'a>, Vec<ServerError>> {
        self.document_cache.prepare(document, name, variables)
    }

    /// Executes `request` and returns its stream of responses: for a query or mutation, of one.
    pub(super) fn execute_stream(&self, request: Request) -> BoxStream<'static, Response> {
        self.schema.execute_stream(request)
    }

    /// Completes the response to the operation `name` of `document`, or to its only one.
    pub(super) fn propagate_nulls(&self, document: &ExecutableDocument, name: Option<&str>, response: &mut Response) {
        self.field_types.propagate_nulls(document, name, response);
    }
}
