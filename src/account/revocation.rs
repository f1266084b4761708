//! Revocations for others: those who verify access tokens by themselves are told which ones not to believe.
//!
//! The list holds what was revoked so lately that access tokens of it may still live: sessions, single tokens, and users
//! whose earlier tokens say what is not so any more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::user;
use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::id::{SessionId, UserId};
use super::transaction::Transaction;
use crate::app::App;
use crate::error::{Error, Result};
use crate::security::bulletin::Edition;
use crate::security::secret;
use crate::security::token::{self, LEEWAY, RevocationClaims};
use crate::store::revoked_tokens::{self, Revocation};

/// Longest time that a caller may wait for news; shorter than the server waits for an answer.
pub const MAX_WAIT: Duration = Duration::from_secs(10);

/// The list, as soon as it says something else than the edition with the tag `known`; nothing if that does not come to
/// pass within `wait`. Anybody may have it: it holds ids, and no secret.
///
/// # Errors
/// Internal ones only.
pub async fn next(app: &App, known: Option<&str>, wait: Duration) -> Result<Option<Arc<Edition>>> {
    let until = Instant::now() + wait;
    let mut news = app.bulletin.subscribe();
    loop {
        let edition = app.bulletin.latest(app.db.ledger().is_trusted(), make(app)).await?;
        if known != Some(edition.tag.as_str()) {
            return Ok(Some(edition));
        }
        if !news.wait(until).await {
            return Ok(None);
        }
    }
}

async fn make(app: &App) -> Result<Edition> {
    let settings = &app.config.token;
    let now = app.clock.now();
    // What was revoked before has outlived its last access token, by the clocks of all who look at it.
    let since = now - settings.access_lifetime - LEEWAY * 2;
    let (mut sessions, mut tokens, mut users) = (Vec::new(), Vec::new(), BTreeMap::new());
    for row in revoked_tokens::list_since(app.db.reader(), since).await? {
        if row.token_id.parse::<UserId>().is_ok() {
            users.insert(row.token_id, row.revoked_at.utc().timestamp());
        } else if row.token_id.parse::<SessionId>().is_ok() {
            sessions.push(row.token_id);
        } else {
            tokens.push(row.token_id);
        }
    }
    let content = serde_json::to_string(&(&sessions, &tokens, &users)).map_err(Error::internal)?;
    let claims = RevocationClaims {
        iss: settings.issuer.clone(),
        aud: settings.audience.clone(),
        iat: now.timestamp(),
        exp: (now + settings.access_lifetime).timestamp(),
        sessions,
        tokens,
        users,
    };
    let text = token::sign(&app.keys, &claims)?.expose_secret().to_owned();
    Ok(Edition { text, tag: secret::hash(&content) })
}

/// Has others believe no token of `user` that was issued until `now`: what such tokens say is not so any more.
pub(super) async fn cut_off(
    tx: &Transaction,
    app: &App,
    user: &user::Model,
    reason: &'static str,
    now: DateTime<Utc>,
) -> Result<()> {
    let until = now + app.config.token.access_lifetime + LEEWAY + TimeDelta::seconds(1);
    let token_id = UserId::from(user.uid).to_string();
    tx.note_revocation();
    revoked_tokens::upsert(tx, user.id, Revocation { token_id, user_uid: user.uid, until, reason }, now).await
}
