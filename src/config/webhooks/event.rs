//! Event types of webhooks, and their selection per endpoint.

use crate::config::problem::{InvalidValue, invalid};

/// An event type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookEvent {
    /// A user was created.
    UserCreated,
    /// A user's names, status, roles or password changed.
    UserUpdated,
    /// A user was deleted.
    UserDeleted,
    /// A session was ended before its expiry.
    SessionEnded,
}

impl WebhookEvent {
    /// All event types.
    pub const ALL: [Self; 4] = [Self::UserCreated, Self::UserUpdated, Self::UserDeleted, Self::SessionEnded];

    /// The type's name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserCreated => "user.created",
            Self::UserUpdated => "user.updated",
            Self::UserDeleted => "user.deleted",
            Self::SessionEnded => "session.ended",
        }
    }
}

/// Parses comma-separated names.
pub(super) fn parse_events(text: &str) -> Result<Vec<WebhookEvent>, InvalidValue> {
    let event = |name: &str| {
        WebhookEvent::ALL.into_iter().find(|event| event.name() == name).ok_or_else(|| {
            let known = WebhookEvent::ALL.map(WebhookEvent::name).join(", ");
            invalid(&format!("names {name:?}, which is not an event"), &format!("use one of: {known}"))
        })
    };
    text.split(',').map(event).collect()
}
