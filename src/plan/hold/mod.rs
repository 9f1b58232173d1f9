//! Deferred operations and accepted problems: what a plan leaves out of the difference for now.

pub mod accepted;
pub mod convergence;
pub mod dormant;
pub mod doubt;
pub mod grace;
pub mod held;
pub mod resumed;
pub mod trust;
