//! Brings an Activepieces platform in line with an Okta org.
//!
//! The folders are the stations of the data, in the order in which it passes them; ARCHITECTURE.md has the map and
//! the rules between them, and `tests/it/architecture.rs` checks those rules.

pub mod activepieces;
pub mod apply;
pub mod cli;
pub mod config;
pub mod error;
pub mod expression;
mod files;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod http;
pub mod mapping;
pub mod model;
pub mod okta;
pub mod output;
pub mod plan;
mod snapshot;
pub mod state;
mod sync;
