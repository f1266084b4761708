//! Rules about the source text, the build and the documents.

pub(crate) mod architecture;
pub(crate) mod dependencies;
pub(crate) mod dialect_removal;
pub(crate) mod makefile;
pub(crate) mod openapi;
pub(crate) mod readme;
