//! Argon2id in PHC strings, and Argon2i, which Django before 3.2, PHP and passlib wrote. A string without `v=` is of
//! version 16: Argon2 1.0 wrote none, and the reference decoder reads it so.

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::{KEY_LENGTHS, UnusableHash};
use crate::error::{Error, Result};

/// The highest costs that are verified.
const MAX_MEMORY_KIB: u32 = 262_144;
const MAX_ITERATIONS: u32 = 10;
const MAX_PARALLELISM: u32 = 16;

/// A thread's working memory; it grows to what a job needs and is released when idle.
pub type Scratch = Vec<Block>;

/// A parsed hash and its parameters.
#[derive(Debug)]
pub struct Argon2id {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    expected: Output,
}

pub(super) fn parse(text: &str) -> Result<Argon2id, UnusableHash> {
    let hash = PasswordHash::new(text).map_err(|_| UnusableHash::Malformed)?;
    let (Ok(params), Some(salt), Some(expected)) = (Params::try_from(&hash), hash.salt, hash.hash) else {
        return Err(UnusableHash::Malformed);
    };
    let algorithm = if text.starts_with("$argon2i$") { Algorithm::Argon2i } else { Algorithm::Argon2id };
    let version = hash.version.map_or(Ok(Version::V0x10), Version::try_from).map_err(|_| UnusableHash::Malformed)?;
    if !KEY_LENGTHS.contains(&expected.len()) {
        return Err(UnusableHash::Malformed);
    }
    if params.m_cost() > MAX_MEMORY_KIB || params.t_cost() > MAX_ITERATIONS || params.p_cost() > MAX_PARALLELISM {
        return Err(UnusableHash::TooExpensive);
    }
    Ok(Argon2id { algorithm, version, params, salt, expected })
}

impl Argon2id {
    pub(super) fn matches(&self, password: &str, scratch: &mut Scratch) -> bool {
        let mut output = vec![0; self.expected.len()];
        let argon2 = Argon2::new(self.algorithm, self.version, self.params.clone());
        let computed = hash_with_scratch(&argon2, password.as_bytes(), &self.salt, &mut output, scratch);
        // `Output` compares in constant time.
        computed.is_ok() && Output::new(&output).is_ok_and(|output| output == self.expected)
    }

    /// Whether it is Argon2id of the current version with these parameters and this output length.
    pub fn has_params(&self, params: &Params) -> bool {
        let costs = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        let is_current_scheme = self.algorithm == Algorithm::Argon2id && self.version == Version::V0x13;
        is_current_scheme && costs(&self.params) == costs(params) && Some(self.expected.len()) == params.output_len()
    }
}

/// Writes the hash of `password` to `output`.
///
/// # Errors
/// If a length is out of Argon2's range.
pub fn hash_into(
    params: &Params,
    password: &[u8],
    salt: &[u8],
    output: &mut [u8],
    scratch: &mut Scratch,
) -> Result<()> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    hash_with_scratch(&argon2, password, salt, output, scratch)
}

fn hash_with_scratch(
    argon2: &Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    output: &mut [u8],
    scratch: &mut Scratch,
) -> Result<()> {
    let blocks = argon2.params().block_count();
    if scratch.len() < blocks {
        scratch.resize(blocks, Block::new());
    }
    argon2.hash_password_into_with_memory(password, salt, output, scratch).map_err(Error::internal)
}

/// Formats the hash as the stored PHC string.
///
/// # Errors
/// If a length is out of the range of PHC strings.
pub fn to_phc_string(params: &Params, salt: &[u8], output: &[u8]) -> Result<String> {
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: params.try_into().map_err(Error::internal)?,
        salt: Some(Salt::new(salt).map_err(Error::internal)?),
        hash: Some(Output::new(output).map_err(Error::internal)?),
    };
    Ok(hash.to_string())
}
