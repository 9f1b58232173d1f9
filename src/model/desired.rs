//! The desired state: each user's account and each group's project, after the expressions are evaluated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::activepieces::Project;
use super::id::{OktaGroupId, OktaIds, OktaUserId, ProjectId};
use super::okta::{Group, Status};
use super::problem::{Problem, ProblemKind};
use super::similar::did_you_mean;
use super::{Members, PlatformRole};

/// Everything that the source asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Desired {
    pub users: BTreeMap<OktaUserId, DesiredUser>,
    /// By the externalId that a new project gets.
    pub projects: BTreeMap<OktaGroupId, DesiredProject>,
    /// Projects of groups that were deleted during the read: their names, by each externalId that they may have.
    pub vanished: BTreeMap<OktaGroupId, String>,
    /// The names of all groups that Okta's listing held, pushed or not; empty where the groups weren't listed.
    #[serde(skip)]
    pub groups: BTreeMap<OktaGroupId, String>,
    /// The project roles that users had when their accounts were closed, by the group of the project.
    #[serde(skip)]
    pub left_roles: LeftRoles,
    /// The members that each project had when a run archived it.
    #[serde(skip)]
    pub archived: BTreeMap<ProjectId, BTreeSet<OktaUserId>>,
    /// Rules that name no project: each is a problem, and its project is left alone.
    pub unresolved: Vec<Unresolved>,
    /// Parts of the scope that weren't found: each is a problem, and no user is known to be out of scope.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_scope: Vec<MissingPart>,
    pub on_create_only: OnCreateOnly,
    /// How the org's ids look.
    #[serde(skip)]
    pub ids: OktaIds,
}

impl Desired {
    /// The project that may have this externalId.
    pub fn project_of(&self, external_id: &str) -> Option<&DesiredProject> {
        let of_key = self.projects.get(&OktaGroupId::from(external_id)).filter(|project| project.has_link(external_id));
        of_key.or_else(|| self.projects.values().find(|project| project.has_link(external_id)))
    }
}

/// The project roles that users had when their accounts were closed, by the group of the project.
pub type LeftRoles = BTreeMap<OktaGroupId, BTreeMap<OktaUserId, String>>;

/// A part of the scope that wasn't found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingPart {
    /// The name or id that the config has.
    pub wanted: String,
    /// What is wrong with it: `[scope] app: no app in Okta has …`.
    pub fault: String,
}

/// A rule of the config that can't push a group as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unresolved {
    /// The name or id that the rule has, or the name of the group that its pattern takes.
    pub wanted: String,
    /// The name that the project would have.
    pub project: String,
    pub fault: RuleFault,
    /// `config.toml:40`.
    pub location: Option<String>,
}

/// Why a name in the config matches no group or no project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum RuleFault {
    /// No group has this id or name; some names are like it.
    NoSuchGroup { nearest: Vec<String> },
    /// Several groups have this name.
    SeveralGroups { groups: Vec<Group> },
    /// The pattern gives the group an empty project name.
    EmptyName { group: OktaGroupId },
}

impl Unresolved {
    /// Whether the rule is about this project, which is linked to this group: then the project is left alone.
    pub fn is_about(&self, group: &OktaGroupId, project: &Project) -> bool {
        let is_named = self.project == project.display_name || self.project == project.id.as_str();
        match &self.fault {
            RuleFault::NoSuchGroup { .. } => self.wanted == group.as_str() || is_named,
            RuleFault::SeveralGroups { groups } => groups.iter().any(|other| other.id == *group) || is_named,
            RuleFault::EmptyName { group: other } => other == group,
        }
    }
}

impl DesiredProject {
    /// The project of one group, without project roles.
    pub fn of(group: OktaGroupId, name: &str, group_name: &str, members: Members<OktaUserId>) -> Self {
        let (name, group_name) = (name.to_owned(), group_name.to_owned());
        Self { name, is_named: false, sources: vec![Source::of(group)], group_name, members, roles: None }
    }

    /// The externalIds that the project may have, in the order of the config.
    pub fn links(&self) -> impl Iterator<Item = &OktaGroupId> {
        self.sources.iter().map(|source| &source.link)
    }

    /// Whether an externalId is one of them.
    pub fn has_link(&self, external_id: &str) -> bool {
        self.links().any(|link| link.as_str() == external_id)
    }
}

impl RuleFault {
    /// The kind of the problem that it is.
    pub fn kind(&self) -> ProblemKind {
        match self {
            Self::NoSuchGroup { .. } => ProblemKind::GroupNotFound,
            Self::SeveralGroups { .. } => ProblemKind::AmbiguousGroup,
            Self::EmptyName { .. } => ProblemKind::EmptyProjectName,
        }
    }

    /// What is wrong with the name, as `config.toml:40: no group in Okta has …` says it.
    pub fn told(&self, wanted: &str) -> String {
        match self {
            Self::NoSuchGroup { nearest } => {
                let hint = did_you_mean(nearest).map(|hint| format!("; {hint}")).unwrap_or_default();
                format!("no group in Okta has the id or the name {wanted:?}{hint}")
            }
            Self::SeveralGroups { groups } => {
                let mut ids: Vec<String> =
                    groups.iter().map(|group| format!("{} ({})", group.id, group.kind.as_str())).collect();
                ids.sort();
                format!("several groups are named {wanted:?}; name one by its id: {}", ids.join(", "))
            }
            Self::EmptyName { group } => {
                format!("the rule gives the group {wanted:?} ({group}) an empty project name")
            }
        }
    }
}

/// Attributes that accounts get when they are created, and that no later run changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OnCreateOnly {
    pub given_name: bool,
    pub family_name: bool,
    pub platform_role: bool,
}

/// One Okta user, mapped.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DesiredUser {
    /// `profile.login`, where it isn't the user name: of a million users it is mostly.
    login: Option<Box<str>>,
    /// What the `userName` expression gives, lower-cased and trimmed as the server does; none where it wasn't needed or
    /// gave none.
    pub user_name: Option<String>,
    pub state: DesiredState,
    /// Whether the scope names the user, whatever the status.
    pub in_scope: bool,
    /// The attributes of the inactive account that is made for a user who has none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prepared: Option<Box<Attributes>>,
    /// Further addresses by which an account may be the user's, lower-cased and trimmed.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub aliases: Box<[String]>,
}

impl DesiredUser {
    /// A user in scope with this `profile.login`, or the id where Okta has none.
    pub fn new(login: &str, user_name: Option<String>, state: DesiredState) -> Self {
        let login = (user_name.as_deref() != Some(login)).then(|| login.into());
        Self { login, user_name, state, in_scope: true, prepared: None, aliases: Box::default() }
    }

    /// The same user, who gets an inactive account.
    #[must_use]
    pub fn with_prepared(self, attributes: Attributes) -> Self {
        Self { prepared: Some(Box::new(attributes)), ..self }
    }

    /// The same user, who may have an account of one of these addresses.
    #[must_use]
    pub fn with_aliases(self, aliases: Vec<String>) -> Self {
        Self { aliases: aliases.into(), ..self }
    }

    /// The same user outside of the scope.
    #[must_use]
    pub fn out_of_scope(self) -> Self {
        Self { in_scope: false, ..self }
    }

    /// The name to show for the user.
    pub fn login(&self) -> &str {
        self.login.as_deref().or(self.user_name.as_deref()).unwrap_or_default()
    }
}

/// The desired state of the user's account.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum DesiredState {
    /// There and active, with these attributes.
    Present(Attributes),
    /// Not active, for this reason; nothing is created.
    Left(Leave),
    /// Neither created nor changed, since of this status nothing follows (`STAGED`, or one that isn't known).
    Untouched(Status),
    /// Left alone, because the mapping failed.
    Problem(Vec<Problem>),
}

impl DesiredState {
    /// Why nothing follows for the account; none where something does.
    pub fn why_left_alone(&self) -> Option<String> {
        match self {
            Self::Present(_) | Self::Left(_) => None,
            Self::Untouched(status) => Some(format!("status {:?}", status.as_str())),
            Self::Problem(problems) => {
                Some(problems.first().map(|problem| problem.message.clone()).unwrap_or_default())
            }
        }
    }
}

/// The attributes of an active user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attributes {
    /// None keeps the current value: Okta leaves out an attribute whose expression gives null.
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    /// Sent as Okta sends it; the server keeps only the user name (docs/activepieces.md#creating-a-user).
    pub email: Option<String>,
    /// Sent as Okta sends it; the server doesn't store it (docs/activepieces.md#users).
    pub display_name: Option<String>,
    pub platform_role: PlatformRole,
    /// Whether Okta gives no role, which is null: a new account is a MEMBER, and an existing one keeps its role.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub role_is_null: bool,
    /// The profile attributes behind the role: `okta_role = "Master"`.
    pub role_because: Option<Arc<str>>,
}

/// Why a user has no access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leave {
    Suspended,
    /// Okta's consoles call `DEPROVISIONED` "deactivated".
    Deactivated,
    /// Out of scope, though still in Okta.
    Unassigned,
    /// `404` in Okta.
    Deleted,
    /// In scope, and of a status that the config takes for a reason to leave; so are those that follow.
    Staged,
    /// Okta's consoles call `PROVISIONED` "pending user action".
    Provisioned,
    /// Okta's consoles call `RECOVERY` "password reset".
    Recovery,
    PasswordExpired,
    LockedOut,
}

impl Leave {
    /// All, each with its name in the config.
    pub const NAMED: [(&'static str, Self); 9] = [
        ("suspended", Self::Suspended),
        ("deactivated", Self::Deactivated),
        ("unassigned", Self::Unassigned),
        ("deleted", Self::Deleted),
        ("staged", Self::Staged),
        ("provisioned", Self::Provisioned),
        ("recovery", Self::Recovery),
        ("password_expired", Self::PasswordExpired),
        ("locked_out", Self::LockedOut),
    ];

    /// The name as the config and JSON have it.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, leave)| *leave == self).map(|(name, _)| *name).unwrap_or_default()
    }

    /// The reason that the status of a user in scope is, where the config says so.
    pub fn by_status(status: &Status) -> Option<Self> {
        match status {
            Status::Staged => Some(Self::Staged),
            Status::Provisioned => Some(Self::Provisioned),
            Status::Recovery => Some(Self::Recovery),
            Status::PasswordExpired => Some(Self::PasswordExpired),
            Status::LockedOut => Some(Self::LockedOut),
            Status::Active | Status::Suspended | Status::Deprovisioned | Status::Other(_) => None,
        }
    }

    /// Whether it follows from an absence in Okta, which one answer may have by mistake; all others are stated.
    pub fn is_absence(self) -> bool {
        matches!(self, Self::Unassigned | Self::Deleted)
    }

    /// The reason as a plan says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suspended => "suspended in Okta",
            Self::Deactivated => "deactivated in Okta",
            Self::Unassigned => "unassigned in Okta",
            Self::Deleted => "deleted in Okta",
            Self::Staged => "staged in Okta",
            Self::Provisioned => "not yet activated in Okta",
            Self::Recovery => "in recovery in Okta",
            Self::PasswordExpired => "password expired in Okta",
            Self::LockedOut => "locked out in Okta",
        }
    }
}

/// A group that a project is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    pub group: OktaGroupId,
    /// The externalId of the project, if this group is the one that links it.
    pub link: OktaGroupId,
    /// The place in the config of the rule that takes the group.
    #[serde(skip)]
    pub rule: usize,
}

impl Source {
    /// A group that is pushed as one project.
    pub fn of(group: OktaGroupId) -> Self {
        Self { link: group.clone(), group, rule: 0 }
    }
}

/// A pushed group, or several together, as the project they should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DesiredProject {
    /// Where the config names the project, its name or its id.
    pub name: String,
    /// Whether the config names the project, so that an existing one of this name or id is linked.
    pub is_named: bool,
    /// The groups in the order of the config. The project is linked to one of them.
    pub sources: Vec<Source>,
    /// The groups' own names, for reasons: `AP EMEA or AP US`.
    pub group_name: String,
    /// All members of the groups, whatever their status and scope.
    pub members: Members<OktaUserId>,
    /// The project roles of the members; none where the config doesn't manage them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<DesiredRoles>,
}

/// The project roles that the members of a project should have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DesiredRoles {
    /// By user. A user who isn't here keeps their role, and gets the server's default where they are added.
    pub of: BTreeMap<OktaUserId, Arc<DesiredRole>>,
    /// Every role that the config names for the project.
    pub names: BTreeSet<String>,
    /// The roles from the highest to the lowest, as far as the config states their order.
    pub order: Arc<[String]>,
    /// Whether a member's role is set only when the member is added.
    pub on_add_only: bool,
    /// Members that a run added and that it didn't give their roles.
    pub owed: BTreeSet<OktaUserId>,
    /// The groups that decide about roles: what depends on them has to be confirmed.
    pub groups: BTreeSet<OktaGroupId>,
    /// Why roles couldn't be told: of single users, or of all for a group that isn't in Okta.
    pub problems: Vec<Problem>,
    /// `config.toml:40`.
    pub location: Option<String>,
}

/// The role that a member of a project should have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DesiredRole {
    /// None if it is unknown: a member keeps their role, and no user is added with a role that may be too high.
    pub role: Option<String>,
    /// Where the role comes from: `group AP Leads`, `rule config.toml:40`.
    pub because: String,
    /// Whether the user would have another role if the listing of a group had missed them.
    pub by_absence: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_named_by_the_login_whether_it_is_the_user_name_or_not() {
        let named = |login: &str, user_name: Option<&str>| {
            let user = DesiredUser::new(login, user_name.map(str::to_owned), DesiredState::Left(Leave::Deleted));
            (user.login.is_some(), user.login().to_owned())
        };
        assert_eq!(named("ada@example.com", Some("ada@example.com")), (false, "ada@example.com".to_owned()));
        assert_eq!(named("Ada@example.com", Some("ada@example.com")), (true, "Ada@example.com".to_owned()));
        assert_eq!(named("00u1", None), (true, "00u1".to_owned()));
    }
}
