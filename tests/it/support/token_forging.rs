//! Forges tokens with the server's own key, and asserts that they are refused.

use aws_lc_rs::signature::Ed25519KeyPair;
use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entity::{revoked_token, session, signing_key};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use accountd::security::key_encryption::KeyEncryption;

use super::{Actor, TestApp};

/// A stolen server key, and the means to sign tokens with it.
pub struct TokenForge {
    pub kid: String,
    pub pair: Ed25519KeyPair,
}

impl TokenForge {
    pub async fn with_server_key(app: &TestApp) -> Self {
        let key = signing_key::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap();
        let seed = KeyEncryption::new(&app.secret()).unwrap().decrypt(&key.kid, key.sealed.expose()).unwrap();
        Self { kid: key.kid, pair: Ed25519KeyPair::from_seed_unchecked(&seed).unwrap() }
    }

    pub fn header(&self, typ: &str) -> Value {
        json!({ "typ": typ, "alg": "EdDSA", "kid": self.kid })
    }

    pub fn sign(&self, header: impl ToString, claims: impl ToString) -> String {
        self.sign_bytes(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    pub fn sign_bytes(&self, header: &[u8], claims: &[u8]) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

pub fn claims_of(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

pub fn with_claim(base: &Value, name: &str, value: Value) -> Value {
    let mut changed = base.clone();
    changed[name] = value;
    changed
}

pub fn without_claim(base: &Value, name: &str) -> Value {
    let mut changed = base.clone();
    changed.as_object_mut().unwrap().remove(name);
    changed
}

/// All four verifiers refuse the token as invalid.
pub async fn assert_refused(ann: &Actor, token: &str, what: &str) {
    assert_eq!(ann.with_token(token).me_reason().await.as_deref(), Some("TOKEN_INVALID"), "access: {what}");
    let code = ann.refresh(token).await.payload_error("refresh");
    assert_eq!(code.as_deref(), Some("REFRESH_TOKEN_INVALID"), "refresh: {what}");
    let validation = ann.with_token(token).request(Method::POST, "/token-validation", &[], "").await;
    assert_eq!(validation.status, 401, "access by REST: {what}");
    let renewal = ann.json(Method::POST, "/token-refresh", &json!({ "refresh_token": token })).await;
    assert_eq!(renewal.status, 401, "refresh by REST: {what}");
}

/// J9 S11: the attempts rotated nothing, ended nothing and left no row.
pub async fn assert_nothing_changed(app: &TestApp, ann: &Actor) {
    assert_eq!(revoked_token::Entity::find().count(app.app.db.reader()).await.unwrap(), 0);
    let sessions = session::Entity::find().all(app.app.db.reader()).await.unwrap();
    assert!(sessions.iter().all(|session| session.generation == 1 && session.ended_at.is_none()));
    assert_eq!(ann.me_code().await, None);
    assert_eq!(ann.refresh(ann.refresh_token.as_deref().unwrap()).await.payload_error("refresh"), None);
}
