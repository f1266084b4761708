//! The formats of older services: how `accountd import` names and reads each.

use std::path::Path;
use std::pin::Pin;

use secrecy::SecretString;

use super::Source;
use crate::error::Result;

/// The format of an older service's users.
#[derive(Debug, Clone, Copy)]
pub struct ImportFormat {
    /// Name on the command line, and in the records of imported rows: it never changes.
    pub name: &'static str,
    /// What the source is, for the help.
    pub about: &'static str,
    /// Reads the source.
    pub reader: Reader,
}

/// A reader, by what it reads. None writes to the source.
#[derive(Debug, Clone, Copy)]
pub enum Reader {
    /// A file or standard input.
    Text(fn(&str) -> Result<Source>),
    /// A file or standard input, and optionally a second file with the roles.
    TextWithRoles(fn(&str, Option<&str>) -> Result<Source>),
    /// A file that is no text.
    File(for<'a> fn(&'a Path) -> SourceFuture<'a>),
    /// A database.
    Database(for<'a> fn(DatabaseLocation<'a>) -> SourceFuture<'a>),
}

/// A source that is being read.
pub type SourceFuture<'a> = Pin<Box<dyn Future<Output = Result<Source>> + Send + 'a>>;

/// Location of a database.
#[derive(Debug)]
pub enum DatabaseLocation<'a> {
    /// An SQLite file.
    File(&'a Path),
    /// A server; the URL may hold a password.
    Url(SecretString),
}
