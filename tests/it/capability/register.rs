//! Registration: an anonymous caller creates a user and gets a session.

use crate::support::{PASSWORD, TestApp};
use chrono::TimeDelta;
use serde_json::json;

fn one(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}

#[tokio::test]
async fn registration_returns_a_session() {
    let app = TestApp::new().await;
    let input = json!({
        "username": " Ann ", "password": PASSWORD, "email": "Ann@Example.ORG", "displayName": "Ann Lee",
        "deviceName": "kitchen",
    });
    let wanted = "status user { id username email displayName roles status mustChangePassword }
        session { id current deviceName } tokens { tokenType accessToken refreshToken expiresIn refreshExpiresIn }";
    let payload = app.anonymous().mutate_ok("register", input, wanted).await;
    assert_eq!(payload["status"], "SIGNED_IN");
    assert_eq!(payload["session"]["current"], true);
    assert_eq!(payload["session"]["deviceName"], "kitchen");
    assert_eq!(payload["tokens"]["tokenType"], "Bearer");
    assert_eq!(payload["tokens"]["expiresIn"], 900);
    assert_eq!(payload["tokens"]["refreshExpiresIn"], 14 * 86_400);
    let user = json!({
        "id": payload["user"]["id"], "username": "Ann", "email": "Ann@example.org", "displayName": "Ann Lee",
        "roles": [], "status": "ACTIVE", "mustChangePassword": false,
    });
    assert_eq!(payload["user"], user);
    let ann = app.anonymous().signed_in(&payload);
    assert_eq!(ann.me_code().await, None);
}

/// Q5
#[tokio::test]
async fn registration_of_taken_username_is_refused_in_any_spelling() {
    let app = TestApp::new().await;
    app.user("straße").await;
    app.user("admin").await;
    for name in ["admin", "ADMIN", " admin ", "\tAdmin\n", "ａdmin", "Ａｄｍｉｎ", "STRASSE", "straße", "Straſſe"]
    {
        let refusals =
            app.anonymous().payload_errors("register", json!({ "username": name, "password": PASSWORD })).await;
        assert_eq!(refusals, one("USERNAME_TAKEN", "input.username"), "{name:?}");
    }
    let disguised = json!({ "username": "аdmin", "password": PASSWORD });
    let refusals = app.anonymous().payload_errors("register", disguised).await;
    assert_eq!(refusals, one("INVALID_USERNAME", "input.username"), "a Cyrillic letter among Latin ones");
    for name in ["ádmin", "admın", "admin1"] {
        let refusals =
            app.anonymous().payload_errors("register", json!({ "username": name, "password": PASSWORD })).await;
        assert_eq!(refusals, [], "{name:?} is another name");
    }
}

/// Q6
#[tokio::test]
async fn registration_of_taken_email_is_refused_in_any_spelling() {
    let app = TestApp::new().await;
    let register = async |name: &str, email: &str| {
        let input = json!({ "username": name, "email": email, "password": PASSWORD });
        app.anonymous().payload_errors("register", input).await
    };
    assert_eq!(register("ann", "ann@bücher.example").await, []);
    for email in [
        "ann@bücher.example",
        "ANN@BÜCHER.EXAMPLE",
        "ann@xn--bcher-kva.example",
        " ann@xn--bcher-kva.example ",
        "ａnn@xn--bcher-kva.example",
    ] {
        assert_eq!(register("bob", email).await, one("EMAIL_TAKEN", "input.email"), "{email:?}");
    }
    assert_eq!(register("bob", "ann@buecher.example").await, []);
}

#[tokio::test]
async fn registration_reports_every_invalid_field() {
    let app = TestApp::new().await;
    let input = json!({
        "username": "a b", "email": "nobody", "displayName": " ", "password": PASSWORD, "deviceName": "\u{7}",
    });
    let refusals = app.anonymous().payload_errors("register", input).await;
    let expected = [
        ("INVALID_USERNAME", "input.username"),
        ("INVALID_EMAIL", "input.email"),
        ("INVALID_NAME", "input.displayName"),
        ("INVALID_NAME", "input.deviceName"),
    ];
    assert_eq!(refusals, expected.map(|(code, path)| (code.to_owned(), path.to_owned())));
    assert_eq!(app.user("ann").await.me_code().await, None, "no user was created");
}

/// Q5: the unique index decides, not an earlier check.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_registrations_of_one_name_succeed_once() {
    let app = TestApp::new().await;
    let spellings = ["ann", "ANN", " Ann", "ａnn", "aNN ", "Ａnn"];
    let racers: Vec<_> = (0..30)
        .map(|number| {
            let anonymous = app.anonymous();
            let input = json!({ "username": spellings[number % spellings.len()], "password": PASSWORD });
            tokio::spawn(async move { anonymous.mutate_retrying("register", input, "errors { code path }").await })
        })
        .collect();
    let mut winners = 0;
    for racer in racers {
        match racer.await.unwrap().data()["register"]["errors"].as_array().unwrap().as_slice() {
            [] => winners += 1,
            errors => assert_eq!(errors, [json!({ "code": "USERNAME_TAKEN", "path": ["input", "username"] })]),
        }
    }
    assert_eq!(winners, 1);
}

/// C1 C3
#[tokio::test]
async fn registration_with_weak_password_is_refused_with_reasons() {
    let app = TestApp::new().await;
    let weak = [
        ("sunshine", vec!["TOO_COMMON"]),
        ("kestrel-42", vec!["CONTAINS_IDENTITY", "GUESSABLE"]),
        ("KESTREL-42", vec!["CONTAINS_IDENTITY", "GUESSABLE"]),
        ("hß9§kQz", vec!["TOO_SHORT"]),
    ];
    for (password, lacks) in weak {
        let input = json!({ "username": "ann", "email": "kestrel-42@example.org", "password": password });
        let answer = app.anonymous().mutate("register", input, "user { id } errors { code path violations }").await;
        let payload = &answer.data()["register"];
        assert_eq!(payload["user"], json!(null));
        let error = &payload["errors"][0];
        assert_eq!(error["code"], "WEAK_PASSWORD", "{password}");
        assert_eq!(error["path"], json!(["input", "password"]));
        let found: Vec<_> = error["violations"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        assert!(lacks.iter().any(|lack| found.contains(lack)), "{password}: {found:?}");
    }
    let long = "x9§kQzß7".repeat(32) + "!";
    let input = json!({ "username": "ann", "password": long });
    let answer = app.anonymous().mutate("register", input, "errors { violations }").await;
    assert_eq!(answer.data()["register"]["errors"][0]["violations"], json!(["TOO_LONG"]));
}

#[tokio::test]
async fn registration_in_admin_mode_is_refused() {
    for mode in ["admin", "closed"] {
        let app = TestApp::with(&[("ACCOUNTD_REGISTRATION__MODE", mode)]).await;
        let input = json!({ "username": "ann", "password": PASSWORD });
        assert_eq!(app.anonymous().payload_errors("register", input).await, one("REGISTRATION_CLOSED", ""), "{mode}");
        let root = app.admin("root").await;
        let refusals = root.payload_errors("createUser", json!({ "username": "ann", "password": PASSWORD })).await;
        let expected = if mode == "admin" { Vec::new() } else { one("REGISTRATION_CLOSED", "") };
        assert_eq!(refusals, expected, "{mode}");
    }
}

/// S16
#[tokio::test]
async fn tokens_of_the_previous_owner_of_a_name_are_refused() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let first = app.user("ann").await;
    root.mutate_ok("setUserRoles", json!({ "userId": first.id, "roles": ["admin"] }), "user { roles }").await;
    root.mutate_ok("deleteUser", json!({ "userId": first.id }), "deletedUserId").await;

    let second = app.user("ann").await;
    assert_ne!(second.id, first.id);
    let who = second.send("{ me { id roles sessions { totalCount } } }", json!({})).await;
    assert_eq!(who.data()["me"], json!({ "id": second.id, "roles": [], "sessions": { "totalCount": 1 } }));
    assert_eq!(first.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    let again = first.refresh(first.refresh_token.as_deref().unwrap()).await;
    assert_eq!(again.payload_error("refresh").as_deref(), Some("SESSION_ENDED"));
    let old_logout = first.mutate("logout", json!({ "scope": "ALL" }), "ok revokedSessionCount").await;
    assert_eq!(old_logout.data()["logout"], json!({ "ok": true, "revokedSessionCount": 0 }));
    assert_eq!(second.me_code().await, None);

    app.clock.advance(TimeDelta::minutes(1));
    let app = app.restart().await;
    assert_eq!(app.reconnect(&first).me_reason().await.as_deref(), Some("SESSION_ENDED"));
}

/// Invisible characters do not create lookalike names.
#[tokio::test]
async fn registration_with_invisible_characters_is_refused() {
    let app = TestApp::new().await;
    for invisible in ["\u{3164}", "\u{115f}", "\u{1160}", "\u{ffa0}", "\u{200b}", "\u{34f}", "\u{fe0f}", "\u{e0061}"] {
        let input = json!({ "username": format!("ann{invisible}"), "password": PASSWORD });
        let refusals = app.anonymous().payload_errors("register", input).await;
        assert_eq!(refusals, one("INVALID_USERNAME", "input.username"), "{:?}", invisible.escape_unicode().to_string());
    }
}

/// B4: closed registration does not reveal who has an account.
#[tokio::test]
async fn closed_registration_does_not_reveal_taken_names() {
    for mode in ["admin", "closed"] {
        let app = TestApp::with(&[("ACCOUNTD_REGISTRATION__MODE", mode)]).await;
        app.admin("root").await;
        let query = "mutation ($name: String!, $email: String) {
            register(input: { username: $name, email: $email, password: \"correct-horse-battery-7\" }) {
                status user { id } errors { code message path }
            }
        }";
        let taken = app.anonymous().send(query, json!({ "name": "root", "email": "root@example.org" })).await;
        let free = app.anonymous().send(query, json!({ "name": "nobody", "email": "nobody@example.org" })).await;
        assert_eq!(taken.payload_error("register").as_deref(), Some("REGISTRATION_CLOSED"), "{mode}");
        assert_eq!((taken.status, taken.text), (free.status, free.text), "{mode}");
    }
}

/// Keyboard patterns that overflow the strength estimate are guessable, on every route.
#[tokio::test]
async fn registration_with_keyboard_pattern_password_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    for password in ["qw".repeat(20), "12".repeat(16), "0o0O0o0O".repeat(8), "qw".repeat(128)] {
        let input = json!({ "username": "walker", "password": password });
        let answer = app.anonymous().mutate("register", input, "errors { code violations }").await;
        let error = answer.data()["register"]["errors"][0].clone();
        assert_eq!(error, json!({ "code": "WEAK_PASSWORD", "violations": ["GUESSABLE"] }), "{password}");
        let input = json!({ "currentPassword": PASSWORD, "newPassword": password });
        assert_eq!(
            ann.mutate("updatePassword", input, "errors { code }").await.payload_error("updatePassword").as_deref(),
            Some("WEAK_PASSWORD")
        );
    }
}
