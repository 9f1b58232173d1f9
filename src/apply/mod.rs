//! Writes a plan: users first, then projects and members, with the deactivations in parallel.
//!
//! - `run`: the stages, the workers and the stop.
//! - `adapt`: how many writes run in parallel.
//! - `user` and `project`: one operation each; they read the current value before they write again.
//! - `report`: the outcome of each operation.

pub mod adapt;
pub mod project;
pub mod report;
pub mod retry;
pub mod run;
pub mod user;

pub use report::{Outcome, Report};
pub use run::{Event, run};
