//! The routes of the Okta API that a sync calls, and the shapes of their answers.

pub mod apps;
mod buckets;
pub mod client;
pub mod groups;
pub mod mappings;
pub mod schemas;
pub mod search_chains;
pub mod users;
pub mod wire;
