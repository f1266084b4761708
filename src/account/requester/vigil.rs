//! A vigil over a caller who stays: the credentials are looked at again for as long as the connection lasts.
//!
//! A stream lives as long as a request with the same token would be let in, because it is the same look. While news of
//! changes arrive and there are none, it costs the database nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout};

use super::{Credentials, Identity, Requester, SignedIn, Visitor, check};
use crate::app::App;
use crate::error::{Error, Result};

/// How long nothing is looked at if nothing changes: what ends by time ends this much later, and without news of other
/// nodes their changes count as late. With the look itself that is less than the promised second.
const PERIOD: Duration = Duration::from_millis(500);

/// How long it rests after a look at the database, however much is changing: a counter in the database tells of many
/// users at once.
const PAUSE: Duration = Duration::from_millis(200);

/// What is seen without news is seen after this time; as the memory of callers does it.
const MAX_AGE: Duration = Duration::from_secs(60);

/// Whoever has a connection that lasts.
pub struct Vigil {
    app: App,
    visitor: Visitor,
    caller: Arc<SignedIn>,
    /// The ledger's instant from before the last look at the database.
    instant: u64,
    looked: Instant,
}

impl Visitor {
    /// Lets a signed-in caller stay.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] with what is wrong with the credentials; those of the database.
    pub async fn stay(self, app: &App) -> Result<Vigil> {
        let (instant, looked) = (app.memory.instant(), Instant::now());
        let requester = self.clone().identify(app).await?;
        requester.known()?;
        let Identity::SignedIn(caller) = requester.identity else {
            return Err(Error::internal("a caller without an identity is known"));
        };
        Ok(Vigil { app: app.clone(), visitor: self, caller, instant, looked })
    }
}

impl Vigil {
    /// The caller, as of the last look.
    pub fn caller(&self) -> &SignedIn {
        &self.caller
    }

    /// The caller as whoever sends a request, as of the last look.
    pub fn requester(&self) -> Requester {
        Requester { identity: Identity::SignedIn(Arc::clone(&self.caller)), client: self.visitor.client.clone() }
    }

    /// Waits until something may have changed or ended, half a second at most, and looks again. Tells whether what was
    /// read from the database until now may be old.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the caller would not be let in any more; those of the database.
    pub async fn look(&mut self) -> Result<bool> {
        let (app, user_id) = (&self.app, self.caller.user.id);
        let ledger = app.db.ledger();
        timeout(PERIOD, ledger.is_overtaken(user_id, self.instant)).await.ok();
        let is_old =
            !ledger.is_trusted() || !ledger.is_current(user_id, self.instant) || self.looked.elapsed() >= MAX_AGE;
        let _turn = if is_old {
            sleep_until((self.looked + PAUSE).into()).await;
            app.streams.turn().await
        } else {
            None
        };
        let (instant, looked) = (ledger.instant(), Instant::now());
        let Credentials::Bearer(token) = &self.visitor.credentials else {
            return Err(Error::internal("a caller without a token stays"));
        };
        let requester = Requester { identity: check(app, token).await?, client: self.visitor.client.clone() };
        requester.known()?;
        if let Identity::SignedIn(caller) = requester.identity {
            self.caller = caller;
        }
        if is_old {
            (self.instant, self.looked) = (instant, looked);
        }
        Ok(is_old)
    }

    /// Waits until the caller would not be let in any more, and tells why.
    pub async fn is_over(&mut self) -> Error {
        loop {
            if let Err(error) = self.look().await {
                return error;
            }
        }
    }
}
