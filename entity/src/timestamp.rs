//! Points in time as every table stores them.

use sea_orm::DeriveValueType;
use sea_orm::prelude::ChronoDateTimeUtc;

/// A point in time: milliseconds since the Unix epoch, UTC, in a BIGINT column.
///
/// An integer is exact and compares alike on all three databases; their text and TIMESTAMP columns
/// round, sort and shift by time zone each in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Milliseconds since the Unix epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// The same point in calendar form; what lies outside the calendar becomes its nearest end.
    pub fn utc(self) -> ChronoDateTimeUtc {
        ChronoDateTimeUtc::from_timestamp_millis(self.0).unwrap_or(if self.0 < 0 {
            ChronoDateTimeUtc::MIN_UTC
        } else {
            ChronoDateTimeUtc::MAX_UTC
        })
    }
}

impl From<ChronoDateTimeUtc> for Timestamp {
    /// Drops what is finer than a millisecond.
    fn from(time: ChronoDateTimeUtc) -> Self {
        Self(time.timestamp_millis())
    }
}
