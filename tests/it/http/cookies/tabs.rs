//! Several tabs with one cookie jar: no response removes the cookie of another (users.md, demand 1).

use super::*;

/// X2
#[tokio::test]
async fn two_tabs_refreshing_get_the_same_cookies() {
    let (_app, browser) = ann().await;
    browser.login("REFRESH_COOKIE").await;
    let second = Browser { jar: Arc::new(Mutex::new(browser.jar.lock().unwrap().clone())), ..browser.clone() };
    let answers = [browser.refresh().await, second.refresh().await];
    assert_eq!(answers[0].data()["refresh"]["outcome"], "ROTATED");
    assert_eq!(answers[1].data()["refresh"]["outcome"], "REPLAYED");
    assert_eq!(browser.cookie(REFRESH), second.cookie(REFRESH));
    assert!(browser.cookie(REFRESH).is_some());
    assert_eq!(browser.refresh().await.data()["refresh"]["outcome"], "ROTATED", "the session is alive");
}

/// X2: when a refresh is refused, another tab may have logged in again.
#[tokio::test]
async fn refresh_that_lost_the_race_keeps_the_new_cookie() {
    let (app, browser) = ann().await;
    browser.login("REFRESH_COOKIE").await;
    let oldest = browser.cookie(REFRESH).unwrap();
    browser.refresh().await;
    browser.refresh().await;
    let before = browser.jar.lock().unwrap().clone();
    let late = |token: &str| {
        let tab = Browser { jar: Arc::default(), ..browser.clone() };
        tab.put_cookie(REFRESH, token);
        tab
    };
    for (token, code) in
        [("junk", "REFRESH_TOKEN_INVALID"), (&oldest, "REFRESH_TOKEN_REUSED"), (&oldest, "SESSION_ENDED")]
    {
        let answer = late(token).refresh().await;
        assert_eq!(answer.payload_error("refresh").as_deref(), Some(code));
        assert_eq!(set_cookies(&answer), [""; 0], "{code}");
    }
    app.clock.advance(TimeDelta::days(15));
    let answer = browser.refresh().await;
    assert_eq!(answer.payload_error("refresh").as_deref(), Some("SESSION_ENDED"));
    assert_eq!(*browser.jar.lock().unwrap(), before);
}

/// X2: logout clears only the cookies of the session it ended.
#[tokio::test]
async fn only_invalid_cookies_are_cleared() {
    let (_app, browser) = ann().await;
    let body = browser.login("BODY").await;
    let body = browser.with_token(body.data()["login"]["tokens"]["accessToken"].as_str().unwrap());
    browser.login("COOKIES").await;
    let answer = body.logout().await;
    assert_eq!(answer.data()["logout"]["revokedSessionCount"], 1);
    assert_eq!(set_cookies(&answer), [""; 0], "the header's session ended, the cookie's did not");
    assert_eq!(browser.me().await, signed_in());

    let others = "mutation { logout(input: { scope: OTHERS }) { revokedSessionCount } }";
    assert_eq!(set_cookies(&browser.send(others).await), [""; 0]);
    let again = format!(
        "mutation {{ logout {{ ok }} login(input: {{ username: \"ann\", password: \"{PASSWORD}\", transport: COOKIES }}) {{ {TOKENS} }} }}"
    );
    browser.send(&again).await.data();
    assert_eq!(browser.me().await, signed_in(), "cookies set after the logout stay");
    let reversed = format!(
        "mutation {{ login(input: {{ username: \"ann\", password: \"{PASSWORD}\", transport: COOKIES }}) {{ {TOKENS} }} logout {{ ok }} }}"
    );
    browser.send(&reversed).await.data();
    assert_eq!(browser.me().await, signed_in(), "the logout ended the calling session only");
    let renewed = browser.send("mutation { refresh { outcome } logout { ok } }").await;
    assert_eq!(renewed.data()["refresh"]["outcome"], "ROTATED");
    assert!(browser.jar.lock().unwrap().is_empty(), "the refreshed session has ended");

    browser.put_cookie(REFRESH, "junk");
    browser.put_cookie(ACCESS, "junk");
    browser.logout().await;
    assert!(browser.jar.lock().unwrap().is_empty());
}

/// X2: the longest token that a user's roles can produce.
#[tokio::test]
async fn longest_token_fits_into_a_cookie() {
    let (app, browser) = ann().await;
    let root = app.admin("root").await;
    let names: Vec<String> = (0..23).map(|number| format!("{number:-<62}")).collect();
    for name in &names {
        root.mutate_ok("saveRole", json!({ "name": name, "permissions": [] }), "role { name }").await;
    }
    let user = app.login("ann", PASSWORD).await;
    root.mutate_ok("setUserRoles", json!({ "userId": user.id, "roles": names }), "user { id }").await;
    browser.login("COOKIES").await;
    let access = browser.cookie(ACCESS).unwrap();
    assert!(access.len() > 2_000 && ACCESS.len() + access.len() <= 4_096, "{}", access.len());
    assert_eq!(browser.me().await, signed_in());
}
