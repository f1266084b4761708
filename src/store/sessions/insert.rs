//! Rows of new sessions.

use entity::session::{self, Transport};
use entity::timestamp::Timestamp;
use sea_orm::Set;
use uuid::Uuid;

/// A session to add, at its first generation.
#[derive(Debug)]
pub struct NewRow {
    /// Public id.
    pub uid: Uuid,
    /// Row id of the user.
    pub user_id: i64,
    /// How tokens are sent to the client.
    pub transport: Transport,
    /// Device name given at login.
    pub device_name: Option<String>,
    /// `User-Agent` at login.
    pub user_agent: Option<String>,
    /// IP address at login.
    pub address: Option<String>,
    /// Time of the login.
    pub created_at: Timestamp,
    /// End unless it is refreshed before.
    pub idle_end_at: Timestamp,
    /// End that no refresh extends.
    pub absolute_end_at: Timestamp,
    /// `iat` of its first access token.
    pub issued_at: Timestamp,
}

impl From<NewRow> for session::ActiveModel {
    fn from(new: NewRow) -> Self {
        Self {
            uid: Set(new.uid),
            user_id: Set(new.user_id),
            generation: Set(1),
            // Generation 1 has nothing to replay, so it counts as confirmed.
            receipt: Set(1),
            transport: Set(new.transport),
            device_name: Set(new.device_name),
            user_agent: Set(new.user_agent),
            address: Set(new.address),
            created_at: Set(new.created_at),
            rotated_at: Set(new.created_at),
            last_seen_at: Set(new.created_at),
            idle_end_at: Set(new.idle_end_at),
            absolute_end_at: Set(new.absolute_end_at),
            ended_at: Set(None),
            end_reason: Set(None),
            issued_at: Set(new.issued_at),
            lowest_generation: Set(1),
            ..Default::default()
        }
    }
}
