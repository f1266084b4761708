//! HTML pages and static files: the console, the playground and the browser client.

pub(crate) mod console;
pub(crate) mod files;
pub(crate) mod playground;
