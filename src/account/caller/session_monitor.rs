//! A vigil over a caller who stays: the credentials are looked at again for as long as the connection lasts.
//!
//! A stream lives as long as a request with the same token would be let in, because it is the same look. While news of
//! changes arrive and there are none, it costs the database nothing, whether callers are remembered or not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::time::{sleep_until, timeout};

use super::cached_caller::CachedCaller;
use super::requester::{Caller, Credentials, Identity, RequestAuth, RequestContext, Requester, authenticate_token};
use crate::app::App;
use crate::error::{Error, RETRY_AFTER_SECONDS, Result, TokenError};

/// How long nothing is looked at if nothing changes: what ends by time ends this much later, and without news of other
/// nodes their changes count as late. With the look itself that is less than the promised second.
const RECHECK_INTERVAL: Duration = Duration::from_millis(500);

/// How long it rests after a look at the database, however much is changing: a counter in the database tells of many
/// users at once.
const MIN_RECHECK_INTERVAL: Duration = Duration::from_millis(200);

/// What is seen without news is seen after this time; as the memory of callers does it.
const MAX_AGE: Duration = Duration::from_secs(60);

/// How long it waits for its turn at the database. Whoever waits longer knows nothing any more, and comes again.
const QUERY_PERMIT_TIMEOUT: Duration = Duration::from_secs(5);

/// Whoever has a connection that lasts.
pub struct SessionMonitor {
    app: App,
    token: SecretString,
    context: RequestContext,
    cached: CachedCaller,
    /// The ledger's instant from before the last look at the database.
    version: u64,
    checked_at: Instant,
}

impl RequestAuth {
    /// Lets a signed-in caller stay.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] with what is wrong with the credentials; those of the database.
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
        Identity::Rejected { error: fault, .. } => Error::Unauthenticated(fault),
        Identity::Anonymous | Identity::Authenticated(_) => {
            Error::internal("a caller who is not let in was not rejected")
        }
    })
}

impl SessionMonitor {
    /// The number of the account.
    pub fn user_id(&self) -> i64 {
        self.cached.user_id()
    }

    /// The caller, as of the last look.
    pub fn caller(&self) -> Arc<Caller> {
        self.cached.caller()
    }

    /// The caller as whoever sends a request, as of the last look.
    pub fn requester(&self) -> Requester {
        Requester { identity: Identity::Authenticated(self.caller()), context: self.context.clone() }
    }

    /// Waits until something may have changed or ended, half a second at most, and looks again. Tells whether what was
    /// read from the database until now may be old.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the caller would not be let in any more; those of the database.
    pub async fn recheck(&mut self) -> Result<bool> {
        let (app, user_id) = (&self.app, self.cached.user_id());
        let ledger = app.db.invalidation_log();
        timeout(RECHECK_INTERVAL, ledger.wait_for_change(user_id, self.version)).await.ok();
        let is_old =
            !ledger.is_fresh() || !ledger.is_current(user_id, self.version) || self.checked_at.elapsed() >= MAX_AGE;
        if !self.cached.is_valid_at(app.clock.now()) {
            // A token that has expired is no matter for the database; a session may have been renewed elsewhere.
            self.cached = authenticate(app, &self.token).await?;
        }
        if !is_old {
            return Ok(false);
        }
        sleep_until((self.checked_at + MIN_RECHECK_INTERVAL).into()).await;
        let turn = timeout(QUERY_PERMIT_TIMEOUT, app.stream_quota.query_permit()).await;
        let _turn = turn.map_err(|_| Error::ServerBusy { retry_after: RETRY_AFTER_SECONDS })?;
        let (version, checked_at) = (ledger.version(), Instant::now());
        self.cached = authenticate(app, &self.token).await?;
        (self.version, self.checked_at) = (version, checked_at);
        Ok(true)
    }

    /// Waits until the caller would not be let in any more, and tells why.
    pub async fn ended(&mut self) -> Error {
        loop {
            if let Err(error) = self.recheck().await {
                return error;
            }
        }
    }
}
