//! The difference for projects and their members.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::activepieces::{Platform, Project, User};
use crate::model::desired::{Desired, DesiredProject, DesiredState, DesiredUser};
use crate::model::id::{AccountId, OktaGroupId, OktaUserId, ProjectId};
use crate::model::problem::{Problem, ProblemKind};
use crate::plan::diff::closing::{Closing, settled_roles};
use crate::plan::diff::lookup::Lookup;
use crate::plan::diff::matching::Matches;
use crate::plan::diff::members::{Difference, Owners, may_leave, removal};
use crate::plan::diff::{roles, unpushed, unresolved};
use crate::plan::op::{Member, Plan, ProjectAction, ProjectOp, Removal, name_before_archive};
use crate::plan::policy::Policy;

/// A pushed group and its project.
pub struct Compared<'a> {
    group: &'a OktaGroupId,
    project: &'a DesiredProject,
    found: ProjectMatch<'a>,
    members: Difference<'a>,
    roles: Vec<roles::Difference<'a>>,
}

/// Compares each pushed group with its project.
pub fn compare<'a>(desired: &'a Desired, platform: &'a Platform, matches: &Matches<'_>) -> Vec<Compared<'a>> {
    let (standing, owners) = (Standing::of(platform), Owners::of(platform, matches, &desired.ids));
    let orphans = Orphans::of(desired, platform);
    let compared = |(group, project): (&'a OktaGroupId, &'a DesiredProject)| {
        let found = match standing.find(group, &project.name) {
            ProjectMatch::Nothing => orphans.of_group(project, &owners, &desired.archived),
            found => found,
        };
        let members = Difference::of(&project.members, found.project(), &owners);
        let roles = roles::differences(project, found.project(), platform, &owners, matches);
        Compared { group, project, found, members, roles }
    };
    desired.projects.iter().map(compared).collect()
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
    for Compared { group, project, found, members, roles } in compared {
        plan.problems.extend(roles::problems(project, platform));
        if let Some(problem) = problem(group, project, found, &names[project.name.as_str()]) {
            plan.problems.push(problem);
            continue;
        }
        let mut op = op(group, project, found.project());
        plan.standing.members += op.members;
        op.add.reserve_exact(members.absent.len());
        op.add.extend(members.absent.iter().filter_map(|id| joining.member(id)));
        let leaves = |(id, account): &(OktaUserId, &User)| leaves(account, id, project, desired, matches);
        op.remove = members.extra.iter().filter_map(leaves).collect();
        op.remove.extend(
            found.project().into_iter().flat_map(|found| closed.removals(found, &op.remove)).collect::<Vec<_>>(),
        );
        roles::of_new_members(&mut op, project, platform, desired, &account_of, &mut plan.held);
        roles::of_returning_members(&mut op, project, platform, desired);
        plan.standing.settled_roles.extend(settled_roles(group, &members.absent, desired));
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
    let claimed = compared.iter().filter_map(|compared| compared.found.orphan()).collect();
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
    let changes = |Compared { group, project, found, members, roles }: &&Compared<'_>| {
        let joins = |id: &&OktaUserId| joins(id, desired, matches);
        let is_same = op(group, project, found.project()).action == ProjectAction::Members;
        !is_same || !members.extra.is_empty() || !roles.is_empty() || members.absent.iter().any(joins)
    };
    let of_roles = |project: &DesiredProject| project.roles.iter().flat_map(|roles| roles.groups.clone()).collect();
    let groups = |compared: &Compared<'_>| {
        let of_roles: Vec<OktaGroupId> = of_roles(compared.project);
        of_roles.into_iter().chain([compared.group.clone()])
    };
    compared.iter().filter(changes).flat_map(groups).collect()
}

/// Whether a user may be in projects: in scope, active, and without a problem.
fn joins(id: &OktaUserId, desired: &Desired, matches: &Matches<'_>) -> bool {
    desired.users.get(id).is_some_and(|user| may_join(id, user, matches))
}

fn may_join(id: &OktaUserId, user: &DesiredUser, matches: &Matches<'_>) -> bool {
    matches!(user.state, DesiredState::Present(_)) && !matches.blocked.contains(id)
}

/// The current projects, indexed for lookups by group.
struct Standing<'a> {
    by_external_id: BTreeMap<&'a str, &'a Project>,
    unlinked_by_name: BTreeMap<&'a str, Vec<&'a Project>>,
}

/// The project of a group.
enum ProjectMatch<'a> {
    Linked(&'a Project),
    /// Of exactly the name, and without an externalId.
    ToAdopt(&'a Project),
    /// Linked to a group that was deleted, of which this one is made again.
    ToRelink(&'a Project),
    /// Linked to a group that was deleted, of which this one may be made again.
    Unclear(&'a Project),
    Ambiguous(usize),
    Nothing,
}

impl<'a> ProjectMatch<'a> {
    fn project(&self) -> Option<&'a Project> {
        match self {
            Self::Linked(project) | Self::ToAdopt(project) | Self::ToRelink(project) => Some(project),
            Self::Ambiguous(_) | Self::Unclear(_) | Self::Nothing => None,
        }
    }

    /// The project of a deleted group.
    fn orphan(&self) -> Option<&'a ProjectId> {
        match self {
            Self::ToRelink(project) | Self::Unclear(project) => Some(&project.id),
            _ => None,
        }
    }
}

impl<'a> Standing<'a> {
    fn of(platform: &'a Platform) -> Self {
        let mut standing = Self { by_external_id: BTreeMap::new(), unlinked_by_name: BTreeMap::new() };
        for project in &platform.projects {
            match project.external_id.as_deref() {
                Some(id) if !id.is_empty() => _ = standing.by_external_id.insert(id, project),
                _ => standing.unlinked_by_name.entry(&project.display_name).or_default().push(project),
            }
        }
        standing
    }

    fn find(&self, group: &OktaGroupId, name: &str) -> ProjectMatch<'a> {
        if let Some(project) = self.by_external_id.get(group.as_str()) {
            return ProjectMatch::Linked(project);
        }
        match self.unlinked_by_name.get(name).map(Vec::as_slice) {
            None | Some([]) => ProjectMatch::Nothing,
            Some([project]) => ProjectMatch::ToAdopt(project),
            Some(several) => ProjectMatch::Ambiguous(several.len()),
        }
    }
}

/// Projects whose Okta groups are gone. A group that is deleted and made again has another id, and its project is
/// still linked to the old one.
struct Orphans<'a> {
    projects: Vec<&'a Project>,
    /// The groups that are to be projects of each name.
    names: BTreeMap<&'a str, Vec<(&'a OktaGroupId, &'a str)>>,
}

impl<'a> Orphans<'a> {
    fn of(desired: &'a Desired, platform: &'a Platform) -> Self {
        let linked = |project: &&Project| {
            let id = project.external_id.as_deref().filter(|id| desired.ids.is_group(id));
            id.map(OktaGroupId::from).is_some_and(|group| is_gone(&group, desired))
        };
        // Without a listing of groups nothing says which are gone.
        let is_listed = !desired.groups.is_empty();
        let projects = platform.projects.iter().filter(|_| is_listed).filter(linked).collect();
        Self { projects, names: groups_of_names(desired) }
    }

    /// The project of a group that has none: certain where the name is the same and most of the members are.
    fn of_group(&self, group: &DesiredProject, owners: &Owners<'_>, archived: &Archived) -> ProjectMatch<'a> {
        let own_name = |project: &'a Project| name_before_archive(&project.display_name);
        let is_named = |project: &&&'a Project| own_name(project).unwrap_or(&project.display_name) == group.name;
        let mut of_name = self.projects.iter().filter(is_named);
        match (of_name.next(), of_name.next()) {
            (Some(project), None) if self.names[group.name.as_str()].len() == 1 => {
                // An archived project has no members left to know the group by.
                let recorded = archived.get(&project.id).filter(|_| own_name(project).is_some());
                let (shared, owned) = match recorded {
                    Some(members) => (members.iter().filter(|id| group.members.contains(id)).count(), members.len()),
                    None if own_name(project).is_some() => (0, 1),
                    None => owners.shared(project, &group.members),
                };
                if shared * 2 >= owned { ProjectMatch::ToRelink(project) } else { ProjectMatch::Unclear(project) }
            }
            (Some(project), _) => ProjectMatch::Unclear(project),
            (None, _) => {
                let is_like = |project: &&&Project| {
                    let (shared, owned) = owners.shared(project, &group.members);
                    shared >= 2 && shared * 5 >= owned.max(group.members.len()) * 4
                };
                self.projects
                    .iter()
                    .find(is_like)
                    .map_or(ProjectMatch::Nothing, |project| ProjectMatch::Unclear(project))
            }
        }
    }
}

/// The members that each project had when it was archived.
type Archived = BTreeMap<ProjectId, BTreeSet<OktaUserId>>;

/// Whether neither Okta nor the config contains the group any more.
fn is_gone(group: &OktaGroupId, desired: &Desired) -> bool {
    !desired.groups.contains_key(group)
        && !desired.projects.contains_key(group)
        && !desired.vanished.contains_key(group)
}

/// The groups that are to be projects of each name.
fn groups_of_names(desired: &Desired) -> BTreeMap<&str, Vec<(&OktaGroupId, &str)>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (group, project) in &desired.projects {
        groups.entry(project.name.as_str()).or_default().push((group, project.group_name.as_str()));
    }
    groups
}

/// A project that is already linked is no problem, whatever its name.
fn problem(
    id: &OktaGroupId,
    project: &DesiredProject,
    found: &ProjectMatch<'_>,
    of_this_name: &[(&OktaGroupId, &str)],
) -> Option<Problem> {
    let (kind, message) = match found {
        ProjectMatch::Linked(_) | ProjectMatch::ToRelink(_) => return None,
        ProjectMatch::Unclear(orphan) => (
            ProblemKind::GroupMadeAgain,
            format!(
                "the project {:?} is linked to the group {}, which was deleted, and the group {} ({id}) may be the same one made again; link the project to {id} or rename it",
                orphan.display_name,
                orphan.external_id.as_deref().unwrap_or_default(),
                project.group_name,
            ),
        ),
        ProjectMatch::Ambiguous(count) => (
            ProblemKind::AmbiguousProject,
            format!(
                "{count} projects of this name stand there without an externalId; rename all but the one to be used"
            ),
        ),
        _ if of_this_name.len() > 1 => {
            let others = of_this_name.iter().filter(|(other, _)| *other != id);
            let others: Vec<String> = others.map(|(id, name)| format!("{name} ({id})")).collect();
            let message = format!(
                "group {} ({id}) is to be a project of this name, and so is {}; give each a name of its own in the config",
                project.group_name,
                others.join(", and ")
            );
            (ProblemKind::ProjectNameTwice, message)
        }
        _ => return None,
    };
    Some(Problem::new(&project.name, kind, message))
}

/// The operation on the project, apart from its members.
fn op(group: &OktaGroupId, project: &DesiredProject, existing: Option<&Project>) -> ProjectOp {
    let action = match existing {
        None => ProjectAction::Create,
        Some(existing) if existing.external_id.as_deref() != Some(group.as_str()) => {
            match existing.external_id.as_deref().filter(|id| !id.is_empty()) {
                Some(from) => {
                    let archived = (existing.display_name != project.name).then(|| existing.display_name.clone());
                    ProjectAction::Relink { from: from.into(), archived }
                }
                None => ProjectAction::Adopt,
            }
        }
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
