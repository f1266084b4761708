//! One row of an older service, in words that accountd has.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use entity::secret::SecretText;
use secrecy::SecretString;

/// A row as a reader found it.
#[derive(Debug)]
pub struct Row {
    /// Where it stands: a line, a place in a list, or the number in a table.
    pub number: u64,
    /// What its account is called there.
    pub name: String,
    /// The account, or why it cannot be read.
    pub user: Result<LegacyUser, String>,
}

/// An account of an older service.
#[derive(Debug, Default)]
pub struct LegacyUser {
    /// The number that the service showed its callers.
    pub id: Option<i64>,
    /// The name to sign in with; without one it is made of the e-mail address.
    pub username: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The name that is shown.
    pub display_name: Option<String>,
    /// What its owner proves to be the owner with.
    pub password: LegacyPassword,
    /// The password that the service gave it at first, where everybody knows that.
    pub default_password: Option<&'static str>,
    /// The names of its roles.
    pub roles: Vec<String>,
    /// The number of the customer whose user it is.
    pub customer: Option<i64>,
    /// It may not sign in.
    pub is_disabled: bool,
    /// Its owner has to choose a new password before anything else.
    pub must_change_password: bool,
    /// Wrong passwords since the last login.
    pub failed_logins: i32,
    /// No login before this.
    pub locked_until: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When its owner signed in last.
    pub last_login_at: Option<DateTime<Utc>>,
    /// When the password was set.
    pub password_changed_at: Option<DateTime<Utc>>,
    /// What of it has no place here.
    pub remarks: Vec<String>,
}

/// What an older service kept of a password.
#[derive(Default)]
pub enum LegacyPassword {
    /// Nothing.
    #[default]
    None,
    /// A hash.
    Hash(SecretText),
    /// The password itself.
    Plain(SecretString),
}

impl LegacyPassword {
    /// A hash, if there is one.
    pub fn from_hash(text: Option<String>) -> Self {
        text.filter(|text| !text.is_empty()).map_or(Self::None, |text| Self::Hash(SecretText::new(text)))
    }

    /// A password, if there is one: an empty one would open the account to everybody.
    pub fn from_plain(text: Option<String>) -> Self {
        text.filter(|text| !text.is_empty()).map_or(Self::None, |text| Self::Plain(text.into()))
    }
}

impl fmt::Debug for LegacyPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Hash(_) => "Hash(..)",
            Self::Plain(_) => "Plain(..)",
        })
    }
}

/// Whether a text stands for a time at all: MySQL writes zeros where there is none.
pub(super) fn has_time(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("0000-00-00")
}

/// A point in time as older services and databases write it (ISO 8601, also with a blank for the `T`, with the hours
/// of the zone alone, or a day alone); one without a zone is taken for UTC.
pub(super) fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    let short = || DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z").map(|time| time.to_utc());
    let naive = || text.parse::<NaiveDateTime>().map(|time| time.and_utc());
    let plain = || text.strip_suffix(" UTC").unwrap_or(text);
    let spaced = || NaiveDateTime::parse_from_str(plain(), "%Y-%m-%d %H:%M:%S%.f").map(|time| time.and_utc());
    let day = || text.parse::<NaiveDate>().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    let time = zoned.or_else(|_| short()).or_else(|_| naive()).or_else(|_| spaced()).or_else(|_| day()).ok();
    // Years of more digits cannot be shown as RFC 3339.
    time.filter(|time| (0..=9_999).contains(&time.year()))
}
