//! Extractor and layers for an application that embeds the service.

pub(crate) mod current_user;
pub(crate) mod require;
