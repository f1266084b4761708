//! Claims: each is present, of its type, of its session and within its time; otherwise the token is refused.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::token_forging::{
    TokenForge, assert_nothing_changed, assert_refused, claims_of, with_claim, without_claim,
};

/// J10 J11 J12 J13 J14
#[tokio::test]
async fn token_with_missing_extra_or_mistyped_claim_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forge = TokenForge::with_server_key(&app).await;
    for (typ, token) in [("at+jwt", ann.token.clone().unwrap()), ("rt+jwt", ann.refresh_token.clone().unwrap())] {
        let (header, claims) = (forge.header(typ), claims_of(&token));
        let names: Vec<String> = claims.as_object().unwrap().keys().cloned().collect();
        for name in &names {
            assert_refused(&ann, &forge.sign(&header, without_claim(&claims, name)), &format!("{typ} without {name}"))
                .await;
            for value in [json!(null), json!({}), json!([]), json!(true), json!(1.5), json!([claims[name]])] {
                if *name == "roles" && value == json!([]) {
                    continue;
                }
                let text = format!("{typ} with {name} = {value}");
                assert_refused(&ann, &forge.sign(&header, with_claim(&claims, name, value)), &text).await;
            }
            let other = if claims[name].is_string() { json!(1) } else { json!("1") };
            let text = format!("{typ} with {name} = {other}");
            assert_refused(&ann, &forge.sign(&header, with_claim(&claims, name, other)), &text).await;
        }
        for (name, value) in [
            ("nbf", json!(0)),
            ("nbf", json!("0")),
            ("scope", json!("all")),
            ("admin", json!(true)),
            ("iss", json!("Accountd")),
            ("iss", json!("accountd.evil.example")),
            ("iss", json!("account")),
            ("iss", json!("")),
            ("aud", json!("another-service")),
            ("aud", json!("ACCOUNTD")),
            ("aud", json!(["accountd", "another-service"])),
            ("sub", json!("")),
            ("sub", json!("usr_x")),
            ("sub", json!("1")),
            ("sub", json!(claims["sid"])),
            ("sid", json!("")),
            ("sid", json!(claims["sub"])),
            ("gen", json!(2_147_483_648_i64)),
        ] {
            let text = format!("{typ} with {name} = {value}");
            assert_refused(&ann, &forge.sign(&header, with_claim(&claims, name, value)), &text).await;
        }
    }
    assert_nothing_changed(&app, &ann).await;
}

/// J12: well-formed, but without user: the session has ended.
#[tokio::test]
async fn token_naming_another_user_or_session_is_refused() {
    let app = TestApp::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let forge = TokenForge::with_server_key(&app).await;
    let (hers, his) = (claims_of(ann.token.as_deref().unwrap()), claims_of(bob.token.as_deref().unwrap()));
    for (name, value) in [
        ("sub", his["sub"].clone()),
        ("sub", json!("usr_01h455vb4pex5vsknk084sn02q")),
        ("sid", his["sid"].clone()),
        ("sid", json!("ses_01h455vb4pex5vsknk084sn02q")),
    ] {
        let token = forge.sign(forge.header("at+jwt"), with_claim(&hers, name, value.clone()));
        assert_eq!(ann.with_token(&token).me_reason().await.as_deref(), Some("SESSION_ENDED"), "{name} {value}");
        let refresh = claims_of(ann.refresh_token.as_deref().unwrap());
        let token = forge.sign(forge.header("rt+jwt"), with_claim(&refresh, name, value.clone()));
        let code = ann.refresh(&token).await.payload_error("refresh");
        assert_eq!(code.as_deref(), Some("SESSION_ENDED"), "{name} {value}");
    }
    let later = forge.sign(forge.header("at+jwt"), with_claim(&hers, "gen", json!(2)));
    assert_eq!(ann.with_token(&later).me_reason().await.as_deref(), Some("TOKEN_INVALID"));
    assert_nothing_changed(&app, &ann).await;
}

/// J13 J15 J16
#[tokio::test]
async fn access_token_is_valid_with_5_s_leeway_and_configured_life() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forge = TokenForge::with_server_key(&app).await;
    let claims = claims_of(ann.token.as_deref().unwrap());
    let now = claims["iat"].as_i64().unwrap();
    let reason = async |iat: Value, exp: Value| {
        let token = forge.sign(forge.header("at+jwt"), with_claim(&with_claim(&claims, "iat", iat), "exp", exp));
        ann.with_token(&token).me_reason().await
    };
    let invalid = Some("TOKEN_INVALID".to_owned());
    let expired = Some("TOKEN_EXPIRED".to_owned());
    for (issued, ends, expected) in [
        (now, now + 900, None),
        (now, now + 901, invalid.clone()),
        (now + 5, now + 905, None),
        (now + 6, now + 906, invalid.clone()),
        (now - 900, now, None),
        (now - 900, now - 4, None),
        (now - 900, now - 5, expired.clone()),
        (now - 905, now - 5, expired.clone()),
        (now - 901, now, invalid.clone()),
        (now, now, invalid.clone()),
        (now, now - 1, invalid.clone()),
        (now, i64::MAX, invalid.clone()),
        (i64::MIN, i64::MAX, invalid.clone()),
        (i64::MIN, i64::MIN + 1, expired.clone()),
        (-1, 0, expired.clone()),
        (0, i64::MIN, invalid.clone()),
    ] {
        let what = format!(
            "issued {} and good until {}",
            i128::from(issued) - i128::from(now),
            i128::from(ends) - i128::from(now)
        );
        assert_eq!(reason(json!(issued), json!(ends)).await, expected, "{what}");
    }
    for wild in [json!(1e300), json!(1e10), json!(-1.0), json!(u64::MAX), json!("9999999999")] {
        assert_eq!(reason(json!(now), wild.clone()).await, invalid, "{wild}");
        assert_eq!(reason(wild.clone(), json!(now + 900)).await, invalid, "{wild}");
    }
    // The same boundary by advancing the clock.
    app.clock.advance(TimeDelta::milliseconds(904_999));
    assert_eq!(ann.me_code().await, None);
    app.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(ann.me_reason().await, expired);
}

/// J13 J15, for refresh tokens.
#[tokio::test]
async fn refresh_token_expires_after_its_configured_life() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forge = TokenForge::with_server_key(&app).await;
    let claims = claims_of(ann.refresh_token.as_deref().unwrap());
    let now = claims["iat"].as_i64().unwrap();
    let longest = TimeDelta::days(30).num_seconds();
    for (issued, ends, code) in [
        (now, now + longest + 2, "REFRESH_TOKEN_INVALID"),
        (now + 6, now + 906, "REFRESH_TOKEN_INVALID"),
        (i64::MIN, i64::MAX, "REFRESH_TOKEN_INVALID"),
        (now - 900, now - 5, "SESSION_ENDED"),
    ] {
        let claims = with_claim(&with_claim(&claims, "iat", json!(issued)), "exp", json!(ends));
        let answer = ann.refresh(&forge.sign(forge.header("rt+jwt"), claims)).await;
        assert_eq!(answer.payload_error("refresh").as_deref(), Some(code), "{issued} {ends}");
    }
    assert_nothing_changed(&app, &ann).await;
}
