//! Column type for points in time.

use sea_orm::DeriveValueType;
use sea_orm::prelude::ChronoDateTimeUtc;

/// A point in time: milliseconds since the Unix epoch, UTC, in a BIGINT column.
///
/// An integer is exact and compares equally on all three databases; their text and TIMESTAMP columns differ in
/// rounding, sorting and time zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Milliseconds since the Unix epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// The same time as a `DateTime`; clamped to its range.
    pub fn utc(self) -> ChronoDateTimeUtc {
        ChronoDateTimeUtc::from_timestamp_millis(self.0).unwrap_or(if self.0 < 0 {
            ChronoDateTimeUtc::MIN_UTC
        } else {
            ChronoDateTimeUtc::MAX_UTC
        })
    }
}

impl From<ChronoDateTimeUtc> for Timestamp {
    /// Truncates to milliseconds.
    fn from(time: ChronoDateTimeUtc) -> Self {
        Self(time.timestamp_millis())
    }
}
