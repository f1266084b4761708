//! API tokens: what programs may do with them, for how long, and that nobody but the program has the secret.

use axum::http::Method;
use chrono::TimeDelta;
use entity::api_token;
use sea_orm::{DbBackend, EntityTrait};
use serde_json::{Value, json};

use crate::support::database::backend;
use crate::support::{Actor, PASSWORD, TestApp};

const ALL: [&str; 10] = [
    "USERS_READ",
    "USERS_WRITE",
    "USERS_DELETE",
    "ROLES_READ",
    "ROLES_WRITE",
    "ROLES_ASSIGN",
    "SESSIONS_READ",
    "SESSIONS_REVOKE",
    "TENANTS_READ",
    "TENANTS_WRITE",
];

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

/// S7: the secret is nowhere, and whoever reads the database cannot make it.
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
    assert!(!format!("{row:?}").contains(row.secret_hash.expose()), "not even the hash is printed");
    // The files of a server are not for its clients to read.
    if backend() == DbBackend::Sqlite {
        let db = std::fs::read(app.app.config.data_dir.join("accountd.db")).unwrap();
        let wal = std::fs::read(app.app.config.data_dir.join("accountd.db-wal")).unwrap_or_default();
        for file in [db, wal] {
            assert!(!file.windows(random.len()).any(|part| part == random.as_bytes()));
        }
    }
    // The hash is no secret that opens anything.
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

/// What the owner may not do any more, the token may not either, from the next use on (Z-4).
#[tokio::test]
async fn api_token_loses_permissions_its_owner_lost() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let give = async |permissions: &[&str]| {
        root.mutate_ok("saveRole", json!({ "name": "staff", "permissions": permissions }), "role { id }").await;
        root.mutate_ok("setUserRoles", json!({ "userId": ann.id, "roles": ["staff"] }), "user { id }").await;
    };
    let refused = ann.mutate("createApiToken", json!({ "name": "x", "permissions": ["USERS_READ"] }), "token").await;
    assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"), "nobody gives what they do not have");

    give(&["USERS_READ", "ROLES_READ"]).await;
    let (id, program) = ann.api_token(&["USERS_READ"]).await;
    assert_eq!(users_code(&program).await, None);
    assert_eq!(program.send("{ roles { id } }", json!({})).await.code().as_deref(), Some("FORBIDDEN"));
    give(&["ROLES_READ"]).await;
    assert_eq!(users_code(&program).await.as_deref(), Some("FORBIDDEN"));
    give(&["USERS_READ", "ROLES_READ"]).await;
    assert_eq!(users_code(&program).await, None);

    // Widening asks the same, of the one who widens and of the owner.
    let widen = json!({ "apiTokenId": id, "permissions": ["USERS_READ", "USERS_WRITE"] });
    for actor in [&ann, &root] {
        let answer = actor.mutate("updateApiToken", widen.clone(), "apiToken { id }").await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"));
    }
    let widen = json!({ "apiTokenId": id, "permissions": ["ROLES_READ"] });
    ann.mutate_ok("updateApiToken", widen, "apiToken { id }").await;
    assert_eq!(users_code(&program).await.as_deref(), Some("FORBIDDEN"));
    assert_eq!(program.send("{ roles { id } }", json!({})).await.code(), None);
}

/// Not even with every permission: nothing that is for the owner alone, or a stolen token would become an account.
#[tokio::test]
async fn api_token_is_refused_for_session_only_operations() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let (id, program) = root.api_token(&ALL).await;
    let forbidden = [
        (
            "updatePassword",
            json!({ "currentPassword": PASSWORD, "newPassword": "quiet-garden-kestrel-81" }),
            "user { id }",
        ),
        ("createApiToken", json!({ "name": "x", "permissions": [] }), "token"),
        ("updateProfile", json!({ "displayName": "X" }), "user { id }"),
    ];
    for (field, input, wanted) in forbidden {
        let answer = program.mutate(field, input, wanted).await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"), "{field}: {}", answer.text);
    }
    let input = json!({ "userId": root.id, "password": "quiet-garden-kestrel-81" });
    assert_eq!(program.mutate("setUserPassword", input, "user { id }").await.code().as_deref(), Some("BAD_USER_INPUT"));

    // Without permissions it does not own what its owner owns.
    let (_, program) = root.api_token(&[]).await;
    let email = program.send("{ me { id email } }", json!({})).await;
    assert_eq!(email.code().as_deref(), Some("FORBIDDEN"));
    let answer = program.mutate("revokeApiToken", json!({ "apiTokenId": id }), "apiToken { id } errors { code }").await;
    assert_eq!(answer.payload_error("revokeApiToken").as_deref(), Some("NOT_FOUND"));
    // Logout is for sessions: success would claim that all of them ended.
    for scope in ["ALL", "OTHERS"] {
        let answer = program.mutate("logout", json!({ "scope": scope }), "ok revokedSessionCount").await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"), "{}", answer.text);
    }
    assert_eq!((root.me_code().await, program.me_code().await), (None, None));
    let refresh = program.refresh(program.token.as_deref().unwrap()).await;
    assert_eq!(refresh.payload_error("refresh").as_deref(), Some("REFRESH_TOKEN_INVALID"));
}

/// S8 for programs: the acknowledgement is the end.
#[tokio::test]
async fn revoked_api_token_is_refused_at_once_and_forever() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let (first, one) = ann.api_token(&[]).await;
    let (second, two) = ann.api_token(&[]).await;
    let (third, three) = ann.api_token(&[]).await;
    let revoke = async |actor: &Actor, id: &str| {
        actor.mutate_ok("revokeApiToken", json!({ "apiTokenId": id }), "apiToken { revokedAt }").await["apiToken"]
            .clone()
    };
    let at = json!({ "revokedAt": "2026-03-01T12:00:00.000Z" });
    assert_eq!(revoke(&ann, &first).await, at);
    assert_eq!(one.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(two.me_code().await, None, "the others go on");
    assert_eq!(revoke(&root, &second).await, at, "an administrator may, too");
    assert_eq!(revoke(&three, &third).await, at, "and a token itself");
    assert_eq!((two.me_code().await.is_some(), three.me_code().await.is_some()), (true, true));

    app.clock.advance(TimeDelta::minutes(10));
    assert_eq!(revoke(&ann, &first).await, at, "once");
    let enable = json!({ "apiTokenId": first, "enabled": true });
    let answer = ann.mutate("updateApiToken", enable, "apiToken { id } errors { code }").await;
    assert_eq!(answer.payload_error("updateApiToken").as_deref(), Some("NOT_FOUND"), "nothing brings it back");
    let listed =
        ann.send("{ me { live: apiTokens { totalCount } all: apiTokens(active: false) { totalCount } } }", json!({}));
    assert_eq!(listed.await.data()["me"], json!({ "live": { "totalCount": 0 }, "all": { "totalCount": 3 } }));
}

#[tokio::test]
async fn expired_or_disabled_api_token_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let input = json!({ "name": "short", "permissions": [], "expiresIn": 60 });
    let made = ann.mutate_ok("createApiToken", input, "apiToken { id } token").await;
    let (id, program) = (made["apiToken"]["id"].clone(), ann.with_token(made["token"].as_str().unwrap()));
    app.clock.advance(TimeDelta::milliseconds(59_999));
    assert_eq!(program.me_code().await, None);
    app.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(program.me_reason().await.as_deref(), Some("SESSION_ENDED"), "there is nothing to refresh");

    let update = async |change: Value| {
        let mut input = change;
        input["apiTokenId"] = id.clone();
        ann.mutate_ok("updateApiToken", input, "apiToken { enabled expiresAt version }").await["apiToken"].clone()
    };
    let lasting = update(json!({ "expiresIn": null })).await;
    assert_eq!(lasting, json!({ "enabled": true, "expiresAt": null, "version": 1 }));
    assert_eq!(program.me_code().await, None);
    update(json!({ "enabled": false })).await;
    assert_eq!(program.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(update(json!({ "enabled": true })).await["version"], 3);
    assert_eq!(program.me_code().await, None);
    let renamed = json!({ "apiTokenId": id, "name": "long", "version": 2 });
    let answer = ann.mutate("updateApiToken", renamed, "apiToken { id } errors { code }").await;
    assert_eq!(answer.payload_error("updateApiToken").as_deref(), Some("CONFLICT"), "it was version 3");
}

/// S14, S16: a disabled owner gets nothing by a token, and who takes the name of a deleted one gets no token.
#[tokio::test]
async fn api_token_of_disabled_or_deleted_owner_is_refused() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let (_, program) = ann.api_token(&[]).await;
    let status = async |status: &str| {
        root.mutate_ok("setUserStatus", json!({ "userId": ann.id, "status": status }), "user { id }").await;
    };
    status("DISABLED").await;
    assert_eq!(program.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    let validation = program.request(Method::POST, "/token-validation", &[], "").await;
    assert_eq!(validation.status, 401);
    status("ACTIVE").await;
    assert_eq!(program.me_code().await, None);

    root.mutate_ok("deleteUser", json!({ "userId": ann.id }), "deletedUserId").await;
    let heir = app.user("ann").await;
    assert_eq!(program.me_code().await.as_deref(), Some("UNAUTHENTICATED"));
    let tokens = heir.send("{ me { apiTokens(active: false) { totalCount } } }", json!({})).await;
    assert_eq!(tokens.data()["me"]["apiTokens"]["totalCount"], 0);
}

/// A use is noted to the minute, so that a token that is used all the time does not write all the time.
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
    assert_eq!(noted().await, Some(first), "within the minute nothing is written");
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(program.me_code().await, None);
    assert_eq!(noted().await, Some(first + TimeDelta::minutes(1)));
    assert_eq!(row(&app).await.version, 0, "a use is no change");
}

/// Older callers know no other credentials: a name and a password for a token that stands for all of its owner.
#[tokio::test]
async fn login_for_an_api_token_leaves_no_session() {
    use accountd::account::api_token::SecretFormat;
    use accountd::account::api_token::new_token;
    use accountd::account::authentication::login::{Login, NameMatch};
    use accountd::account::caller::requester::RequestContext;
    use accountd::account::user::name::Name;

    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let client = || RequestContext::new(None, None, "test".to_owned());
    let login = |password: &str| Login {
        name: "root".into(),
        name_match: NameMatch::Exact,
        password: password.to_owned().into(),
        transport: entity::session::Transport::Body,
        device_name: None,
        device_token: None,
    };
    let draft = || new_token::NewApiToken {
        name: Name::parse("Signed in").unwrap(),
        note: None,
        permissions: None,
        scopes: new_token::Scopes::default(),
        lifetime: Some(new_token::parse_lifetime(3_600).unwrap()),
    };
    let wrong =
        accountd::account::api_token::create_by_login(&app.app, &client(), login("wrong"), draft(), SecretFormat::Uuid)
            .await;
    assert_eq!(wrong.unwrap_err().code(), "INVALID_CREDENTIALS");
    let (made, user) = accountd::account::api_token::create_by_login(
        &app.app,
        &client(),
        login(PASSWORD),
        draft(),
        SecretFormat::Uuid,
    )
    .await
    .unwrap();
    assert_eq!(user.username, "root");
    let secret = secrecy::ExposeSecret::expose_secret(&made.secret).to_owned();
    assert_eq!(secret.len(), 36);

    let program = root.with_token(&secret);
    let answer = program.send("{ me { email roles sessions { totalCount } } users { totalCount } }", json!({})).await;
    let me = json!({ "email": null, "roles": ["admin"], "sessions": { "totalCount": 1 } });
    assert_eq!(answer.data()["me"], me, "only the session of the test's own login is left");
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
    assert_eq!(make(json!({})).await, [], "those that are over do not count");
}

/// A token or another session does not exhaust the budget that its owner needs to revoke it.
#[tokio::test]
async fn rate_limited_attacker_cannot_block_api_token_revocation() {
    let app = TestApp::with(&[("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    let ann = app.user("ann").await;
    let stolen = app.login("ann", PASSWORD).await;
    let (id, program) = ann.api_token(&[]).await;
    let (other, _) = ann.api_token(&[]).await;
    for actor in [&program, &stolen] {
        let mut refused = 0;
        for _ in 0..100 {
            let input = json!({ "apiTokenId": "tok_00000000000000000000000000", "enabled": false });
            let answer = actor.mutate("updateApiToken", input, "apiToken { id } errors { code }").await;
            refused += u32::from(answer.payload_error("updateApiToken").as_deref() == Some("TOO_MANY_ATTEMPTS"));
        }
        assert!(refused >= 30, "{refused}");
    }
    ann.mutate_ok("revokeApiToken", json!({ "apiTokenId": id }), "apiToken { id }").await;
    ann.mutate_ok("updateApiToken", json!({ "apiTokenId": other, "name": "robot" }), "apiToken { id }").await;
    let input = json!({ "currentPassword": PASSWORD, "newPassword": "quiet-garden-kestrel-81" });
    ann.mutate_ok("updatePassword", input, "user { id }").await;
    assert!(stolen.me_code().await.is_some() && program.me_code().await.is_some());
}
