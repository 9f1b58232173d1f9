//! What an expression is evaluated against.

use std::sync::Arc;

use jiff::Timestamp;

use super::value::Value;
use crate::model::okta::{Group, User};
use crate::model::org::Extra;

/// One user, and what else was read of the org.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub user: &'a User,
    /// The groups that the user is a member of; empty where no expression asks for them.
    pub groups: &'a [Arc<Group>],
    /// What was read because [`super::Needs`] asks for it.
    pub extra: Option<&'a Extra>,
    /// The clock. Without it `Time.now()` and its kin can't be evaluated.
    pub now: Option<Timestamp>,
}

impl<'a> Context<'a> {
    pub fn new(user: &'a User, groups: &'a [Arc<Group>]) -> Self {
        Self { user, groups, extra: None, now: None }
    }

    /// The same with what was read beside the profile and the groups.
    #[must_use]
    pub fn with_extra(self, extra: &'a Extra) -> Self {
        Self { extra: Some(extra), ..self }
    }

    /// The same at a point in time.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { now: Some(now), ..self }
    }

    /// What stands under a name; `appUser` is another spelling of `appuser` (Okta Expression Language: application
    /// user profile).
    pub(super) fn name(&self, name: &str) -> Option<Value<'a>> {
        let extra = self.extra?;
        let spelled = if name == "appUser" { "appuser" } else { name };
        match extra.profiles.get(spelled) {
            Some(profiles) => Some(profiles.get(&self.user.id).map_or(Value::Null, Value::Object)),
            None => extra.names.get(spelled).map(Value::from_json),
        }
    }
}
