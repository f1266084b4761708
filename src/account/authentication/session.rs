//! Sessions: opened by a login, shown to their owner, ended one by one or together.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::session::{self, EndReason, Transport};
use entity::user;
use sea_orm::Set;

use super::login_origin;
use super::password_attempt::limit_own_change;
use super::tokens::{self, TokenPair};
use crate::account::access::authorization::{self, UserAction};
use crate::account::access::role;
use crate::account::access::rule::{self, Access};
use crate::account::caller::requester::{Caller, Credential, Identity, RequestContext, Requester};
use crate::account::event::audit::AuditEvent;
use crate::account::event::unit_of_work::{DomainEvent, UnitOfWork};
use crate::account::pagination::{self, PageRequest, Slice};
use crate::account::user::id::SessionId;
use crate::account::user::name::Name;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::revoked_tokens::{self, Revocation};
use crate::store::sessions::SessionWithGrants;
use crate::store::{Affected, api_tokens, sessions, users};

/// A session that was just opened or renewed.
#[derive(Debug, Clone)]
pub struct IssuedSession {
    /// Whose it is.
    pub user: user::Model,
    /// The session.
    pub session: session::Model,
    /// What its user may do.
    pub access: Access,
    /// Its tokens.
    pub tokens: TokenPair,
}

impl IssuedSession {
    /// The requester that this sign-in has made of a client.
    pub fn requester(&self, context: RequestContext) -> Requester {
        let Self { user, session, access, .. } = self.clone();
        let credential = Credential::Session(session);
        Requester { identity: Identity::Authenticated(Arc::new(Caller { user, credential, access })), context }
    }

    /// The same, with its tokens in the cookies of `client` if the session keeps them there.
    pub(in crate::account) fn store_cookies(self, context: &RequestContext) -> Self {
        context.cookies.store(&self.session, &self.tokens);
        self
    }
}

/// Whether the session is neither ended nor over by time at `now`.
pub fn is_live(session: &session::Model, now: DateTime<Utc>) -> bool {
    session.ended_at.is_none() && now < session.idle_end_at.utc() && now < session.absolute_end_at.utc()
}

/// When the session ends if nothing happens.
pub fn expires_at(session: &session::Model) -> DateTime<Utc> {
    session.idle_end_at.utc().min(session.absolute_end_at.utc())
}

/// Most surplus sessions that one login ends: there are more only after the limit was lowered.
const SURPLUS_BATCH_SIZE: u64 = 1_000;

/// Opens a session for `user` within the caller's transaction. The oldest end that are more than a user may have.
pub(in crate::account) async fn open(
    tx: &UnitOfWork,
    app: &App,
    user: &user::Model,
    context: &RequestContext,
    device_name: Option<Name>,
    transport: Transport,
    now: DateTime<Utc>,
) -> Result<IssuedSession> {
    let settings = &app.config.token;
    let uid = app.entropy.uuid(now);
    // Nothing of what the token says changes until the transaction ends.
    let user = users::lock_by_id(tx, user.id).await?.ok_or_else(crate::account::user::query::version_conflict)?;
    let row = session::ActiveModel {
        uid: Set(uid),
        user_id: Set(user.id),
        generation: Set(1),
        // The first generation has no predecessor whose replay its arrival could forbid.
        receipt: Set(1),
        transport: Set(transport),
        device_name: Set(device_name.map(|name| name.as_str().to_owned())),
        user_agent: Set(context.user_agent.clone()),
        address: Set(context.address.map(|address| address.to_string())),
        created_at: Set(now.into()),
        rotated_at: Set(now.into()),
        last_seen_at: Set(now.into()),
        idle_end_at: Set((now + settings.refresh_idle).into()),
        absolute_end_at: Set((now + settings.refresh_absolute).into()),
        ended_at: Set(None),
        end_reason: Set(None),
        issued_at: Set(tokens::issue_time(&user, now).into()),
        lowest_generation: Set(1),
        ..Default::default()
    };
    sessions::insert(tx, user.id, row).await?;
    login_origin::record_network(tx, &user, context, now).await?;
    let limit = app.config.limits.max_sessions_per_user;
    let surplus = sessions::list_live_excess(tx, user.id, limit, now, SURPLUS_BATCH_SIZE).await?;
    end(tx, &user, &surplus, EndReason::SessionLimit, now).await?;
    // The user as the transaction has made it.
    let SessionWithGrants { session, user, grants } = sessions::find_with_grants(tx, uid)
        .await?
        .ok_or_else(|| Error::internal("the session that was opened is gone"))?;
    let access = role::access_from_grants(grants);
    let tokens = tokens::issue_pair(app, &user, &access.roles, &session, now)?;
    Ok(IssuedSession { user, session, access, tokens })
}

/// Ends `sessions` within the caller's transaction and lists them as revoked; tells how many were ended.
pub(in crate::account) async fn end(
    tx: &UnitOfWork,
    user: &user::Model,
    sessions: &[session::Model],
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<usize> {
    if sessions.is_empty() {
        return Ok(0);
    }
    // What is under way in the name of these sessions is done first, or fails.
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

/// Ends sessions of different users at once, within the caller's transaction, and lists them as revoked; tells how many
/// were ended.
pub(in crate::account) async fn end_batch(
    tx: &UnitOfWork,
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
    /// Those that logins made in place of sessions.
    FromLogin,
    /// All of them.
    All,
}

impl ApiTokenSelection {
    /// All of them, if those that a person made are to be revoked.
    pub fn from_flag(includes_user_created: bool) -> Self {
        if includes_user_created { Self::All } else { Self::FromLogin }
    }

    /// Revokes them within the caller's transaction; returns how many could be used.
    pub(in crate::account) async fn revoke(
        self,
        tx: &UnitOfWork,
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

/// What of a user has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EndedCounts {
    /// How many sessions.
    pub sessions: usize,
    /// How many API tokens that could be used.
    pub api_tokens: usize,
}

/// Ends every live session of `user` but, perhaps, one, and the API tokens of logins; returns how many sessions ended.
pub(in crate::account) async fn end_all(
    tx: &UnitOfWork,
    user: &user::Model,
    except: Option<i64>,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<usize> {
    Ok(end_all_and_api_tokens(tx, user, except, ApiTokenSelection::FromLogin, reason, now).await?.sessions)
}

/// Ends every live session of `user` but, perhaps, one, and these API tokens.
pub(in crate::account) async fn end_all_and_api_tokens(
    tx: &UnitOfWork,
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

/// Why a session ended, as others are told.
pub(in crate::account) fn reason_name(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Logout => "LOGOUT",
        EndReason::Revoked => "REVOKED",
        EndReason::PasswordChanged => "PASSWORD_CHANGED",
        EndReason::RefreshTokenReused => "REFRESH_TOKEN_REUSED",
        EndReason::AccountDisabled => "ACCOUNT_DISABLED",
        EndReason::SessionLimit => "SESSION_LIMIT",
    }
}

/// One page of the sessions of `owner`, newest first.
///
/// # Errors
/// Refuses everybody but the owner and holders of the permission.
pub async fn list(
    app: &App,
    requester: &Requester,
    owner: &user::Model,
    only_live: bool,
    request: PageRequest,
) -> Result<Slice<session::Model>> {
    requester.authorize_for(rule::READ_SESSIONS, owner)?;
    let live_at = only_live.then(|| app.clock.now());
    let query = request.to_query(pagination::CursorKind::Integer)?;
    let rows = sessions::list(app.db.reader(), owner.id, live_at, &query).await?;
    Ok(request.slice(rows, |row| pagination::cursor(&sessions::cursor_key(row))))
}

/// How many sessions `owner` has.
///
/// # Errors
/// Refuses everybody but the owner and holders of the permission.
pub async fn count(app: &App, requester: &Requester, owner: &user::Model, only_live: bool) -> Result<u64> {
    requester.authorize_for(rule::READ_SESSIONS, owner)?;
    let live_at = only_live.then(|| app.clock.now());
    sessions::count(app.db.reader(), owner.id, live_at).await
}

/// The session with this id and its owner, if the caller may see it.
///
/// # Errors
/// Refuses callers who are not signed in; what they may not see reads as missing.
pub async fn find(app: &App, requester: &Requester, id: SessionId) -> Result<Option<(session::Model, user::Model)>> {
    let caller = requester.authorize(rule::READ_NODE)?;
    let found = sessions::find_with_user(app.db.reader(), caller.scope(rule::READ_SESSIONS), id.uuid()).await?;
    Ok(found.filter(|(_, owner)| requester.authorize_for(rule::READ_SESSIONS, owner).is_ok()))
}

/// Ends one session: one's own, or with the permission that of a user who can do no more than the caller.
///
/// # Errors
/// Refuses callers who are not signed in, and sessions of users who can do more; a session out of the caller's reach
/// reads as missing.
pub async fn revoke(app: &App, requester: &Requester, id: SessionId) -> Result<(session::Model, user::Model)> {
    let caller = requester.caller()?;
    let now = app.clock.now();
    limit_own_change(app, caller, rule::REVOKE_SESSION, now).await?;
    let missing = || Refusal::new(RefusalCode::NotFound, "there is no such session").for_field("sessionId");
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, caller, rule::REVOKE_SESSION, now).await?;
            let scope = caller.scope(rule::REVOKE_SESSION);
            let (session, owner) = sessions::find_with_user(&tx, scope, id.uuid()).await?.ok_or_else(missing)?;
            if !authorization::can_reach(&caller, UserAction::EndSession, &owner) {
                return Err(missing().into());
            }
            authorization::authorize(&tx, &caller, UserAction::EndSession, &owner).await?;
            if end(&tx, &owner, std::slice::from_ref(&session), EndReason::Revoked, now).await? == 1 {
                AuditEvent::success("session.revoke")
                    .by_caller(&caller)
                    .on_user(&owner)
                    .in_session(&session)
                    .record(&tx, app, &requester.context, now)
                    .await?;
            }
            let session = sessions::find(&tx, id.uuid()).await?.ok_or_else(missing)?;
            tx.commit().await?;
            Ok((session, owner))
        })
        .await
}
