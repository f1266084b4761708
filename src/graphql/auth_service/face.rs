//! The schema as it is served: what was asked, run within the limits, answered in the old service's form.

use std::sync::{Arc, LazyLock};

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType};
use async_graphql::{EmptySubscription, Request, Response, Schema, Value as Data, Variables};
use serde_json::{Map, Value, json};

use super::error::{speak, stopped};
use super::{Mutation, Query, builder, role, sdl};
use crate::account::requester::Requester;
use crate::app::App;
use crate::config;
use crate::error::Error;
use crate::graphql::completion::{Types, chosen};
use crate::graphql::documents::Documents;
use crate::graphql::introspection::Introspection;
use crate::graphql::response_limit::{ResponseBounds, fit};
use crate::graphql::{context, limits};

/// Runs GraphQL requests.
pub struct Face {
    schema: Schema<Query, Mutation, EmptySubscription>,
    types: Types,
    documents: Documents,
}

/// The schema's description of itself, which no setting changes.
static INTROSPECTION: LazyLock<Introspection> = LazyLock::new(|| Introspection::of(&builder().finish()));

/// What a caller wants.
pub struct Asked {
    /// The operations.
    pub query: String,
    /// The values of their variables.
    pub variables: Map<String, Value>,
    /// Which of them, if there are several.
    pub operation_name: Option<String>,
    /// Whether it may be a mutation.
    pub may_mutate: bool,
    /// Whether it may be answered with the schema.
    pub may_introspect: bool,
}

/// What came of it.
pub enum Outcome {
    /// The answer, in full.
    Answer {
        /// Whether anything of the request was run.
        ran: bool,
        /// `data`, `errors` or both.
        body: Value,
    },
    /// It is a mutation where none may be.
    Mutation,
    /// Nothing was done, for a reason that callers know by the status of the answer.
    Stopped(Arc<Error>),
}

impl Face {
    /// The schema with these settings.
    pub fn new(settings: &config::GraphQl) -> Self {
        let builder = builder().limit_complexity(settings.limits.complexity);
        let builder = if settings.introspection != config::Introspection::Closed {
            builder
        } else {
            // Suggestions would tell the schema to those who may not read it.
            builder.disable_introspection().disable_suggestions()
        };
        Self { schema: builder.finish(), types: Types::of(&sdl()), documents: Documents::new(&sdl()) }
    }

    /// Runs what was asked, if it is within the limits, for whoever asks.
    pub async fn run(&self, app: &App, requester: Requester, asked: Asked) -> Outcome {
        let mut request = Request::new(asked.query).variables(Variables::from_json(asked.variables.into()));
        request.operation_name = asked.operation_name.filter(|name| !name.is_empty());
        let document = match limits::check(&request, &self.documents, &app.config.graphql.limits) {
            Ok(document) => document,
            Err(error) => {
                return Outcome::Answer { ran: false, body: json!({ "errors": [{ "message": error.to_string() }] }) };
            }
        };
        let name = request.operation_name.take();
        if !asked.may_mutate && document.parsed().is_some_and(|document| mutates(document, name.as_deref())) {
            return Outcome::Mutation;
        }
        let request_id = requester.client.request_id.clone();
        let prepared = self.documents.prepare(&document, name.as_deref(), std::mem::take(&mut request.variables));
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(errors) => return answer(Response::from_errors(errors), &request_id),
        };
        let bounds = ResponseBounds::new(&app.config.graphql, asked.may_introspect);
        if let Err(refusal) = INTROSPECTION.admit(&prepared.document, name.as_deref(), &bounds) {
            return answer(*refusal, &request_id);
        }
        request.variables = prepared.variables;
        request.set_parsed_query(prepared.executed);
        let request = role::data(context::data(request, app, requester).data(bounds), app);
        let mut response = self.schema.execute(request).await;
        self.types.complete(&prepared.document, name.as_deref(), &mut response);
        fit(&mut response, app.config.graphql.max_response_bytes);
        answer(response, &request_id)
    }
}

/// Whether the operation that is called `name`, or any that may be meant without one, is a mutation.
fn mutates(document: &ExecutableDocument, name: Option<&str>) -> bool {
    match (chosen(document, name), &document.operations) {
        (Some(operation), _) => operation.ty == OperationType::Mutation,
        (None, DocumentOperations::Multiple(all)) => all.values().any(|one| one.node.ty == OperationType::Mutation),
        (None, DocumentOperations::Single(_)) => false,
    }
}

fn answer(mut response: Response, request_id: &str) -> Outcome {
    let is_empty = match &response.data {
        Data::Object(fields) => fields.values().all(|value| *value == Data::Null),
        data => *data == Data::Null,
    };
    if is_empty && let Some(error) = stopped(&response) {
        return Outcome::Stopped(error);
    }
    let ran = response.errors.is_empty() || response.errors.iter().any(|error| !error.path.is_empty());
    speak(&mut response, request_id);
    let mut body = Map::new();
    if !response.errors.is_empty() {
        body.insert("errors".to_owned(), json!(response.errors));
    }
    if ran {
        body.insert("data".to_owned(), json!(response.data));
    }
    Outcome::Answer { ran, body: body.into() }
}
