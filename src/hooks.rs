//! Hooks: what a program that embeds the service wants to be told of accounts, once it is true.
//!
//! A hook runs in the process that made the change, after the commit, and is lost if that process dies in between.
//! What must not be missed is a webhook's.

use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;

/// An account as hooks and webhooks tell of it: what its owner and administrators see, and no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The public id, as in the `sub` of tokens.
    pub id: String,
    /// The public id of the tenant.
    pub tenant_id: String,
    /// The name to sign in with.
    pub username: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The name that is shown.
    pub display_name: Option<String>,
    /// `ACTIVE` or `DISABLED`.
    pub status: &'static str,
    /// The names of the roles, sorted.
    pub roles: Vec<String>,
    /// Whether the owner has to choose a new password before anything else.
    pub must_change_password: bool,
    /// When the password was set (RFC 3339).
    pub password_changed_at: Option<String>,
    /// When the account was made.
    pub created_at: String,
    /// When it was changed last.
    pub updated_at: String,
}

type HookFuture = Pin<Box<dyn Future<Output = ()> + Send>>;
type Hook = Arc<dyn Fn(User) -> HookFuture + Send + Sync>;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserEvent {
    /// An account was made: by registration, by an administrator, from the command line.
    Created,
    /// An account was changed: its names, its status, its roles, its password.
    Updated,
}

/// The hooks of this process.
#[derive(Default)]
pub struct Hooks(RwLock<Vec<(UserEvent, Hook)>>);

impl Hooks {
    /// Has `hook` run for every account that this process makes, after the commit and before the caller is answered.
    pub fn on_user_created<F>(&self, hook: impl Fn(User) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.register(UserEvent::Created, hook);
    }

    /// Has `hook` run for every account that this process changes, after the commit and before the caller is answered.
    pub fn on_user_updated<F>(&self, hook: impl Fn(User) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.register(UserEvent::Updated, hook);
    }

    fn register<F>(&self, occasion: UserEvent, hook: impl Fn(User) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let hook: Hook = Arc::new(move |user| Box::pin(hook(user)));
        self.0.write().unwrap_or_else(PoisonError::into_inner).push((occasion, hook));
    }

    /// Whether nobody wants to be told anything.
    pub fn is_empty(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Runs the hooks for what was committed, one after the other, and waits for them. One that panics harms nobody else.
    pub async fn run(&self, events: Vec<(UserEvent, User)>) {
        let hooks = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        for (occasion, user) in events {
            for (_, hook) in hooks.iter().filter(|(wanted, _)| *wanted == occasion) {
                let (hook, user) = (Arc::clone(hook), user.clone());
                // Called within the task, too: a closure may panic before it has made its future.
                if let Err(error) = tokio::spawn(async move { hook(user).await }).await {
                    tracing::error!(%error, "a hook failed");
                }
            }
        }
    }
}
