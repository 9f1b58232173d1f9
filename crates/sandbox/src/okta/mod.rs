//! The Okta org: its management API as the recordings and Okta's documents have it, the inconvenient parts included.
//!
//! - `state` has the tables and what changes them, `apps` what belongs to apps; `limits` the rate-limit buckets; `creation` tells
//!   when users were created.
//! - `access` lets requests in, and gives tokens to service apps.
//! - `routes` answers, for apps and their mappings with `app_routes`; `page` cuts listings into pages; `search`
//!   understands Okta's search and filter.
//! - `render`, `schemas` and `errors` have the shapes.

mod access;
mod app_routes;
mod apps;
mod creation;
mod errors;
mod limits;
mod page;
mod render;
mod routes;
mod schemas;
mod search;
mod state;

pub use access::{Access, RegisteredApp};
pub use creation::Imports;
pub use routes::{admit, router};
pub use state::{GroupSnapshot, Listing, Org, SeedUser, UserSnapshot};
