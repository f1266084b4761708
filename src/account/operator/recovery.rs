//! Recovery after a restored backup, which revives credentials that were revoked since.

use entity::session::EndReason;

use crate::account::authentication::session_end::{ApiTokenSelection, end_all_in_scope};
use crate::account::caller::request_context::RequestContext;
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::app::App;
use crate::error::Result;
use crate::store::{TenantScope, api_tokens};

/// The number of ended credentials.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecoveryResult {
    /// Sessions.
    pub sessions: usize,
    /// API tokens.
    pub api_tokens: u64,
}

/// Ends all sessions of all users and revokes the selected API tokens; atomically. Callable only with access to the
/// machine.
pub async fn end_all_sessions(app: &App, api_tokens: ApiTokenSelection) -> Result<RecoveryResult> {
    let now = app.clock.now();
    app.write(&RequestContext::for_command_line(), now, async |tx| {
        let sessions = end_all_in_scope(&tx, TenantScope::AllTenants, EndReason::Revoked, now).await?;
        let api_tokens = match api_tokens {
            ApiTokenSelection::All => api_tokens::update_all_users_revoked(&tx, now).await?,
            ApiTokenSelection::FromLogin => api_tokens::update_all_users_from_login_revoked(&tx, now).await?,
        };
        let ended = RecoveryResult { sessions, api_tokens };
        tx.record(
            AuditEvent::success(AuditAction::SessionsEndAll)
                .with("sessions", ended.sessions)
                .with("apiTokens", ended.api_tokens),
        )
        .await?;
        tx.commit(ended).await
    })
    .await
}
