//! Cryptography: password hashing and policy, signing keys and tokens, secrets of programs, webhook signatures.

pub mod api_secret;
pub mod derived_key;
pub mod hasher;
pub mod jwt;
pub mod key_encryption;
pub mod keys;
pub mod normalize;
pub mod policy;
pub mod pool;
pub mod schemes;
pub mod timing;
pub mod webhook_signature;
