//! The plan: the difference between the desired and the current state, what of it is deferred, and the guards. Pure.
//!
//! - `diff`: what differs.
//! - `hold`: what is deferred.
//! - `undo`: the plan that undoes a run.
//! - `op`, `step` and `deferred`: what a plan consists of.
//! - `census`: the accounts by role and status, before and after.
//! - `outline`: what a plan does, without names.
//! - `policy`, `guard`: the limits and their refusals.
//! - `past`, `saved`, `fingerprint`: state recorded by earlier runs, and plans in files.

pub mod census;
pub mod deferred;
pub mod diff;
pub mod fingerprint;
pub mod guard;
pub mod hold;
pub mod op;
pub mod outline;
pub mod past;
pub mod policy;
pub mod saved;
pub mod step;
pub mod undo;

pub use diff::{Comparison, Doubts, diff};
pub use op::Plan;
pub use past::Past;
pub use policy::Policy;
pub use step::Step;

#[cfg(test)]
mod tests;
