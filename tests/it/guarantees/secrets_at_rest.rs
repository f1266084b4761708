//! Stored credentials: a hash at most.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sea_orm::DbBackend;
use serde_json::{Value, json};
use uuid::Uuid;

use super::log_secrets::encodings;
use crate::support::database::backend;
use crate::support::{Actor, PASSWORD, TestApp};

const CREDENTIAL_OPERATIONS: &[(&str, &str)] = &[
    ("ACCOUNTD_REST__DIALECTS__TECLADOCODE", "/flask"),
    ("ACCOUNTD_REST__DIALECTS__USER_API", "/api"),
    ("ACCOUNTD_REST__DIALECTS__CORVUS", "/auth"),
    ("ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO", "/any"),
];

/// The texts at these pointers of a JSON document.
fn texts<const N: usize>(json: &Value, pointers: [&str; N]) -> Vec<String> {
    let text =
        |pointer: &str| json.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {json}"));
    pointers.map(|pointer| text(pointer).to_owned()).to_vec()
}

/// The credentials of one login by every route, and those derived from it later.
async fn issued_credentials(anonymous: &Actor) -> Vec<String> {
    let credentials = json!({ "username": "ann", "password": PASSWORD });
    let post = async |actor: &Actor, path: &str, body: Value| actor.json(Method::POST, path, &body).await;
    let pair = "tokens { accessToken refreshToken }";
    let login = anonymous.mutate_retrying("login", credentials.clone(), &format!("deviceToken {pair}")).await.data();
    let own = texts(&login, ["/login/deviceToken", "/login/tokens/accessToken", "/login/tokens/refreshToken"]);
    let next = anonymous.refresh(&own[2]).await.data();
    let ann = anonymous.with_token(&own[1]);
    let mut secrets = texts(&next, ["/refresh/tokens/accessToken", "/refresh/tokens/refreshToken"]);
    secrets.push(ann.api_token(&[]).await.1.token.unwrap());

    let answer = post(anonymous, "/login", credentials.clone()).await.json();
    secrets.extend(texts(&answer, ["/access_token", "/refresh_token"]));
    let answer = post(&ann, "/create-api-token", json!({ "token_exp": 60, "datasets": { "ds_*": ["read"] } })).await;
    secrets.extend(texts(&answer.json(), ["/api_token"]));

    let answer = post(anonymous, "/flask/login", credentials.clone()).await.json();
    secrets.extend(texts(&answer, ["/access_token", "/refresh_token"]));

    let answer = post(anonymous, "/api/users/login", json!({ "email": "ann", "password": PASSWORD })).await;
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap();
    let cookie = cookie.strip_prefix("user-api-credentials=").unwrap().trim_matches('"').to_owned();
    secrets.push(String::from_utf8(STANDARD.decode(&cookie).unwrap()).unwrap());
    secrets.push(cookie);

    let basic = format!("Basic {}", STANDARD.encode(format!("ann:{PASSWORD}")));
    let answer = anonymous.request(Method::POST, "/auth/login", &[("authorization", &basic)], "").await.json();
    secrets.extend(texts(&answer, ["/token"]));

    let answer = post(anonymous, "/any/login", credentials).await.json();
    let [access, renewing] =
        ["/data/access_token", "/data/refresh_token"].map(|pointer| texts(&answer, [pointer]).remove(0));
    let query = "mutation ($t: String!) { refresh_token(input: { refresh_token: $t }) { access_token refresh_token } }";
    let body = json!({ "query": query, "variables": { "t": renewing } });
    let answer = post(&anonymous.with_token(&access), "/any/graphql", body).await.json();
    secrets.extend(texts(&answer, ["/data/refresh_token/access_token", "/data/refresh_token/refresh_token"]));
    secrets.extend([access, renewing]);
    secrets.extend(own);
    secrets
}

/// The bytes behind a secret: of a UUID, or of the random part or signature of a token.
fn raw(secret: &str) -> Option<Vec<u8>> {
    let last = secret.rsplit('.').next()?;
    secret.parse().map(|uuid: Uuid| uuid.as_bytes().to_vec()).ok().or_else(|| URL_SAFE_NO_PAD.decode(last).ok())
}

/// S7: no issued credential and no password is in the files, neither plain nor encoded.
#[tokio::test]
async fn database_files_contain_no_plain_credential() {
    // Clients cannot read the files of a database server; the content written is the same.
    if backend() != DbBackend::Sqlite {
        return;
    }
    let app = TestApp::with(CREDENTIAL_OPERATIONS).await;
    let root = app.admin("root").await;
    app.user("ann").await;
    let mut secrets = vec![PASSWORD.to_owned()];
    for _ in 0..3 {
        secrets.extend(issued_credentials(&app.anonymous()).await);
    }
    let users = json!({ "query": "{ users(username: \"ann\") { edges { node { id } } } }" });
    let users = root.json(Method::POST, "/any/graphql", &users).await.json();
    let id = texts(&users, ["/data/users/edges/0/node/id"]).remove(0);
    let reset = format!("mutation {{ reset_password(input: {{ id: \"{id}\" }}) {{ password }} }}");
    let reset = root.json(Method::POST, "/any/graphql", &json!({ "query": reset })).await.json();
    secrets.extend(texts(&reset, ["/data/reset_password/password"]));
    assert!(secrets.len() > 50, "{}", secrets.len());

    let file = |name: &str| std::fs::read(app.app.config.data_dir.join(name)).unwrap_or_default();
    let kept = [file("accountd.db"), file("accountd.db-wal")].concat();
    let text = String::from_utf8_lossy(&kept);
    assert!(text.contains("$argon2id$"), "no file was read");
    for secret in secrets {
        let last = secret.rsplit('.').next().unwrap();
        for disguise in encodings(&secret).into_iter().chain(encodings(last)) {
            assert!(!text.contains(&disguise), "{secret} is stored as {disguise}");
        }
        let raw = raw(&secret).filter(|raw| raw.len() >= 16);
        assert!(!raw.is_some_and(|raw| kept.windows(raw.len()).any(|part| part == raw)), "the bytes of {secret}");
    }
}
