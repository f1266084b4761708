//! Validation of new passwords.

use entity::user;
use secrecy::SecretString;

use crate::app::App;
use crate::error::{PasswordViolation, Refusal, RefusalCode, Result};

/// The names that the password must not equal.
pub(in crate::account) fn forbidden_names(user: &user::Model) -> Vec<String> {
    [Some(&user.username), user.email.as_ref(), user.display_name.as_ref()].into_iter().flatten().cloned().collect()
}

/// Requires that the password policy accepts `password` for a user with these `names`.
pub(in crate::account) async fn check_policy(
    app: &App,
    password: &SecretString,
    names: Vec<String>,
    field: &'static str,
) -> Result<()> {
    let violations = app.password_policy.violations(password, names).await?;
    if violations.is_empty() {
        return Ok(());
    }
    let reasons: Vec<String> = violations.iter().map(|violation| explanation(*violation, app)).collect();
    let message = format!("choose a stronger password: {}", reasons.join("; "));
    Err(Refusal { violations, ..Refusal::new(RefusalCode::WeakPassword, message).for_field(field) }.into())
}

fn explanation(violation: PasswordViolation, app: &App) -> String {
    match violation {
        PasswordViolation::TooShort => format!("it needs at least {} characters", app.password_policy.min_length()),
        PasswordViolation::TooLong => "it may have at most 256 characters".to_owned(),
        PasswordViolation::TooCommon => "it is on the list of common passwords".to_owned(),
        PasswordViolation::ContainsIdentity => "it is a name of the account".to_owned(),
        PasswordViolation::Guessable => "it is easy to guess".to_owned(),
    }
}
