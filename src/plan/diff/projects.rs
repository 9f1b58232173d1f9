//! The difference for projects and their members.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::activepieces::{Platform, User};
use crate::model::desired::{Desired, DesiredProject, DesiredState, DesiredUser};
use crate::model::id::{AccountId, OktaGroupId, OktaUserId};
use crate::model::problem::{Problem, ProblemKind};
use crate::plan::diff::closing::{Closing, settled_roles};
use crate::plan::diff::links::{self, Found, ProjectMatch};
use crate::plan::diff::lookup::Lookup;
use crate::plan::diff::matching::Matches;
use crate::plan::diff::members::{MemberDifference, Owners, may_leave, removal};
use crate::plan::diff::roles::{self, RoleDifference};
use crate::plan::diff::{unpushed, unresolved};
use crate::plan::op::{Member, Plan, ProjectAction, ProjectOp, Removal};
use crate::plan::policy::Policy;

/// A desired project and its project on the platform.
pub struct Compared<'a> {
    of: Found<'a>,
    members: MemberDifference<'a>,
    roles: Vec<RoleDifference<'a>>,
}

/// Compares each desired project with its project.
pub fn compare<'a>(desired: &'a Desired, platform: &'a Platform, matches: &Matches<'_>) -> Vec<Compared<'a>> {
    let owners = Owners::of(platform, matches, &desired.ids);
    let compared = |of: Found<'a>| {
        let standing = of.project.project();
        let members = MemberDifference::of(&of.desired.members, standing, &owners);
        let roles = roles::differences(of.desired, standing, platform, &owners, matches);
        Compared { of, members, roles }
    };
    links::find(desired, platform, &owners).into_iter().map(compared).collect()
}

/// Adds what projects need to the plan.
pub fn diff(
    plan: &mut Plan,
    compared: &[Compared<'_>],
    desired: &Desired,
    platform: &Platform,
    matches: &Matches<'_>,
    policy: &Policy,
) {
    let joining = LazyCell::new(|| Joining::of(desired, matches));
    let users = &platform.users;
    let accounts = LazyCell::new(|| Lookup::of(users.len(), users.iter().map(|user| (user.id.clone(), user))));
    let account_of = |id: &AccountId| accounts.get(id).copied();
    let names = groups_of_names(desired);
    let closed = Closing::of(plan, desired, matches, policy);
    for Compared { of, members, roles } in compared {
        let project = of.desired;
        plan.problems.extend(roles::problems(project, platform));
        if let Some(problem) = problem(of, &names[project.name.as_str()]) {
            plan.problems.push(problem);
            continue;
        }
        let mut op = op(of);
        plan.standing.members += op.members;
        op.add.reserve_exact(members.absent.len());
        op.add.extend(members.absent.iter().filter_map(|id| joining.member(id)));
        let leaves = |(id, account): &(OktaUserId, &User)| leaves(account, id, project, desired, matches);
        op.remove = members.extra.iter().filter_map(leaves).collect();
        let of_closed = of.project.project().map(|found| closed.removals(found, &op.remove));
        op.remove.extend(of_closed.into_iter().flatten());
        roles::of_new_members(&mut op, project, platform, desired, &account_of, &mut plan.held);
        roles::of_returning_members(&mut op, project, platform, desired);
        plan.standing.settled_roles.extend(settled_roles(&op, project, &members.absent, desired));
        op.roles = roles::changes(roles, desired);
        op.add.sort_unstable();
        op.remove.sort_unstable();
        if op.is_empty() {
            plan.standing.unchanged_projects += 1;
        } else {
            plan.projects.push(op);
        }
    }
    plan.problems.extend(desired.vanished.values().map(|name| vanished(name)));
    plan.problems.extend(unresolved::problems(desired, platform));
    let claimed = compared.iter().filter_map(|compared| compared.of.project.claimed()).collect();
    unpushed::diff(plan, desired, platform, matches, &claimed, policy, &closed);
    plan.projects.sort_by(|a, b| (&a.name, &a.group).cmp(&(&b.name, &b.group)));
}

/// The Okta users whose removal from a project follows only from their absence in a listing of the group.
pub fn missing_in_listing(compared: &[Compared<'_>]) -> BTreeSet<OktaUserId> {
    compared.iter().flat_map(|compared| &compared.members.extra).map(|(id, _)| id.clone()).collect()
}

/// The Okta users whose project role would change only because listings of groups don't contain them.
pub fn roles_by_absence(compared: &[Compared<'_>]) -> impl Iterator<Item = OktaUserId> {
    let doubted = compared.iter().flat_map(|compared| &compared.roles).filter(|role| role.is_doubted());
    doubted.map(|role| role.id.clone())
}

/// The accounts of those of these users who would leave a project.
pub fn leaving(compared: &[Compared<'_>], users: &BTreeSet<OktaUserId>) -> BTreeSet<AccountId> {
    let extra = compared.iter().flat_map(|compared| &compared.members.extra);
    extra.filter(|(id, _)| users.contains(id)).map(|(_, account)| account.id.clone()).collect()
}

/// The groups whose projects would change, and those that decide about roles in them.
pub fn changing(compared: &[Compared<'_>], desired: &Desired, matches: &Matches<'_>) -> BTreeSet<OktaGroupId> {
    let changes = |Compared { of, members, roles }: &&Compared<'_>| {
        let joins = |id: &&OktaUserId| joins(id, desired, matches);
        let is_same = op(of).action == ProjectAction::Members;
        !is_same || !members.extra.is_empty() || !roles.is_empty() || members.absent.iter().any(joins)
    };
    let of_roles = |project: &DesiredProject| project.roles.iter().flat_map(|roles| roles.groups.clone()).collect();
    let groups = |compared: &Compared<'_>| {
        let of_roles: Vec<OktaGroupId> = of_roles(compared.of.desired);
        let own: Vec<_> = compared.of.desired.sources.iter().map(|source| source.group.clone()).collect();
        of_roles.into_iter().chain(own)
    };
    compared.iter().filter(changes).flat_map(groups).collect()
}

/// The externalIds of the projects that one of these groups makes, alone or with others.
pub fn made_of(compared: &[Compared<'_>], groups: &BTreeSet<OktaGroupId>) -> BTreeSet<OktaGroupId> {
    let made = |of: &&Found<'_>| of.desired.sources.iter().any(|source| groups.contains(&source.group));
    compared.iter().map(|compared| &compared.of).filter(made).map(|of| of.link.clone()).collect()
}

/// Whether a user may be in projects: in scope, active, and without a problem.
fn joins(id: &OktaUserId, desired: &Desired, matches: &Matches<'_>) -> bool {
    desired.users.get(id).is_some_and(|user| may_join(id, user, matches))
}

fn may_join(id: &OktaUserId, user: &DesiredUser, matches: &Matches<'_>) -> bool {
    matches!(user.state, DesiredState::Present(_)) && !matches.blocked.contains(id)
}

/// The groups that are to be projects of each name.
fn groups_of_names(desired: &Desired) -> BTreeMap<&str, Vec<(&OktaGroupId, &str)>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (group, project) in &desired.projects {
        groups.entry(project.name.as_str()).or_default().push((group, project.group_name.as_str()));
    }
    groups
}

/// A project that is already linked, or that the config names, is no problem, whatever its name.
fn problem(of: &Found<'_>, of_this_name: &[(&OktaGroupId, &str)]) -> Option<Problem> {
    let (project, link) = (of.desired, of.link);
    let (kind, message) = match &of.project {
        ProjectMatch::Linked(_) | ProjectMatch::ToRelink(_) | ProjectMatch::ToMove(_) => return None,
        ProjectMatch::Unclear(orphan) => (
            ProblemKind::GroupMadeAgain,
            format!(
                "the project {:?} is linked to the group {}, which was deleted, and the group {} ({link}) may be the same one made again; name the project for it in the config (`project = \"{}\"`), or rename the project",
                orphan.display_name,
                orphan.external_id.as_deref().unwrap_or_default(),
                project.group_name,
                orphan.id,
            ),
        ),
        ProjectMatch::Refused(kind, message, _) => (*kind, message.clone()),
        ProjectMatch::Ambiguous(count) => (
            ProblemKind::AmbiguousProject,
            format!(
                "{count} projects have this name and no externalId; rename all but the one to be used"
            ),
        ),
        _ if of_this_name.len() > 1 => {
            let others = of_this_name.iter().filter(|(other, _)| *other != of.key);
            let others: Vec<String> = others.map(|(id, name)| format!("{name} ({id})")).collect();
            let message = format!(
                "group {} ({link}) is to be a project of this name, and so is {}; give each a name of its own in the config, or one `project` to all",
                project.group_name,
                others.join(", and ")
            );
            (ProblemKind::ProjectNameTwice, message)
        }
        _ => return None,
    };
    Some(Problem::new(of.name, kind, message))
}

/// The operation on the project, apart from its members.
fn op(of: &Found<'_>) -> ProjectOp {
    let existing = of.project.project();
    let linked_to = existing.and_then(|existing| existing.external_id.as_deref()).filter(|id| !id.is_empty());
    let action = match (&of.project, existing) {
        (_, None) => ProjectAction::Create,
        (ProjectMatch::Linked(_), Some(existing)) if existing.display_name != of.name => {
            ProjectAction::Rename { from: existing.display_name.clone() }
        }
        (ProjectMatch::Linked(_), Some(_)) => ProjectAction::Members,
        (found, Some(existing)) => match linked_to {
            Some(from) => {
                let is_named = matches!(found, ProjectMatch::ToMove(_));
                let archived = (existing.display_name != of.name).then(|| existing.display_name.clone());
                ProjectAction::Relink { from: from.into(), is_named, archived }
            }
            None => ProjectAction::Adopt,
        },
    };
    ProjectOp {
        name: of.name.to_owned(),
        group: of.link.clone(),
        project: existing.map(|existing| existing.id.clone()),
        action,
        members: existing.map_or(0, |existing| existing.members.len()),
        add: Vec::new(),
        remove: Vec::new(),
        roles: Vec::new(),
    }
}

/// The user names and accounts of all users who may be in projects.
struct Joining<'a>(Lookup<OktaUserId, (&'a str, Option<AccountId>)>);

impl<'a> Joining<'a> {
    fn of(desired: &'a Desired, matches: &Matches<'a>) -> Self {
        let all = desired.users.iter().zip(matches.account_of.iter().copied());
        let joining = all.filter(|((id, user), _)| may_join(id, user, matches));
        let named = joining.filter_map(|((id, user), account)| {
            let user_name = account.map_or(user.user_name.as_ref(), |account| Some(&account.user_name))?;
            Some((id.clone(), (user_name.as_str(), account.map(|account| account.id.clone()))))
        });
        Self(Lookup::of(desired.users.len(), named))
    }

    fn member(&self, id: &OktaUserId) -> Option<Member> {
        let (user_name, account) = self.0.get(id)?;
        Some(Member {
            user_name: (*user_name).to_owned(),
            okta_id: id.clone(),
            account: account.clone(),
            role: None,
            role_reason: None,
        })
    }
}

/// A member of the project who isn't in the group. A user who left and whose account isn't linked stays.
fn leaves(
    account: &User,
    id: &OktaUserId,
    project: &DesiredProject,
    desired: &Desired,
    matches: &Matches<'_>,
) -> Option<Removal> {
    if !may_leave(account, id, desired, matches) {
        return None;
    }
    let reason = match desired.users.get(id).map(|user| &user.state) {
        Some(DesiredState::Left(leave)) => format!("{}, isn't in group {}", leave.as_str(), project.group_name),
        _ => format!("isn't in group {}", project.group_name),
    };
    Some(removal(account, id, reason))
}

/// The next run shows whether the group is pushed again.
fn vanished(name: &str) -> Problem {
    let message = "its Okta group was deleted during the read; the project stays as it is until the next run";
    Problem::new(name, ProblemKind::GroupVanished, message)
}
