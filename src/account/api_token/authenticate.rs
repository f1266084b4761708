//! Whom an API token speaks for: looked up by the hash of its secret at every use.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::token::ApiToken;
use crate::account::access::role;
use crate::account::caller::requester::{Caller, Credential, Identity};
use crate::app::App;
use crate::error::{Result, TokenError};
use crate::security::api_secret;
use crate::store::api_tokens;

/// How old a noted use is when the next one is noted: a token that is used all the time costs a write a minute.
const USE_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// Whether the text has the form of an API token's secret.
pub(in crate::account) fn has_format(text: &SecretString) -> bool {
    api_secret::has_format(text.expose_secret())
}

/// Whom an API token's secret speaks for.
///
/// # Errors
/// Internal ones only.
pub(in crate::account) async fn authenticate(app: &App, text: &SecretString, now: DateTime<Utc>) -> Result<Identity> {
    let rejected = |fault, token_id| Identity::Rejected { error: fault, session: None, token_id };
    let db = app.db.reader();
    let Some((row, user)) = api_tokens::find_by_hash(db, &api_secret::hash(text.expose_secret())).await? else {
        return Ok(rejected(TokenError::Invalid, None));
    };
    let mut token = ApiToken::from(row);
    if !token.is_usable(now) || !user.is_active() {
        // There is nothing to refresh: the program needs another token.
        let id = token.id().to_string();
        return Ok(rejected(TokenError::SessionEnded, Some(id)));
    }
    let access = token.narrow(role::access_of(db, user.id).await?);
    record_use(app, &mut token, now).await;
    Ok(Identity::Authenticated(Arc::new(Caller { user, credential: Credential::ApiToken(token), access })))
}

/// Notes when the token was used, to the minute. That it cannot be noted stops nobody.
async fn record_use(app: &App, token: &mut ApiToken, now: DateTime<Utc>) {
    let since = now - USE_INTERVAL;
    if token.is_use_recorded(now) {
        return;
    }
    let noted = app.db.retry(|| api_tokens::update_last_used(app.db.writer(), token.row.id, since, now));
    if let Err(error) = noted.await {
        tracing::warn!(cause = format!("{error:#}"), "the use of an API token could not be noted");
        return;
    }
    token.row.last_used_at = Some(now.into());
}

impl ApiToken {
    /// Whether it still opens what it opened when it was looked up, and its next use has not to be noted yet.
    pub(in crate::account) fn is_valid_at(&self, now: DateTime<Utc>) -> bool {
        self.is_usable(now) && self.is_use_recorded(now)
    }

    fn is_use_recorded(&self, now: DateTime<Utc>) -> bool {
        self.row.last_used_at.is_some_and(|last| last.utc() > now - USE_INTERVAL)
    }
}
