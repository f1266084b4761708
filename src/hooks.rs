//! Hooks of an embedding program: callbacks for created and changed users, after the commit.
//!
//! A hook runs in the process that made the change, and is lost if that process dies first. For guaranteed delivery use
//! a webhook.

use std::pin::Pin;
use std::sync::Arc;

use parking_lot::RwLock;
use serde::Serialize;

/// A user in hooks and webhooks: what the user and administrators can see, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The public id, as in the `sub` claim of tokens.
    pub id: String,
    /// The public id of the tenant.
    pub tenant_id: String,
    /// The username.
    pub username: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The display name.
    pub display_name: Option<String>,
    /// `ACTIVE` or `DISABLED`.
    pub status: &'static str,
    /// The names of the roles, sorted.
    pub roles: Vec<String>,
    /// Whether the user must set a new password before anything else.
    pub must_change_password: bool,
    /// When the password was set (RFC 3339).
    pub password_changed_at: Option<String>,
    /// When the user was created (RFC 3339).
    pub created_at: String,
    /// When the user was last changed (RFC 3339).
    pub updated_at: String,
}

type HookFuture = Pin<Box<dyn Future<Output = ()> + Send>>;
type Hook = Arc<dyn Fn(User) -> HookFuture + Send + Sync>;

/// What happened to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserEvent {
    /// Created: by registration, by an administrator, or on the command line.
    Created,
    /// Changed: names, status, roles or password.
    Updated,
}

/// The hooks of this process.
#[derive(Default)]
pub struct Hooks(RwLock<Vec<(UserEvent, Hook)>>);

impl Hooks {
    /// Registers a hook for every user that this process creates; it runs after the commit and before the response.
    pub fn on_user_created<F>(&self, hook: impl Fn(User) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.register(UserEvent::Created, hook);
    }

    /// Registers a hook for every user that this process changes; it runs after the commit and before the response.
    pub fn on_user_updated<F>(&self, hook: impl Fn(User) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.register(UserEvent::Updated, hook);
    }

    fn register<F>(&self, event: UserEvent, hook: impl Fn(User) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let hook: Hook = Arc::new(move |user| Box::pin(hook(user)));
        self.0.write().push((event, hook));
    }

    /// Whether no hook is registered.
    pub fn is_empty(&self) -> bool {
        self.0.read().is_empty()
    }

    /// Runs the hooks for committed changes one by one, and waits for them. A panic in one does not affect the others.
    pub async fn run(&self, events: Vec<(UserEvent, User)>) {
        let hooks = self.0.read().clone();
        for (event, user) in events {
            for (_, hook) in hooks.iter().filter(|(registered, _)| *registered == event) {
                let (hook, user) = (Arc::clone(hook), user.clone());
                // Called within the task, because a closure may panic before it returns its future.
                if let Err(error) = tokio::spawn(async move { hook(user).await }).await {
                    tracing::error!(%error, "a hook failed");
                }
            }
        }
    }
}
