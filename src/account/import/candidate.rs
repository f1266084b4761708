//! A row whose fields are fit for an account here, before anybody looked whether there is room for it.

use chrono::{DateTime, Utc};
use entity::secret::SecretText;
use secrecy::{ExposeSecret, SecretString};

use super::login::{Login, given};
use super::row::{OldPassword, Row};
use crate::account::canonical::canonical;
use crate::account::email::Email;
use crate::account::name::Name;
use crate::account::role::{MAX_KEY_LENGTH, MAX_NAMES, MAX_NAMES_BYTES};
use crate::account::username::Username;
use crate::error::Refusal;
use crate::security::policy::MAX_BYTES;
use crate::security::secret::hash;
use crate::security::stored::{Stored, Unusable, has_form_of_hash, unwrapped};

/// Highest number that is kept. Later users get higher ones, and JSON in browsers writes none from 2^53 on
/// exactly: half of them are left.
const MAX_NUMBER: i64 = 1 << 52;

/// Most failures in a row that are kept: one more, and the account would be locked for a day.
const MAX_FAILURES: i32 = 99;

/// What is wrong with one row, or worth knowing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where the row stands.
    pub row: u64,
    /// What its account is called there.
    pub name: String,
    /// What there is to say.
    pub text: String,
}

/// An account that is fit to be made.
#[derive(Debug)]
pub(super) struct Candidate {
    pub row: u64,
    pub name: String,
    /// What it is known again by when the import is repeated.
    pub source: String,
    /// The usernames that it can have, the best first.
    pub usernames: Vec<Username>,
    pub email: Option<Email>,
    pub display_name: Option<Name>,
    pub password: Password,
    pub roles: Vec<Name>,
    pub old: Kept,
    /// What of it has no place here.
    pub left_out: Vec<String>,
}

/// What the account's owner can sign in with.
pub(super) enum Password {
    Hash(SecretText),
    Plain(SecretString),
    /// Nothing, and why.
    None(String),
}

impl Password {
    /// Whether it is `text`.
    fn is(&self, text: &str) -> bool {
        match self {
            Self::Hash(hash) => Stored::parse(hash.expose()).is_ok_and(|stored| stored.is_of(text)),
            Self::Plain(plain) => plain.expose_secret() == text,
            Self::None(_) => false,
        }
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// What is taken over as it stands.
#[derive(Debug)]
pub(super) struct Kept {
    pub number: Option<i64>,
    pub customer: Option<i64>,
    pub disabled: bool,
    pub must_change_password: bool,
    pub failures: i32,
    pub locked_until: Option<DateTime<Utc>>,
    pub created_at: Option<DateTime<Utc>>,
    pub last_login_at: Option<DateTime<Utc>>,
    pub password_changed_at: Option<DateTime<Utc>>,
}

impl Candidate {
    /// Parses a row of the service `format`.
    pub fn parse(format: &str, row: Row, now: DateTime<Utc>) -> Result<Self, Finding> {
        let Row { number, name, account } = row;
        let refused = |text: String| Finding { row: number, name: name.clone(), text };
        let account = account.map_err(&refused)?;
        let mut left_out = account.left_out.clone();
        let login = Login::parse(&account, number).map_err(&refused)?;
        left_out.extend(login.remark);
        let (usernames, email) = (login.usernames, login.email);
        let display_name = given(account.display_name.as_deref()).or(login.display_name);
        let display_name = display_name.and_then(|name| {
            Name::parse(&name).inspect_err(|refusal| left_out.push(blaming("display name is left out", refusal))).ok()
        });
        let roles = roles(&account.roles).map_err(&refused)?;
        let key = usernames.first().map(Username::key).unwrap_or_default();
        let source = source(format, account.number, email.as_ref().map_or(key, Email::key).as_str());
        let kept = account.number.filter(is_kept_number);
        if kept != account.number {
            left_out.push("its number is out of range".to_owned());
        }
        // A clock that was ahead, or in another zone, makes nothing of the future.
        let past = |time: Option<DateTime<Utc>>| time.map(|time| time.min(now));
        let old = Kept {
            number: kept,
            customer: account.customer,
            disabled: account.disabled,
            must_change_password: account.must_change_password,
            failures: account.failures.clamp(0, MAX_FAILURES),
            locked_until: account.locked_until,
            created_at: past(account.created_at),
            last_login_at: past(account.last_login_at),
            password_changed_at: past(account.password_changed_at),
        };
        let password = password(account.password, &mut left_out);
        let must_change_password = account.must_change_password
            || account.default_password.is_some_and(|text| {
                let is_kept = password.is(text);
                if is_kept {
                    left_out.push("its password is the one that the service came with: it must be changed".to_owned());
                }
                is_kept
            });
        let old = Kept { must_change_password, ..old };
        Ok(Self { row: number, name, source, usernames, email, display_name, password, roles, old, left_out })
    }

    /// What there is to say about it.
    pub fn finding(&self, text: impl Into<String>) -> Finding {
        Finding { row: self.row, name: self.name.clone(), text: text.into() }
    }

    /// Why its owner cannot sign in, if that is so.
    pub fn is_shut_out(&self, is_tenant_disabled: bool) -> Option<String> {
        let disabled = self.old.disabled.then(|| "it is disabled".to_owned());
        let tenant = is_tenant_disabled.then(|| "its tenant is disabled".to_owned());
        let lacking = match &self.password {
            Password::None(why) => Some(why.clone()),
            Password::Hash(_) | Password::Plain(_) => None,
        };
        let reasons: Vec<String> = [disabled, tenant, lacking].into_iter().flatten().collect();
        (!reasons.is_empty()).then(|| reasons.join(", and "))
    }
}

/// Whether a number can be kept, if it is free.
pub(super) fn is_kept_number(number: &i64) -> bool {
    (1..=MAX_NUMBER).contains(number)
}

/// The name of one row of an older service, for the next import.
pub(super) fn source(format: &str, number: Option<i64>, key: &str) -> String {
    let number = number.map(|number| number.to_string()).unwrap_or_default();
    hash(&format!("{format}\0{number}\0{key}"))
}

pub(super) fn blaming(what: &str, refusal: &Refusal) -> String {
    format!("its {what}: {}", refusal.message)
}

fn roles(names: &[String]) -> Result<Vec<Name>, String> {
    let mut roles: Vec<Name> = Vec::new();
    for name in names {
        let role = Name::parse(name).map_err(|refusal| blaming("roles", &refusal))?;
        if canonical(role.as_str()).chars().count() > MAX_KEY_LENGTH {
            return Err("its roles: use a shorter name".to_owned());
        }
        if !roles.iter().any(|other| other.key() == role.key()) {
            roles.push(role);
        }
    }
    let shown: Vec<&str> = roles.iter().map(Name::as_str).collect();
    if roles.len() > MAX_NAMES || serde_json::json!(shown).to_string().len() > MAX_NAMES_BYTES {
        return Err("its roles are too many for a token".to_owned());
    }
    Ok(roles)
}

/// What can be verified of it. A hash that stands for a password is one all the same: taken for a password, it would
/// let in whoever stole it.
fn password(old: OldPassword, remarks: &mut Vec<String>) -> Password {
    match old {
        OldPassword::None => Password::None("it has no password".to_owned()),
        OldPassword::Plain(text) if text.expose_secret().len() > MAX_BYTES => {
            Password::None("its password is longer than 1,024 bytes".to_owned())
        }
        OldPassword::Plain(text) if has_form_of_hash(text.expose_secret()) => {
            let hash = unwrapped(text.expose_secret());
            match storable(&hash) {
                Ok(stored) => {
                    remarks.push(format!("its password is a hash of {}: it is verified as one", stored.scheme()));
                    Password::Hash(SecretText::new(hash))
                }
                Err(why) => Password::None(format!("its password has the form of a hash, and {}", why.explanation())),
            }
        }
        OldPassword::Plain(text) => Password::Plain(text),
        OldPassword::Hash(text) => {
            let hash = unwrapped(text.expose());
            match storable(&hash) {
                Ok(_) => Password::Hash(SecretText::new(hash)),
                Err(why) => Password::None(why.explanation().to_owned()),
            }
        }
    }
}

/// A hash that can be computed and stored: none has control characters, and PostgreSQL takes no text with a NUL.
fn storable(hash: &str) -> Result<Stored, Unusable> {
    if hash.chars().any(char::is_control) { Err(Unusable::Malformed) } else { Stored::parse(hash) }
}
