//! Each token type has its own audience: a verifier that ignores `typ` accepts access tokens only.

use accountd::clock::Clock;
use axum::http::Method;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::dialects::user_api::token_of;
use crate::support::gateway::{LIST, part};
use crate::support::source_files::{SourceFile, rust_files};
use crate::support::token_forging::{TokenForge, claims_of, with_claim};
use crate::support::{Actor, PASSWORD, TestApp};

const USER_API: [(&str, &str); 1] = [("ACCOUNTD_REST__DIALECTS__USER_API", "/api")];

/// Whether a verifier of signature, `iss`, `aud`, `exp` and the presence of `sub` accepts the token as access token.
async fn passes(app: &TestApp, token: &str) -> bool {
    let keys = app.anonymous().request(Method::GET, "/.well-known/jwks.json", &[], "").await.json();
    let keys: JwkSet = serde_json::from_value(keys).unwrap();
    let key = keys.find(&decode_header(token).unwrap().kid.unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["accountd"]);
    validation.set_issuer(&["accountd"]);
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    // The library reads the system clock.
    validation.validate_exp = false;
    let decoded = decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation);
    decoded.is_ok_and(|decoded| decoded.claims["exp"].as_i64().unwrap() > app.clock.now().timestamp())
}

async fn device_token(app: &TestApp, name: &str) -> String {
    let input = json!({ "username": name, "password": PASSWORD });
    let payload = app.anonymous().mutate_ok("login", input, "deviceToken").await;
    payload["deviceToken"].as_str().unwrap().to_owned()
}

async fn session_token(app: &TestApp, name: &str) -> String {
    let body = json!({ "email": name, "password": PASSWORD });
    let answer = app.anonymous().json(Method::POST, "/api/users/login", &body).await;
    token_of(&answer)
}

/// One token of each signed type, by `typ`.
async fn kinds(app: &TestApp, ann: &Actor) -> Vec<(&'static str, String)> {
    vec![
        ("at+jwt", ann.token.clone().unwrap()),
        ("rt+jwt", ann.refresh_token.clone().unwrap()),
        ("dt+jwt", device_token(app, "ann").await),
        ("st+jwt", session_token(app, "ann").await),
        ("revocations+jwt", app.anonymous().request(Method::GET, LIST, &[], "").await.text),
    ]
}

#[tokio::test]
async fn verifier_that_ignores_typ_accepts_only_access_tokens() {
    let app = TestApp::with(&USER_API).await;
    let ann = app.user("ann").await;
    for (kind, token) in kinds(&app, &ann).await {
        assert_eq!(part(&token, 0)["typ"], kind);
        assert_eq!(passes(&app, &token).await, kind == "at+jwt", "{kind}: {}", claims_of(&token));
    }
}

/// Every signed type has a row in the table above.
#[test]
fn every_signed_token_type_has_an_audience_test() {
    let source: String = rust_files(&["src/security"]).iter().map(SourceFile::code).collect();
    let types: Vec<&str> =
        source.split("const TYPE: &'static str = \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(types, ["at+jwt", "rt+jwt", "st+jwt", "dt+jwt", "revocations+jwt"]);
}

/// Tokens of earlier releases stay valid for their lifetime; a token of another type is never accepted.
#[tokio::test]
async fn audience_of_earlier_releases_is_accepted_for_its_type() {
    let app = TestApp::with(&USER_API).await;
    let ann = app.user("ann").await;
    let forge = TokenForge::with_server_key(&app).await;
    let (session, device) = (session_token(&app, "ann").await, device_token(&app, "ann").await);
    let refresh = ann.refresh_token.clone().unwrap();
    let of_audience = |kind: &str, token: &str, audience: &str| {
        forge.sign(forge.header(kind), with_claim(&claims_of(token), "aud", json!(audience)))
    };
    for (audience, is_taken) in [("accountd:session", true), ("accountd", true), ("accountd:refresh", false)] {
        let token = of_audience("st+jwt", &session, audience);
        assert_eq!(app.anonymous().with_token(&token).me_code().await.is_none(), is_taken, "session, {audience}");
    }
    let now = app.clock.now();
    for (audience, is_taken) in [("accountd:device", true), ("accountd", true), ("accountd:session", false)] {
        let token = of_audience("dt+jwt", &device, audience);
        let verified = accountd::account::tokens::verify_device(&app.app, &token, now);
        assert_eq!(verified.is_ok(), is_taken, "device, {audience}");
    }
    for (audience, is_taken) in [("accountd:device", false), ("accountd", true), ("accountd:refresh", true)] {
        let answer = app.anonymous().refresh(&of_audience("rt+jwt", &refresh, audience)).await;
        assert_eq!(answer.payload_error("refresh").is_none(), is_taken, "refresh, {audience}: {}", answer.text);
    }
}
