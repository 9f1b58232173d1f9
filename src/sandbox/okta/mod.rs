//! The Okta org.

use std::sync::Arc;

use serde_json::{Map, Value};

/// A user to start with.
#[derive(Clone, Debug)]
pub struct SeedUser {
    /// `00u` and 17 letters and digits; made up where none is given.
    pub id: Option<String>,
    /// Okta's spelling, `ACTIVE`; any text, since the set is open.
    pub status: String,
    pub profile: Map<String, Value>,
}

/// The state of one org; all methods take `&self`.
#[derive(Debug)]
pub struct Org {}

impl Org {
    /// An empty org with its own user type, schemas, the group `Everyone` and Okta's built-in apps. The seed makes ids
    /// the same for the same calls. `rate_limit` is the number of requests a minute in each bucket; without it those of
    /// a workforce org.
    pub fn new(_seed: u64, _rate_limit: Option<u32>) -> Self {
        Self {}
    }

    /// The token that its routes accept.
    pub fn token(&self) -> String {
        String::new()
    }

    /// Puts a user there, also into `Everyone`; gives the id.
    pub fn seed_user(&self, _user: SeedUser) -> String {
        String::new()
    }

    /// Puts a group there (`OKTA_GROUP`, `APP_GROUP` or `BUILT_IN`) with members of any status; gives the id.
    pub fn seed_group(&self, _id: Option<&str>, _name: &str, _kind: &str, _members: &[String]) -> String {
        String::new()
    }

    /// Puts a provisioning app there, with its profile mapping and schema, and assigns these users (deactivated users
    /// are never assigned); gives the id.
    pub fn seed_app(&self, _label: &str, _users: &[String]) -> String {
        String::new()
    }
}

/// All routes of the org. Links and hrefs use the host of the request.
pub fn router(_org: Arc<Org>) -> axum::Router {
    axum::Router::new()
}
