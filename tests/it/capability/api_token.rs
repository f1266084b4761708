//! API tokens: their permissions, their lifetime, and the secrecy of the token.

mod permissions;
mod termination;

use chrono::TimeDelta;
use entity::api_token;
use sea_orm::{DbBackend, EntityTrait};
use serde_json::{Value, json};

use crate::support::database::backend;
use crate::support::{Actor, PASSWORD, TestApp};

const TOKEN: &str =
    "id name note permissions scopes enabled createdAt updatedAt expiresAt lastUsedAt revokedAt version";

async fn users_code(actor: &Actor) -> Option<String> {
    actor.send("{ users { totalCount } }", json!({})).await.code()
}

async fn row(app: &TestApp) -> api_token::Model {
    api_token::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap()
}

#[tokio::test]
async fn api_token_is_shown_once_and_grants_its_permissions() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let input = json!({
        "name": "Nightly export", "note": "Ask Bea.\nOr Cy.", "permissions": ["USERS_READ"],
        "scopes": ["ds_*/read,write", "other/Permission.CREATE"], "expiresIn": 3600,
    });
    let made = root.mutate_ok("createApiToken", input, &format!("apiToken {{ {TOKEN} }} token")).await;
    let id = made["apiToken"]["id"].clone();
    let expected = json!({
        "id": id, "name": "Nightly export", "note": "Ask Bea.\nOr Cy.", "permissions": ["USERS_READ"],
        "scopes": ["ds_*/read,write", "other/Permission.CREATE"], "enabled": true,
        "createdAt": "2026-03-01T12:00:00.000Z", "updatedAt": "2026-03-01T12:00:00.000Z",
        "expiresAt": "2026-03-01T13:00:00.000Z", "lastUsedAt": null, "revokedAt": null, "version": 0,
    });
    assert_eq!(made["apiToken"], expected);

    let secret = made["token"].as_str().unwrap();
    // Clients of the PlantDB service look for the two dots of a JWT.
    assert_eq!(secret.split('.').count(), 3);
    assert_eq!(secret.split('.').nth(1), id.as_str());
    let program = root.with_token(secret);
    assert_eq!(users_code(&program).await, None);
    let answer = program.send("{ me { id username } currentApiToken { id scopes } }", json!({})).await.data();
    let scopes = json!(["ds_*/read,write", "other/Permission.CREATE"]);
    assert_eq!(answer["me"], json!({ "id": root.id, "username": "root" }));
    assert_eq!(answer["currentApiToken"], json!({ "id": id, "scopes": scopes }));
    let listed = root.send("{ me { apiTokens { totalCount nodes { id } } } }", json!({})).await;
    assert_eq!(listed.data()["me"]["apiTokens"], json!({ "totalCount": 1, "nodes": [{ "id": id }] }));
    assert!(!listed.text.contains(secret));
}

/// S7: the secret is not stored, and cannot be derived from the database.
#[tokio::test]
async fn api_token_is_stored_as_a_hash() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let (_, program) = ann.api_token(&[]).await;
    let secret = program.token.clone().unwrap();
    let random = secret.rsplit('.').next().unwrap().to_owned();
    let row = row(&app).await;
    assert_eq!(row.secret_hash.expose().len(), 64);
    let stored = format!("{row:?} {}", row.secret_hash.expose());
    assert!(!stored.contains(&random));
    assert!(!format!("{row:?}").contains(row.secret_hash.expose()), "the output does not even contain the hash");
    // Clients cannot read the files of a database server.
    if backend() == DbBackend::Sqlite {
        let db = std::fs::read(app.app.config.data_dir.join("accountd.db")).unwrap();
        let wal = std::fs::read(app.app.config.data_dir.join("accountd.db-wal")).unwrap_or_default();
        for file in [db, wal] {
            assert!(!file.windows(random.len()).any(|part| part == random.as_bytes()));
        }
    }
    // The stored hash is no valid token.
    assert_eq!(ann.with_token(row.secret_hash.expose()).me_reason().await.as_deref(), Some("TOKEN_INVALID"));
}

#[tokio::test]
async fn api_token_with_unknown_secret_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let (id, program) = ann.api_token(&[]).await;
    let secret = program.token.clone().unwrap();
    let other = if secret.ends_with('A') { "B" } else { "A" };
    let forged = [
        format!("{}{other}", &secret[..secret.len() - 1]),
        format!("accountd.{id}.{}", "A".repeat(43)),
        format!("accountd..{}", secret.rsplit('.').next().unwrap()),
        secret.to_uppercase(),
        "6c1a2b62-5b86-4e0c-9f3a-0d3b8f3f0a11".to_owned(),
    ];
    for secret in forged {
        let answer = ann.with_token(&secret).send("{ me { id } }", json!({})).await;
        assert_eq!(answer.code().as_deref(), Some("UNAUTHENTICATED"), "{secret}: {}", answer.text);
        assert_eq!(answer.json()["errors"][0]["extensions"]["reason"], "TOKEN_INVALID");
    }
    assert_eq!(program.me_code().await, None);
}

/// Use is recorded to the minute, so that a token in constant use does not write constantly.
#[tokio::test]
async fn api_token_last_use_is_recorded_at_intervals() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let (_, program) = ann.api_token(&[]).await;
    let noted = async || row(&app).await.last_used_at.map(|at| at.utc());
    assert_eq!(noted().await, None);
    let first = accountd::clock::Clock::now(app.clock.as_ref());
    assert_eq!(program.me_code().await, None);
    assert_eq!(noted().await, Some(first));
    app.clock.advance(TimeDelta::seconds(59));
    assert_eq!(program.me_code().await, None);
    assert_eq!(noted().await, Some(first), "no write within the minute");
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(program.me_code().await, None);
    assert_eq!(noted().await, Some(first + TimeDelta::minutes(1)));
    assert_eq!(row(&app).await.version, 0, "use does not change the version");
}

/// Clients of older services know no other credentials: name and password give a token with all rights of its owner.
#[tokio::test]
async fn login_for_an_api_token_leaves_no_session() {
    use accountd::account::api_token::SecretFormat;
    use accountd::account::api_token::new_token;
    use accountd::account::authentication::api_token_login::create_by_login;
    use accountd::account::authentication::credentials::{LoginCredentials, NameMatch};
    use accountd::account::caller::request_context::RequestContext;
    use accountd::account::names::name::Name;

    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let client = || RequestContext::new(None, None, "test".to_owned());
    let login = |password: &str| LoginCredentials::new("root", NameMatch::Exact, password);
    let draft = || new_token::NewApiToken {
        name: Name::parse("Signed in").unwrap(),
        note: None,
        permissions: None,
        scopes: new_token::Scopes::default(),
        lifetime: Some(new_token::parse_lifetime(3_600).unwrap()),
    };
    let wrong = create_by_login(&app.app, &client(), login("wrong"), draft(), SecretFormat::Uuid).await;
    assert_eq!(wrong.unwrap_err().code(), "INVALID_CREDENTIALS");
    let made = create_by_login(&app.app, &client(), login(PASSWORD), draft(), SecretFormat::Uuid).await.unwrap();
    let secret = secrecy::ExposeSecret::expose_secret(&made.secret).to_owned();
    assert_eq!(secret.len(), 36);

    let program = root.with_token(&secret);
    let answer = program.send("{ me { email roles sessions { totalCount } } users { totalCount } }", json!({})).await;
    let me = json!({ "email": null, "roles": ["admin"], "sessions": { "totalCount": 1 } });
    assert_eq!(answer.data()["me"], me, "only the session of the test's own login remains");
    let input = json!({ "currentPassword": PASSWORD, "newPassword": "quiet-garden-kestrel-81" });
    let answer = program.mutate("updatePassword", input, "user { id }").await;
    assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"));
    program.mutate_ok("revokeApiToken", json!({ "apiTokenId": made.token.id().to_string() }), "apiToken { id }").await;
    assert_eq!(program.me_reason().await.as_deref(), Some("SESSION_ENDED"));
}

#[tokio::test]
async fn api_tokens_are_limited_in_number_and_size() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let make = |change: Value| {
        let mut input = json!({ "name": "robot", "permissions": [] });
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        ann.payload_errors("createApiToken", input)
    };
    let one = |code: &str, path: &str| vec![(code.to_owned(), path.to_owned())];
    assert_eq!(make(json!({ "name": " " })).await, one("INVALID_NAME", "input.name"));
    assert_eq!(make(json!({ "note": "x".repeat(1_001) })).await, one("TOO_LONG", "input.note"));
    assert_eq!(make(json!({ "scopes": vec!["x"; 101] })).await, one("TOO_LONG", "input.scopes"));
    assert_eq!(make(json!({ "scopes": [""] })).await, one("INVALID_NAME", "input.scopes"));
    let never = ann.mutate("createApiToken", json!({ "name": "x", "permissions": [], "expiresIn": 0 }), "token").await;
    assert_eq!(never.code().as_deref(), Some("BAD_USER_INPUT"));
    for _ in 0..100 {
        assert_eq!(make(json!({ "expiresIn": 60 })).await, []);
    }
    assert_eq!(make(json!({})).await, one("TOO_MANY_API_TOKENS", ""));
    app.clock.advance(TimeDelta::minutes(1));
    assert_eq!(make(json!({})).await, [], "ended ones do not count");
}
