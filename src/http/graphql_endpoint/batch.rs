//! Parses, prepares and runs a batch of GraphQL requests.

use std::sync::Arc;

use async_graphql::{Request, Response as GraphQlResponse};

use super::negotiation::{ResponseMode, SseMode};
use super::operation::describe;
use super::parameters::{BatchForm, Parameters};
use super::persisted_queries::{self, InvalidHash, PersistedQueries, QueryHash};
use super::response::{RequestError, error_response};
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::error::Error;
use crate::graphql::error::{ResolverError, finalize_errors, without_location};
use crate::graphql::limits::response::ResponseBudget;
use crate::graphql::{Document, Executor, ResponseCookies};
use crate::http::middleware::access_log::{LoggedOperation, OperationKind};

/// Parses, prepares and runs GraphQL requests.
pub(in crate::http) struct GraphqlHandler {
    pub(super) executor: Executor,
    pub(super) persisted_queries: PersistedQueries,
}

/// A parsed request with the hash to store its query under; or the response to an invalid one.
pub(super) type ParsedRequest = Result<(Request, Option<QueryHash>), GraphQlResponse>;

/// A request with its parsed document, both within the limits; or the response that rejects it.
pub(super) type PreparedRequest = Result<(Request, Arc<Document>), GraphQlResponse>;

impl GraphqlHandler {
    /// A handler without persisted queries.
    pub fn new(executor: Executor) -> Arc<Self> {
        Arc::new(Self { executor, persisted_queries: PersistedQueries::default() })
    }

    /// Takes the request's query, or finds the persisted one by its hash.
    pub(super) fn parse(&self, parameters: Parameters) -> Result<ParsedRequest, RequestError> {
        let Some(extension) = parameters.extension("persistedQuery") else {
            let query =
                parameters.query().ok_or_else(|| RequestError::bad_request("the request has no query"))?.to_owned();
            return Ok(Ok((parameters.into_request(query), None)));
        };
        let hash = match persisted_queries::parse_hash(extension) {
            Ok(hash) => hash,
            Err(InvalidHash::UnsupportedVersion) => {
                return Ok(Err(error_response("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")));
            }
            Err(InvalidHash::Malformed) => {
                return Err(RequestError::bad_request(
                    "persistedQuery needs version 1 and sha256Hash, 64 hexadecimal digits",
                ));
            }
        };
        match parameters.query() {
            Some(query) if !persisted_queries::is_hash_of(&hash, query) => {
                Err(RequestError::bad_request("sha256Hash is not the SHA-256 of the query"))
            }
            Some(query) => {
                let query = query.to_owned();
                Ok(Ok((parameters.into_request(query), Some(hash))))
            }
            None => Ok(match self.persisted_queries.get(&hash) {
                Some(query) => Ok((parameters.into_request(query), None)),
                None => Err(error_response("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")),
            }),
        }
    }

    /// Parses the documents, determines the operation for the log, and rejects operations that the HTTP method or the
    /// accepted media types exclude.
    pub(super) fn prepare(
        &self,
        app: &App,
        mode: &ResponseMode,
        mut entries: Vec<ParsedRequest>,
        form: BatchForm,
    ) -> Result<(LoggedOperation, Result<Vec<PreparedRequest>, Error>), RequestError> {
        let count = entries.len();
        let requests = entries.iter_mut().flatten().map(|(request, _)| request).collect();
        let mut operation = LoggedOperation::default();
        let documents = match self.executor.parse_documents(requests, &app.config.graphql.limits) {
            Ok(documents) => documents,
            Err(error) => return Ok((batch_operation(count, form).unwrap_or(operation), Err(error))),
        };
        let mut documents = documents.into_iter();
        let mut prepared = Vec::with_capacity(count);
        for entry in entries {
            let (request, hash) = match entry {
                Ok(entry) => entry,
                Err(response) => {
                    prepared.push(Err(response));
                    continue;
                }
            };
            let Some(document) = documents.next() else { break };
            operation = describe(&document, request.operation_name.as_deref());
            check_mode(operation.kind, mode, form)?;
            if let Some(hash) = hash
                && operation.kind != OperationKind::Unknown
            {
                self.persisted_queries.insert(hash, &request.query);
            }
            prepared.push(Ok((request, document)));
        }
        Ok((batch_operation(count, form).unwrap_or(operation), Ok(prepared)))
    }

    /// Runs the prepared requests in order; `cookies` gets their outcome for the response.
    pub(super) async fn run(
        &self,
        app: &App,
        auth: RequestAuth,
        prepared: Vec<PreparedRequest>,
        bounds: &ResponseBudget,
        cookies: &ResponseCookies,
    ) -> Vec<GraphQlResponse> {
        let request_id = auth.context.request_id.clone();
        let requester = match auth.authenticate(app).await {
            Ok(requester) => requester,
            Err(error) => return refuse_all(error, prepared.len(), &request_id),
        };
        let mut responses = Vec::with_capacity(prepared.len());
        for one in prepared {
            let mut response = match one {
                Ok((request, document)) => {
                    self.executor.execute(request, &document, app, requester.clone(), bounds, cookies).await
                }
                Err(response) => response,
            };
            finalize_errors(&mut response, &request_id);
            responses.push(response);
        }
        responses
    }
}

/// Rejects operations that the HTTP method or the accepted media types exclude.
fn check_mode(kind: OperationKind, mode: &ResponseMode, form: BatchForm) -> Result<(), RequestError> {
    match kind {
        OperationKind::Mutation if !mode.can_mutate() => Err(RequestError::mutation_by_get()),
        OperationKind::Subscription if form == BatchForm::Array || mode.sse == SseMode::Refused => {
            Err(RequestError::subscription_needs_stream())
        }
        OperationKind::Query | OperationKind::Mutation if mode.sse == SseMode::Required => {
            Err(RequestError::not_acceptable())
        }
        _ => Ok(()),
    }
}

/// The operation in the log for a batch of several requests.
fn batch_operation(count: usize, form: BatchForm) -> Option<LoggedOperation> {
    (form == BatchForm::Array && count > 1)
        .then(|| LoggedOperation { kind: OperationKind::Batch, ..LoggedOperation::default() })
}

/// One error response for each of `count` requests, none of which ran.
pub(super) fn refuse_all(error: Error, count: usize, request_id: &str) -> Vec<GraphQlResponse> {
    let mut refused = GraphQlResponse::from_errors(vec![without_location(ResolverError::from(error))]);
    finalize_errors(&mut refused, request_id);
    (0..count).map(|_| GraphQlResponse::from_errors(refused.errors.clone())).collect()
}
