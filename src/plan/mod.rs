//! The plan: the difference between the desired and the current state, what of it is deferred, and the guards. Pure.
//!
//! - `diff`: what differs.
//! - `hold`: what is deferred.
//! - `undo`: the plan that undoes a run.
//! - `in_line`: what was changed on the platform since the last run.
//! - `op`, `step`, `drift` and `deferred`: what a plan consists of.
//! - `adoption`: how each account is matched, and the part of a plan that only links.
//! - `item`: what can be left out of a plan, and what depends on what; `only`: the part that was chosen by name.
//! - `access`: who has which role today, and why; `part`: what a plan does for one user.
//! - `census`: the accounts by role and status, before and after.
//! - `outline`: what a plan does, without names.
//! - `policy`, `guard`: the limits and their refusals.
//! - `past`, `saved`, `fingerprint`: state recorded by earlier runs, and plans in files.

pub mod access;
pub mod adoption;
pub mod census;
pub mod deferred;
pub mod diff;
pub mod drift;
pub mod fingerprint;
pub mod guard;
pub mod hold;
pub mod in_line;
pub mod item;
pub mod only;
pub mod op;
pub mod outline;
pub mod part;
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
