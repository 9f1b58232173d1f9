//! Who has which role and which memberships on the platform today, and why.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::PlatformRole;
use crate::model::activepieces::{EmbeddedUser, Platform, Project, User};
use crate::model::desired::{Desired, DesiredProject, DesiredState, DesiredUser, Leave};
use crate::model::id::{AccountId, OktaGroupId, OktaUserId, ProjectId};
use crate::model::org::PushedGroup;
use crate::model::role::is_same_project_role;
use crate::plan::diff::matching;
use crate::plan::op::{Fate, Plan, Replaced, UserAction, UserOp};
use crate::plan::policy::Policy;

/// An account with its access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and a member of the JSON")]
pub struct Access {
    pub user_name: String,
    pub account: AccountId,
    pub active: bool,
    /// Empty where it isn't known: SCIM hides embedded accounts.
    pub role: String,
    pub external_id: Option<String>,
    pub okta: Option<OktaUser>,
    pub reason: RoleReason,
    pub owner: bool,
    pub protected: bool,
    /// Whether Okta doesn't know the account, or the user is deleted there.
    pub not_in_okta: bool,
    /// What the next apply does to the account: `deactivate`, `role → MEMBER`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_apply: Option<String>,
    pub projects: Vec<Membership>,
}

/// The Okta user of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OktaUser {
    pub id: OktaUserId,
    pub login: String,
    pub in_scope: bool,
}

impl OktaUser {
    /// Of a user that isn't known only the id is.
    pub fn of(id: &OktaUserId, user: Option<&DesiredUser>) -> Self {
        let login = user.map(DesiredUser::login).unwrap_or_default().to_owned();
        Self { id: id.clone(), login, in_scope: user.is_some_and(|user| user.in_scope) }
    }
}

/// Why an account has its role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum RoleReason {
    /// The expression gives it; the profile attributes behind it: `okta_role = "Master"`.
    Okta { because: Option<String> },
    /// The expression gives another one.
    SetByHand { okta_gives: PlatformRole, because: Option<String> },
    /// The expression gives another one since the last apply, which wrote this one.
    NotAppliedYet { okta_gives: PlatformRole, because: Option<String> },
    /// The config has no expression for the role, or one for new accounts alone.
    NotManaged,
    /// The expression gives null, which keeps the role.
    Null,
    /// The platform's owner, whatever Okta gives.
    Owner { okta_gives: Option<PlatformRole> },
    /// `safety.protect` keeps it, whatever Okta gives.
    Protected { okta_gives: Option<PlatformRole> },
    /// The user has no access in Okta.
    Left { leave: Leave },
    /// The inactive account of a user who is out of scope or deleted, which no plan asks about.
    NotRead,
    /// Nothing follows from what Okta says of the user: `status "STAGED"`, or the first problem.
    LeftAlone { why: String },
    /// Okta doesn't know the account: it has no externalId.
    Local,
    /// Okta doesn't know the account: its externalId is of another directory.
    AnotherDirectory,
    /// A customer's token made the account.
    Embedded,
}

/// A membership in a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Membership {
    pub project: String,
    pub id: ProjectId,
    /// None where the server doesn't tell it.
    pub role: Option<String>,
    pub reason: MemberReason,
    /// Why the member has the project role: `group AP Leads`; none where Okta gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_because: Option<String>,
    /// The project role that Okta gives, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub okta_gives: Option<String>,
}

/// Why an account is a member of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum MemberReason {
    /// The user is in the group.
    Group { group: String },
    /// The user isn't in the group: left it, or was added by hand.
    NotInGroup { group: String },
    /// The account is of no Okta user, and was added by hand.
    NotInOkta,
    /// No rule pushes the project's group, or it isn't in Okta.
    NotPushed,
    /// The project has no Okta group.
    NoGroup,
}

/// What decides about access.
pub struct Sources<'a> {
    pub desired: &'a Desired,
    pub platform: &'a Platform,
    pub plan: &'a Plan,
    pub policy: &'a Policy,
    /// Whether the config has an expression for the platform role.
    pub manages_roles: bool,
    /// The role that a run wrote last for a user, where one did.
    pub written: &'a dyn Fn(&OktaUserId) -> Option<String>,
}

/// The access of every account, by user name.
pub fn all(sources: &Sources<'_>) -> Vec<Access> {
    let Sources { desired, platform, .. } = sources;
    let matches = matching::matches(desired, platform, sources.policy);
    let wanted = matching::wanted_names(desired);
    let operations: BTreeMap<&AccountId, &UserOp> =
        sources.plan.users.iter().filter_map(|op| Some((op.account.as_ref()?, op))).collect();
    let leave =
        sources.plan.users.iter().flat_map(|op| op.replaces.iter().map(move |left| (&left.account, (op, left))));
    let left: BTreeMap<&AccountId, (&UserOp, &Replaced)> = leave.collect();
    let mut memberships = memberships(desired, platform);
    let of = |(account, owner): (&User, Option<&OktaUserId>)| {
        let id = owner.cloned().or_else(|| account.okta_id(&desired.ids));
        let id = id.or_else(|| account.former_of(&desired.ids));
        let leaves = || left.get(&account.id).map(|(op, left)| left_for(op, left));
        let projects = memberships.remove(&account.id).unwrap_or_default();
        let membership = |(project, group)| sources.membership(account, id.as_ref(), project, group);
        Access {
            next_apply: operations.get(&account.id).and_then(|op| next(op)).or_else(leaves),
            projects: projects.into_iter().map(membership).collect(),
            ..sources.of_account(account, id.as_ref(), wanted.contains(account.user_name.as_str()))
        }
    };
    let mut all: Vec<Access> = platform.users.iter().zip(matches.user_of.iter().copied()).map(of).collect();
    all.extend(platform.embedded.iter().map(of_embedded));
    all.sort_by(|a, b| (&a.user_name, &a.account).cmp(&(&b.user_name, &b.account)));
    all
}

/// The projects of each account, with their pushed groups.
fn memberships<'a>(desired: &'a Desired, platform: &'a Platform) -> Memberships<'a> {
    let mut memberships = Memberships::new();
    for project in &platform.projects {
        let group = project.external_id.as_deref().and_then(|id| desired.project_of(id));
        for member in &project.members {
            memberships.entry(member).or_default().push((project, group));
        }
    }
    memberships
}

type Memberships<'a> = BTreeMap<&'a AccountId, Vec<(&'a Project, Option<&'a DesiredProject>)>>;

fn of_embedded(account: &EmbeddedUser) -> Access {
    Access {
        user_name: account.user_name.clone(),
        account: account.id.clone(),
        active: true,
        role: String::new(),
        external_id: None,
        okta: None,
        reason: RoleReason::Embedded,
        not_in_okta: true,
        owner: false,
        protected: false,
        next_apply: None,
        projects: Vec::new(),
    }
}

/// What an operation does to the access of an account.
fn next(op: &UserOp) -> Option<String> {
    let role = op.role_change();
    let role = role.map(|change| format!("role → {}", change.to));
    match op.action {
        UserAction::Deactivate | UserAction::Reactivate | UserAction::Delete => {
            let action = op.action.as_str();
            Some(role.map_or_else(|| action.to_owned(), |role| format!("{action}, {role}")))
        }
        UserAction::Create | UserAction::Adopt | UserAction::Recreate | UserAction::Update => role,
    }
}

/// What becomes of an account whose user gets another one.
fn left_for(op: &UserOp, left: &Replaced) -> String {
    match &left.fate {
        Fate::Close => format!("deactivate, replaced by {}", op.user_name),
        Fate::Closed => format!("replaced by {}", op.user_name),
        Fate::TakenOver { by } => format!("goes to {by}"),
    }
}

impl Sources<'_> {
    /// An account without its projects. Several users may claim it, or it may be the second one of a user: then its address is
    /// wanted, and the account has no user.
    fn of_account(&self, account: &User, id: Option<&OktaUserId>, is_wanted: bool) -> Access {
        let user = id.and_then(|id| self.desired.users.get(id));
        let is_contested = user.is_none() && is_wanted;
        let reason = match self.reason(account, id, user) {
            RoleReason::Local | RoleReason::AnotherDirectory if is_contested => {
                RoleReason::LeftAlone { why: "a user in Okta has this address, and has problems".to_owned() }
            }
            reason => reason,
        };
        let okta = id.zip(user).map(|(id, user)| OktaUser::of(id, Some(user)));
        Access {
            user_name: account.user_name.clone(),
            account: account.id.clone(),
            active: account.active,
            role: account.platform_role.to_string(),
            external_id: account.link().map(str::to_owned),
            okta,
            reason,
            not_in_okta: match user.map(|user| &user.state) {
                None => id.is_none() && !is_contested,
                Some(state) => *state == DesiredState::Left(Leave::Deleted),
            },
            owner: self.platform.owner.as_ref() == Some(&account.id),
            protected: self.policy.protect.contains(&account.user_name),
            next_apply: None,
            projects: Vec::new(),
        }
    }

    fn reason(&self, account: &User, id: Option<&OktaUserId>, user: Option<&DesiredUser>) -> RoleReason {
        let is_owner = self.platform.owner.as_ref() == Some(&account.id);
        let is_protected = self.policy.protect.contains(&account.user_name);
        let kept = |okta_gives: Option<PlatformRole>, otherwise: RoleReason| match (is_owner, is_protected) {
            (true, _) => RoleReason::Owner { okta_gives },
            (_, true) => RoleReason::Protected { okta_gives },
            _ => otherwise,
        };
        match user.map(|user| &user.state) {
            None if account.link().is_none() => kept(None, RoleReason::Local),
            None if id.is_some() => kept(None, RoleReason::NotRead),
            None => kept(None, RoleReason::AnotherDirectory),
            Some(DesiredState::Left(leave)) => kept(None, RoleReason::Left { leave: *leave }),
            Some(state @ (DesiredState::Untouched(_) | DesiredState::Problem(_))) => {
                kept(None, RoleReason::LeftAlone { why: state.why_left_alone().unwrap_or_default() })
            }
            Some(DesiredState::Present(_)) if !self.manages_roles || self.desired.on_create_only.platform_role => {
                kept(None, RoleReason::NotManaged)
            }
            Some(DesiredState::Present(attributes)) if attributes.role_is_null => kept(None, RoleReason::Null),
            Some(DesiredState::Present(attributes)) => {
                let because = attributes.role_because.as_deref().map(str::to_owned);
                let okta_gives = attributes.platform_role;
                if account.platform_role == okta_gives.as_str() {
                    return RoleReason::Okta { because };
                }
                let written = id.and_then(|id| (self.written)(id));
                let differs = if written.is_some_and(|written| written == account.platform_role) {
                    RoleReason::NotAppliedYet { okta_gives, because }
                } else {
                    RoleReason::SetByHand { okta_gives, because }
                };
                kept(Some(okta_gives), differs)
            }
        }
    }

    fn membership(
        &self,
        account: &User,
        id: Option<&OktaUserId>,
        project: &Project,
        group: Option<&DesiredProject>,
    ) -> Membership {
        let external_id = project.external_id.as_deref();
        let is_linked = external_id.is_some_and(|id| self.desired.ids.project_link(id).is_some());
        let user = id.filter(|id| self.desired.users.contains_key(*id) || account.link() == Some(id.as_str()));
        let reason = match (group, user) {
            (Some(group), Some(id)) if group.members.contains(id) => {
                MemberReason::Group { group: group.group_name.clone() }
            }
            (Some(group), Some(_)) => MemberReason::NotInGroup { group: group.group_name.clone() },
            (Some(_), None) => MemberReason::NotInOkta,
            (None, _) if is_linked => MemberReason::NotPushed,
            (None, _) => MemberReason::NoGroup,
        };
        let role = self.platform.roles.known().and_then(|known| known.of(&project.id, &account.id));
        let wanted = group.and_then(|group| group.roles.as_ref()?.of.get(id?));
        let gives = wanted.and_then(|wanted| wanted.role.as_deref());
        let differs = gives.filter(|gives| role.is_some_and(|role| !is_same_project_role(role, gives)));
        Membership {
            project: project.display_name.clone(),
            id: project.id.clone(),
            role: role.map(str::to_owned),
            reason,
            role_because: wanted.map(|wanted| wanted.because.clone()),
            okta_gives: differs.map(str::to_owned),
        }
    }
}

/// Why a member of a group doesn't get into its project who isn't in scope.
pub const NOT_IN_SCOPE: &str = "not in scope";

/// How the members of a pushed group get into its project, or why they don't.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Entrants {
    /// User names of members who are in the project.
    pub members: Vec<String>,
    /// User names of members that the next apply adds.
    pub to_add: Vec<String>,
    /// Logins of the others, by why they don't get in; the ids of those who aren't in scope, who weren't read.
    pub not: BTreeMap<String, Vec<String>>,
}

/// Sorts the members of a pushed group by how they get into one of its projects, which is named by an externalId that it may have.
pub fn entrants(
    group: &PushedGroup,
    link: &OktaGroupId,
    desired: &Desired,
    platform: &Platform,
    plan: &Plan,
    policy: &Policy,
) -> Option<Entrants> {
    let wanted = desired.project_of(link.as_str())?;
    let matches = matching::matches(desired, platform, policy);
    let places: BTreeMap<&OktaUserId, usize> =
        desired.users.keys().enumerate().map(|(place, id)| (id, place)).collect();
    let op = plan.projects.iter().find(|op| wanted.has_link(op.group.as_str()));
    let project = platform.projects.iter().find(|project| match op.and_then(|op| op.project.as_ref()) {
        Some(id) => project.id == *id,
        None => project.external_id.as_deref().is_some_and(|id| wanted.has_link(id)),
    });
    let mut entrants = Entrants::default();
    for id in &group.members {
        let place = places.get(id).copied();
        let account = place.and_then(|place| matches.account_of[place]);
        let is_member = project.zip(account).is_some_and(|(project, account)| project.members.contains(&account.id));
        let added = op.and_then(|op| op.add.iter().find(|member| member.okta_id == *id));
        let user = desired.users.get(id);
        if let (true, Some(account)) = (is_member, account) {
            entrants.members.push(account.user_name.clone());
        } else if let Some(added) = added {
            entrants.to_add.push(added.user_name.clone());
        } else {
            let login = user.map_or_else(|| id.to_string(), |user| user.login().to_owned());
            let why = user.map_or_else(|| NOT_IN_SCOPE.to_owned(), |user| not_in(id, user, &matches));
            entrants.not.entry(why).or_default().push(login);
        }
    }
    entrants.members.sort_unstable();
    entrants.to_add.sort_unstable();
    entrants.not.values_mut().for_each(|logins| logins.sort_unstable());
    Some(entrants)
}

/// Why a member of a group isn't a member of its project.
fn not_in(id: &OktaUserId, user: &DesiredUser, matches: &matching::Matches<'_>) -> String {
    match &user.state {
        DesiredState::Left(leave) => leave.as_str().to_owned(),
        DesiredState::Untouched(status) => format!("status {:?}", status.as_str()),
        DesiredState::Problem(_) => "has problems".to_owned(),
        DesiredState::Present(_) if matches.blocked.contains(id) => "has problems".to_owned(),
        DesiredState::Present(_) => "the project has problems, or the change is deferred".to_owned(),
    }
}
