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

/// X2, A4: the cookies of a response are those of the last session that an operation of the request opened.
#[tokio::test]
async fn batch_sets_the_cookies_of_its_last_session() {
    let app = TestApp::with(&[("ACCOUNTD_GRAPHQL__MAX_BATCH", "10")]).await;
    for name in ["ann", "bob"] {
        app.user(name).await;
    }
    let browser = Browser::new(&app);
    let login = |name: &str, alias: &str| {
        let input = format!("username: \"{name}\", password: \"{PASSWORD}\", transport: COOKIES");
        format!("{alias}: login(input: {{ {input} }}) {{ session {{ id }} errors {{ code }} }}")
    };
    let (ann, bob) = (login("ann", "a"), login("bob", "b"));
    let batch = |queries: &[String]| {
        let requests: Vec<Value> =
            queries.iter().map(|fields| json!({ "query": format!("mutation {{ {fields} }}") })).collect();
        let browser = browser.clone();
        async move { browser.request(Method::POST, "/graphql", "application/json", Value::from(requests).to_string()).await }
    };

    // The second password is not verified: the first session's cookies stay.
    let aliases = browser.send(&format!("mutation {{ {ann} {bob} }}")).await;
    assert_eq!(aliases.code().as_deref(), Some("ONE_CREDENTIAL_CHECK_PER_REQUEST"));
    assert_eq!(set_cookies(&aliases).len(), 2);
    assert_eq!(browser.me().await, signed_in());
    let array = batch(&[bob.clone(), ann.clone()]).await;
    assert_eq!(array.json()[1]["errors"][0]["extensions"]["code"], "ONE_CREDENTIAL_CHECK_PER_REQUEST");
    assert_eq!(set_cookies(&array).len(), 2);
    assert_eq!(browser.me().await["data"]["me"]["username"], "bob");

    // A later session of the same request replaces the cookies of an earlier one, also across the array.
    let refreshed = batch(&["refresh { outcome }".to_owned(), ann.clone()]).await;
    assert_eq!(set_cookies(&refreshed).len(), 2);
    assert_eq!(browser.me().await, signed_in());
    let before = browser.cookie(REFRESH);
    let refreshed = batch(&[bob, "refresh { session { id } }".to_owned()]).await;
    assert_eq!(set_cookies(&refreshed).len(), 2);
    assert_eq!(browser.me().await, signed_in(), "the refresh is of the cookie that the request sent");
    assert_ne!(browser.cookie(REFRESH), before);

    let logged_out = batch(&["refresh { outcome }".to_owned(), "logout { ok }".to_owned()]).await;
    assert!(set_cookies(&logged_out).iter().all(|cookie| cookie.ends_with("Max-Age=0")));
    assert!(browser.jar.lock().unwrap().is_empty(), "the refreshed session has ended");
}

/// X2: the session that replaced the caller's is not the one that the logout ends.
#[tokio::test]
async fn logout_after_password_change_keeps_the_new_cookies() {
    let (_app, browser) = ann().await;
    browser.login("COOKIES").await;
    let input = format!("currentPassword: \"{PASSWORD}\", newPassword: \"another-horse-battery-8\"");
    let query = format!("mutation {{ updatePassword(input: {{ {input} }}) {{ {TOKENS} }} logout {{ ok }} }}");
    let answer = browser.send(&query).await;
    assert_eq!(answer.data()["logout"]["ok"], true);
    assert_eq!(set_cookies(&answer).len(), 2);
    assert_eq!(browser.me().await, signed_in());
}

/// X2: a session that a logout of the same request ends leaves no cookies, and those of a live one stay.
#[tokio::test]
async fn logout_drops_the_cookies_of_a_session_that_it_ends() {
    let (_app, browser) = ann().await;
    let login_and_logout = |scope: &str| {
        let input = format!("username: \"ann\", password: \"{PASSWORD}\", transport: COOKIES");
        format!(
            "mutation {{ login(input: {{ {input} }}) {{ {TOKENS} }} logout(input: {{ scope: {scope} }}) {{ ok }} }}"
        )
    };
    browser.login("COOKIES").await;
    let others = browser.send(&login_and_logout("OTHERS")).await;
    assert_eq!((others.data()["logout"]["ok"].as_bool(), set_cookies(&others).len()), (Some(true), 0));
    assert_eq!(browser.me().await, signed_in());
    let all = browser.send(&login_and_logout("ALL")).await;
    assert_eq!(all.data()["logout"]["ok"], true);
    assert!(browser.jar.lock().unwrap().is_empty());
}
