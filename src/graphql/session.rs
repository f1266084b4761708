//! Sessions: list and revoke.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use entity::{session, user};

use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::guard::guard;
use super::object_id::parse_object_id;
use super::time::Time;
use super::token_pair::TokenTransport;
use crate::account::access::rule;
use crate::account::authentication::session_query;
use crate::account::caller::requester::{Identity, Requester};
use crate::account::names::id::SessionId;
use crate::account::pagination::RowFilter;

/// A session as seen by one requester.
pub struct Session {
    row: session::Model,
    requester: Arc<Requester>,
}

impl Session {
    /// The session `row` as seen by `requester`.
    pub(super) fn new(row: session::Model, requester: Arc<Requester>) -> Self {
        Self { row, requester }
    }
}

/// A session of a user on one device, from login to logout or expiry.
#[Object]
impl Session {
    /// The id; equal to the claim `sid` of the session's tokens.
    pub(super) async fn id(&self) -> ID {
        SessionId::from(self.row.uid).to_string().into()
    }

    /// Whether it is the session of this request.
    async fn current(&self) -> bool {
        match &self.requester.identity {
            Identity::Authenticated(caller) => caller.session().is_some_and(|session| session.id == self.row.id),
            Identity::Anonymous | Identity::Rejected { .. } => false,
        }
    }

    /// How its tokens are transported.
    async fn transport(&self) -> TokenTransport {
        self.row.transport.into()
    }

    /// The name of the device, as given at login.
    async fn device_name(&self) -> Option<&str> {
        self.row.device_name.as_deref()
    }

    /// The `User-Agent` header of the login.
    async fn user_agent(&self) -> Option<&str> {
        self.row.user_agent.as_deref()
    }

    /// The client's IP address at login.
    async fn ip(&self) -> Option<&str> {
        self.row.address.as_deref()
    }

    /// When it was opened.
    async fn created_at(&self) -> Time {
        self.row.created_at.into()
    }

    /// When it was last refreshed, or its newest token was first used.
    async fn last_seen_at(&self) -> Time {
        self.row.last_seen_at.into()
    }

    /// When it expires unless it is refreshed before.
    async fn expires_at(&self) -> Time {
        self.row.idle_end_at.min(self.row.absolute_end_at).into()
    }

    /// When it was ended; null if it has not ended or has expired.
    async fn ended_at(&self) -> Option<Time> {
        self.row.ended_at.map(Time::from)
    }

    /// Why it was ended; null if it has not ended or has expired.
    async fn end_reason(&self) -> Option<SessionEndReason> {
        self.row.end_reason.map(SessionEndReason::from)
    }
}

/// The reason why a session was ended before it expired.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "session::EndReason")]
pub enum SessionEndReason {
    /// The user signed out.
    Logout,
    /// The user or an administrator revoked it, or the user was deleted.
    Revoked,
    /// The password was changed.
    PasswordChanged,
    /// A refresh token was reused after its replacement.
    RefreshTokenReused,
    /// An administrator disabled the user or the tenant.
    AccountDisabled,
    /// The user opened more sessions than allowed; the oldest ones end.
    SessionLimit,
}

/// Additional fields of a session connection.
pub struct SessionConnectionFields {
    owner: user::Model,
    requester: Arc<Requester>,
    active_only: bool,
}

impl SessionConnectionFields {
    /// The fields for the sessions of `owner`, of all or of the active ones only.
    pub(super) fn new(owner: user::Model, requester: Arc<Requester>, active_only: bool) -> Self {
        Self { owner, requester, active_only }
    }
}

#[Object]
impl SessionConnectionFields {
    /// The number of sessions in the list; counted only if selected.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<u64> {
        Ok(session_query::count(ctx.app()?, &self.requester, &self.owner, RowFilter::from_flag(self.active_only))
            .await?)
    }
}

/// The session to end.
#[derive(InputObject)]
pub struct RevokeSessionInput {
    /// The id of the session.
    session_id: ID,
}

/// The result of `revokeSession`.
#[derive(SimpleObject, Default)]
pub struct RevokeSessionPayload {
    /// The ended session.
    session: Option<Session>,
    /// Errors that the user can correct; empty on success.
    errors: Vec<AccountError>,
}

impl Payload for RevokeSessionPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// Mutations of sessions.
#[derive(Default)]
pub struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Ends a session immediately: one of the caller, or with SESSIONS_REVOKE one of a user whose permissions the
    /// caller holds.
    #[graphql(directive = guard::apply(rule::REVOKE_SESSION))]
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session to end.")] input: RevokeSessionInput,
    ) -> Result<RevokeSessionPayload> {
        into_payload(ctx, revoke(ctx, &input).await)
    }
}

async fn revoke(ctx: &Context<'_>, input: &RevokeSessionInput) -> crate::error::Result<RevokeSessionPayload> {
    let requester = ctx.requester()?;
    requester.caller()?;
    let id = parse_object_id(&input.session_id, "sessionId")?;
    let (row, _) = session_query::revoke(ctx.app()?, requester, id).await?;
    Ok(RevokeSessionPayload { session: Some(Session::new(row, Arc::clone(requester))), errors: Vec::new() })
}
