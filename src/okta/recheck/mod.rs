//! Reads again, by id, what a removal depends on, because listings are not snapshots.

pub mod cached_groups;
pub(crate) mod search;
pub mod unpushed;
pub mod users;
