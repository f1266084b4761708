//! Every promise, proven through the real router; one file per capability or promise.

mod limits;
mod refresh;
mod support;
