//! `/graphql`: GraphQL over HTTP, by the GraphQL-over-HTTP working draft and by what Apollo clients need.
//!
//! The library's own integration runs mutations by GET and from forms, reads bodies of any size and always answers
//! one media type with 200; this one does not.

use std::sync::Arc;

use async_graphql::{Request, Response as GraphQlResponse};
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Response, StatusCode, Uri};

use self::negotiation::{ResponseMedia, accepts_event_stream, is_json_request};
use super::middleware::access_log::LoggedOperation;
use super::pages::playground;
use super::request::cookies::TokenCookies;
use super::server::Shutdown;
use crate::account::caller::requester::RequestAuth;
use crate::app::App;
use crate::error::Error;
use crate::graphql::error::{ResolverError, codes, finalize_errors, without_location};
use crate::graphql::limits::response::ResponseBudget;
use crate::graphql::{Document, Executor};

pub(crate) mod negotiation;
mod operation;
mod parameters;
mod persisted_queries;
mod response;
mod sse;
mod subscribe;
pub(crate) mod websocket;

pub(super) use parameters::Parameters;
use response::error_response;
pub(super) use response::{RequestError, event_body};
pub(super) use subscribe::log_stream_error;

use operation::describe;
use parameters::{Batch, QueryString};
use persisted_queries::{InvalidHash, PersistedQueries, QueryHash};

/// What runs operations.
pub(super) struct GraphqlHandler {
    executor: Executor,
    persisted_queries: PersistedQueries,
}

impl GraphqlHandler {
    /// Runs operations through this face.
    pub fn new(executor: Executor) -> Arc<Self> {
        Arc::new(Self { executor, persisted_queries: PersistedQueries::default() })
    }
}

/// A request that can be run, with the hash that its query can be kept under; or the answer to one that cannot.
type ParsedRequest = Result<(Request, Option<QueryHash>), GraphQlResponse>;

/// A request with its document, both within the limits; or the answer to one that cannot be run.
type PreparedRequest = Result<(Request, Arc<Document>), GraphQlResponse>;

/// What [`described`] calls an operation that goes on.
const SUBSCRIPTION: &str = "subscription";

/// How a request wants to be answered.
struct ResponseMode {
    /// What GraphQL answers are written in.
    media: ResponseMedia,
    /// Whether it takes server-sent events, and nothing else.
    sse: SseMode,
    can_mutate: bool,
    can_introspect: bool,
    shutdown: Shutdown,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SseMode {
    Refused,
    Accepted,
    Required,
}

impl ResponseMode {
    /// What the headers ask for, or nothing if it is nothing that there is.
    fn negotiate(
        app: &App,
        headers: &HeaderMap,
        shutdown: Option<Extension<Shutdown>>,
        can_mutate: bool,
    ) -> Option<Self> {
        let (media, sse) = match (ResponseMedia::accepted(headers), accepts_event_stream(headers)) {
            (Some(media), false) => (media, SseMode::Refused),
            (Some(media), true) => (media, SseMode::Accepted),
            // A refusal of theirs is told by the status first.
            (None, true) => (ResponseMedia::GraphQl, SseMode::Required),
            (None, false) => return None,
        };
        let can_introspect = playground::is_open_to(app, headers);
        let shutdown = shutdown.map(|Extension(stop)| stop).unwrap_or_default();
        Some(Self { media, sse, can_mutate, can_introspect, shutdown })
    }
}

/// Queries and mutations, and subscriptions as server-sent events.
pub(super) async fn post(
    State(app): State<App>,
    Extension(handler): Extension<Arc<GraphqlHandler>>,
    Extension(mut auth): Extension<RequestAuth>,
    shutdown: Option<Extension<Shutdown>>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response<Body> {
    // The REST dialects know no cookies.
    let cookies = TokenCookies::read(&app, &uri, &headers, &mut auth);
    let Some(mode) = ResponseMode::negotiate(&app, &headers, shutdown, true) else {
        return RequestError::not_acceptable().respond(ResponseMedia::Json);
    };
    let media = mode.media;
    if !is_json_request(&headers) {
        return RequestError::unsupported_media_type().respond(media);
    }
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return RequestError::payload_too_large().respond(media);
        }
        Err(_) => return RequestError::bad_request("the request's body could not be read").respond(media),
    };
    match parameters::parse(&body, app.config.graphql.max_batch) {
        Ok(batch) => handler.respond(&app, (auth, &cookies), mode, batch).await,
        Err(message) => RequestError::bad_request(message).respond(media),
    }
}

/// Queries, subscriptions as server-sent events or over a WebSocket, and the playground for browsers.
pub(super) async fn get(
    State(app): State<App>,
    Extension(handler): Extension<Arc<GraphqlHandler>>,
    Extension(mut auth): Extension<RequestAuth>,
    shutdown: Option<Extension<Shutdown>>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    parameters: Result<Query<QueryString>, QueryRejection>,
) -> Response<Body> {
    let cookies = TokenCookies::read(&app, &uri, &headers, &mut auth);
    if websocket::is_upgrade(&headers) {
        let shutdown = shutdown.map(|Extension(stop)| stop).unwrap_or_default();
        return websocket::open(upgrade, app, handler, auth, shutdown);
    }
    let Ok(Query(parameters)) = parameters else {
        return RequestError::bad_request("the query string could not be read").respond(ResponseMedia::Json);
    };
    if parameters.is_empty() && playground::accepts_html(&headers) {
        return if playground::is_open_to(&app, &headers) {
            playground::page(&app)
        } else {
            playground::closed_page(&app)
        };
    }
    let Some(mode) = ResponseMode::negotiate(&app, &headers, shutdown, false) else {
        return RequestError::not_acceptable().respond(ResponseMedia::Json);
    };
    match parameters.into_parameters() {
        Ok(one) => {
            let batch = Batch { requests: vec![one], is_array: false };
            handler.respond(&app, (auth, &cookies), mode, batch).await
        }
        Err(message) => RequestError::bad_request(message).respond(mode.media),
    }
}

impl GraphqlHandler {
    async fn respond(
        &self,
        app: &App,
        (auth, cookies): (RequestAuth, &TokenCookies),
        mode: ResponseMode,
        batch: Batch,
    ) -> Response<Body> {
        let Batch { requests, is_array } = batch;
        let media = mode.media;
        let bounds = ResponseBudget::new(&app.config.graphql, mode.can_introspect);
        let max_bytes = app.config.graphql.max_response_bytes;
        let entries: Result<Vec<ParsedRequest>, RequestError> =
            requests.into_iter().map(|one| self.parse(one)).collect();
        let count = entries.as_ref().map_or(0, Vec::len);
        let checked = entries.and_then(|entries| self.prepare(app, &mode, entries, is_array));
        let (operation, bounded) = match checked {
            Ok(checked) => checked,
            Err(refusal) => return refusal.respond(media),
        };
        let responses = match bounded {
            Err(error) => refuse_all(error, count, &auth.context.request_id),
            Ok(mut prepared) => match prepared.pop_if(|_| operation.kind == SUBSCRIPTION) {
                Some(only) => match self.event_stream(app, auth, mode.shutdown, only).await {
                    Ok(mut stream) => {
                        stream.extensions_mut().insert(operation);
                        return stream;
                    }
                    Err(response) => vec![response],
                },
                None => self.run(app, auth, prepared, &bounds).await,
            },
        };
        let codes = responses.iter().flat_map(codes).collect::<Vec<_>>().join(",");
        let mut answer = match &responses[..] {
            [only] if !is_array => response::single(media, only, max_bytes),
            responses => response::batch(media, responses, max_bytes),
        };
        answer.extensions_mut().insert(LoggedOperation { codes, ..operation });
        cookies.apply(answer.headers_mut());
        answer
    }

    /// The query itself, or the one that its hash stands for.
    fn parse(&self, parameters: Parameters) -> Result<ParsedRequest, RequestError> {
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

    /// Reads the documents, tells what would be run, and refuses what does not go by this way.
    fn prepare(
        &self,
        app: &App,
        mode: &ResponseMode,
        mut entries: Vec<ParsedRequest>,
        is_array: bool,
    ) -> Result<(LoggedOperation, Result<Vec<PreparedRequest>, Error>), RequestError> {
        let count = entries.len();
        let requests = entries.iter_mut().flatten().map(|(request, _)| request).collect();
        let mut operation = LoggedOperation::default();
        let documents = match self.executor.parse_documents(requests, &app.config.graphql.limits) {
            Ok(documents) => documents,
            Err(error) => return Ok((batch_operation(count, is_array).unwrap_or(operation), Err(error))),
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
            match operation.kind {
                "mutation" if !mode.can_mutate => return Err(RequestError::mutation_by_get()),
                SUBSCRIPTION if is_array || mode.sse == SseMode::Refused => {
                    return Err(RequestError::subscription_needs_stream());
                }
                "query" | "mutation" if mode.sse == SseMode::Required => return Err(RequestError::not_acceptable()),
                _ => {}
            }
            if let Some(hash) = hash
                && !operation.kind.is_empty()
            {
                self.persisted_queries.insert(hash, &request.query);
            }
            prepared.push(Ok((request, document)));
        }
        Ok((batch_operation(count, is_array).unwrap_or(operation), Ok(prepared)))
    }

    /// Runs what is within the limits, one after the other.
    async fn run(
        &self,
        app: &App,
        auth: RequestAuth,
        prepared: Vec<PreparedRequest>,
        bounds: &ResponseBudget,
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
                    self.executor.execute(request, &document, app, requester.clone(), bounds).await
                }
                Err(response) => response,
            };
            finalize_errors(&mut response, &request_id);
            responses.push(response);
        }
        responses
    }
}

/// What the log calls several requests that came together.
fn batch_operation(count: usize, is_array: bool) -> Option<LoggedOperation> {
    (is_array && count > 1).then(|| LoggedOperation { kind: "batch", ..LoggedOperation::default() })
}

/// The answers to so many requests of which none was run.
fn refuse_all(error: Error, count: usize, request_id: &str) -> Vec<GraphQlResponse> {
    let mut refused = GraphQlResponse::from_errors(vec![without_location(ResolverError::from(error))]);
    finalize_errors(&mut refused, request_id);
    (0..count).map(|_| GraphQlResponse::from_errors(refused.errors.clone())).collect()
}
