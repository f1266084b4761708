//! The executor of the dialect's schema: runs operations within the limits and returns responses in the older service's
//! form.

use std::sync::{Arc, LazyLock};

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType};
use async_graphql::{EmptySubscription, Request, Response, Schema, Value as Data, Variables};
use serde_json::{Map, Value, json};

use super::error::{fatal, to_legacy_errors};
use super::role;
use super::root::{Mutation, Query, builder, sdl};
use crate::account::caller::requester::Requester;
use crate::app::App;
use crate::config;
use crate::error::Error;
use crate::graphql::document::operation::select_operation;
use crate::graphql::document_cache::DocumentCache;
use crate::graphql::limits::introspection::IntrospectionModel;
use crate::graphql::limits::response::{ResponseBudget, limit_response_size};
use crate::graphql::null_propagation::FieldTypes;
use crate::graphql::{context, limits};

/// Executes GraphQL requests.
pub struct Executor {
    schema: Schema<Query, Mutation, EmptySubscription>,
    field_types: FieldTypes,
    document_cache: DocumentCache,
}

/// The introspection model of the schema, which is the same for all settings.
static INTROSPECTION: LazyLock<IntrospectionModel> =
    LazyLock::new(|| IntrospectionModel::from_schema(&builder().finish()));

/// A GraphQL request, and what its transport allows.
pub struct OperationRequest {
    /// The text of the document.
    pub query: String,
    /// The raw values of variables.
    pub variables: Map<String, Value>,
    /// The name of the operation to execute; optional if there is only one.
    pub operation_name: Option<String>,
    /// Whether mutations are allowed: not by GET.
    pub can_mutate: bool,
    /// Whether introspection is allowed.
    pub can_introspect: bool,
}

/// The result of a request.
pub enum ExecutionResult {
    /// A GraphQL response.
    Response {
        /// Whether any field was executed.
        is_executed: bool,
        /// `data`, `errors` or both.
        body: Value,
    },
    /// The request is a mutation, which its transport does not allow.
    MutationNotAllowed,
    /// The request failed as a whole; the HTTP status reports the error.
    Failed(Arc<Error>),
}

impl Executor {
    /// The executor with the limits of `settings`.
    pub fn new(settings: &config::GraphQl) -> Self {
        let builder = builder().limit_complexity(settings.limits.complexity);
        let builder = if settings.schema_introspection != config::SchemaIntrospection::Closed {
            builder
        } else {
            // Suggestions would reveal the schema where introspection is closed.
            builder.disable_introspection().disable_suggestions()
        };
        Self {
            schema: builder.finish(),
            field_types: FieldTypes::from_sdl(&sdl()),
            document_cache: DocumentCache::new(&sdl()),
        }
    }

    /// Executes `operation` for `requester`, if it is within the limits.
    pub async fn execute(&self, app: &App, requester: Requester, operation: OperationRequest) -> ExecutionResult {
        let mut request = Request::new(operation.query).variables(Variables::from_json(operation.variables.into()));
        request.operation_name = operation.operation_name.filter(|name| !name.is_empty());
        let document = match limits::parse_checked(&request, &self.document_cache, &app.config.graphql.limits) {
            Ok(document) => document,
            Err(error) => {
                return ExecutionResult::Response {
                    is_executed: false,
                    body: json!({ "errors": [{ "message": error.to_string() }] }),
                };
            }
        };
        let name = request.operation_name.take();
        if !operation.can_mutate && document.parsed().is_some_and(|document| is_mutation(document, name.as_deref())) {
            return ExecutionResult::MutationNotAllowed;
        }
        let request_id = requester.context.request_id.clone();
        let prepared = self.document_cache.prepare(&document, name.as_deref(), std::mem::take(&mut request.variables));
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(errors) => return into_result(Response::from_errors(errors), &request_id),
        };
        let budget = if operation.can_introspect {
            ResponseBudget::with_introspection(&app.config.graphql)
        } else {
            ResponseBudget::new(&app.config.graphql)
        };
        if let Err(response) = INTROSPECTION.reserve(&prepared.document, name.as_deref(), &budget) {
            return into_result(*response, &request_id);
        }
        request.variables = prepared.variables;
        request.set_parsed_query(prepared.executable);
        let request = role::with_role_loader(context::with_request_data(request, app, requester).data(budget), app);
        let mut response = self.schema.execute(request).await;
        self.field_types.propagate_nulls(&prepared.document, name.as_deref(), &mut response);
        limit_response_size(&mut response, app.config.graphql.max_response_bytes);
        into_result(response, &request_id)
    }
}

/// Whether the operation `name`, or without a name any operation, is a mutation.
fn is_mutation(document: &ExecutableDocument, name: Option<&str>) -> bool {
    match (select_operation(document, name), &document.operations) {
        (Some(operation), _) => operation.ty == OperationType::Mutation,
        (None, DocumentOperations::Multiple(all)) => all.values().any(|one| one.node.ty == OperationType::Mutation),
        (None, DocumentOperations::Single(_)) => false,
    }
}

fn into_result(mut response: Response, request_id: &str) -> ExecutionResult {
    let is_empty = match &response.data {
        Data::Object(fields) => fields.values().all(|value| *value == Data::Null),
        data => *data == Data::Null,
    };
    if is_empty && let Some(error) = fatal(&response) {
        return ExecutionResult::Failed(error);
    }
    let is_executed = response.errors.is_empty() || response.errors.iter().any(|error| !error.path.is_empty());
    to_legacy_errors(&mut response, request_id);
    let mut body = Map::new();
    if !response.errors.is_empty() {
        body.insert("errors".to_owned(), json!(response.errors));
    }
    if is_executed {
        body.insert("data".to_owned(), json!(response.data));
    }
    ExecutionResult::Response { is_executed, body: body.into() }
}
