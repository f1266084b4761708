//! Times in responses.

use chrono::{DateTime, SecondsFormat, Utc};

/// ISO 8601 with seconds and the offset, such as `2018-07-29T11:59:29+00:00`.
pub(super) fn to_iso8601(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, false)
}
