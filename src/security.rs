//! What keeps secrets secret: password hashing and policy, signing keys, tokens.

pub mod bulletin;
pub mod failure_windows;
pub mod hasher;
pub mod keys;
pub mod normalize;
pub mod pace;
pub mod policy;
pub mod pool;
pub mod seal;
pub mod secret;
pub mod signature;
pub mod stored;
pub mod streams;
pub mod throttle;
pub mod token;
