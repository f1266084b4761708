//! Ending of sessions within a transaction: some, all of a user, or a batch of several users.

use chrono::{DateTime, Utc};
use entity::session::{self, EndReason};
use entity::user;

use crate::account::event::domain_event::{DomainEvent, reason_name};
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::names::id::SessionId;
use crate::error::Result;
use crate::store::revoked_tokens::{self, Revocation};
use crate::store::{Affected, TenantScope, api_tokens, sessions, users};

/// Sessions ended per statement.
const BATCH_SIZE: u64 = 1_000;

/// Ends `sessions` within the caller's transaction and adds them to the revocation list; returns how many ended.
pub(in crate::account) async fn end(
    tx: &UnitOfWork<'_>,
    user: &user::Model,
    sessions: &[session::Model],
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<usize> {
    if sessions.is_empty() {
        return Ok(0);
    }
    // Waits for concurrent operations of these sessions, which then fail or are complete.
    users::lock_by_id(tx, user.id).await?;
    let mut revocations = Vec::new();
    for session in sessions {
        if sessions::update_ended(tx, session, reason, now).await? {
            revocations.push(revocation_of(session, user, reason));
            tx.emit(DomainEvent::SessionEnded(user.clone(), session.clone(), reason));
        }
    }
    let ended = revocations.len();
    revoked_tokens::insert(tx, Affected::User(user.id), revocations, now).await?;
    Ok(ended)
}

/// Ends the live sessions of all users in `scope` within the caller's transaction; returns how many ended.
pub(in crate::account) async fn end_all_in_scope(
    tx: &UnitOfWork<'_>,
    scope: TenantScope,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<usize> {
    let (mut ended, mut last) = (0, 0);
    loop {
        let batch = sessions::list_live_in_scope(tx, scope, last, now, BATCH_SIZE).await?;
        let Some((session, _)) = batch.last() else { return Ok(ended) };
        last = session.id;
        ended += end_batch(tx, &batch, reason, now).await?;
    }
}

/// Ends sessions of several users within the caller's transaction and adds them to the revocation list; returns how
/// many ended.
async fn end_batch(
    tx: &UnitOfWork<'_>,
    batch: &[(session::Model, user::Model)],
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<usize> {
    let ended = sessions::update_all_ended(tx, batch.iter().map(|(session, _)| session.id), reason, now).await?;
    let mut revocations = Vec::new();
    for (session, user) in batch {
        revocations.push(revocation_of(session, user, reason));
        tx.emit(DomainEvent::SessionEnded(user.clone(), session.clone(), reason));
    }
    revoked_tokens::insert(tx, Affected::AllUsers, revocations, now).await?;
    Ok(usize::try_from(ended).unwrap_or(usize::MAX))
}

/// Which API tokens of a user end together with the user's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiTokenSelection {
    /// Those created by logins in place of sessions.
    FromLogin,
    /// All of them.
    All,
}

impl ApiTokenSelection {
    /// All of them if those created by the user are included.
    pub fn from_flag(includes_user_created: bool) -> Self {
        if includes_user_created { Self::All } else { Self::FromLogin }
    }

    /// Revokes them within the caller's transaction; returns how many were usable.
    pub(in crate::account) async fn revoke(
        self,
        tx: &UnitOfWork<'_>,
        user: &user::Model,
        now: DateTime<Utc>,
    ) -> Result<usize> {
        let count = match self {
            Self::FromLogin => api_tokens::update_all_from_login_revoked(tx, user.id, now).await?,
            Self::All => api_tokens::update_all_revoked(tx, user.id, now).await?,
        };
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }
}

/// How many sessions ended and API tokens were revoked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EndedCounts {
    /// Sessions.
    pub sessions: usize,
    /// Usable API tokens.
    pub api_tokens: usize,
}

/// Ends every live session of `user`, optionally except one, and the API tokens of logins; returns how many sessions
/// ended.
pub(in crate::account) async fn end_all(
    tx: &UnitOfWork<'_>,
    user: &user::Model,
    except: Option<i64>,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<usize> {
    Ok(end_all_and_api_tokens(tx, user, except, ApiTokenSelection::FromLogin, reason, now).await?.sessions)
}

/// Ends every live session of `user`, optionally except one, and revokes the selected API tokens.
pub(in crate::account) async fn end_all_and_api_tokens(
    tx: &UnitOfWork<'_>,
    user: &user::Model,
    except: Option<i64>,
    api_tokens: ApiTokenSelection,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<EndedCounts> {
    // No login opens another session meanwhile.
    users::lock_by_id(tx, user.id).await?;
    let live = sessions::list_live(tx, user.id, except, now).await?;
    let sessions = end(tx, user, &live, reason, now).await?;
    Ok(EndedCounts { sessions, api_tokens: api_tokens.revoke(tx, user, now).await? })
}

fn revocation_of(session: &session::Model, user: &user::Model, reason: EndReason) -> Revocation {
    Revocation {
        token_id: SessionId::from(session.uid).to_string(),
        user_uid: user.uid,
        until: session.absolute_end_at.utc(),
        reason: reason_name(reason),
        generation: None,
    }
}
