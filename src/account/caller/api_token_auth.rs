//! Authentication by API token: looks up the hash of its secret at every use.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::api_token::{ApiToken, USE_INTERVAL};
use super::requester::{Caller, Credential, Identity};
use crate::account::access::grants;
use crate::app::App;
use crate::error::{Result, TokenError};
use crate::security::api_secret;
use crate::store::api_tokens;

/// Whether the text has the format of an API token's secret.
pub(in crate::account) fn has_format(text: &SecretString) -> bool {
    api_secret::has_format(text.expose_secret())
}

/// The identity of the holder of an API token.
pub(in crate::account) async fn authenticate(app: &App, text: &SecretString, now: DateTime<Utc>) -> Result<Identity> {
    let rejected = |error, token_id| Identity::Rejected { error, session: None, token_id };
    let db = app.db.reader();
    let Some((row, user)) = api_tokens::find_by_hash(db, &api_secret::hash(text.expose_secret())).await? else {
        return Ok(rejected(TokenError::Invalid, None));
    };
    let mut token = ApiToken::from(row);
    if !token.is_usable(now) || !user.is_active() {
        // Refreshing cannot help: the program needs a new token.
        let id = token.id().to_string();
        return Ok(rejected(TokenError::SessionEnded, Some(id)));
    }
    let access = token.narrow(grants::access_of(db, user.id).await?);
    record_use(app, &mut token, now).await;
    Ok(Identity::Authenticated(Arc::new(Caller { user, credential: Credential::ApiToken(token), access })))
}

/// Records when the token was used, to the minute. A failed write does not fail the request.
async fn record_use(app: &App, token: &mut ApiToken, now: DateTime<Utc>) {
    let since = now - USE_INTERVAL;
    if token.is_use_recorded(now) {
        return;
    }
    let recorded = app.db.retry(|| api_tokens::update_last_used(app.db.writer(), token.row.id, since, now));
    if let Err(error) = recorded.await {
        tracing::warn!(cause = format!("{error:#}"), "cannot record the use of an API token");
        return;
    }
    token.row.last_used_at = Some(now.into());
}
