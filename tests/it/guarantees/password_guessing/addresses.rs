//! Limits of failed logins per address.

use chrono::TimeDelta;

use super::{LIMITED, invalid_credentials, login, login_error, too_many_attempts};
use crate::support::{PASSWORD, TestApp};

/// A2, A3, A12
#[tokio::test]
async fn address_limit_counts_failed_logins_only() {
    let app = TestApp::with(LIMITED).await;
    for name in ["ann", "bob"] {
        app.user(name).await;
    }
    let office = app.anonymous().at_address("192.0.2.7");
    for _ in 0..30 {
        assert_eq!(login_error(&login(&office, "ann", PASSWORD, None).await).0, "none");
    }
    for number in 0..10 {
        assert_eq!(login_error(&login(&office, &format!("name{number}"), "x", None).await), invalid_credentials());
        assert_eq!(
            login_error(&login(&office, "ann", PASSWORD, None).await).0,
            if number < 9 { "none" } else { "TOO_MANY_ATTEMPTS" }
        );
    }
    assert_eq!(login_error(&login(&office, "bob", PASSWORD, None).await), too_many_attempts(6));
    assert_eq!(login_error(&login(&app.anonymous().at_address("192.0.2.8"), "bob", PASSWORD, None).await).0, "none");
    app.clock.advance(TimeDelta::seconds(6));
    assert_eq!(login_error(&login(&office, "bob", PASSWORD, None).await).0, "none");

    for number in 0..10 {
        let address = format!("2001:db8:1:2::{number:x}");
        assert_eq!(
            login_error(&login(&app.anonymous().at_address(&address), &format!("v6{number}"), "x", None).await),
            invalid_credentials()
        );
    }
    assert_eq!(
        login_error(&login(&app.anonymous().at_address("2001:db8:1:2:ffff::"), "v6", "x", None).await),
        too_many_attempts(6)
    );
    assert_eq!(
        login_error(&login(&app.anonymous().at_address("2001:db8:1:3::"), "v6", "x", None).await),
        invalid_credentials()
    );
}
