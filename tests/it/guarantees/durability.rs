//! Durability: what was acknowledged is there after a crash, and what cannot be stored is not acknowledged.

mod contention;
mod disk;
mod kill;
mod migration;
mod write_order;
