//! `POST /introspect`: token introspection (RFC 7662).

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde_json::json;
use url::form_urlencoded;

use super::error::{bad_request, error_response};
use crate::account::authentication::token_introspection;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::headers::content_type::media_type;

/// Describes an active token; any other token is answered with `"active": false` alone.
pub(super) async fn introspect(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let context = auth.context;
    let mut secrets = header_secrets(&headers);
    if let (true, Ok(body)) = (secrets.is_empty() && is_form(&headers), &body) {
        secrets.extend(form_secret(body));
    }
    let admitted = match token_introspection::authorize(&app, &context, &secrets).await {
        Ok(admitted) => admitted,
        Err(error) => return error_response(&error, &context),
    };
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return (StatusCode::PAYLOAD_TOO_LARGE, Json(json!({ "error": "invalid_request" }))).into_response();
        }
        Err(_) => return bad_request("request body could not be read: send it again"),
    };
    if !is_form(&headers) {
        return bad_request("send application/x-www-form-urlencoded");
    }
    let mut tokens = form_urlencoded::parse(&body).filter(|(name, _)| name == "token");
    let (Some((_, token)), None) = (tokens.next(), tokens.next()) else {
        return bad_request("send one token");
    };
    let token = SecretString::from(token.into_owned());
    match token_introspection::introspect(&app, context.clone(), admitted, token).await {
        Ok(Some(claims)) => Json(claims).into_response(),
        Ok(None) => Json(json!({ "active": false })).into_response(),
        Err(error) => error_response(&error, &context),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    media_type(headers) == "application/x-www-form-urlencoded"
}

/// Candidates for the secret in the header: a bearer token, or the password of Basic credentials with any client name.
/// The password counts form-decoded (RFC 6749 section 2.3.1) and verbatim, because a secret may contain `%`.
fn header_secrets(headers: &HeaderMap) -> Vec<SecretString> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Vec::new() };
    let parts = value.to_str().ok().and_then(|value| value.trim().split_once(' '));
    match parts.map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest.trim())) {
        Some((scheme, token)) if scheme == "bearer" => vec![token.into()],
        Some((scheme, pair)) if scheme == "basic" => {
            let pair = STANDARD.decode(pair).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let Some((_, password)) = pair.as_deref().and_then(|pair| pair.split_once(':')) else { return Vec::new() };
            percent_decode(password).into_iter().chain([password.to_owned()]).map(SecretString::from).collect()
        }
        _ => Vec::new(),
    }
}

/// The form's `client_secret` (`client_secret_post`, RFC 6749 section 2.3.1); used only without a secret in the header.
fn form_secret(body: &[u8]) -> Option<SecretString> {
    let mut secrets = form_urlencoded::parse(body).filter(|(name, _)| name == "client_secret");
    let (Some((_, secret)), None) = (secrets.next(), secrets.next()) else { return None };
    Some(SecretString::from(secret.into_owned()))
}

/// Form-decodes `text` if it contains `%`; otherwise a `+` belongs to an unencoded base64 secret and must stay.
fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned())
}
