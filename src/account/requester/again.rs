//! A caller looked up again, by the transaction that acts in the caller's name.

use chrono::{DateTime, Utc};

use super::{Proof, SignedIn};
use crate::account::api_token::ApiToken;
use crate::account::role;
use crate::account::session::is_live;
use crate::error::{Error, Result, TokenFault};
use crate::store::sessions::Found;
use crate::store::{Writes, api_tokens, roles, sessions, users};

impl SignedIn {
    /// The caller as of now, with the row of the user and the roles locked until the transaction ends.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if the session or the API token has ended, or the user was disabled or deleted.
    pub(in crate::account) async fn look_again(&self, tx: &impl Writes, now: DateTime<Utc>) -> Result<Self> {
        let ended = || Error::Unauthenticated(TokenFault::SessionEnded);
        let user = users::lock_by_number(tx, self.user.id).await?.ok_or_else(ended)?;
        if !user.is_active() {
            return Err(ended());
        }
        roles::lock_of_user(tx, user.id).await?;
        match &self.proof {
            Proof::Session(session) => {
                let found = sessions::find_signed_in(tx, session.uid).await?;
                let Found { session, user, grants } =
                    found.filter(|found| is_live(&found.session, now)).ok_or_else(ended)?;
                Ok(Self { user, proof: Proof::Session(session), access: role::access_by(grants) })
            }
            Proof::ApiToken(token) => {
                let row = api_tokens::find(tx, token.row.id).await?;
                let token = row.map(ApiToken::from).filter(|token| token.is_usable(now)).ok_or_else(ended)?;
                let access = token.narrow(role::access_of(tx, user.id).await?);
                Ok(Self { user, proof: Proof::ApiToken(token), access })
            }
        }
    }
}
