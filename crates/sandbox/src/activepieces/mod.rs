//! An Activepieces platform, in memory, that answers as a real server does (docs/activepieces.md): the inconvenient parts
//! included.
//!
//! A request passes through the same stages as there (docs/activepieces.md#order-of-checks): `routes` finds the endpoint, `body` reads
//! what was sent, `validate` checks it, `auth` checks the caller, and one handler per endpoint does the work on the
//! tables of `state`. How long a real server takes, `work` imitates where it's asked to.
//!
//! Not imitated: background jobs (what they do is done at once), sign-in, flows and connections.

mod auth;
mod body;
mod contents;
mod discovery;
mod errors;
mod group_patch;
mod groups;
mod list_response;
mod paging;
mod platform;
mod project_table;
mod query;
mod rest_invitations;
mod rest_members;
mod rest_platform;
mod rest_projects;
mod rest_users;
mod routes;
mod settings;
mod state;
mod transport;
mod user_patch;
mod user_table;
mod users;
mod validate;
mod work;

use std::sync::Arc;

pub use contents::Contents;
pub use platform::{InvitationSnapshot, Platform, ProjectSnapshot, SeedUser, UserSnapshot};
pub use settings::{Generation, Outage, Settings, Smtp, TeamProjectsLimit};

/// All routes of the platform.
pub fn router(platform: Arc<Platform>) -> axum::Router {
    axum::Router::new().fallback(transport::handle).with_state(platform)
}
