//! `accountEvents`: subscription to events of the caller's own user and session.

use std::sync::Arc;

use async_graphql::{Context, ID, SimpleObject, Subscription, Union};
use futures_util::Stream;
use futures_util::stream;

use super::context::ContextExt;
use super::error::Result;
use super::event_source::EventSource;
use super::guard::{Permission, guard};
use super::session::{Session, SessionEndReason};
use super::time::Time;
use super::user::User;
use crate::account::access::rule;
use crate::account::caller::requester::Requester;
use crate::account::event::account_events::Event;

/// An event of the caller's own user or session.
#[derive(Union)]
pub enum AccountEvent {
    /// A session has ended.
    SessionEnded(SessionEnded),
    /// Roles or permissions have changed.
    AccessChanged(AccessChanged),
    /// The username, the display name or the e-mail address has changed.
    ProfileChanged(ProfileChanged),
    /// A new session was opened.
    NewSignIn(NewSignIn),
}

/// A session of the user has ended: the subscriber's own or another one.
#[derive(SimpleObject)]
pub struct SessionEnded {
    /// The id of the session.
    session_id: ID,
    /// Whether it is the subscriber's own session. Then this is the last event and its tokens are invalid: sign in
    /// again, unless `updatePassword` has returned newer tokens.
    current: bool,
    /// Why it was ended; null if it expired.
    reason: Option<SessionEndReason>,
    /// When it happened.
    at: Time,
}

/// Roles or permissions of the user have changed. They are already in effect; tokens contain them after `refresh`.
#[derive(SimpleObject)]
pub struct AccessChanged {
    /// The names of the user's current roles, sorted.
    roles: Vec<String>,
    /// The permissions that the roles grant together.
    permissions: Vec<Permission>,
    /// When the change was detected.
    at: Time,
}

/// The username, the display name or the e-mail address has changed.
#[derive(SimpleObject)]
pub struct ProfileChanged {
    /// The user after the change.
    user: User,
    /// When it happened.
    at: Time,
}

/// A new session was opened.
#[derive(SimpleObject)]
pub struct NewSignIn {
    /// The new session.
    session: Session,
    /// When it happened.
    at: Time,
}

impl AccountEvent {
    /// Converts `event` for `requester`.
    fn new(event: Event, requester: Arc<Requester>) -> Self {
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

/// The root type of subscriptions.
pub struct Subscription;

/// Subscriptions, over a WebSocket (subprotocol `graphql-transport-ws`) or as server-sent events; one root field per
/// operation.
#[Subscription]
impl Subscription {
    /// Events of the caller's own user and session, from now on. The subscription ends with the access token: when the
    /// token expires, the socket closes with 4403, and clients reconnect with a fresh token. When the session ends,
    /// `SessionEnded` is the last event, and the socket closes with 4401.
    #[graphql(directive = guard::apply(rule::ACCOUNT_EVENTS))]
    async fn account_events(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = AccountEvent> + use<>> {
        let event = EventSource::of(ctx)?.resolve(ctx).await?;
        let requester = ctx.requester()?;
        Ok(stream::iter(event.map(|event| AccountEvent::new(event, Arc::clone(requester)))))
    }
}
