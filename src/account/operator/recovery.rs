//! Recovery: what an operator does after a backup was restored, which brings back what was revoked since.

use entity::session::EndReason;

use crate::account::authentication::session::end_batch;
use crate::account::caller::requester::RequestContext;
use crate::account::event::audit::AuditEvent;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::app::App;
use crate::error::Result;
use crate::store::{TenantScope, api_tokens, sessions};

/// How many sessions are ended by one statement.
pub(in crate::account) const BATCH_SIZE: u64 = 1_000;

/// What was ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecoveryResult {
    /// How many sessions.
    pub sessions: usize,
    /// How many API tokens.
    pub api_tokens: u64,
}

/// Ends every session of everybody and every API token that a login made, and revokes all other API tokens if that is
/// asked for; all of it or nothing. Only somebody with access to the machine can call this.
///
/// # Errors
/// Internal ones only.
pub async fn end_all_sessions(app: &App, and_api_tokens: bool) -> Result<RecoveryResult> {
    let now = app.clock.now();
    app.db
        .retry(|| async {
            let tx = UnitOfWork::begin(app, now).await?;
            let (mut ended, mut last) = (RecoveryResult::default(), 0);
            loop {
                let batch = sessions::list_live_in_scope(&tx, TenantScope::AllTenants, last, now, BATCH_SIZE).await?;
                let Some((session, _)) = batch.last() else { break };
                last = session.id;
                ended.sessions += end_batch(&tx, &batch, EndReason::Revoked, now).await?;
            }
            ended.api_tokens = if and_api_tokens {
                api_tokens::update_all_users_revoked(&tx, now).await?
            } else {
                api_tokens::update_all_users_from_login_revoked(&tx, now).await?
            };
            let client = RequestContext::new(None, None, "command line".to_owned());
            AuditEvent::success("sessions.endAll")
                .with("sessions", ended.sessions)
                .with("apiTokens", ended.api_tokens)
                .record(&tx, app, &client, now)
                .await?;
            tx.commit().await?;
            Ok(ended)
        })
        .await
}
