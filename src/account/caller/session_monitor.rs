//! Re-validates the credentials of long-lived connections.
//!
//! A stream lives as long as a request with the same token would succeed: both use the same check. While the node
//! receives invalidations and there are none, no database query runs, whether callers are cached or not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::time::{sleep_until, timeout};

use super::cached_caller::CachedCaller;
use super::request_auth::{Credentials, RequestAuth, authenticate_token};
use super::request_context::RequestContext;
use super::requester::{Caller, Identity, Requester};
use crate::app::App;
use crate::error::{Error, RETRY_AFTER_SECONDS, Result, TokenError};

/// Maximum interval between checks. Expiry takes effect this much later, and a node that receives no invalidations
/// treats its data as stale. Together with the query this is less than the promised second.
const RECHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Minimum interval between database queries, however much changes: one change counter covers many users.
const MIN_RECHECK_INTERVAL: Duration = Duration::from_millis(200);

/// Maximum age of data without an invalidation; the same as in the identity cache.
const MAX_AGE: Duration = Duration::from_secs(60);

/// How long to wait for a query permit. After that the connection closes and the client reconnects.
const QUERY_PERMIT_TIMEOUT: Duration = Duration::from_secs(5);

/// Monitors the credentials of one long-lived connection.
pub struct SessionMonitor {
    app: App,
    token: SecretString,
    context: RequestContext,
    cached: CachedCaller,
    /// The version of the invalidation log before the last database query.
    version: u64,
    checked_at: Instant,
}

impl RequestAuth {
    /// Starts monitoring an authenticated caller.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] with the defect of the credentials; database errors.
    pub async fn monitor(self, app: &App) -> Result<SessionMonitor> {
        let token = match self.credentials {
            Credentials::Bearer(token) => token,
            Credentials::None => return Err(Error::Unauthenticated(TokenError::Missing)),
            Credentials::Malformed => return Err(Error::Unauthenticated(TokenError::Malformed)),
        };
        let (version, checked_at) = (app.identity_cache.version(), Instant::now());
        let cached = authenticate(app, &token).await?;
        Ok(SessionMonitor { app: app.clone(), token, context: self.context, cached, version, checked_at })
    }
}

/// The caller with this token.
async fn authenticate(app: &App, token: &SecretString) -> Result<CachedCaller> {
    authenticate_token(app, token).await?.map_err(|identity| match identity {
        Identity::Rejected { error, .. } => Error::Unauthenticated(error),
        Identity::Anonymous | Identity::Authenticated(_) => {
            Error::internal("authentication neither succeeded nor rejected the token")
        }
    })
}

impl SessionMonitor {
    /// The row id of the user.
    pub fn user_id(&self) -> i64 {
        self.cached.user_id()
    }

    /// The caller, as of the last check.
    pub fn caller(&self) -> Arc<Caller> {
        self.cached.caller()
    }

    /// The requester, as of the last check.
    pub fn requester(&self) -> Requester {
        Requester { identity: Identity::Authenticated(self.caller()), context: self.context.clone() }
    }

    /// Waits until something may have changed or expired, at most half a second, and checks again. Returns whether data
    /// read from the database before may be stale.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the credentials are no longer valid; database errors.
    pub async fn recheck(&mut self) -> Result<bool> {
        let (app, user_id) = (&self.app, self.cached.user_id());
        let invalidations = app.db.invalidation_log();
        timeout(RECHECK_INTERVAL, invalidations.wait_for_change(user_id, self.version)).await.ok();
        let is_stale = !invalidations.is_fresh()
            || !invalidations.is_current(user_id, self.version)
            || self.checked_at.elapsed() >= MAX_AGE;
        if !self.cached.is_valid_at(app.clock.now()) {
            // Expiry of a token needs no query; a session may have been refreshed elsewhere.
            self.cached = authenticate(app, &self.token).await?;
        }
        if !is_stale {
            return Ok(false);
        }
        sleep_until((self.checked_at + MIN_RECHECK_INTERVAL).into()).await;
        let permit = timeout(QUERY_PERMIT_TIMEOUT, app.stream_quota.query_permit()).await;
        let _permit = permit.map_err(|_| Error::ServerBusy { retry_after: RETRY_AFTER_SECONDS })?;
        let (version, checked_at) = (invalidations.version(), Instant::now());
        self.cached = authenticate(app, &self.token).await?;
        (self.version, self.checked_at) = (version, checked_at);
        Ok(true)
    }

    /// Waits until the credentials are no longer valid, and returns why.
    pub async fn ended(&mut self) -> Error {
        loop {
            if let Err(error) = self.recheck().await {
                return error;
            }
        }
    }
}
