//! Login names of an imported user. In every format, a username that is an e-mail address becomes the address, and the
//! username is derived from it.

use super::row::LegacyUser;
use crate::account::names::email::Email;
use crate::account::names::username::Username;
use crate::error::Refusal;

/// Names for login.
pub(super) struct LoginNames {
    /// Possible usernames, best first.
    pub usernames: Vec<Username>,
    pub email: Option<Email>,
    /// The old name, where it cannot be the username and there is no display name.
    pub display_name: Option<String>,
    /// What the user must know to sign in.
    pub remark: Option<String>,
}

/// The trimmed text, unless it is blank.
pub(super) fn non_blank(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The problem of a field, from its refusal.
pub(super) fn field_problem(what: &str, refusal: &Refusal) -> String {
    format!("its {what}: {}", refusal.message)
}

impl LoginNames {
    /// Derives them from the row `row`.
    pub fn parse(user: &LegacyUser, row: u64) -> Result<Self, String> {
        let email = non_blank(user.email.as_deref());
        let email = email.map(|text| Email::parse(&text)).transpose();
        let email = email.map_err(|refusal| field_problem("e-mail address", &refusal))?;
        let suffix = user.id.unwrap_or_else(|| i64::try_from(row).unwrap_or_default());
        let from_email = |email: Email, display_name, remark| Self {
            usernames: username_suggestions(&email, suffix),
            email: Some(email),
            display_name,
            remark,
        };
        let Some(name) = non_blank(user.username.as_deref()) else {
            let email = email.ok_or("its username is empty")?;
            return Ok(from_email(email, None, None));
        };
        if let Ok(address) = Email::parse(&name) {
            let another = email.filter(|email| email.key() != address.key());
            return Ok(match another {
                None => from_email(address, None, None),
                Some(email) => {
                    let remark = format!("its username is another e-mail address: sign in with {email}");
                    Self { usernames: username_suggestions(&address, suffix), ..from_email(email, None, Some(remark)) }
                }
            });
        }
        match (Username::parse(&name), email) {
            (Ok(username), email) => Ok(Self { usernames: vec![username], email, display_name: None, remark: None }),
            (Err(refusal), None) => Err(field_problem("username is not allowed", &refusal)),
            (Err(_), Some(email)) => {
                let remark = format!("its username is not allowed: sign in with {email}");
                Ok(from_email(email, Some(name), Some(remark)))
            }
        }
    }
}

/// The part before the `@`, alone and with the number as a suffix.
fn username_suggestions(email: &Email, suffix: i64) -> Vec<Username> {
    let with_suffix = |base: &str| Username::parse(&format!("{base}-{suffix}")).ok();
    let names = Username::from_email(email).into_iter().flat_map(|base| {
        let second = with_suffix(base.as_str());
        [Some(base), second].into_iter().flatten()
    });
    names.chain(with_suffix("user")).collect()
}
