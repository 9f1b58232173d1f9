//! The Okta client: what a sync reads from an org, complete or not at all. It never writes.
//!
//! - `again` reads what was only known from an earlier run.
//! - `client` pages through listings and reads single entities; `users`, `groups` and `apps` are its routes.
//! - `extra` and `people` read what expressions ask for beside users and groups.
//! - `known` tells which groups needn't be read again.
//! - `oauth` lets the requests in as those of a service app.
//! - `read` reads the whole scope of a sync, and `confirm` and `unpushed` ask again, by id, before anything is taken away.

pub mod again;
mod apps;
mod buckets;
pub mod client;
pub mod confirm;
mod extra;
mod groups;
mod known;
mod mappings;
pub mod oauth;
mod people;
pub mod read;
mod resolve;
mod schemas;
mod search;
mod side_by_side;
mod unpushed;
mod users;
pub mod wire;

#[cfg(test)]
mod recordings;
#[cfg(test)]
mod testing;

pub use client::{Okta, api_token, settings};
pub use confirm::confirm;
pub use mappings::profile_mapping;
pub use read::{Progress, Reading, Step, read, read_user};
pub use resolve::ResolvedScope;
pub use unpushed::{StillThere, confirm_unpushed};
