//! The Ed25519 keys that sign tokens: creation, publication as a JWK set, lookup by `kid`.

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

/// The only algorithm: tokens of any other are rejected (RFC 8725 section 3.1).
pub const ALGORITHM: Algorithm = Algorithm::EdDSA;

/// Length in bytes of the private key that is stored encrypted.
const SEED_LENGTH: usize = 32;

/// A private key in the form that is encrypted and stored (RFC 8032 section 5.1.5).
pub struct Seed([u8; SEED_LENGTH]);

impl Seed {
    /// Generates a new key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(entropy.bytes())
    }

    /// The key in decrypted bytes; none if their length is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes to encrypt.
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
    /// Derives the key pair of `seed`; its `kid` is the thumbprint of the public key (RFC 7638).
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

    /// The key id.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Signs `message` (RFC 8032).
    pub(super) fn sign(&self, message: &[u8]) -> Signature {
        self.pair.sign(message)
    }

    /// The public key in the form that the library verifies with.
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
    /// Creates a key set that signs with `active` and verifies with it and with `others`.
    pub fn new(active: SigningKey, others: Vec<SigningKey>) -> Self {
        let active_kid = active.kid.clone();
        let by_kid = others.into_iter().chain([active]).map(|key| (key.kid.clone(), key)).collect();
        Self { active_kid, by_kid }
    }

    /// The key to sign with.
    pub(super) fn active(&self) -> Result<&SigningKey> {
        self.find(&self.active_kid).ok_or_else(|| Error::internal("the active signing key is missing"))
    }

    /// The key with this `kid`.
    pub(super) fn find(&self, kid: &str) -> Option<&SigningKey> {
        self.by_kid.get(kid)
    }

    /// The public keys as a JWK set, for external verifiers (RFC 7517 section 5).
    pub fn jwk_set(&self) -> JwkSet {
        let mut keys: Vec<Jwk> = self.by_kid.values().map(|key| key.jwk.clone()).collect();
        keys.sort_by(|left, right| left.common.key_id.cmp(&right.common.key_id));
        JwkSet { keys }
    }
}
