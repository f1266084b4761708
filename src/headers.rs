//! Readers of request headers that several layers need: one rule for each header.

pub mod accept;
pub mod content_type;
pub mod cookie;
