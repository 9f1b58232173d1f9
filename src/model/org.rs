//! The part of an Okta org that a sync uses: scope, users, pushed groups, and the data that expressions need.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Members;
use super::desired::{LeftRoles, MissingPart, RuleFault, Unresolved};
use super::id::{OktaGroupId, OktaUserId, ProjectId};
use super::okta::{Group, Profile, Status};
use super::packed::PackedUser;

/// The users that a sync covers: the union of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Users assigned to this app: its id or its unique label.
    pub app: Option<String>,
    /// Where the config names it: `config.toml:9`.
    pub app_at: Option<String>,
    /// Members of these groups: ids or exact names.
    pub groups: Vec<String>,
    /// Where the config names them.
    pub groups_at: Option<String>,
    /// Users that this search finds, in Okta's own search syntax.
    pub search: Option<String>,
    /// All users of the org.
    pub everyone: bool,
}

/// Everything that a sync needs of an org: the users in scope, other users that were read by id, and the members of
/// pushed groups.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Org {
    /// Every user that was read, by id.
    pub users: BTreeMap<OktaUserId, PackedUser>,
    /// Those of them that the configured scope names.
    pub in_scope: BTreeSet<OktaUserId>,
    /// How many users each part of the scope named, by what names it: `users assigned to the app Activepieces`.
    pub parts: BTreeMap<String, usize>,
    /// Whether expressions are evaluated for users who are staged, too.
    pub evaluates_staged: bool,
    /// Users who are in scope by an assignment alone of which it isn't known whether it is in force, with its status.
    pub unsure: BTreeMap<OktaUserId, String>,
    /// Users that were asked for by id and aren't in the org any more (`404 E0000007`).
    pub gone: BTreeSet<OktaUserId>,
    /// The groups that are pushed, with the name that each project is to have.
    pub pushed: BTreeMap<OktaGroupId, PushedGroup>,
    /// The place in the config of the rule that pushes each group.
    pub rule_of: BTreeMap<OktaGroupId, usize>,
    /// The groups that decide about project roles, by the name or the id that the config has.
    pub role_groups: BTreeMap<String, RoleGroup>,
    /// Those of them that weren't found: by the name or the id, what is wrong with it.
    pub missing_role_groups: BTreeMap<String, RuleFault>,
    /// Users whose roles the last run was to give and didn't, by the group of the project.
    pub owed_roles: BTreeMap<OktaGroupId, BTreeSet<OktaUserId>>,
    /// The project roles that users had when their accounts were closed, by the group of the project.
    pub left_roles: LeftRoles,
    /// The members that each project had when a run archived it.
    pub archived: BTreeMap<ProjectId, BTreeSet<OktaUserId>>,
    /// The names of all groups that were listed.
    pub groups: BTreeMap<OktaGroupId, String>,
    /// Rules that name no group, several, or no project.
    pub unresolved: Vec<Unresolved>,
    /// Parts of the scope that name nothing in Okta, or several things: no user is known to be out of scope then.
    pub missing_scope: Vec<MissingPart>,
    /// Groups that were to be pushed and were deleted while the org was read, with the projects' names.
    pub vanished: BTreeMap<OktaGroupId, String>,
    /// The groups that each user is a member of, by name and id, where an expression asks for them.
    pub groups_of: BTreeMap<OktaUserId, Vec<Arc<Group>>>,
    /// What else expressions ask for.
    pub extra: Extra,
}

impl Org {
    /// Whether anything is ever made from the attributes of a user of this status.
    pub fn evaluates(&self, status: &Status) -> bool {
        match status {
            Status::Staged => self.evaluates_staged,
            Status::Suspended | Status::Deprovisioned => false,
            _ => true,
        }
    }
}

/// Data that is read because expressions ask for it, besides users and their groups. An expression that asks for
/// anything else can't be evaluated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra {
    /// Names that mean the same for all users, `app` and `org`, with their values.
    pub names: Profile,
    /// Names that stand for each user's own profile in an app, `appuser` and names of apps such as `zendesk`. A user
    /// without a profile isn't assigned.
    pub profiles: BTreeMap<String, BTreeMap<OktaUserId, Profile>>,
    /// Other users, by how they are related to a user. A user without an entry has none.
    pub related: BTreeMap<Relation, BTreeMap<OktaUserId, Arc<Profile>>>,
    /// Each user's assignments in directories and in Workday.
    pub assignments: BTreeMap<Instances, BTreeMap<OktaUserId, Vec<Profile>>>,
    /// Groups as the API has them, for what a [`Group`] doesn't keep: `created`, `lastUpdated`, `lastMembershipUpdated`,
    /// `profile.description`, `source.id` (Okta API: Groups, retrieve).
    pub group_objects: BTreeMap<OktaGroupId, Profile>,
}

/// The apps of which an expression asks whether a user is assigned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instances {
    /// `hasWorkdayUser()`: every instance of the app with this name.
    All(&'static str),
    /// `workday_abc1234.hasWorkdayUser()`: the instance with this name.
    Named(String),
}

/// How a user is related to another.
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

/// A group whose members have a project role by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleGroup {
    pub id: OktaGroupId,
    pub name: String,
    pub members: Members<OktaUserId>,
}

/// A group that is pushed as a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedGroup {
    pub group: Group,
    /// The project's name, from the rule's `name` or the group's own.
    pub project_name: String,
    /// Members of any status, also those out of scope.
    pub members: Members<OktaUserId>,
}
