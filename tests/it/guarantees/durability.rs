//! Durability: acknowledged writes survive a crash, and writes that cannot be stored are not acknowledged.

mod contention;
mod disk;
mod kill;
mod migration;
mod write_order;
