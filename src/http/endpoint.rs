//! `/graphql`: GraphQL over HTTP, by the GraphQL-over-HTTP working draft and by what Apollo clients need.
//!
//! The library's own integration runs mutations by GET and from forms, reads bodies of any size and always answers
//! one media type with 200; this one does not.

use std::sync::Arc;

use async_graphql::{Pos, Request, Response as GraphQlResponse};
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Response, StatusCode};

use super::content::{Media, is_json};
use super::log::Operation;
use super::playground;
use crate::account::requester::Visitor;
use crate::app::App;
use crate::graphql::error::{codes, polish};
use crate::graphql::{self, Face};

mod answer;
mod operation;
mod parameters;
mod persisted;

use answer::Refusal;
use operation::described;
use parameters::{Asked, Parameters, QueryString};
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

/// Queries and mutations.
pub(super) async fn post(
    State(app): State<App>,
    Extension(endpoint): Extension<Arc<Endpoint>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response<Body> {
    let Some(media) = Media::accepted(&headers) else { return Refusal::not_acceptable().answer(Media::Json) };
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
        Ok(asked) => endpoint.answer(&app, visitor, media, asked, true).await,
        Err(message) => Refusal::bad_request(message).answer(media),
    }
}

/// Queries alone, and the playground for browsers.
pub(super) async fn get(
    State(app): State<App>,
    Extension(endpoint): Extension<Arc<Endpoint>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    parameters: Result<Query<QueryString>, QueryRejection>,
) -> Response<Body> {
    let Ok(Query(parameters)) = parameters else {
        return Refusal::bad_request("the query string could not be read").answer(Media::Json);
    };
    if parameters.is_empty() && app.config.graphql.introspection && playground::is_wanted(&headers) {
        return playground::page(&app);
    }
    let Some(media) = Media::accepted(&headers) else { return Refusal::not_acceptable().answer(Media::Json) };
    match parameters.parameters() {
        Ok(one) => {
            let asked = Asked { requests: vec![one], is_array: false };
            endpoint.answer(&app, visitor, media, asked, false).await
        }
        Err(message) => Refusal::bad_request(message).answer(media),
    }
}

impl Endpoint {
    async fn answer(
        &self,
        app: &App,
        visitor: Visitor,
        media: Media,
        asked: Asked,
        may_mutate: bool,
    ) -> Response<Body> {
        let Asked { requests, is_array } = asked;
        let entries = requests.into_iter().map(|one| self.entry(one)).collect();
        let (operation, responses) = match entries {
            Ok(entries) => match self.run(app, visitor, entries, may_mutate).await {
                Ok(done) => done,
                Err(refusal) => return refusal.answer(media),
            },
            Err(refusal) => return Refusal::answer(refusal, media),
        };
        let codes = responses.iter().flat_map(codes).collect::<Vec<_>>().join(",");
        let mut answer = match &responses[..] {
            [only] if !is_array => answer::one(media, only),
            responses => answer::many(media, responses),
        };
        answer.extensions_mut().insert(Operation { codes, ..operation });
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

    /// Runs what is within the limits, one after the other.
    async fn run(
        &self,
        app: &App,
        visitor: Visitor,
        mut entries: Vec<Entry>,
        may_mutate: bool,
    ) -> Result<(Operation, Vec<GraphQlResponse>), Refusal> {
        let requests = entries.iter_mut().flatten().map(|(request, _)| request).collect();
        let bounded = graphql::limits::check_all(requests, &app.config.graphql.limits);
        let mut operation = Operation::default();
        if bounded.is_ok() {
            for (request, hash) in entries.iter_mut().flatten() {
                operation = described(request);
                if operation.kind == "mutation" && !may_mutate {
                    return Err(Refusal::mutation_by_get());
                }
                if let Some(hash) = hash
                    && !operation.kind.is_empty()
                {
                    self.persisted.keep(*hash, &request.query);
                }
            }
        }
        if entries.len() > 1 {
            operation = Operation { kind: "batch", ..Operation::default() };
        }
        let request_id = visitor.client.request_id.clone();
        let requester = match bounded {
            Ok(()) => visitor.identify(app).await,
            Err(error) => Err(error),
        };
        let mut responses = Vec::with_capacity(entries.len());
        match requester {
            Ok(requester) => {
                for entry in entries {
                    let mut response = match entry {
                        Ok((request, _)) => self.face.run(request, app, requester.clone()).await,
                        Err(response) => response,
                    };
                    polish(&mut response, &request_id);
                    responses.push(response);
                }
            }
            Err(error) => {
                let error = async_graphql::Error::from(graphql::error::Failure::from(error));
                let mut refused = GraphQlResponse::from_errors(vec![error.into_server_error(Pos::default())]);
                polish(&mut refused, &request_id);
                responses.extend(entries.iter().map(|_| GraphQlResponse::from_errors(refused.errors.clone())));
            }
        }
        Ok((operation, responses))
    }
}

/// An answer in which nothing was run, in the words that Apollo's clients wait for.
fn raised(message: &str, code: &str) -> GraphQlResponse {
    let mut error = async_graphql::Error::new(message);
    error.extensions.get_or_insert_default().set("code", code);
    GraphQlResponse::from_errors(vec![error.into_server_error(Pos::default())])
}
