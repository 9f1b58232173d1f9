//! The Activepieces client: SCIM where possible, REST for the rest. "The contract" in the comments is the observed behaviour
//! of a real server; `tests/it/sandbox_activepieces` tests it fact by fact.
//!
//! - `wire`: request and answer bodies.
//! - `client`: single requests, one method each.
//! - `invitations`: invitations that wait.
//! - `lookup`: single accounts and projects with their members, for what isn't planned from the whole.
//! - `read`: the whole platform; it refuses inconsistent listings.

pub mod client;
pub mod invitations;
pub mod lookup;
pub mod read;
pub mod wire;

pub use client::Activepieces;
pub use read::{LOOKUPS_AT_ONCE, read, read_with_roles};
