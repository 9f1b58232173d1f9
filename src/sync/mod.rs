//! The sync: from a config and two servers to a plan, and from a plan to its writes.
//!
//! - `session` reads both sides and plans; `settle` is its planning in two passes.
//! - `write` guards, asks and applies; `journal` records it, and `watch` tells how it ended, `notify` other services;
//!   `waiting` says what it waits for.
//! - `explain` reads and plans for one user.
//! - `snapshot` records what a plan is made from.
//! - `expressions`, `access` and `environment` prepare both.

pub mod access;
pub mod clock;
pub mod context;
pub mod environment;
pub mod explain;
pub mod expressions;
pub mod interrupt;
pub mod journal;
pub mod notify;
pub mod recreations;
pub mod saved;
pub mod session;
mod settle;
pub mod snapshot;
pub mod waiting;
pub mod watch;
pub mod write;
