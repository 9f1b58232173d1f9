//! The data that an expression is evaluated against.

use std::sync::Arc;

use jiff::Timestamp;

use super::value::Value;
use crate::model::okta::{Group, User};
use crate::model::org::Extra;

/// A user, and the data that was read from the org.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub user: &'a User,
    /// The groups that the user is a member of; empty if no expression needs them.
    pub groups: &'a [Arc<Group>],
    /// The data that [`super::Needs`] names.
    pub extra: Option<&'a Extra>,
    /// The current time. Without it functions such as `Time.now()` can't be evaluated.
    pub now: Option<Timestamp>,
}

impl<'a> Context<'a> {
    pub fn new(user: &'a User, groups: &'a [Arc<Group>]) -> Self {
        Self { user, groups, extra: None, now: None }
    }

    /// Adds the data that was read in addition to profiles and groups.
    #[must_use]
    pub fn with_extra(self, extra: &'a Extra) -> Self {
        Self { extra: Some(extra), ..self }
    }

    /// Sets the current time.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { now: Some(now), ..self }
    }

    /// The value of a name; `appUser` is another spelling of `appuser` (Okta Expression Language: application
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
