//! The sync: from a config and two servers to a plan, and from a plan to its writes.
//!
//! - `session` reads both sides and plans; `settle` is its planning in two passes.
//! - `write` guards, asks and applies, as its `job` says; `journal` records it, and `watch` tells how it ended, `notify` other services;
//!   `waiting` says what it waits for.
//! - `targets` does so for each target of a config, and sums up.
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
pub mod job;
pub mod journal;
pub mod notify;
pub mod recreations;
pub mod saved;
pub mod session;
mod settle;
mod shown;
pub mod snapshot;
pub mod targets;
pub mod waiting;
pub mod watch;
pub mod write;
