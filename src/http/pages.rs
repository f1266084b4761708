//! HTML pages and static files: the console, the playground and the browser client.

pub(super) mod console;
mod files;
mod html;
pub(super) mod playground;
