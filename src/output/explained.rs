//! The answers of `explain`, as their JSON has them (docs/explain.md#json).

use serde::Serialize;
use serde_json::Value;

use crate::model::id::{AccountId, OktaGroupId, OktaUserId, ProjectId};
use crate::model::problem::Problem;
use crate::plan::access::{Access, Entrants};
use crate::plan::op::{Change, ProjectOp};
use crate::plan::part::{MembershipAction, Part};

/// `explain USER`
#[derive(Clone, Debug, Default, Serialize)]
pub struct ExplainedUser {
    /// None where Okta has and had no such user.
    pub user: Option<OktaUser>,
    pub attributes: Vec<ExplainedAttribute>,
    /// Every account that is linked to the user or has the address.
    pub accounts: Vec<ExplainedAccount>,
    pub projects: Vec<ExplainedProject>,
    pub next_apply: Part,
    pub runs: Vec<PastOperation>,
    /// What a plan looks at and this doesn't. Lower-case, no full stop.
    pub not_looked_at: Vec<String>,
}

/// The user in Okta.
#[derive(Clone, Debug, Serialize)]
pub struct OktaUser {
    pub id: OktaUserId,
    /// The id where the user is deleted.
    pub login: String,
    pub email: Option<String>,
    /// None where the user is deleted.
    pub status: Option<String>,
    /// None where Okta's answers don't tell.
    pub in_scope: Option<bool>,
    pub scope: Vec<ScopePart>,
    pub assignment: Option<ExplainedAssignment>,
    /// None where nothing in the config asks for groups.
    pub groups: Option<Vec<ExplainedGroup>>,
    pub outcome: Outcome,
    /// Why: `suspended in Okta`.
    pub because: String,
}

/// What follows for the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There and active.
    Access,
    /// Not active, and none is created.
    NoAccess,
    /// Left as it is, whatever it is.
    LeftAlone,
}

/// A part of the scope, and whether the user is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScopePart {
    /// `assigned to the app "Activepieces"`
    pub part: String,
    /// None where that isn't known.
    pub within: Option<bool>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ExplainedAssignment {
    pub app: String,
    pub status: String,
    pub by_group: bool,
    /// None for a status that isn't known.
    pub in_force: Option<bool>,
}

/// A group of the user.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedGroup {
    pub id: OktaGroupId,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// What the config uses it for.
    pub uses: Vec<GroupUse>,
}

/// What a group is used for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "for")]
pub enum GroupUse {
    Scope,
    Project {
        project: String,
        /// `config.toml:24`
        rule: Option<String>,
    },
    ProjectRole {
        role: String,
        rule: Option<String>,
    },
}

/// An attribute of the account, and how its value comes about.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedAttribute {
    pub attribute: String,
    pub expression: String,
    /// `config.toml:21`; none for the default.
    pub place: Option<String>,
    /// None where the expression fails.
    pub value: Option<Value>,
    pub error: Option<String>,
    /// The parts of the expression that were evaluated, in the order of the source.
    pub parts: Vec<ExpressionPart>,
    /// What the account has; none where it has no account, or the server doesn't keep the attribute.
    pub current: Option<String>,
    /// Whether the value is written only when an account is created.
    pub on_create_only: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExpressionPart {
    pub part: String,
    /// The value as JSON, or `an error: …`.
    pub gives: String,
}

/// An account in Activepieces.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and a member of the JSON")]
pub struct ExplainedAccount {
    pub id: AccountId,
    pub user_name: String,
    pub given_name: String,
    pub family_name: String,
    pub active: bool,
    pub platform_role: String,
    pub external_id: Option<String>,
    pub link: Link,
    /// Whether this is the account that a run brings in line with the user.
    pub is_the_users: bool,
    pub owner: bool,
    pub protected: bool,
    /// Whether SCIM hides it.
    pub embedded: bool,
}

/// What the externalId of an account says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    ThisUser,
    AnotherUser,
    AnotherDirectory,
    None,
}

/// A project that the user is in or is to be in.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedProject {
    /// The name that it has, or is to have.
    pub name: String,
    /// None where it isn't there yet.
    pub id: Option<ProjectId>,
    pub group: Option<OktaGroupId>,
    pub group_name: Option<String>,
    /// The place of the rule that pushes the group.
    pub rule: Option<String>,
    /// Whether the user is in the group.
    pub in_group: bool,
    pub member: bool,
    /// The project role that the member has; none where the server doesn't tell.
    pub role: Option<String>,
    /// The project role that Okta gives; none where the config says nothing of it.
    pub desired_role: Option<String>,
    /// Why: `group AP Leads`.
    pub desired_role_because: Option<String>,
    /// Why the user is in it, or isn't.
    pub because: String,
}

/// What a run did for the user.
#[derive(Clone, Debug, Serialize)]
pub struct PastOperation {
    pub run: u32,
    pub command: String,
    /// When the run began, in UTC.
    pub started: String,
    #[serde(flatten)]
    pub what: PastWhat,
    /// `done`, `failed`, `stale` or `not begun`.
    pub outcome: &'static str,
    /// Why it isn't done.
    pub outcome_reason: Option<String>,
}

/// One operation of a run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PastWhat {
    User { action: &'static str, changes: Vec<Change>, reason: String },
    Membership { action: MembershipAction, project: String, role: Option<String>, reason: String },
}

/// `explain --group`
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedPushedGroup {
    pub id: OktaGroupId,
    pub name: String,
    /// The place of the rule that pushes the group; none where none does.
    pub rule: Option<String>,
    /// Every rule that takes the group; the first one names the project.
    pub taken_by: Vec<String>,
    /// The name that the project has by the rule.
    pub project_name: Option<String>,
    /// The project in Activepieces; none where there is none yet.
    pub project: Option<ProjectId>,
    /// The name that it has now.
    pub current_name: Option<String>,
    /// None where the group isn't pushed: its members aren't read.
    pub members: Option<usize>,
    pub entrants: Option<Entrants>,
    /// What the next apply does to the project.
    pub operation: Option<ProjectOp>,
    pub problems: Vec<Problem>,
}

/// `explain --project`
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedWholeProject {
    pub id: ProjectId,
    pub name: String,
    pub external_id: Option<String>,
    /// The Okta group that it is linked to, or that the next apply links it to.
    pub group: Option<OktaGroupId>,
    /// None where the group isn't in Okta.
    pub group_name: Option<String>,
    pub rule: Option<String>,
    pub members: Vec<Access>,
    /// What the next apply does to the project.
    pub operation: Option<ProjectOp>,
    pub problems: Vec<Problem>,
}
