//! Reloads the caller inside the transaction that acts for it.

use chrono::{DateTime, Utc};

use super::api_token::ApiToken;
use super::requester::{Caller, Credential};
use crate::account::access::grants;
use crate::account::session_lifetime::is_live;
use crate::error::{Error, Result, TokenError};
use crate::store::sessions::{self, SessionWithGrants};
use crate::store::{TracksChanges, api_tokens, roles, users};

impl Caller {
    /// The current state of the caller; locks the rows of the user and its roles until the transaction ends.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if the session or the API token has ended, or the user was disabled or deleted.
    pub(in crate::account) async fn reload(&self, tx: &impl TracksChanges, now: DateTime<Utc>) -> Result<Self> {
        let ended = || Error::Unauthenticated(TokenError::SessionEnded);
        let user = users::lock_by_id(tx, self.user.id).await?.ok_or_else(ended)?;
        if !user.is_active() {
            return Err(ended());
        }
        roles::lock_of_user(tx, user.id).await?;
        match &self.credential {
            Credential::Session(session) => {
                let found = sessions::find_with_grants(tx, session.uid).await?;
                let SessionWithGrants { session, user, grants } =
                    found.filter(|found| is_live(&found.session, now)).ok_or_else(ended)?;
                Ok(Self { user, credential: Credential::Session(session), access: grants::access_from_grants(grants) })
            }
            Credential::ApiToken(token) => {
                let row = api_tokens::find(tx, token.row.id).await?;
                let token = row.map(ApiToken::from).filter(|token| token.is_usable(now)).ok_or_else(ended)?;
                let access = token.narrow(grants::access_of(tx, user.id).await?);
                Ok(Self { user, credential: Credential::ApiToken(token), access })
            }
        }
    }
}
