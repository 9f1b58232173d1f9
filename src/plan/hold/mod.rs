//! Deferred operations: what a plan leaves out of the difference for now, and which problems are already accepted.

pub mod accepted;
pub mod convergence;
pub mod doubt;
pub mod grace;
pub mod held;
pub mod resumed;
pub mod trust;
