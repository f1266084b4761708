//! Database connections and transactions.

mod exclusive;
mod group_commit;
mod pool;
mod retry;
mod server;
mod session_limits;
mod sqlite_file;
pub mod transaction;

pub use pool::Database;

/// Log targets that are always off: their spans hold the database's URL and the written values, including secrets.
pub const SILENCED_TARGETS: [&str; 2] = ["sea_orm::database=off", "sea_orm::driver=off"];
