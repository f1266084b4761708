//! Use cases of the command line and of the first start.

pub mod bootstrap;
pub mod recovery;
