//! Malformed and re-encoded tokens.

use serde_json::json;

use crate::support::TestApp;
use crate::support::token_forging::{TokenForge, assert_nothing_changed, assert_refused, claims_of, with_claim};

/// J17
#[tokio::test]
async fn token_with_malformed_json_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forge = TokenForge::with_server_key(&app).await;
    for (typ, token) in [("at+jwt", ann.token.clone().unwrap()), ("rt+jwt", ann.refresh_token.clone().unwrap())] {
        let (header, claims) = (forge.header(typ).to_string(), claims_of(&token).to_string());
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
            assert_refused(&ann, &forge.sign(header, claims), what).await;
        }
        let wide: Vec<u8> = claims.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_refused(&ann, &forge.sign_bytes(header.as_bytes(), &wide), "UTF-16").await;
        let broken = [claims.as_bytes(), &[0xff]].concat();
        assert_refused(&ann, &forge.sign_bytes(header.as_bytes(), &broken), "not UTF-8").await;
    }
    assert_nothing_changed(&app, &ann).await;
}

/// J18 J19 J20
#[tokio::test]
async fn token_with_altered_encoding_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forge = TokenForge::with_server_key(&app).await;
    for (typ, token) in [("at+jwt", ann.token.clone().unwrap()), ("rt+jwt", ann.refresh_token.clone().unwrap())] {
        let parts: Vec<&str> = token.split('.').collect();
        // The last character of a signature holds two unused bits.
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
            (format!("{token}\u{fc}"), "a character outside Base64"),
            ("..".to_owned(), "dots"),
            (".".repeat(4_000), "thousands of dots"),
        ] {
            assert_refused(&ann, &text, what).await;
        }
        // Signed and valid, but longer than any token of the server.
        let padded = |length: usize| {
            let claims = claims_of(&token).to_string();
            forge.sign(forge.header(typ), format!("{}{claims}", " ".repeat(length)))
        };
        assert!(padded(2_000).len() < 4_096 && padded(3_500).len() > 4_096);
        assert_refused(&ann, &padded(3_500), "more than 4,096 bytes").await;
        if typ == "at+jwt" {
            assert_eq!(ann.with_token(&padded(2_000)).me_code().await, None, "spaces are harmless");
        }
    }
    assert_nothing_changed(&app, &ann).await;
}

/// J18: a million dots cost nothing, on any route.
#[tokio::test]
async fn token_of_a_million_dots_is_refused_before_splitting() {
    use accountd::account::tokens;
    let app = TestApp::new().await;
    app.user("ann").await;
    let now = accountd::clock::Clock::now(app.clock.as_ref());
    for text in [".".repeat(1_000_000), "A".repeat(1_000_000), format!("a.{}.b", "A".repeat(4_096))] {
        assert!(tokens::verify_access(&app.app, &text, now).is_err());
        assert!(tokens::verify_refresh(&app.app, &text, now).is_err());
    }
}

/// J19: a revoked session is refused by its id, not by the text of its token.
#[tokio::test]
async fn reencoded_token_of_an_ended_session_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let forge = TokenForge::with_server_key(&app).await;
    let claims = claims_of(ann.token.as_deref().unwrap());
    ann.mutate_ok("logout", json!({}), "ok").await;
    let rewritten = forge.sign(forge.header("at+jwt"), with_claim(&claims, "username", json!("other")));
    assert_eq!(ann.with_token(&rewritten).me_reason().await.as_deref(), Some("SESSION_ENDED"));
}
