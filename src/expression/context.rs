//! What an expression is evaluated against.

use serde_json::{Map, Value as Json};

use crate::model::okta::{Group, User};

/// One user, and what else was read of them.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub user: &'a User,
    /// The groups that the user is a member of; empty where no expression asks for them.
    pub groups: &'a [Group],
    /// More names, such as `appuser` or `org`, by what stands under them.
    pub names: Option<&'a Map<String, Json>>,
}

impl<'a> Context<'a> {
    pub fn new(user: &'a User, groups: &'a [Group]) -> Self {
        Self { user, groups, names: None }
    }

    /// The same with more names.
    #[must_use]
    pub fn with_names(self, names: &'a Map<String, Json>) -> Self {
        Self { names: Some(names), ..self }
    }
}
