//! The revocation list, for services that verify access tokens themselves.
//!
//! The list has recent revocations whose access tokens may still be valid: sessions, single tokens, and users whose
//! earlier tokens have outdated claims.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::timestamp::Timestamp;
use entity::{session, user};
use secrecy::ExposeSecret;
use tokio::time::Instant;
use uuid::Uuid;

use crate::account::names::id::{SessionId, UserId};
use crate::account::tokens;
use crate::app::App;
use crate::cache::revocation_list::{PeerChanges, SignedList};
use crate::error::{Error, Result};
use crate::security::api_secret;
use crate::security::jwt::{self, LEEWAY, RevocationClaims};
use crate::store::cut_offs::{self, Cause, CutOff, Extent};
use crate::store::revoked_tokens::{self, Revocation};
use crate::store::{TracksRevocations, sessions};

/// Maximum long-poll wait; shorter than the server's response timeout.
pub const MAX_WAIT: Duration = Duration::from_secs(10);

/// Maximum ended sessions per user on the list; beyond, the user gets a cut-off.
const MAX_LISTED_SESSIONS: u64 = 100;

/// How far ahead of this node's clock another node's cut-off can be.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

/// Maximum users per statement.
const USERS_PER_STATEMENT: usize = 500;

/// The list, once it differs from the one with ETag `known_tag`; `None` if that does not happen within `wait`. Public:
/// it contains ids and no secrets.
pub async fn wait_for_list(app: &App, known_tag: Option<&str>, wait: Duration) -> Result<Option<Arc<SignedList>>> {
    let until = Instant::now() + wait;
    let mut changes = app.revocation_list.subscribe();
    loop {
        let peers = if app.db.invalidation_log().is_fresh() { PeerChanges::Polled } else { PeerChanges::Unknown };
        let list = app.revocation_list.get_or_build(peers, build_list(app)).await?;
        if known_tag != Some(list.etag.as_str()) {
            return Ok(Some(list));
        }
        if !changes.wait(until).await {
            return Ok(None);
        }
    }
}

async fn build_list(app: &App) -> Result<SignedList> {
    let settings = &app.config.token;
    let now = app.clock.now();
    let (mut sessions, mut names) = (Vec::new(), Vec::new());
    let (mut users, mut generations) = (BTreeMap::new(), BTreeMap::new());
    for row in revoked_tokens::list_since(app.db.reader(), list_start(app, now)).await? {
        if let (Some(sid), Some(lowest)) = (revoked_tokens::session_of_entry(&row.token_id), row.generation) {
            // `tokens` has only the last revoked access token; a cut-off in `users` covers earlier ones.
            names.extend(sid.parse().ok().map(|sid: SessionId| tokens::jti(sid, lowest - 1)));
            generations.insert(sid.to_owned(), lowest);
        } else if row.token_id.parse::<UserId>().is_ok() {
            // Written by a clock that ran ahead and was corrected: it would lock the user out until then.
            if row.revoked_at.utc() <= now + MAX_CLOCK_SKEW {
                users.insert(row.token_id, row.revoked_at.utc().timestamp());
            }
        } else if row.token_id.parse::<SessionId>().is_ok() {
            sessions.push(row.token_id);
        } else {
            names.push(row.token_id);
        }
    }
    let content = serde_json::to_string(&(&sessions, &names, &users, &generations)).map_err(Error::internal)?;
    let claims = RevocationClaims {
        iss: settings.issuer.clone(),
        aud: settings.audience.clone(),
        iat: now.timestamp(),
        exp: (now + settings.access_lifetime).timestamp(),
        sessions,
        tokens: names,
        users,
        generations,
    };
    let text = jwt::sign(&app.keys, &claims)?.expose_secret().to_owned();
    Ok(SignedList { jwt: text, etag: api_secret::hash(&content) })
}

/// Start of the list: access tokens revoked earlier have expired, by the clock of any verifier.
fn list_start(app: &App, now: DateTime<Utc>) -> DateTime<Utc> {
    now - app.config.token.access_lifetime - LEEWAY * 2
}

/// For each of `users` with more than `MAX_LISTED_SESSIONS` ended sessions on the list, replaces these entries with
/// one cut-off of all access tokens that were issued to the user up to the last one of these sessions.
pub(in crate::account) async fn replace_crowds_by_cut_offs(
    tx: &impl TracksRevocations,
    app: &App,
    users: BTreeSet<(i64, Uuid)>,
    now: DateTime<Utc>,
) -> Result<()> {
    let users: Vec<(i64, Uuid)> = users.into_iter().collect();
    for some in users.chunks(USERS_PER_STATEMENT) {
        let uids = some.iter().map(|(_, uid)| *uid).collect();
        let crowded =
            revoked_tokens::list_users_over_limit(tx, uids, list_start(app, now), MAX_LISTED_SESSIONS).await?;
        for (id, uid) in some.iter().filter(|(_, uid)| crowded.contains(uid)) {
            cut_offs::revoke_tokens_of_ended_sessions(tx, *id).await?;
            revoked_tokens::update_covered_by_cut_off(tx, *id, *uid, list_start(app, now)).await?;
        }
    }
    Ok(())
}

/// Merges the cut-offs of each user into one that revokes all their tokens; sorted by the user's row id.
pub(in crate::account) fn merge_by_user(cut_offs: Vec<CutOff>) -> Vec<CutOff> {
    let mut merged: BTreeMap<i64, CutOff> = BTreeMap::new();
    for cut_off in cut_offs {
        let kept = merged.entry(cut_off.user_id).or_insert(cut_off);
        kept.extent = match (kept.extent, cut_off.extent) {
            (Extent::Until(one), Extent::Until(other)) => Extent::Until(one.max(other)),
            (Extent::All(one) | Extent::Until(one), Extent::All(other) | Extent::Until(other)) => {
                Extent::All(one.max(other))
            }
        };
        // A changed user is reported, whatever else is revoked.
        kept.cause = if cut_off.cause.is_user_update() { cut_off.cause } else { kept.cause };
    }
    merged.into_values().collect()
}

/// Writes a cut-off as of `now`. It never moves back: revocations stay.
pub(in crate::account) async fn write_cut_off(
    tx: &impl TracksRevocations,
    app: &App,
    cut_off: &CutOff,
    now: DateTime<Utc>,
) -> Result<()> {
    let at = match cut_off.extent {
        // Later than the previous one, even within a millisecond: issuing a token detects the change.
        Extent::All(issued) => issued.utc().max(now).max(just_after(cut_off.previous)),
        Extent::Until(issued) if cut_off.previous.is_none_or(|before| before < issued) => issued.utc(),
        Extent::Until(_) => return Ok(()),
    };
    let until = now.max(at) + app.config.token.access_lifetime + LEEWAY + TimeDelta::seconds(1);
    let (token_id, reason) = (UserId::from(cut_off.user_uid).to_string(), cut_off.cause.name());
    let entry = Revocation { token_id, user_uid: cut_off.user_uid, until, reason, generation: None };
    revoked_tokens::upsert(tx, cut_off.user_id, entry, at).await?;
    cut_offs::update(tx, cut_off.user_id, at.into()).await
}

fn just_after(before: Option<Timestamp>) -> DateTime<Utc> {
    before.map_or(DateTime::UNIX_EPOCH, |before| before.utc() + TimeDelta::milliseconds(1))
}

/// Revokes the access tokens of `session` up to `generation`. The session and its user are locked; `session` is its
/// state before the rotation. The list names the last token; if earlier ones may be valid, the user gets a cut-off.
pub(in crate::account) async fn revoke_generations(
    tx: &impl TracksRevocations,
    app: &App,
    user: &user::Model,
    session: &session::Model,
    generation: i32,
    now: DateTime<Utc>,
) -> Result<()> {
    let lowest = generation + 1;
    if !sessions::update_lowest_generation(tx, session, lowest).await? {
        return Ok(());
    }
    let until = now + app.config.token.access_lifetime + LEEWAY;
    let token_id = revoked_tokens::generation_entry_id(&SessionId::from(session.uid).to_string());
    let generation_entry =
        Revocation { token_id, user_uid: user.uid, until, reason: "REPLACED", generation: Some(lowest) };
    revoked_tokens::upsert(tx, user.id, generation_entry, now).await?;
    let may_live = session.rotated_at.utc() > list_start(app, now);
    if generation > 1 && may_live {
        tx.mark_cut_off(CutOff {
            user_id: user.id,
            user_uid: user.uid,
            extent: Extent::Until(session.issued_at),
            previous: user.cut_off_at,
            cause: Cause::TokensReplaced,
        });
    }
    Ok(())
}
