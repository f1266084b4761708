//! The handlers of `GET` and `POST /graphql`.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};

use super::batch::{GraphqlHandler, ParsedRequest, refuse_all};
use super::negotiation::{ResponseMedia, ResponseMode, is_json_request};
use super::parameters::{self, Batch, BatchForm, QueryString};
use super::response::{self, RequestError};
use super::websocket;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::graphql::ResponseCookies;
use crate::graphql::error::codes;
use crate::graphql::limits::response::ResponseBudget;
use crate::http::middleware::access_log::{LoggedOperation, OperationKind};
use crate::http::pages::playground;
use crate::http::request::cookies::TokenCookies;
use crate::http::server::Shutdown;

/// Handles queries and mutations, and subscriptions as server-sent events.
pub(in crate::http) async fn post(
    State(app): State<App>,
    Extension(handler): Extension<Arc<GraphqlHandler>>,
    Extension(mut auth): Extension<RequestAuth>,
    shutdown: Option<Extension<Shutdown>>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response<Body> {
    let shutdown = shutdown.map(|Extension(shutdown)| shutdown).unwrap_or_default();
    // Here and not in the middleware: the REST dialects do not use these cookies. user-api has one of its own.
    let cookies = TokenCookies::read(&app, &uri, &headers, &mut auth);
    let Some(mode) = ResponseMode::negotiate(&app, &headers, Method::POST) else {
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
        Err(_) => return RequestError::bad_request("the request body could not be read").respond(media),
    };
    match parameters::parse(&body, app.config.graphql.max_batch) {
        Ok(batch) => respond(&handler, &app, auth, &cookies, shutdown, mode, batch).await,
        Err(message) => RequestError::bad_request(message).respond(media),
    }
}

/// Handles queries, subscriptions as server-sent events or over a WebSocket, and the playground for browsers.
pub(in crate::http) async fn get(
    State(app): State<App>,
    Extension(handler): Extension<Arc<GraphqlHandler>>,
    Extension(mut auth): Extension<RequestAuth>,
    shutdown: Option<Extension<Shutdown>>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    parameters: Result<Query<QueryString>, QueryRejection>,
) -> Response<Body> {
    let shutdown = shutdown.map(|Extension(shutdown)| shutdown).unwrap_or_default();
    let cookies = TokenCookies::read(&app, &uri, &headers, &mut auth);
    if websocket::is_upgrade(&headers) {
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
    let Some(mode) = ResponseMode::negotiate(&app, &headers, Method::GET) else {
        return RequestError::not_acceptable().respond(ResponseMedia::Json);
    };
    match parameters.into_parameters() {
        Ok(one) => {
            let batch = Batch { requests: vec![one], form: BatchForm::Single };
            respond(&handler, &app, auth, &cookies, shutdown, mode, batch).await
        }
        Err(message) => RequestError::bad_request(message).respond(mode.media),
    }
}

/// Runs the batch and builds the HTTP response.
async fn respond(
    handler: &GraphqlHandler,
    app: &App,
    auth: RequestAuth,
    cookies: &TokenCookies,
    shutdown: Shutdown,
    mode: ResponseMode,
    batch: Batch,
) -> Response<Body> {
    let Batch { requests, form } = batch;
    let media = mode.media;
    let budget = if mode.can_introspect {
        ResponseBudget::with_introspection(&app.config.graphql)
    } else {
        ResponseBudget::new(&app.config.graphql)
    };
    let updates = ResponseCookies::default();
    let max_bytes = app.config.graphql.max_response_bytes;
    let entries: Result<Vec<ParsedRequest>, RequestError> =
        requests.into_iter().map(|one| handler.parse(one)).collect();
    let count = entries.as_ref().map_or(0, Vec::len);
    let checked = entries.and_then(|entries| handler.prepare(app, &mode, entries, form));
    let (operation, prepared) = match checked {
        Ok(checked) => checked,
        Err(error) => return error.respond(media),
    };
    let responses = match prepared {
        Err(error) => refuse_all(error, count, &auth.context.request_id),
        Ok(mut prepared) => match prepared.pop_if(|_| operation.kind == OperationKind::Subscription) {
            Some(subscription) => match handler.event_stream(app, auth, shutdown, subscription).await {
                Ok(mut stream) => {
                    stream.extensions_mut().insert(operation);
                    return stream;
                }
                Err(response) => vec![response],
            },
            None => handler.run(app, auth, prepared, &budget, &updates).await,
        },
    };
    let codes = responses.iter().flat_map(codes).collect::<Vec<_>>().join(",");
    let mut response = match &responses[..] {
        [single] if form == BatchForm::Single => response::single(media, single, max_bytes),
        responses => response::batch(media, responses, max_bytes),
    };
    response.extensions_mut().insert(LoggedOperation { codes, ..operation });
    cookies.apply(updates.take(), response.headers_mut());
    response
}
