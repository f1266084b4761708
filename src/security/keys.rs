//! The Ed25519 keys that sign tokens: made here, published as a JWK set, found by `kid`.

use std::collections::HashMap;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, Signature};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, OctetKeyPairParameters,
    OctetKeyPairType, PublicKeyUse, ThumbprintHash,
};
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::entropy::Entropy;
use crate::error::{Error, Result};

/// The one algorithm: tokens of any other are refused (RFC 8725 section 3.1).
pub const ALGORITHM: Algorithm = Algorithm::EdDSA;

/// Length in bytes of the private part that is sealed and stored.
const SEED_LENGTH: usize = 32;

/// A new private key, as it is sealed and stored.
pub struct Seed([u8; SEED_LENGTH]);

impl Seed {
    /// A fresh key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(entropy.bytes())
    }

    /// The key behind stored bytes, if they are one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes to seal.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// One key pair, ready for use.
pub struct SigningKey {
    kid: String,
    pair: Ed25519KeyPair,
    decoding_key: DecodingKey,
    jwk: Jwk,
}

impl SigningKey {
    /// The key pair of `seed`; its `kid` is the thumbprint of the public key (RFC 7638).
    ///
    /// # Errors
    /// Internal ones only.
    pub fn new(seed: &Seed) -> Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed.0).map_err(Error::internal)?;
        let public = pair.public_key().as_ref();
        let mut jwk = Jwk {
            common: CommonParameters {
                public_key_use: Some(PublicKeyUse::Signature),
                key_algorithm: Some(KeyAlgorithm::EdDSA),
                ..CommonParameters::default()
            },
            algorithm: AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
                key_type: OctetKeyPairType::OctetKeyPair,
                curve: EllipticCurve::Ed25519,
                x: URL_SAFE_NO_PAD.encode(public),
            }),
        };
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(Error::internal)?;
        jwk.common.key_id = Some(kid.clone());
        Ok(Self { kid, decoding_key: DecodingKey::from_ed_der(public), pair, jwk })
    }

    /// The key's name.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The signature of `message` (RFC 8032).
    pub(super) fn sign(&self, message: &[u8]) -> Signature {
        self.pair.sign(message)
    }

    pub(super) fn decoding_key(&self) -> &DecodingKey {
        &self.decoding_key
    }
}

/// The keys this server signs and verifies with.
pub struct Keys {
    active_kid: String,
    by_kid: HashMap<String, SigningKey>,
}

impl Keys {
    /// A ring that signs with `active` and verifies with it and with `others`.
    pub fn new(active: SigningKey, others: Vec<SigningKey>) -> Self {
        let name = active.kid.clone();
        let by_kid = others.into_iter().chain([active]).map(|key| (key.kid.clone(), key)).collect();
        Self { active_kid: name, by_kid }
    }

    pub(super) fn active(&self) -> Result<&SigningKey> {
        self.find(&self.active_kid).ok_or_else(|| Error::internal("the active signing key is missing"))
    }

    pub(super) fn find(&self, kid: &str) -> Option<&SigningKey> {
        self.by_kid.get(kid)
    }

    /// The public keys, for those who verify tokens themselves (RFC 7517 section 5).
    pub fn jwk_set(&self) -> JwkSet {
        let mut keys: Vec<Jwk> = self.by_kid.values().map(|key| key.jwk.clone()).collect();
        keys.sort_by(|left, right| left.common.key_id.cmp(&right.common.key_id));
        JwkSet { keys }
    }
}
