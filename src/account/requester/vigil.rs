//! A vigil over a caller who stays: the credentials are looked at again for as long as the connection lasts.
//!
//! A stream lives as long as a request with the same token would be let in, because it is the same look. While news of
//! changes arrive and there are none, it costs the database nothing, whether callers are remembered or not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::time::{sleep_until, timeout};

use super::known::Known;
use super::{Client, Credentials, Identity, Requester, SignedIn, Visitor, look_up};
use crate::app::App;
use crate::error::{Error, RETRY_AFTER, Result, TokenFault};

/// How long nothing is looked at if nothing changes: what ends by time ends this much later, and without news of other
/// nodes their changes count as late. With the look itself that is less than the promised second.
const PERIOD: Duration = Duration::from_millis(500);

/// How long it rests after a look at the database, however much is changing: a counter in the database tells of many
/// users at once.
const PAUSE: Duration = Duration::from_millis(200);

/// What is seen without news is seen after this time; as the memory of callers does it.
const MAX_AGE: Duration = Duration::from_secs(60);

/// How long it waits for its turn at the database. Whoever waits longer knows nothing any more, and comes again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whoever has a connection that lasts.
pub struct Vigil {
    app: App,
    token: SecretString,
    client: Client,
    known: Known,
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
        let token = match self.credentials {
            Credentials::Bearer(token) => token,
            Credentials::None => return Err(Error::Unauthenticated(TokenFault::Missing)),
            Credentials::Malformed => return Err(Error::Unauthenticated(TokenFault::Malformed)),
        };
        let (instant, looked) = (app.memory.instant(), Instant::now());
        let known = let_in(app, &token).await?;
        Ok(Vigil { app: app.clone(), token, client: self.client, known, instant, looked })
    }
}

/// The caller with this token.
async fn let_in(app: &App, token: &SecretString) -> Result<Known> {
    look_up(app, token).await?.map_err(|identity| match identity {
        Identity::Rejected { fault, .. } => Error::Unauthenticated(fault),
        Identity::Anonymous | Identity::SignedIn(_) => Error::internal("a caller who is not let in was not rejected"),
    })
}

impl Vigil {
    /// The number of the account.
    pub fn user_id(&self) -> i64 {
        self.known.user_id()
    }

    /// The caller, as of the last look.
    pub fn caller(&self) -> Arc<SignedIn> {
        self.known.caller()
    }

    /// The caller as whoever sends a request, as of the last look.
    pub fn requester(&self) -> Requester {
        Requester { identity: Identity::SignedIn(self.caller()), client: self.client.clone() }
    }

    /// Waits until something may have changed or ended, half a second at most, and looks again. Tells whether what was
    /// read from the database until now may be old.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the caller would not be let in any more; those of the database.
    pub async fn look(&mut self) -> Result<bool> {
        let (app, user_id) = (&self.app, self.known.user_id());
        let ledger = app.db.ledger();
        timeout(PERIOD, ledger.is_overtaken(user_id, self.instant)).await.ok();
        let is_old =
            !ledger.is_trusted() || !ledger.is_current(user_id, self.instant) || self.looked.elapsed() >= MAX_AGE;
        if !self.known.is_good_at(app.clock.now()) {
            // A token that has expired is no matter for the database; a session may have been renewed elsewhere.
            self.known = let_in(app, &self.token).await?;
        }
        if !is_old {
            return Ok(false);
        }
        sleep_until((self.looked + PAUSE).into()).await;
        let turn = timeout(PATIENCE, app.streams.turn()).await;
        let _turn = turn.map_err(|_| Error::Busy { retry_after: RETRY_AFTER })?;
        let (instant, looked) = (ledger.instant(), Instant::now());
        self.known = let_in(app, &self.token).await?;
        (self.instant, self.looked) = (instant, looked);
        Ok(true)
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
