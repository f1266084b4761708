//! Domain events and the user snapshots that describe them.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::session::{self, EndReason};
use entity::user::{self, Status};

use crate::account::access::grants;
use crate::account::names::id::{TenantId, UserId};
use crate::app::App;
use crate::error::Result;
use crate::hooks::User;
use crate::store::{Connection, tenants};

/// A domain event, true once the transaction commits.
pub(in crate::account) enum DomainEvent {
    /// A user was created.
    UserCreated(user::Model),
    /// A user changed; the state after.
    UserUpdated(user::Model),
    /// A user was deleted; the state before, and the roles, which are deleted with it.
    UserDeleted(user::Model, Vec<String>),
    /// A session ended.
    SessionEnded(user::Model, session::Model, EndReason),
}

/// The user snapshot of each event; `None` without subscribers, and for sessions.
pub(super) async fn user_snapshots(
    tx: &impl Connection,
    app: &App,
    events: &[DomainEvent],
) -> Result<Vec<Option<User>>> {
    if app.hooks.is_empty() && app.config.webhooks.endpoints.is_empty() {
        return Ok(events.iter().map(|_| None).collect());
    }
    let mut snapshots = Vec::new();
    for event in events {
        snapshots.push(match event {
            DomainEvent::UserCreated(user) | DomainEvent::UserUpdated(user) => {
                Some(user_snapshot(tx, user, grants::access_of(tx, user.id).await?.roles).await?)
            }
            DomainEvent::UserDeleted(user, roles) => Some(user_snapshot(tx, user, roles.clone()).await?),
            DomainEvent::SessionEnded(..) => None,
        });
    }
    Ok(snapshots)
}

async fn user_snapshot(tx: &impl Connection, user: &user::Model, roles: Vec<String>) -> Result<User> {
    let time = |time: entity::timestamp::Timestamp| format_time(time.utc());
    let tenants = tenants::list_by_id(tx, vec![user.tenant_id]).await?;
    Ok(User {
        id: UserId::from(user.uid).to_string(),
        tenant_id: tenants.first().map(|tenant| TenantId::from(tenant.uid).to_string()).unwrap_or_default(),
        username: user.username.clone(),
        email: user.email.clone(),
        display_name: user.display_name.clone(),
        status: match user.status {
            Status::Active => "ACTIVE",
            Status::Disabled => "DISABLED",
        },
        roles,
        must_change_password: user.must_change_password,
        password_changed_at: user.password_changed_at.map(time),
        created_at: time(user.created_at),
        updated_at: time(user.updated_at),
    })
}

/// The reason as published to other services.
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

/// A timestamp as in messages.
pub(in crate::account) fn format_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
