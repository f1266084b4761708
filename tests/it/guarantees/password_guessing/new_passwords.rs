//! Checks of new passwords are limited, whatever their result.

use serde_json::json;

use super::LIMITED;
use crate::support::{PASSWORD, TestApp};

/// Refused registrations are counted before the password check, and a request checks one password.
#[tokio::test]
async fn registration_attempts_are_rate_limited() {
    let app = TestApp::with(LIMITED).await;
    let one = "register(input: { username: \"nobody\", password: \"12345678\" }) { errors { code } }";
    let ten = (0..10).map(|alias| format!("a{alias}: {one} ")).collect::<String>();
    let jobs = app.app.hasher.jobs();
    let answer = app.anonymous().at_address("192.0.2.8").send(&format!("mutation {{ {ten} }}"), json!({})).await;
    assert_eq!(answer.text.matches("ONE_CREDENTIAL_CHECK_PER_REQUEST").count(), 9, "{}", answer.text);
    assert_eq!(app.app.hasher.jobs() - jobs, 1);
    let client = app.anonymous().at_address("192.0.2.7");
    let (mut weak, jobs) = (0, app.app.hasher.jobs());
    for _ in 0..100 {
        let answer = client.send(&format!("mutation {{ {one} }}"), json!({})).await;
        weak += u64::from(answer.text.contains("WEAK_PASSWORD"));
    }
    assert_eq!((weak, app.app.hasher.jobs() - jobs), (60, 60));
}

/// An authenticated user has the same limit, with the right password, too.
#[tokio::test]
async fn password_change_attempts_are_rate_limited() {
    let app = TestApp::with(LIMITED).await;
    let ann = app.user("ann").await;
    let mut weak = 0;
    for _ in 0..100 {
        let input = json!({ "currentPassword": PASSWORD, "newPassword": "12345678" });
        let answer = ann.mutate_retrying("updatePassword", input, "errors { code retryAfter }").await;
        weak += u32::from(answer.text.contains("WEAK_PASSWORD"));
    }
    assert_eq!(weak, 60);
}
