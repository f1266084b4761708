//! Extractor and layers for an application that embeds the service.

pub(super) mod current_user;
mod rejection;
pub(super) mod require;
