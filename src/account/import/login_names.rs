//! What the owner of an older account signs in with here. One rule for every format: a username that is an e-mail
//! address becomes the address, and the username is made of it.

use super::candidate::field_problem;
use super::row::LegacyUser;
use crate::account::user::email::Email;
use crate::account::user::username::Username;

/// Names to sign in with.
pub(super) struct LoginNames {
    /// The usernames that it can have, the best first.
    pub usernames: Vec<Username>,
    pub email: Option<Email>,
    /// The name that it had, where that cannot be the username and nothing else is to be shown.
    pub display_name: Option<String>,
    /// What its owner has to be told.
    pub remark: Option<String>,
}

/// A text that says something.
pub(super) fn non_blank(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

impl LoginNames {
    /// Makes them of what the row `row` has; tells what is wrong with it.
    pub fn parse(account: &LegacyUser, row: u64) -> Result<Self, String> {
        let email = non_blank(account.email.as_deref());
        let email = email.map(|text| Email::parse(&text)).transpose();
        let email = email.map_err(|refusal| field_problem("e-mail address", &refusal))?;
        let suffix = account.id.unwrap_or_else(|| i64::try_from(row).unwrap_or_default());
        let from_email = |email: Email, display_name, remark| Self {
            usernames: username_suggestions(&email, suffix),
            email: Some(email),
            display_name,
            remark,
        };
        let Some(name) = non_blank(account.username.as_deref()) else {
            let email = email.ok_or("its name is empty")?;
            return Ok(from_email(email, None, None));
        };
        if let Ok(address) = Email::parse(&name) {
            let another = email.filter(|email| email.key() != address.key());
            return Ok(match another {
                None => from_email(address, None, None),
                Some(email) => {
                    let remark = format!("its name is an address other than its e-mail address: {email} signs in");
                    Self { usernames: username_suggestions(&address, suffix), ..from_email(email, None, Some(remark)) }
                }
            });
        }
        match (Username::parse(&name), email) {
            (Ok(username), email) => Ok(Self { usernames: vec![username], email, display_name: None, remark: None }),
            (Err(refusal), None) => Err(field_problem("name cannot be used", &refusal)),
            (Err(_), Some(email)) => {
                let remark = format!("its name cannot be used: {email} signs in");
                Ok(from_email(email, Some(name), Some(remark)))
            }
        }
    }
}

/// What stands before the `@` of the address, if need be with the number.
fn username_suggestions(email: &Email, number: i64) -> Vec<Username> {
    let numbered = |base: &str| Username::parse(&format!("{base}-{number}")).ok();
    let names = Username::from_email(email).into_iter().flat_map(|base| {
        let second = numbered(base.as_str());
        [Some(base), second].into_iter().flatten()
    });
    names.chain(numbered("user")).collect()
}
