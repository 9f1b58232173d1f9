//! The difference for projects and their members.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::matching::Matches;
use super::op::{Member, Plan, ProjectAction, ProjectOp, Removal};
use super::policy::Policy;
use super::users::{is_linked, is_managed};
use crate::model::activepieces::{Platform, Project, User};
use crate::model::desired::{Desired, DesiredProject, DesiredUser, State};
use crate::model::id::{AccountId, OktaGroupId, OktaUserId};
use crate::model::problem::{Problem, ProblemKind};

/// Adds what projects need to the plan.
pub fn diff(
    plan: &mut Plan,
    desired: &Desired,
    platform: &Platform,
    matches: &Matches<'_>,
    standing: &Standing<'_>,
    policy: &Policy,
) {
    let joining = joining(desired, matches);
    let names = name_counts(desired);
    for (group, project) in &desired.projects {
        let found = standing.find(group, &project.name);
        if let Some(problem) = problem(project, &found, names[project.name.as_str()]) {
            plan.problems.push(problem);
            continue;
        }
        let existing = found.project();
        let op = ProjectOp {
            add: additions(project, existing, &joining),
            remove: removals(project, existing, standing, desired, matches),
            ..op(group, project, existing)
        };
        if op.is_empty() {
            plan.standing.unchanged_projects += 1;
        } else {
            plan.projects.push(op);
        }
    }
    unpushed(plan, desired, platform, policy);
    plan.projects.sort_by(|a, b| (&a.name, &a.group).cmp(&(&b.name, &b.group)));
}

/// The Okta users whose leaving a project follows only from their missing in a listing of the group.
pub fn missing_in_listing(desired: &Desired, standing: &Standing<'_>) -> BTreeSet<OktaUserId> {
    let mut missing = BTreeSet::new();
    for (group, project) in &desired.projects {
        let Some(existing) = standing.find(group, &project.name).project() else { continue };
        let owners = existing.members.iter().filter_map(|id| standing.accounts.get(id)?.1.as_ref());
        missing.extend(owners.filter(|id| !project.members.contains(id)).cloned());
    }
    missing
}

/// What stands, found by what a group looks for.
pub struct Standing<'a> {
    /// Each account, with the Okta user who answers for it.
    accounts: IndexMap<AccountId, (&'a User, Option<OktaUserId>)>,
    by_external_id: BTreeMap<&'a str, &'a Project>,
    unlinked_by_name: BTreeMap<&'a str, Vec<&'a Project>>,
}

/// The project of a group.
enum Found<'a> {
    Linked(&'a Project),
    /// Of exactly the name, and without an externalId.
    ToAdopt(&'a Project),
    Ambiguous(usize),
    Nothing,
}

impl<'a> Found<'a> {
    fn project(&self) -> Option<&'a Project> {
        match self {
            Self::Linked(project) | Self::ToAdopt(project) => Some(project),
            Self::Ambiguous(_) | Self::Nothing => None,
        }
    }
}

impl<'a> Standing<'a> {
    pub fn of(platform: &'a Platform, matches: &Matches<'_>) -> Self {
        let account = |user: &'a User| (user.id.clone(), (user, okta_id(user, matches)));
        let mut standing = Self {
            accounts: platform.users.iter().map(account).collect(),
            by_external_id: BTreeMap::new(),
            unlinked_by_name: BTreeMap::new(),
        };
        for project in &platform.projects {
            match project.external_id.as_deref() {
                Some(id) if !id.is_empty() => _ = standing.by_external_id.insert(id, project),
                _ => standing.unlinked_by_name.entry(&project.display_name).or_default().push(project),
            }
        }
        standing
    }

    fn find(&self, group: &OktaGroupId, name: &str) -> Found<'a> {
        if let Some(project) = self.by_external_id.get(group.as_str()) {
            return Found::Linked(project);
        }
        match self.unlinked_by_name.get(name).map(Vec::as_slice) {
            None | Some([]) => Found::Nothing,
            Some([project]) => Found::ToAdopt(project),
            Some(several) => Found::Ambiguous(several.len()),
        }
    }
}

fn name_counts(desired: &Desired) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for project in desired.projects.values() {
        *counts.entry(project.name.as_str()).or_default() += 1;
    }
    counts
}

/// A project that is linked already is no problem, whatever its name.
fn problem(project: &DesiredProject, found: &Found<'_>, of_this_name: usize) -> Option<Problem> {
    let (kind, message) = match found {
        Found::Linked(_) => return None,
        Found::Ambiguous(count) => (
            ProblemKind::AmbiguousProject,
            format!(
                "{count} projects of this name stand there without an externalId; rename all but the one to be used"
            ),
        ),
        _ if of_this_name > 1 => (
            ProblemKind::ProjectNameTwice,
            format!(
                "group {} and {} more are to be projects of this name; give each a name of its own in the config",
                project.group_name,
                of_this_name - 1
            ),
        ),
        _ => return None,
    };
    Some(Problem::new(&project.name, kind, message))
}

/// What becomes of the project, apart from its members.
fn op(group: &OktaGroupId, project: &DesiredProject, existing: Option<&Project>) -> ProjectOp {
    let action = match existing {
        None => ProjectAction::Create,
        Some(existing) if existing.external_id.as_deref() != Some(group.as_str()) => ProjectAction::Adopt,
        Some(existing) if existing.display_name != project.name => {
            ProjectAction::Rename { from: existing.display_name.clone() }
        }
        Some(_) => ProjectAction::Members,
    };
    ProjectOp {
        name: project.name.clone(),
        group: group.clone(),
        project: existing.map(|existing| existing.id.clone()),
        action,
        members: existing.map_or(0, |existing| existing.members.len()),
        add: Vec::new(),
        remove: Vec::new(),
    }
}

/// Who may be in projects, and under which user name.
type Joining<'a> = IndexMap<OktaUserId, (&'a str, Option<AccountId>)>;

/// Everybody in scope who is active and without a problem.
fn joining<'a>(desired: &'a Desired, matches: &Matches<'a>) -> Joining<'a> {
    let joins = |(id, user): (&'a OktaUserId, &'a DesiredUser)| {
        if !matches!(user.state, State::Present(_)) || matches.blocked.contains(id) {
            return None;
        }
        let account = matches.account_of.get(id);
        let user_name = account.map(|account| account.user_name.as_str()).or(user.user_name.as_deref())?;
        Some((id.clone(), (user_name, account.map(|account| account.id.clone()))))
    };
    desired.users.iter().filter_map(joins).collect()
}

/// The members of the group who aren't in the project yet.
fn additions(project: &DesiredProject, existing: Option<&Project>, joining: &Joining<'_>) -> Vec<Member> {
    let is_member = |account: &AccountId| existing.is_some_and(|existing| existing.members.contains(account));
    let add = |id: &OktaUserId| {
        let (user_name, account) = joining.get(id)?;
        let joins = !account.as_ref().is_some_and(is_member);
        joins.then(|| Member { user_name: (*user_name).to_owned(), okta_id: id.clone(), account: account.clone() })
    };
    let mut added: Vec<Member> = project.members.iter().filter_map(add).collect();
    added.sort_unstable();
    added
}

/// The members of the project who have to leave it.
fn removals(
    project: &DesiredProject,
    existing: Option<&Project>,
    standing: &Standing<'_>,
    desired: &Desired,
    matches: &Matches<'_>,
) -> Vec<Removal> {
    let members = existing.into_iter().flat_map(|existing| &existing.members);
    let accounts = members.filter_map(|id| standing.accounts.get(id));
    let leaves = |(account, id): &(&User, Option<OktaUserId>)| leaves(account, id.as_ref()?, project, desired, matches);
    let mut removed: Vec<Removal> = accounts.filter_map(leaves).collect();
    removed.sort_unstable();
    removed
}

/// A member of the project whose Okta user isn't in the group any more. Members that no Okta user answers for were
/// added by hand and stay; so does somebody who left and whose account isn't linked.
fn leaves(
    account: &User,
    id: &OktaUserId,
    project: &DesiredProject,
    desired: &Desired,
    matches: &Matches<'_>,
) -> Option<Removal> {
    if project.members.contains(id) || matches.blocked.contains(id) {
        return None;
    }
    let user = desired.users.get(id);
    if !user.map_or_else(|| is_linked(account), |user| is_managed(user, account)) {
        return None;
    }
    let reason = match user.map(|user| &user.state) {
        Some(State::Problem(_)) => return None,
        Some(State::Left(leave)) => format!("{}, left group {}", leave.as_str(), project.group_name),
        _ => format!("left group {}", project.group_name),
    };
    Some(Removal { user_name: account.user_name.clone(), account: account.id.clone(), reason })
}

/// The Okta user who answers for an account: matched now, or by an externalId of the shape of an Okta user id.
fn okta_id(account: &User, matches: &Matches<'_>) -> Option<OktaUserId> {
    if let Some(id) = matches.user_of.get(&account.id) {
        return Some((*id).clone());
    }
    account.external_id.as_deref().filter(|id| OktaUserId::is_shape_of(id)).map(OktaUserId::from)
}

/// Projects whose group isn't pushed any more: named, or deleted where the policy says so. Only an Okta group's id as
/// externalId tells that Okta or this program made a project.
fn unpushed(plan: &mut Plan, desired: &Desired, platform: &Platform, policy: &Policy) {
    for project in &platform.projects {
        let Some(id) = project.external_id.as_deref().filter(|id| OktaGroupId::is_shape_of(id)) else { continue };
        let group = OktaGroupId::from(id);
        if desired.projects.contains_key(&group) {
            continue;
        }
        let name = &project.display_name;
        if policy.delete_unpushed {
            plan.projects.push(ProjectOp {
                name: name.clone(),
                group,
                project: Some(project.id.clone()),
                action: ProjectAction::Delete { flows: None },
                members: project.members.len(),
                add: Vec::new(),
                remove: Vec::new(),
            });
        } else {
            plan.warnings.push(format!("the group {id} of project {name} isn't pushed; the project stays as it is"));
        }
    }
}
