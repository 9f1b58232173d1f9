//! The Activepieces platform.

use std::sync::Arc;

/// A user to start with.
#[derive(Clone, Debug)]
pub struct SeedUser {
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub external_id: Option<String>,
    /// `ADMIN`, `OPERATOR` or `MEMBER`.
    pub role: String,
    pub active: bool,
}

/// The state of one platform; all methods take `&self`.
#[derive(Debug)]
pub struct Platform {}

impl Platform {
    /// A fresh platform with just its owner, `owner@example.com`. The seed makes ids the same for the same calls.
    pub fn new(_seed: u64) -> Self {
        Self {}
    }

    /// The key that its routes accept, `sk-…`.
    pub fn api_key(&self) -> &'static str {
        ""
    }

    /// Puts a user there without any request; gives the id.
    pub fn seed_user(&self, _user: SeedUser) -> String {
        String::new()
    }

    /// Puts a TEAM project there with its members and their project roles (`Admin`, `Editor`, `Viewer`); gives the id.
    pub fn seed_project(&self, _name: &str, _external_id: Option<&str>, _members: &[(String, &str)]) -> String {
        String::new()
    }
}

/// All routes of the platform.
pub fn router(_platform: Arc<Platform>) -> axum::Router {
    axum::Router::new()
}
