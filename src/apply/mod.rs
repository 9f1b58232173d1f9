//! Writes a plan: deletes invitations; then users; then projects and members, with the deactivations alongside.
//!
//! - `run` has the stages, the workers and the stop.
//! - `adapt` finds how many of them the server takes side by side.
//! - `recreate` has what an account that is replaced needs besides the new one.
//! - `invitation`, `user` and `project` do one operation each, and look at the current value before they write a second time.
//! - `estimate` tells in advance how long it takes.
//! - `report` has the outcome of each operation.

pub mod adapt;
pub mod estimate;
pub mod invitation;
pub mod project;
pub mod recreate;
pub mod report;
pub mod retry;
mod roles;
pub mod run;
pub mod user;

pub use report::{Outcome, Report};
pub use run::{Event, run};
