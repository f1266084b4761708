//! `accountEvents`: what happens to one's own account, told to one's own tabs.

use std::sync::Arc;

use async_graphql::{Context, ID, SimpleObject, Subscription, Union};
use futures_util::Stream;
use futures_util::stream;

use super::error::Result;
use super::guard::{Permission, guard};
use super::session::{Session, SessionEndReason};
use super::subscription::EventSource;
use super::time::Time;
use super::user::User;
use crate::account::access::rule;
use crate::account::caller::requester::Requester;
use crate::account::event::account_events::Event;

/// Something that happened to one's own account.
#[derive(Union)]
pub enum AccountEvent {
    /// A session is over.
    SessionEnded(SessionEnded),
    /// Roles or permissions have changed.
    AccessChanged(AccessChanged),
    /// The names or the e-mail address have changed.
    ProfileChanged(ProfileChanged),
    /// Somebody has signed in to the account.
    NewSignIn(NewSignIn),
}

/// A session is over: this one, or another one of the account.
#[derive(SimpleObject)]
pub struct SessionEnded {
    /// Which one.
    session_id: ID,
    /// Whether it is the session that asks: its tokens open nothing any more, so sign in again, unless a new password has
    /// brought newer ones. It is the last event.
    current: bool,
    /// Why it was ended; null if its time was over.
    reason: Option<SessionEndReason>,
    /// When.
    at: Time,
}

/// Roles or permissions have changed. They count already; `refresh` gets tokens that say so, too.
#[derive(SimpleObject)]
pub struct AccessChanged {
    /// The names of the roles, sorted.
    roles: Vec<String>,
    /// The permissions of all of them.
    permissions: Vec<Permission>,
    /// When it was noticed.
    at: Time,
}

/// The username, the display name or the e-mail address has changed.
#[derive(SimpleObject)]
pub struct ProfileChanged {
    /// The account as it is now.
    user: User,
    /// When.
    at: Time,
}

/// Somebody has signed in to the account.
#[derive(SimpleObject)]
pub struct NewSignIn {
    /// The new session.
    session: Session,
    /// When.
    at: Time,
}

impl AccountEvent {
    /// `event` as `viewer` sees it.
    pub(super) fn new(event: Event, requester: Arc<Requester>) -> Self {
        match event {
            Event::SessionEnded { session, is_current, reason, at } => Self::SessionEnded(SessionEnded {
                session_id: session.to_string().into(),
                current: is_current,
                reason: reason.map(SessionEndReason::from),
                at: Time(at),
            }),
            Event::AccessChanged { access, at } => Self::AccessChanged(AccessChanged {
                roles: access.roles,
                permissions: access.permissions.into_iter().map(Permission::from).collect(),
                at: Time(at),
            }),
            Event::ProfileChanged { user, at } => {
                Self::ProfileChanged(ProfileChanged { user: User::new(*user, requester), at: Time(at) })
            }
            Event::NewSession { session, at } => {
                Self::NewSignIn(NewSignIn { session: Session::new(*session, requester), at: Time(at) })
            }
        }
    }
}

/// What one can be told of.
pub struct Subscription;

/// What one can be told of, over a WebSocket (`graphql-transport-ws`) or as server-sent events; one field at a time.
#[Subscription]
impl Subscription {
    /// What happens to the caller's own account and session, from now on. It lasts as long as the access token: when
    /// that expires the socket is closed with 4403, so that clients come again with a fresh one; when the session is
    /// over, that is the last event, and the socket is closed with 4401.
    #[graphql(directive = guard::apply(rule::ACCOUNT_EVENTS))]
    async fn account_events(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = AccountEvent> + use<>> {
        Ok(stream::iter(EventSource::of(ctx)?.resolve(ctx).await?))
    }
}
