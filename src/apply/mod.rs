//! Writes a plan: users first; then projects and members, with the deactivations alongside.
//!
//! - `run` has the stages, the workers and the stop.
//! - `adapt` finds how many workers the server processes in parallel.
//! - `user` and `project` apply one operation each, and read the current value before a second write.
//! - `report` has the outcome of each operation.

pub mod adapt;
pub mod project;
pub mod report;
pub mod retry;
pub mod run;
pub mod user;

pub use report::{Outcome, Report};
pub use run::{Event, run};
