//! The difference between what should be and what stands, and the guards on it. Pure.

pub mod policy;

pub use policy::Policy;
