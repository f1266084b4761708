//! The `connection_init` message: authenticates its credentials.

use async_graphql::Data;
use serde_json::Value;
use tokio::sync::oneshot;

use super::close::CloseReason;
use crate::account::caller::request_auth::{Credentials, RequestAuth};
use crate::account::caller::session_monitor::SessionMonitor;
use crate::app::App;
use crate::http::request::authorization;
use crate::limits::counted_slots::Slot;

/// The authenticated caller of a connection.
pub(super) struct Session {
    pub monitor: SessionMonitor,
    /// The connection's slot in the user's quota.
    pub slot: Slot<i64>,
}

/// Authenticates the caller by the payload of `connection_init`, and sends the result to `opened`. The returned session
/// data of the library's loop holds the [`RequestAuth`].
///
/// # Errors
/// An error that ends the loop; the reason to close has been sent.
pub(super) async fn open_session(
    app: App,
    mut auth: RequestAuth,
    payload: Value,
    opened: oneshot::Sender<Result<Session, CloseReason>>,
) -> async_graphql::Result<Data> {
    take_credentials(&mut auth, &payload);
    let session = authenticate(&app, &auth).await;
    let is_open = session.is_ok();
    opened.send(session).ok();
    if !is_open {
        return Err("the caller is not authenticated".into());
    }
    let mut data = Data::default();
    data.insert(auth);
    Ok(data)
}

async fn authenticate(app: &App, auth: &RequestAuth) -> Result<Session, CloseReason> {
    let monitor = auth.clone().monitor(app).await.map_err(|error| {
        error.log(&auth.context.request_id);
        CloseReason::of(&error)
    })?;
    let slot = app.stream_quota.acquire_websocket(monitor.user_id()).ok_or(CloseReason::TooMany)?;
    Ok(Session { monitor, slot })
}

/// Takes the credentials of the `connection_init` payload, if it has any. Browsers cannot send headers with a
/// WebSocket.
fn take_credentials(auth: &mut RequestAuth, payload: &Value) {
    let credentials = match authorization_member(payload) {
        None => Credentials::None,
        Some(Value::String(text)) => authorization::parse(text),
        Some(_) => Credentials::Malformed,
    };
    // `token` has no scheme.
    let credentials = match (credentials, payload.get("token")) {
        (Credentials::None, Some(Value::String(text))) if text.contains(' ') => authorization::parse(text),
        (Credentials::None, Some(Value::String(text))) => authorization::parse(&format!("Bearer {text}")),
        (Credentials::None, Some(token)) if !token.is_null() => Credentials::Malformed,
        (credentials, _) => credentials,
    };
    if !matches!(credentials, Credentials::None) {
        auth.credentials = credentials;
    }
}

/// The `Authorization` value in the payload: a member of it, as graphql-ws documents, or of its `headers`, as older
/// examples of Apollo and urql do.
fn authorization_member(payload: &Value) -> Option<&Value> {
    let headers = payload.get("headers");
    let members = [Some(payload), headers].into_iter().flatten();
    let mut values = members.flat_map(|one| [one.get("authorization"), one.get("Authorization")]).flatten();
    values.find(|value| !value.is_null())
}
