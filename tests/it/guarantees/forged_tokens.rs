//! Tokens made by hand, with the server's own key and without it: only what the server made itself opens anything.

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

/// The yardstick of the others: what is forged well is taken.
#[tokio::test]
async fn forged_token_with_the_real_key_and_claims_is_accepted() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forger = TokenForge::with_server_key(&app).await;
    let (access, refresh) = (ann.token.clone().unwrap(), ann.refresh_token.clone().unwrap());
    let forged = forger.sign(forger.header("at+jwt"), claims_of(&access));
    assert_eq!(ann.with_token(&forged).me_code().await, None);
    let forged = forger.sign(forger.header("rt+jwt"), claims_of(&refresh));
    assert_eq!(ann.refresh(&forged).await.payload_error("refresh"), None);
}

/// J1 J2 J3 J4 J5 J6 J7
#[tokio::test]
async fn token_with_other_algorithm_key_or_header_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forger = TokenForge::with_server_key(&app).await;
    let public = forger.pair.public_key().as_ref().to_vec();
    let x = URL_SAFE_NO_PAD.encode(&public);
    let stranger = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();

    for (typ, token) in [("at+jwt", ann.token.clone().unwrap()), ("rt+jwt", ann.refresh_token.clone().unwrap())] {
        let (header, claims) = (forger.header(typ), claims_of(&token));
        let signature = token.rsplit('.').next().unwrap();
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = |header: &Value| format!("{}.{}", encode(header), encode(&claims));

        for alg in ["none", "None", "nOnE", "", "HS256", "RS256", "ES256", "Ed25519", "eddsa"] {
            let message = message(&with_claim(&header, "alg", json!(alg)));
            for end in ["", signature, "AAAA"] {
                assert_refused(&ann, &format!("{message}.{end}"), &format!("alg {alg:?}, signature {end:?}")).await;
            }
            assert_refused(&ann, &message, &format!("alg {alg:?} in two parts")).await;
            let signed = forger.sign(with_claim(&header, "alg", json!(alg)), &claims);
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
        let strange = format!("{strange}.{}", URL_SAFE_NO_PAD.encode(stranger.sign(strange.as_bytes())));
        assert_refused(&ann, &strange, "signed by a stranger").await;

        for kid in [
            json!("unknown"),
            json!(""),
            json!(null),
            json!(1),
            json!(["x"]),
            json!(forger.kid.to_lowercase() + " "),
            json!("../../dev/null"),
            json!("' OR 1=1--"),
            json!("\0"),
            json!("https://localhost/key"),
            json!("k".repeat(2_000)),
        ] {
            assert_refused(&ann, &forger.sign(with_claim(&header, "kid", kid.clone()), &claims), &format!("kid {kid}"))
                .await;
        }
        for member in ["typ", "alg", "kid"] {
            assert_refused(&ann, &forger.sign(without_claim(&header, member), &claims), &format!("no {member}")).await;
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
            assert_refused(&ann, &forger.sign(with_claim(&header, member, value), &claims), &text).await;
        }
        // A key that the token brings along is not the server's key.
        let own =
            with_claim(&header, "jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": stranger.public_key().as_ref() }));
        let own = message(&own);
        let own = format!("{own}.{}", URL_SAFE_NO_PAD.encode(stranger.sign(own.as_bytes())));
        assert_refused(&ann, &own, "with a key of its own").await;
    }
    assert_nothing_changed(&app, &ann).await;
}

/// J8 J9
#[tokio::test]
async fn token_of_another_type_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forger = TokenForge::with_server_key(&app).await;
    let (access, refresh) = (ann.token.clone().unwrap(), ann.refresh_token.clone().unwrap());
    assert_eq!(ann.with_token(&refresh).me_reason().await.as_deref(), Some("TOKEN_INVALID"));
    assert_eq!(ann.refresh(&access).await.payload_error("refresh").as_deref(), Some("REFRESH_TOKEN_INVALID"));
    for claims in [claims_of(&access), claims_of(&refresh)] {
        for typ in ["JWT", "jwt", "", "AT+JWT", "application/at+jwt", "at+jwt ", "RT+JWT", "vt+jwt"] {
            assert_refused(&ann, &forger.sign(forger.header(typ), &claims), typ).await;
        }
    }
    assert_refused(&ann, &forger.sign(forger.header("rt+jwt"), claims_of(&access)), "access claims as refresh").await;
    assert_refused(&ann, &forger.sign(forger.header("at+jwt"), claims_of(&refresh)), "refresh claims as access").await;
    assert_nothing_changed(&app, &ann).await;
}

/// J17
#[tokio::test]
async fn token_with_malformed_json_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forger = TokenForge::with_server_key(&app).await;
    for (typ, token) in [("at+jwt", ann.token.clone().unwrap()), ("rt+jwt", ann.refresh_token.clone().unwrap())] {
        let (header, claims) = (forger.header(typ).to_string(), claims_of(&token).to_string());
        let doubled = |text: &str, member: &str| format!("{{{member},{}", &text[1..]);
        let deep = |text: &str| format!("{{\"x\":{}{},{}", "[".repeat(200), "]".repeat(200), &text[1..]);
        let texts: Vec<(String, String, &str)> = vec![
            (header.clone(), doubled(&claims, "\"sub\":\"usr_x\""), "sub twice"),
            (header.clone(), doubled(&claims, "\"exp\":1"), "exp twice"),
            (header.clone(), doubled(&claims, "\"g\\u0065n\":1"), "gen twice in disguise"),
            (doubled(&header, "\"alg\":\"none\""), claims.clone(), "alg twice"),
            (doubled(&header, "\"kid\":\"x\""), claims.clone(), "kid twice"),
            (format!("\u{feff}{header}"), claims.clone(), "BOM before the header"),
            (header.clone(), format!("\u{feff}{claims}"), "BOM before the claims"),
            (header.clone(), format!("{claims}{claims}"), "two objects"),
            (header.clone(), format!("{claims},"), "a comma"),
            (header.clone(), "[]".to_owned(), "an array"),
            (header.clone(), "null".to_owned(), "null"),
            (header.clone(), String::new(), "no claims"),
            (String::new(), claims.clone(), "no header"),
            ("[]".to_owned(), claims.clone(), "an array for a header"),
            (header.clone(), deep(&claims), "deep claims"),
            (deep(&header), claims.clone(), "a deep header"),
            (header.clone(), claims.replace("usr_", "usr_\\u0000"), "NUL in sub"),
            (header.clone(), claims.replace("usr_", "\\ud800"), "half a surrogate pair"),
        ];
        for (header, claims, what) in texts {
            assert_refused(&ann, &forger.sign(header, claims), what).await;
        }
        let wide: Vec<u8> = claims.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_refused(&ann, &forger.sign_bytes(header.as_bytes(), &wide), "UTF-16").await;
        let broken = [claims.as_bytes(), &[0xff]].concat();
        assert_refused(&ann, &forger.sign_bytes(header.as_bytes(), &broken), "not UTF-8").await;
    }
    assert_nothing_changed(&app, &ann).await;
}

/// J18 J19 J20
#[tokio::test]
async fn token_with_altered_encoding_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forger = TokenForge::with_server_key(&app).await;
    for (typ, token) in [("at+jwt", ann.token.clone().unwrap()), ("rt+jwt", ann.refresh_token.clone().unwrap())] {
        let parts: Vec<&str> = token.split('.').collect();
        // The last character of a signature holds two bits that mean nothing.
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let last = alphabet.find(token.chars().last().unwrap()).unwrap();
        for spare in 1..4 {
            let other = alphabet.as_bytes()[last ^ spare] as char;
            assert_refused(&ann, &format!("{}{other}", &token[..token.len() - 1]), "trailing bits").await;
        }
        for (text, what) in [
            (format!("{token}="), "padding"),
            (format!("{token}=="), "more padding"),
            (format!("{}=.{}.{}", parts[0], parts[1], parts[2]), "padding in the header"),
            (format!("{token}."), "a fourth part"),
            (format!(".{token}"), "an empty first part"),
            (format!("{}.{}", parts[0], parts[1]), "no signature"),
            (format!("{}..{}", parts[0], parts[2]), "no claims"),
            (format!("{}.{}.{}", parts[1], parts[0], parts[2]), "parts exchanged"),
            (token.replace('.', "_"), "one part"),
            (token.to_uppercase(), "upper case"),
            (format!("{token}\u{fc}"), "a letter that is none of Base64's"),
            ("..".to_owned(), "dots"),
            (".".repeat(4_000), "thousands of dots"),
        ] {
            assert_refused(&ann, &text, what).await;
        }
        // Signed and right, but longer than anything the server makes.
        let padded = |length: usize| {
            let claims = claims_of(&token).to_string();
            forger.sign(forger.header(typ), format!("{}{claims}", " ".repeat(length)))
        };
        assert!(padded(2_000).len() < 4_096 && padded(3_500).len() > 4_096);
        assert_refused(&ann, &padded(3_500), "more than 4,096 bytes").await;
        if typ == "at+jwt" {
            assert_eq!(ann.with_token(&padded(2_000)).me_code().await, None, "blanks do no harm");
        }
    }
    assert_nothing_changed(&app, &ann).await;
}

/// J18: a million dots cost nothing, wherever they come in.
#[tokio::test]
async fn token_of_a_million_dots_is_refused_before_splitting() {
    use accountd::account::authentication::tokens;
    let app = TestApp::new().await;
    app.user("ann").await;
    let now = accountd::clock::Clock::now(app.clock.as_ref());
    for text in [".".repeat(1_000_000), "A".repeat(1_000_000), format!("a.{}.b", "A".repeat(4_096))] {
        assert!(tokens::verify_access(&app.app, &text, now).is_err());
        assert!(tokens::verify_refresh(&app.app, &text, now).is_err());
    }
}

/// J19: a revoked session is refused by its name, not by the text of its token.
#[tokio::test]
async fn reencoded_token_of_an_ended_session_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forger = TokenForge::with_server_key(&app).await;
    let claims = claims_of(ann.token.as_deref().unwrap());
    ann.mutate_ok("logout", json!({}), "ok").await;
    let rewritten = forger.sign(forger.header("at+jwt"), with_claim(&claims, "username", json!("other")));
    assert_eq!(ann.with_token(&rewritten).me_reason().await.as_deref(), Some("SESSION_ENDED"));
}

/// One generation's access token can be revoked by its name without ending the session.
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
