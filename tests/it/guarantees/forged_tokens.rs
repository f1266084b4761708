//! Forged tokens, with the server's own key and without it: only the server's own tokens are accepted.

mod encoding;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use entity::revoked_token;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::token_forging::{
    TokenForge, assert_nothing_changed, assert_refused, claims_of, with_claim, without_claim,
};

/// The control of the other tests: a perfectly forged token is accepted.
#[tokio::test]
async fn forged_token_with_the_real_key_and_claims_is_accepted() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forge = TokenForge::with_server_key(&app).await;
    let (access, refresh) = (ann.token.clone().unwrap(), ann.refresh_token.clone().unwrap());
    let forged = forge.sign(forge.header("at+jwt"), claims_of(&access));
    assert_eq!(ann.with_token(&forged).me_code().await, None);
    let forged = forge.sign(forge.header("rt+jwt"), claims_of(&refresh));
    assert_eq!(ann.refresh(&forged).await.payload_error("refresh"), None);
}

/// J1 J2 J3 J4 J5 J6 J7
#[tokio::test]
async fn token_with_other_algorithm_key_or_header_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forge = TokenForge::with_server_key(&app).await;
    let public = forge.pair.public_key().as_ref().to_vec();
    let x = URL_SAFE_NO_PAD.encode(&public);
    let other_key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();

    for (typ, token) in [("at+jwt", ann.token.clone().unwrap()), ("rt+jwt", ann.refresh_token.clone().unwrap())] {
        let (header, claims) = (forge.header(typ), claims_of(&token));
        let signature = token.rsplit('.').next().unwrap();
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = |header: &Value| format!("{}.{}", encode(header), encode(&claims));

        for alg in ["none", "None", "nOnE", "", "HS256", "RS256", "ES256", "Ed25519", "eddsa"] {
            let message = message(&with_claim(&header, "alg", json!(alg)));
            for end in ["", signature, "AAAA"] {
                assert_refused(&ann, &format!("{message}.{end}"), &format!("alg {alg:?}, signature {end:?}")).await;
            }
            assert_refused(&ann, &message, &format!("alg {alg:?} in two parts")).await;
            let signed = forge.sign(with_claim(&header, "alg", json!(alg)), &claims);
            assert_refused(&ann, &signed, &format!("alg {alg:?} with an Ed25519 signature")).await;
        }

        let der = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..], &public].concat();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", STANDARD.encode(&der));
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x }).to_string();
        let secrets =
            [public.clone(), der, pem.clone().into_bytes(), format!("{pem}\n").into_bytes(), jwk.into_bytes()];
        for secret in secrets.iter().chain([&x.clone().into_bytes(), &Vec::new(), &b"secret".to_vec()]) {
            for (alg, kind) in
                [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)]
            {
                let message = message(&with_claim(&header, "alg", json!(alg)));
                let tag = hmac::sign(&hmac::Key::new(kind, secret), message.as_bytes());
                let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
                assert_refused(&ann, &token, &format!("{alg} under {} bytes of the public key", secret.len())).await;
            }
        }

        let strange = message(&header);
        let strange = format!("{strange}.{}", URL_SAFE_NO_PAD.encode(other_key.sign(strange.as_bytes())));
        assert_refused(&ann, &strange, "signed with another key").await;

        for kid in [
            json!("unknown"),
            json!(""),
            json!(null),
            json!(1),
            json!(["x"]),
            json!(forge.kid.to_lowercase() + " "),
            json!("../../dev/null"),
            json!("' OR 1=1--"),
            json!("\0"),
            json!("https://localhost/key"),
            json!("k".repeat(2_000)),
        ] {
            assert_refused(&ann, &forge.sign(with_claim(&header, "kid", kid.clone()), &claims), &format!("kid {kid}"))
                .await;
        }
        for member in ["typ", "alg", "kid"] {
            assert_refused(&ann, &forge.sign(without_claim(&header, member), &claims), &format!("no {member}")).await;
        }
        for (member, value) in [
            ("crit", json!([])),
            ("crit", json!(["exp"])),
            ("b64", json!(false)),
            ("jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": x })),
            ("jku", json!("http://127.0.0.1:1/jwks.json")),
            ("x5u", json!("http://127.0.0.1:1/x")),
            ("x5c", json!(["AAAA"])),
            ("zip", json!("DEF")),
            ("cty", json!("JWT")),
            ("enc", json!("A256GCM")),
        ] {
            let text = format!("{member} in the header");
            assert_refused(&ann, &forge.sign(with_claim(&header, member, value), &claims), &text).await;
        }
        // A key in the token is not the server's key.
        let own =
            with_claim(&header, "jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": other_key.public_key().as_ref() }));
        let own = message(&own);
        let own = format!("{own}.{}", URL_SAFE_NO_PAD.encode(other_key.sign(own.as_bytes())));
        assert_refused(&ann, &own, "with a key of its own").await;
    }
    assert_nothing_changed(&app, &ann).await;
}

/// J8 J9
#[tokio::test]
async fn token_of_another_type_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forge = TokenForge::with_server_key(&app).await;
    let (access, refresh) = (ann.token.clone().unwrap(), ann.refresh_token.clone().unwrap());
    assert_eq!(ann.with_token(&refresh).me_reason().await.as_deref(), Some("TOKEN_INVALID"));
    assert_eq!(ann.refresh(&access).await.payload_error("refresh").as_deref(), Some("REFRESH_TOKEN_INVALID"));
    for claims in [claims_of(&access), claims_of(&refresh)] {
        for typ in ["JWT", "jwt", "", "AT+JWT", "application/at+jwt", "at+jwt ", "RT+JWT", "vt+jwt"] {
            assert_refused(&ann, &forge.sign(forge.header(typ), &claims), typ).await;
        }
    }
    assert_refused(&ann, &forge.sign(forge.header("rt+jwt"), claims_of(&access)), "access claims as refresh").await;
    assert_refused(&ann, &forge.sign(forge.header("at+jwt"), claims_of(&refresh)), "refresh claims as access").await;
    assert_nothing_changed(&app, &ann).await;
}

/// One generation's access token can be revoked by `jti` without ending the session.
#[tokio::test]
async fn token_with_revoked_jti_is_refused_in_a_live_session() {
    use sea_orm::{ActiveModelTrait, Set};
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let claims = claims_of(ann.token.as_deref().unwrap());
    let now = accountd::clock::Clock::now(app.clock.as_ref());
    let row = revoked_token::ActiveModel {
        token_id: Set(claims["jti"].as_str().unwrap().to_owned()),
        user_uid: Set(uuid::Uuid::nil()),
        until: Set((now + TimeDelta::minutes(15)).into()),
        revoked_at: Set(now.into()),
        reason: Set("TEST".to_owned()),
        generation: Set(None),
        covered: Set(false),
    };
    row.insert(app.app.db.writer()).await.unwrap();
    assert_eq!(ann.me_reason().await.as_deref(), Some("TOKEN_EXPIRED"));
    let fresh = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
    assert_eq!(ann.signed_in(&fresh.data()["refresh"]).me_code().await, None);
}
