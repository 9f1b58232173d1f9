//! What an expression is evaluated against.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use crate::model::id::OktaGroupId;
use crate::model::okta::{Group, User};

/// One user, and what else was read of them.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub user: &'a User,
    /// The groups that the user is a member of; empty where no expression asks for them.
    pub groups: &'a [Group],
    /// More names, such as `appuser` or `org`, by what stands under them.
    pub names: Option<&'a Map<String, Json>>,
    /// What was read because [`super::Needs`] asks for it.
    pub extra: Option<&'a Extra>,
    /// The clock. Without it `Time.now()` and its kin can't be evaluated.
    pub now: Option<Timestamp>,
}

impl<'a> Context<'a> {
    pub fn new(user: &'a User, groups: &'a [Group]) -> Self {
        Self { user, groups, names: None, extra: None, now: None }
    }

    /// The same with more names.
    #[must_use]
    pub fn with_names(self, names: &'a Map<String, Json>) -> Self {
        Self { names: Some(names), ..self }
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
    pub(super) fn name(&self, name: &str) -> Option<&'a Json> {
        let spelled = if name == "appUser" { "appuser" } else { name };
        let of = |names: &'a Map<String, Json>| names.get(spelled);
        self.names.and_then(of).or_else(|| self.extra.and_then(|extra| of(&extra.names)))
    }
}

/// What was read of a user beside the profile and the groups. What isn't in here wasn't read: an expression that asks
/// for it all the same can't be evaluated. What was read and isn't there is null or an empty list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra {
    /// Names by what stands under them: `appuser`, `app`, `org`.
    pub names: Map<String, Json>,
    /// Attributes of the user that aren't in the profile, as the API has them: `created`, `lastLogin`, … (Okta API:
    /// Users, retrieve).
    pub user: Map<String, Json>,
    /// Other people, by how the user is related to them; null for a user who has none.
    pub related: BTreeMap<Relation, Option<Map<String, Json>>>,
    /// The user's assignments in directories; absent where they weren't read.
    pub directory_users: Option<Vec<Map<String, Json>>>,
    /// The user's assignments in Workday; absent where they weren't read.
    pub workday_users: Option<Vec<Map<String, Json>>>,
    /// The user's groups as the API has them, by id, for what a [`Group`] doesn't keep: `created`, `lastUpdated`,
    /// `lastMembershipUpdated`, `profile.description`, `source.id` (Okta API: Groups, retrieve).
    pub group_objects: BTreeMap<OktaGroupId, Map<String, Json>>,
}

/// How somebody is related to the user. What stands under it is a profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// `user.getLinkedObject("manager")`: the other end of a linked object, by the primary name.
    LinkedObject(String),
    /// `getManagerUser("active_directory")`: the manager's Okta profile.
    Manager,
    /// `getManagerAppUser("active_directory", "google")`: the manager's profile in that app.
    ManagerApp(String),
    /// `getAssistantUser("active_directory")`
    Assistant,
    /// `getAssistantAppUser("active_directory", "google")`
    AssistantApp(String),
}
