//! Tokens made by hand, with the server's own key and without it: only what the server made itself opens anything.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use entity::{revoked_token, session, signing_key};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use accountd::security::seal::Seal;

use crate::support::{Actor, TestApp};

/// Somebody who has stolen the server's key, and what it needs to make tokens.
struct Forger {
    kid: String,
    pair: Ed25519KeyPair,
}

impl Forger {
    async fn of(app: &TestApp) -> Self {
        let key = signing_key::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap();
        let secret = std::fs::read_to_string(app.app.config.data_dir.join("secret.key")).unwrap();
        let seed = Seal::new(&secret.into()).unwrap().open(&key.kid, key.sealed.expose()).unwrap();
        Self { kid: key.kid, pair: Ed25519KeyPair::from_seed_unchecked(&seed).unwrap() }
    }

    fn header(&self, typ: &str) -> Value {
        json!({ "typ": typ, "alg": "EdDSA", "kid": self.kid })
    }

    fn sign(&self, header: impl ToString, claims: impl ToString) -> String {
        self.sign_bytes(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    fn sign_bytes(&self, header: &[u8], claims: &[u8]) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

fn claims_of(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn with(base: &Value, name: &str, value: Value) -> Value {
    let mut changed = base.clone();
    changed[name] = value;
    changed
}

fn without(base: &Value, name: &str) -> Value {
    let mut changed = base.clone();
    changed.as_object_mut().unwrap().remove(name);
    changed
}

/// Both places refuse the token for what it is.
async fn is_refused(ann: &Actor, token: &str, what: &str) {
    assert_eq!(ann.with_token(token).me_reason().await.as_deref(), Some("TOKEN_INVALID"), "access: {what}");
    let code = ann.refresh(token).await.refusal("refresh");
    assert_eq!(code.as_deref(), Some("REFRESH_TOKEN_INVALID"), "refresh: {what}");
}

/// J9 S11: whatever was tried has rotated nothing, ended nothing and left no row.
async fn nothing_happened(app: &TestApp, ann: &Actor) {
    assert_eq!(revoked_token::Entity::find().count(app.app.db.reader()).await.unwrap(), 0);
    let sessions = session::Entity::find().all(app.app.db.reader()).await.unwrap();
    assert!(sessions.iter().all(|session| session.generation == 1 && session.ended_at.is_none()));
    assert_eq!(ann.me_code().await, None);
    assert_eq!(ann.refresh(ann.refresh_token.as_deref().unwrap()).await.refusal("refresh"), None);
}

/// The yardstick of the others: what is forged well is taken.
#[tokio::test]
async fn made_with_the_key_and_the_right_claims_is_taken() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forger = Forger::of(&app).await;
    let (access, refresh) = (ann.token.clone().unwrap(), ann.refresh_token.clone().unwrap());
    let forged = forger.sign(forger.header("at+jwt"), claims_of(&access));
    assert_eq!(ann.with_token(&forged).me_code().await, None);
    let forged = forger.sign(forger.header("rt+jwt"), claims_of(&refresh));
    assert_eq!(ann.refresh(&forged).await.refusal("refresh"), None);
}

/// J1 J2 J3 J4 J5 J6 J7
#[tokio::test]
async fn of_another_algorithm_key_or_header_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forger = Forger::of(&app).await;
    let public = forger.pair.public_key().as_ref().to_vec();
    let x = URL_SAFE_NO_PAD.encode(&public);
    let stranger = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();

    for (typ, token) in [("at+jwt", ann.token.clone().unwrap()), ("rt+jwt", ann.refresh_token.clone().unwrap())] {
        let (header, claims) = (forger.header(typ), claims_of(&token));
        let signature = token.rsplit('.').next().unwrap();
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = |header: &Value| format!("{}.{}", encode(header), encode(&claims));

        for alg in ["none", "None", "nOnE", "", "HS256", "RS256", "ES256", "Ed25519", "eddsa"] {
            let message = message(&with(&header, "alg", json!(alg)));
            for end in ["", signature, "AAAA"] {
                is_refused(&ann, &format!("{message}.{end}"), &format!("alg {alg:?}, signature {end:?}")).await;
            }
            is_refused(&ann, &message, &format!("alg {alg:?} in two parts")).await;
            let signed = forger.sign(with(&header, "alg", json!(alg)), &claims);
            is_refused(&ann, &signed, &format!("alg {alg:?} with an Ed25519 signature")).await;
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
                let message = message(&with(&header, "alg", json!(alg)));
                let tag = hmac::sign(&hmac::Key::new(kind, secret), message.as_bytes());
                let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
                is_refused(&ann, &token, &format!("{alg} under {} bytes of the public key", secret.len())).await;
            }
        }

        let strange = message(&header);
        let strange = format!("{strange}.{}", URL_SAFE_NO_PAD.encode(stranger.sign(strange.as_bytes())));
        is_refused(&ann, &strange, "signed by a stranger").await;

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
            is_refused(&ann, &forger.sign(with(&header, "kid", kid.clone()), &claims), &format!("kid {kid}")).await;
        }
        for member in ["typ", "alg", "kid"] {
            is_refused(&ann, &forger.sign(without(&header, member), &claims), &format!("no {member}")).await;
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
            is_refused(&ann, &forger.sign(with(&header, member, value), &claims), &text).await;
        }
        // A key that the token brings along is not the server's key.
        let own = with(&header, "jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": stranger.public_key().as_ref() }));
        let own = message(&own);
        let own = format!("{own}.{}", URL_SAFE_NO_PAD.encode(stranger.sign(own.as_bytes())));
        is_refused(&ann, &own, "with a key of its own").await;
    }
    nothing_happened(&app, &ann).await;
}

/// J8 J9
#[tokio::test]
async fn of_one_kind_is_not_taken_for_another() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forger = Forger::of(&app).await;
    let (access, refresh) = (ann.token.clone().unwrap(), ann.refresh_token.clone().unwrap());
    assert_eq!(ann.with_token(&refresh).me_reason().await.as_deref(), Some("TOKEN_INVALID"));
    assert_eq!(ann.refresh(&access).await.refusal("refresh").as_deref(), Some("REFRESH_TOKEN_INVALID"));
    for claims in [claims_of(&access), claims_of(&refresh)] {
        for typ in ["JWT", "jwt", "", "AT+JWT", "application/at+jwt", "at+jwt ", "RT+JWT", "vt+jwt"] {
            is_refused(&ann, &forger.sign(forger.header(typ), &claims), typ).await;
        }
    }
    is_refused(&ann, &forger.sign(forger.header("rt+jwt"), claims_of(&access)), "access claims as refresh").await;
    is_refused(&ann, &forger.sign(forger.header("at+jwt"), claims_of(&refresh)), "refresh claims as access").await;
    nothing_happened(&app, &ann).await;
}

/// J10 J11 J12 J13 J14
#[tokio::test]
async fn with_a_claim_missing_added_or_of_another_type_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forger = Forger::of(&app).await;
    for (typ, token) in [("at+jwt", ann.token.clone().unwrap()), ("rt+jwt", ann.refresh_token.clone().unwrap())] {
        let (header, claims) = (forger.header(typ), claims_of(&token));
        let names: Vec<String> = claims.as_object().unwrap().keys().cloned().collect();
        for name in &names {
            is_refused(&ann, &forger.sign(&header, without(&claims, name)), &format!("{typ} without {name}")).await;
            for value in [json!(null), json!({}), json!([]), json!(true), json!(1.5), json!([claims[name]])] {
                if *name == "roles" && value == json!([]) {
                    continue;
                }
                let text = format!("{typ} with {name} = {value}");
                is_refused(&ann, &forger.sign(&header, with(&claims, name, value)), &text).await;
            }
            let other = if claims[name].is_string() { json!(1) } else { json!("1") };
            let text = format!("{typ} with {name} = {other}");
            is_refused(&ann, &forger.sign(&header, with(&claims, name, other)), &text).await;
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
            is_refused(&ann, &forger.sign(&header, with(&claims, name, value)), &text).await;
        }
    }
    nothing_happened(&app, &ann).await;
}

/// J12: well-formed, but of nobody: the session is over.
#[tokio::test]
async fn of_another_user_or_session_than_its_own_opens_nothing() {
    let app = TestApp::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let forger = Forger::of(&app).await;
    let (hers, his) = (claims_of(ann.token.as_deref().unwrap()), claims_of(bob.token.as_deref().unwrap()));
    for (name, value) in [
        ("sub", his["sub"].clone()),
        ("sub", json!("usr_01h455vb4pex5vsknk084sn02q")),
        ("sid", his["sid"].clone()),
        ("sid", json!("ses_01h455vb4pex5vsknk084sn02q")),
    ] {
        let token = forger.sign(forger.header("at+jwt"), with(&hers, name, value.clone()));
        assert_eq!(ann.with_token(&token).me_reason().await.as_deref(), Some("SESSION_ENDED"), "{name} {value}");
        let refresh = claims_of(ann.refresh_token.as_deref().unwrap());
        let token = forger.sign(forger.header("rt+jwt"), with(&refresh, name, value.clone()));
        let code = ann.refresh(&token).await.refusal("refresh");
        assert_eq!(code.as_deref(), Some("SESSION_ENDED"), "{name} {value}");
    }
    let later = forger.sign(forger.header("at+jwt"), with(&hers, "gen", json!(2)));
    assert_eq!(ann.with_token(&later).me_reason().await.as_deref(), Some("TOKEN_INVALID"));
    nothing_happened(&app, &ann).await;
}

/// J13 J15 J16
#[tokio::test]
async fn counts_within_five_seconds_of_its_time_and_no_longer_than_configured() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forger = Forger::of(&app).await;
    let claims = claims_of(ann.token.as_deref().unwrap());
    let now = claims["iat"].as_i64().unwrap();
    let reason = async |iat: Value, exp: Value| {
        let token = forger.sign(forger.header("at+jwt"), with(&with(&claims, "iat", iat), "exp", exp));
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
    // The same edge with the clock moving instead.
    app.clock.advance(TimeDelta::milliseconds(904_999));
    assert_eq!(ann.me_code().await, None);
    app.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(ann.me_reason().await, expired);
}

/// J13 J15, for refresh tokens.
#[tokio::test]
async fn to_refresh_with_counts_no_longer_than_configured() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forger = Forger::of(&app).await;
    let claims = claims_of(ann.refresh_token.as_deref().unwrap());
    let now = claims["iat"].as_i64().unwrap();
    let longest = TimeDelta::days(30).num_seconds();
    for (issued, ends, code) in [
        (now, now + longest + 2, "REFRESH_TOKEN_INVALID"),
        (now + 6, now + 906, "REFRESH_TOKEN_INVALID"),
        (i64::MIN, i64::MAX, "REFRESH_TOKEN_INVALID"),
        (now - 900, now - 5, "SESSION_ENDED"),
    ] {
        let claims = with(&with(&claims, "iat", json!(issued)), "exp", json!(ends));
        let answer = ann.refresh(&forger.sign(forger.header("rt+jwt"), claims)).await;
        assert_eq!(answer.refusal("refresh").as_deref(), Some(code), "{issued} {ends}");
    }
    nothing_happened(&app, &ann).await;
}

/// J17
#[tokio::test]
async fn of_strange_json_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forger = Forger::of(&app).await;
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
            is_refused(&ann, &forger.sign(header, claims), what).await;
        }
        let wide: Vec<u8> = claims.encode_utf16().flat_map(u16::to_le_bytes).collect();
        is_refused(&ann, &forger.sign_bytes(header.as_bytes(), &wide), "UTF-16").await;
        let broken = [claims.as_bytes(), &[0xff]].concat();
        is_refused(&ann, &forger.sign_bytes(header.as_bytes(), &broken), "not UTF-8").await;
    }
    nothing_happened(&app, &ann).await;
}

/// J18 J19 J20
#[tokio::test]
async fn of_another_text_than_the_server_wrote_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forger = Forger::of(&app).await;
    for (typ, token) in [("at+jwt", ann.token.clone().unwrap()), ("rt+jwt", ann.refresh_token.clone().unwrap())] {
        let parts: Vec<&str> = token.split('.').collect();
        // The last character of a signature holds two bits that mean nothing.
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let last = alphabet.find(token.chars().last().unwrap()).unwrap();
        for spare in 1..4 {
            let other = alphabet.as_bytes()[last ^ spare] as char;
            is_refused(&ann, &format!("{}{other}", &token[..token.len() - 1]), "trailing bits").await;
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
            is_refused(&ann, &text, what).await;
        }
        // Signed and right, but longer than anything the server makes.
        let padded = |length: usize| {
            let claims = claims_of(&token).to_string();
            forger.sign(forger.header(typ), format!("{}{claims}", " ".repeat(length)))
        };
        assert!(padded(2_000).len() < 4_096 && padded(3_500).len() > 4_096);
        is_refused(&ann, &padded(3_500), "more than 4,096 bytes").await;
        if typ == "at+jwt" {
            assert_eq!(ann.with_token(&padded(2_000)).me_code().await, None, "blanks do no harm");
        }
    }
    nothing_happened(&app, &ann).await;
}

/// J18: a million dots cost nothing, wherever they come in.
#[tokio::test]
async fn of_a_million_dots_is_refused_before_it_is_split() {
    use accountd::account::tokens;
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
async fn of_a_session_that_ended_opens_nothing_in_another_text() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forger = Forger::of(&app).await;
    let claims = claims_of(ann.token.as_deref().unwrap());
    ann.done("logout", json!({}), "ok").await;
    let rewritten = forger.sign(forger.header("at+jwt"), with(&claims, "username", json!("other")));
    assert_eq!(ann.with_token(&rewritten).me_reason().await.as_deref(), Some("SESSION_ENDED"));
}

/// One generation's access token can be revoked by its name without ending the session.
#[tokio::test]
async fn whose_name_is_listed_is_refused_while_the_session_lives() {
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
    };
    row.insert(app.app.db.writer()).await.unwrap();
    assert_eq!(ann.me_reason().await.as_deref(), Some("TOKEN_EXPIRED"));
    let fresh = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
    assert_eq!(ann.signed_in(&fresh.data()["refresh"]).me_code().await, None);
}
