//! The Okta client: what a sync reads from an org, complete or not at all. It never writes.
//!
//! - `api`: requests and their answers, one file for each family of routes.
//! - `read`: the whole read of a sync.
//! - `lookup`: a user with all that a sync needs of them, from few requests.
//! - `recheck`: the second look, by id, before anything is removed.
//! - `shared`: listings that several targets of one org share.
//! - `oauth`: the credentials of a service app.

pub mod api;
pub mod lookup;
pub mod oauth;
pub mod read;
pub mod recheck;
pub mod shared;

#[cfg(test)]
mod recordings;
#[cfg(test)]
mod testing;

pub use api::client::{Okta, api_token, settings};
pub use api::mappings::profile_mapping;
pub use read::resolve::ResolvedScope;
pub use read::{Progress, Reading, Step, read, read_user};
pub use recheck::unpushed::{StillThere, confirm_unpushed};
pub use recheck::users::confirm;
pub use shared::Shared;
