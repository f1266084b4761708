//! Sessions: shown to their owner, ended by id.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use entity::{session, user};

use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::guard::guard;
use super::node::parse_object_id;
use super::time::Time;
use super::token_pair::TokenTransport;
use crate::account::access::rule;
use crate::account::authentication::session as sessions;
use crate::account::caller::requester::{Identity, Requester};
use crate::account::user::id::SessionId;

/// A session, as one viewer sees it.
pub struct Session {
    row: session::Model,
    requester: Arc<Requester>,
}

impl Session {
    /// The session `row` as `viewer` sees it.
    pub(super) fn new(row: session::Model, requester: Arc<Requester>) -> Self {
        Self { row, requester }
    }
}

/// One sign-in on one device.
#[Object]
impl Session {
    /// The id; equals the claim `sid` of the session's tokens.
    pub(super) async fn id(&self) -> ID {
        SessionId::from(self.row.uid).to_string().into()
    }

    /// Whether it is the session of the token that asks.
    async fn current(&self) -> bool {
        match &self.requester.identity {
            Identity::Authenticated(caller) => caller.session().is_some_and(|session| session.id == self.row.id),
            Identity::Anonymous | Identity::Rejected { .. } => false,
        }
    }

    /// Where its tokens travel.
    async fn transport(&self) -> TokenTransport {
        self.row.transport.into()
    }

    /// How its owner calls the device.
    async fn device_name(&self) -> Option<&str> {
        self.row.device_name.as_deref()
    }

    /// What the client called itself when it signed in.
    async fn user_agent(&self) -> Option<&str> {
        self.row.user_agent.as_deref()
    }

    /// The address it signed in from.
    async fn ip(&self) -> Option<&str> {
        self.row.address.as_deref()
    }

    /// When it began.
    async fn created_at(&self) -> Time {
        self.row.created_at.into()
    }

    /// When it was last renewed, or its newest token first used.
    async fn last_seen_at(&self) -> Time {
        self.row.last_seen_at.into()
    }

    /// When it ends if it is not renewed before.
    async fn expires_at(&self) -> Time {
        self.row.idle_end_at.min(self.row.absolute_end_at).into()
    }

    /// When it was ended before its time.
    async fn ended_at(&self) -> Option<Time> {
        self.row.ended_at.map(Time::from)
    }

    /// Why it was ended.
    async fn end_reason(&self) -> Option<SessionEndReason> {
        self.row.end_reason.map(SessionEndReason::from)
    }
}

/// Why a session was ended before its time.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "session::EndReason")]
pub enum SessionEndReason {
    /// Its owner signed out.
    Logout,
    /// Its owner or an administrator ended it by id, or the account was deleted.
    Revoked,
    /// The password was changed.
    PasswordChanged,
    /// A refresh token that was replaced long ago came back.
    RefreshTokenReused,
    /// An administrator has switched the account off.
    AccountDisabled,
    /// Its user opened more sessions than one may have; the oldest end.
    SessionLimit,
}

/// What a list of sessions has beside its edges.
pub struct SessionConnectionFields {
    owner: user::Model,
    requester: Arc<Requester>,
    active_only: bool,
}

impl SessionConnectionFields {
    pub(super) fn new(owner: user::Model, requester: Arc<Requester>, active_only: bool) -> Self {
        Self { owner, requester, active_only }
    }
}

#[Object]
impl SessionConnectionFields {
    /// How many sessions there are; counted only when it is asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<u64> {
        Ok(sessions::count(ctx.app()?, &self.requester, &self.owner, self.active_only).await?)
    }
}

/// Which session to end.
#[derive(InputObject)]
pub struct RevokeSessionInput {
    /// Its id.
    session_id: ID,
}

/// The session that was ended.
#[derive(SimpleObject, Default)]
pub struct RevokeSessionPayload {
    /// The session.
    session: Option<Session>,
    /// What the person can fix.
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
    /// Ends one session at once: one's own, or with the permission that of a user who can do no more than the caller.
    #[graphql(directive = guard::apply(rule::REVOKE_SESSION))]
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: RevokeSessionInput,
    ) -> Result<RevokeSessionPayload> {
        into_payload(ctx, revoke(ctx, &input).await)
    }
}

async fn revoke(ctx: &Context<'_>, input: &RevokeSessionInput) -> crate::error::Result<RevokeSessionPayload> {
    let requester = ctx.requester()?;
    requester.caller()?;
    let id = parse_object_id(&input.session_id, "sessionId")?;
    let (row, _) = sessions::revoke(ctx.app()?, requester, id).await?;
    Ok(RevokeSessionPayload { session: Some(Session::new(row, Arc::clone(requester))), errors: Vec::new() })
}
