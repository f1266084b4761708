//! What endpoints can be told of, and which of it each one wants.

use crate::config::{InvalidValue, invalid};

/// What happens to accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookEvent {
    /// There is a new account.
    UserCreated,
    /// Names, status, roles or password of an account were changed.
    UserUpdated,
    /// An account is gone.
    UserDeleted,
    /// A session was ended before its time.
    SessionEnded,
}

impl WebhookEvent {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::UserCreated, Self::UserUpdated, Self::UserDeleted, Self::SessionEnded];

    /// What messages call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserCreated => "user.created",
            Self::UserUpdated => "user.updated",
            Self::UserDeleted => "user.deleted",
            Self::SessionEnded => "session.ended",
        }
    }
}

/// The names with commas between them.
pub(super) fn parse_events(text: &str) -> Result<Vec<WebhookEvent>, InvalidValue> {
    let event = |name: &str| {
        WebhookEvent::ALL.into_iter().find(|event| event.name() == name).ok_or_else(|| {
            let known = WebhookEvent::ALL.map(WebhookEvent::name).join(", ");
            invalid(&format!("names {name:?}, which is no event"), &format!("choose of {known}"))
        })
    };
    text.split(',').map(event).collect()
}
