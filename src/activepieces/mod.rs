//! The Activepieces platform: SCIM where it can, REST for what SCIM can't do. "The contract" in the comments is what a
//! real server was seen to do; `tests/it/sandbox_activepieces.rs` states it fact by fact.
//!
//! - `wire` has the bodies as they travel.
//! - `client` sends single requests, one method each.
//! - `read` lists a whole platform, and refuses a listing that lies.

pub mod client;
pub mod read;
pub mod wire;

pub use client::Activepieces;
pub use read::{LOOKUPS_AT_ONCE, read};
