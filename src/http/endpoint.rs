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

use super::content::{Media, is_json, takes_events};
use super::cookies::Cookies;
use super::log::Operation;
use super::server::Stop;
use super::{playground, socket};
use crate::account::requester::Visitor;
use crate::app::App;
use crate::error::Error;
use crate::graphql::error::{Failure, codes, polish, without_place};
use crate::graphql::response_limit::ResponseBounds;
use crate::graphql::{Document, Face};

mod answer;
mod events;
mod operation;
mod parameters;
mod persisted;
mod subscribe;

use answer::raised;
pub(super) use answer::{Refusal, event};
pub(super) use parameters::Parameters;
pub(super) use subscribe::note_end;

use operation::described;
use parameters::{Asked, QueryString};
use persisted::{Hash, Persisted, Unfit};

/// What runs operations.
pub(super) struct Endpoint {
    face: Face,
    persisted: Persisted,
}

impl Endpoint {
    /// Runs operations through this face.
    pub fn new(face: Face) -> Arc<Self> {
        Arc::new(Self { face, persisted: Persisted::default() })
    }
}

/// A request that can be run, with the hash that its query can be kept under; or the answer to one that cannot.
type Entry = Result<(Request, Option<Hash>), GraphQlResponse>;

/// A request with its document, both within the limits; or the answer to one that cannot be run.
type Prepared = Result<(Request, Arc<Document>), GraphQlResponse>;

/// What [`described`] calls an operation that goes on.
const SUBSCRIPTION: &str = "subscription";

/// How a request wants to be answered.
struct Manner {
    /// What GraphQL answers are written in.
    media: Media,
    /// Whether it takes server-sent events, and nothing else.
    events: Events,
    may_mutate: bool,
    may_introspect: bool,
    stop: Stop,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Events {
    No,
    Also,
    Only,
}

impl Manner {
    /// What the headers ask for, or nothing if it is nothing that there is.
    fn of(app: &App, headers: &HeaderMap, stop: Option<Extension<Stop>>, may_mutate: bool) -> Option<Self> {
        let (media, events) = match (Media::accepted(headers), takes_events(headers)) {
            (Some(media), false) => (media, Events::No),
            (Some(media), true) => (media, Events::Also),
            // A refusal of theirs is told by the status first.
            (None, true) => (Media::GraphQl, Events::Only),
            (None, false) => return None,
        };
        let may_introspect = playground::is_open_to(app, headers);
        let stop = stop.map(|Extension(stop)| stop).unwrap_or_default();
        Some(Self { media, events, may_mutate, may_introspect, stop })
    }
}

/// Queries and mutations, and subscriptions as server-sent events.
pub(super) async fn post(
    State(app): State<App>,
    Extension(endpoint): Extension<Arc<Endpoint>>,
    Extension(mut visitor): Extension<Visitor>,
    stop: Option<Extension<Stop>>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response<Body> {
    // The REST dialects know no cookies.
    let cookies = Cookies::of(&app, &uri, &headers, &mut visitor);
    let Some(manner) = Manner::of(&app, &headers, stop, true) else {
        return Refusal::not_acceptable().answer(Media::Json);
    };
    let media = manner.media;
    if !is_json(&headers) {
        return Refusal::no_json().answer(media);
    }
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return Refusal::too_long().answer(media);
        }
        Err(_) => return Refusal::bad_request("the request's body could not be read").answer(media),
    };
    match parameters::read(&body, app.config.graphql.batch_max) {
        Ok(asked) => endpoint.answer(&app, (visitor, &cookies), manner, asked).await,
        Err(message) => Refusal::bad_request(message).answer(media),
    }
}

/// Queries, subscriptions as server-sent events or over a WebSocket, and the playground for browsers.
pub(super) async fn get(
    State(app): State<App>,
    Extension(endpoint): Extension<Arc<Endpoint>>,
    Extension(mut visitor): Extension<Visitor>,
    stop: Option<Extension<Stop>>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    parameters: Result<Query<QueryString>, QueryRejection>,
) -> Response<Body> {
    let cookies = Cookies::of(&app, &uri, &headers, &mut visitor);
    if socket::is_wanted(&headers) {
        let stop = stop.map(|Extension(stop)| stop).unwrap_or_default();
        return socket::open(upgrade, app, endpoint, visitor, stop);
    }
    let Ok(Query(parameters)) = parameters else {
        return Refusal::bad_request("the query string could not be read").answer(Media::Json);
    };
    if parameters.is_empty() && playground::is_wanted(&headers) {
        return if playground::is_open_to(&app, &headers) { playground::page(&app) } else { playground::closed(&app) };
    }
    let Some(manner) = Manner::of(&app, &headers, stop, false) else {
        return Refusal::not_acceptable().answer(Media::Json);
    };
    match parameters.parameters() {
        Ok(one) => {
            let asked = Asked { requests: vec![one], is_array: false };
            endpoint.answer(&app, (visitor, &cookies), manner, asked).await
        }
        Err(message) => Refusal::bad_request(message).answer(manner.media),
    }
}

impl Endpoint {
    async fn answer(
        &self,
        app: &App,
        (visitor, cookies): (Visitor, &Cookies),
        manner: Manner,
        asked: Asked,
    ) -> Response<Body> {
        let Asked { requests, is_array } = asked;
        let media = manner.media;
        let bounds = ResponseBounds::new(&app.config.graphql, manner.may_introspect);
        let max_bytes = app.config.graphql.max_response_bytes;
        let entries: Result<Vec<Entry>, Refusal> = requests.into_iter().map(|one| self.entry(one)).collect();
        let count = entries.as_ref().map_or(0, Vec::len);
        let checked = entries.and_then(|entries| self.check(app, &manner, entries, is_array));
        let (operation, bounded) = match checked {
            Ok(checked) => checked,
            Err(refusal) => return refusal.answer(media),
        };
        let responses = match bounded {
            Err(error) => refused(error, count, &visitor.client.request_id),
            Ok(mut prepared) => match prepared.pop_if(|_| operation.kind == SUBSCRIPTION) {
                Some(only) => match self.stream(app, visitor, manner.stop, only).await {
                    Ok(mut stream) => {
                        stream.extensions_mut().insert(operation);
                        return stream;
                    }
                    Err(response) => vec![response],
                },
                None => self.run(app, visitor, prepared, &bounds).await,
            },
        };
        let codes = responses.iter().flat_map(codes).collect::<Vec<_>>().join(",");
        let mut answer = match &responses[..] {
            [only] if !is_array => answer::one(media, only, max_bytes),
            responses => answer::many(media, responses, max_bytes),
        };
        answer.extensions_mut().insert(Operation { codes, ..operation });
        cookies.tell(answer.headers_mut());
        answer
    }

    /// The query itself, or the one that its hash stands for.
    fn entry(&self, parameters: Parameters) -> Result<Entry, Refusal> {
        let Some(extension) = parameters.extension("persistedQuery") else {
            let query = parameters.query().ok_or_else(|| Refusal::bad_request("the request has no query"))?.to_owned();
            return Ok(Ok((parameters.request(query), None)));
        };
        let hash = match persisted::hash(extension) {
            Ok(hash) => hash,
            Err(Unfit::Version) => {
                return Ok(Err(raised("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")));
            }
            Err(Unfit::Form) => {
                return Err(Refusal::bad_request(
                    "persistedQuery needs version 1 and sha256Hash, 64 hexadecimal digits",
                ));
            }
        };
        match parameters.query() {
            Some(query) if !persisted::is_of(&hash, query) => {
                Err(Refusal::bad_request("sha256Hash is not the SHA-256 of the query"))
            }
            Some(query) => {
                let query = query.to_owned();
                Ok(Ok((parameters.request(query), Some(hash))))
            }
            None => Ok(match self.persisted.find(&hash) {
                Some(query) => Ok((parameters.request(query), None)),
                None => Err(raised("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")),
            }),
        }
    }

    /// Reads the documents, tells what would be run, and refuses what does not go by this way.
    fn check(
        &self,
        app: &App,
        manner: &Manner,
        mut entries: Vec<Entry>,
        is_array: bool,
    ) -> Result<(Operation, Result<Vec<Prepared>, Error>), Refusal> {
        let count = entries.len();
        let requests = entries.iter_mut().flatten().map(|(request, _)| request).collect();
        let mut operation = Operation::default();
        let documents = match self.face.read(requests, &app.config.graphql.limits) {
            Ok(documents) => documents,
            Err(error) => return Ok((batch_of(count, is_array).unwrap_or(operation), Err(error))),
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
            operation = described(&document, request.operation_name.as_deref());
            match operation.kind {
                "mutation" if !manner.may_mutate => return Err(Refusal::mutation_by_get()),
                SUBSCRIPTION if is_array || manner.events == Events::No => return Err(Refusal::subscription()),
                "query" | "mutation" if manner.events == Events::Only => return Err(Refusal::not_acceptable()),
                _ => {}
            }
            if let Some(hash) = hash
                && !operation.kind.is_empty()
            {
                self.persisted.keep(hash, &request.query);
            }
            prepared.push(Ok((request, document)));
        }
        Ok((batch_of(count, is_array).unwrap_or(operation), Ok(prepared)))
    }

    /// Runs what is within the limits, one after the other.
    async fn run(
        &self,
        app: &App,
        visitor: Visitor,
        prepared: Vec<Prepared>,
        bounds: &ResponseBounds,
    ) -> Vec<GraphQlResponse> {
        let request_id = visitor.client.request_id.clone();
        let requester = match visitor.identify(app).await {
            Ok(requester) => requester,
            Err(error) => return refused(error, prepared.len(), &request_id),
        };
        let mut responses = Vec::with_capacity(prepared.len());
        for one in prepared {
            let mut response = match one {
                Ok((request, document)) => self.face.run(request, &document, app, requester.clone(), bounds).await,
                Err(response) => response,
            };
            polish(&mut response, &request_id);
            responses.push(response);
        }
        responses
    }
}

/// What the log calls several requests that came together.
fn batch_of(count: usize, is_array: bool) -> Option<Operation> {
    (is_array && count > 1).then(|| Operation { kind: "batch", ..Operation::default() })
}

/// The answers to so many requests of which none was run.
fn refused(error: Error, count: usize, request_id: &str) -> Vec<GraphQlResponse> {
    let mut refused = GraphQlResponse::from_errors(vec![without_place(Failure::from(error))]);
    polish(&mut refused, request_id);
    (0..count).map(|_| GraphQlResponse::from_errors(refused.errors.clone())).collect()
}
