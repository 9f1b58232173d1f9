//! Finds what was changed on the platform since the last run, in contrast to what changed in Okta.
//!
//! A run records what it left in line: a digest of the desired state of each user and project that needed nothing, or got
//! all it needed. If a later plan changes one of them although its desired state has the same digest, the platform was
//! changed. Members are compared with the group as the cache of the last run has it.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::Plan;
use super::drift::{Drift, ProjectDrift};
use super::op::{ProjectAction, ProjectOp, UserOp};
use super::step::Step;
use crate::model::activepieces::{Platform, User};
use crate::model::desired::{Attributes, Desired, DesiredProject, DesiredState, DesiredUser, OnCreateOnly};
use crate::model::id::{AccountId, OktaGroupId, OktaUserId};
use crate::model::known::KnownGroups;

/// The first bytes of a SHA-256 of a desired state.
type Digest = u64;

/// The desired state of everything that a run left in line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InLine {
    /// The run that recorded it.
    pub run: u32,
    pub users: BTreeMap<OktaUserId, Digest>,
    pub projects: BTreeMap<OktaGroupId, Digest>,
    /// Members whose additions and removals weren't done, by group, and whether the platform was changed. The cache of groups knows
    /// them only from the first plan that shows them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open: BTreeMap<OktaGroupId, BTreeMap<OktaUserId, bool>>,
    /// The active ADMINs that no Okta user owned.
    pub unknown_admins: BTreeSet<AccountId>,
}

impl InLine {
    /// Whether both hold the same, whichever run recorded it.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let Self { run: _, users, projects, open, unknown_admins } = self;
        (users, projects, open, unknown_admins) == (&other.users, &other.projects, &other.open, &other.unknown_admins)
    }

    /// Without what the plan of an undo touches: afterwards it differs from Okta because of the undo.
    #[must_use]
    pub fn without(mut self, plan: &Plan) -> Self {
        for op in &plan.users {
            self.users.remove(&op.okta_id);
        }
        for op in &plan.projects {
            self.projects.remove(&op.group);
            self.open.remove(&op.group);
        }
        self
    }
}

/// What earlier runs know about what a plan changes.
#[derive(Clone, Copy)]
pub struct Before<'a> {
    pub in_line: &'a InLine,
    /// The groups as the last run read them.
    pub groups: &'a KnownGroups,
}

/// Digests of all that is desired, of which a run records what it leaves in line.
#[derive(Clone, Debug, Default)]
pub struct Digests {
    users: BTreeMap<OktaUserId, Digest>,
    projects: BTreeMap<OktaGroupId, Digest>,
    /// The groups that make each project, where they are others than its externalId says.
    groups: BTreeMap<OktaGroupId, BTreeSet<OktaGroupId>>,
    /// Users whose accounts already are as desired.
    right: BTreeSet<OktaUserId>,
    /// Set once the plan is known.
    unknown_admins: BTreeSet<AccountId>,
}

impl Digests {
    pub fn of(desired: &Desired, platform: &Platform) -> Self {
        let only = desired.on_create_only;
        let users = desired.users.iter().filter_map(|(id, user)| Some((id.clone(), of_user(user, only)?)));
        let linked: BTreeSet<&str> =
            platform.projects.iter().filter_map(|project| project.external_id.as_deref()).collect();
        let (mut projects, mut groups) = (BTreeMap::new(), BTreeMap::new());
        for (new, project) in &desired.projects {
            // As the operations name the project.
            let link = project.links().find(|link| linked.contains(link.as_str())).unwrap_or(new);
            projects.insert(link.clone(), of_project(project));
            let of_project: BTreeSet<_> = project.sources.iter().map(|source| source.group.clone()).collect();
            if !of_project.iter().eq([link]) {
                groups.insert(link.clone(), of_project);
            }
        }
        let right = platform.users.iter().filter_map(|account| {
            let id = account.okta_id(&desired.ids)?;
            is_right(account, desired.users.get(&id)?, only).then_some(id)
        });
        Self { users: users.collect(), projects, groups, right: right.collect(), ..Self::default() }
    }

    /// What of the plan undoes a change of the platform; without earlier runs nothing is known.
    pub fn drift(&mut self, plan: &Plan, before: Option<Before<'_>>, platform: &Platform) -> Drift {
        let admins = unknown_admins(plan, platform);
        self.unknown_admins = admins.keys().copied().cloned().collect();
        let unknown_admins = admins.values().map(|name| (*name).to_owned()).collect();
        let Some(before) = before else { return Drift { unknown_admins, ..Drift::default() } };
        let new = admins.iter().filter(|(id, _)| !before.in_line.unknown_admins.contains(**id));
        // A new address is no change of the platform, whether or not an earlier run was told to follow it.
        let is_address = |op: &&UserOp| op.replaces.iter().any(|left| left.is_linked_to(&op.okta_id));
        let changed = plan.users.iter().filter(|op| !is_address(op)).map(|op| &op.okta_id);
        let users = changed.filter(|id| self.is_same_user(before, id));
        let projects = plan.projects.iter().map(|op| (op.group.clone(), self.of_project(op, before)));
        let mut drift = Drift {
            since_run: None,
            users: users.cloned().collect(),
            projects: projects.filter(|(_, drift)| *drift != ProjectDrift::default()).collect(),
            unknown_admins,
            new_unknown_admins: new.map(|(_, name)| (*name).to_owned()).collect(),
        };
        drift.since_run = (!drift.is_none()).then_some(before.in_line.run);
        drift
    }

    fn is_same_user(&self, before: Before<'_>, id: &OktaUserId) -> bool {
        before.in_line.users.get(id).is_some_and(|then| self.users.get(id) == Some(then))
    }

    fn of_project(&self, op: &ProjectOp, before: Before<'_>) -> ProjectDrift {
        let Some(then) = before.in_line.projects.get(&op.group) else { return ProjectDrift::default() };
        let is_same = self.projects.get(&op.group) == Some(then);
        let several = self.groups.contains_key(&op.group);
        let mut drift = ProjectDrift {
            renamed: is_same && matches!(op.action, ProjectAction::Rename { .. }),
            roles: op.roles.iter().filter(|_| is_same).map(|change| change.okta_id.clone()).collect(),
            ..ProjectDrift::default()
        };
        let open = before.in_line.open.get(&op.group);
        let was = |id: &OktaUserId| open.and_then(|open| open.get(id)).copied();
        // Other groups than before change who is to be a member.
        let of_group = BTreeSet::from([op.group.clone()]);
        let groups = self.groups.get(&op.group).filter(|_| is_same).or((!several).then_some(&of_group));
        let known: Option<Vec<_>> = groups.and_then(|ids| ids.iter().map(|id| before.groups.get(id)).collect());
        let was_in = |id: &OktaUserId| Some(known.as_ref()?.iter().any(|group| group.members.contains(id)));
        // A user who is to be added was a member, or one who is to be removed wasn't.
        let added = |id: &&OktaUserId| was(id).unwrap_or(was_in(id) == Some(true) && self.is_same_user(before, id));
        let removed = |id: &&OktaUserId| was(id).unwrap_or(was_in(id) == Some(false));
        let leaving = op.remove.iter().filter_map(|removal| removal.okta_id.as_ref());
        let coming = op.add.iter().map(|member| &member.okta_id);
        drift.members = coming.filter(added).chain(leaving.filter(removed)).cloned().collect();
        drift
    }

    /// What a run leaves in line: all that was right before, and what it did. Of the rest, what was recorded before stays.
    pub fn in_line(mut self, run: u32, plan: &Plan, past: &InLine, done: impl Fn(Step<'_>) -> bool) -> InLine {
        let open = open_members(plan, past, &done);
        for step in plan.steps() {
            match step {
                Step::User(op) if done(step) => {
                    self.right.insert(op.okta_id.clone());
                }
                _ if done(step) => {}
                // A user with an account that isn't left yet isn't in line.
                Step::User(op) | Step::MoveLink(op) | Step::CopyMemberships(op) | Step::CloseOld(op) => {
                    self.right.remove(&op.okta_id);
                }
                Step::Invitation(_) => {}
                Step::Project(op) | Step::AddMembers(op) | Step::RemoveMembers(op) | Step::SetRoles(op) => {
                    put_back(&mut self.projects, &past.projects, &op.group);
                }
            }
        }
        let Self { mut users, projects, right, unknown_admins, groups: _ } = self;
        users.retain(|id, _| right.contains(id));
        let before = past.users.iter().filter(|(id, _)| !right.contains(*id)).map(|(id, digest)| (id.clone(), *digest));
        users.extend(before);
        InLine { run, users, projects, open, unknown_admins }
    }
}

/// The members whose additions and removals aren't done, of projects that were in line, and whether the platform was changed.
fn open_members(
    plan: &Plan,
    past: &InLine,
    done: &impl Fn(Step<'_>) -> bool,
) -> BTreeMap<OktaGroupId, BTreeMap<OktaUserId, bool>> {
    let mut open: BTreeMap<OktaGroupId, BTreeMap<OktaUserId, bool>> = BTreeMap::new();
    for step in plan.steps().filter(|step| !done(*step)) {
        let (op, users): (_, Vec<&OktaUserId>) = match step {
            Step::AddMembers(op) => (op, op.add.iter().map(|member| &member.okta_id).collect()),
            Step::RemoveMembers(op) => (op, op.remove.iter().filter_map(|gone| gone.okta_id.as_ref()).collect()),
            Step::Invitation(_)
            | Step::MoveLink(_)
            | Step::User(_)
            | Step::CopyMemberships(_)
            | Step::CloseOld(_)
            | Step::Project(_)
            | Step::SetRoles(_) => continue,
        };
        let drift = plan.drift.projects.get(&op.group);
        let is_here = |id: &OktaUserId| drift.is_some_and(|drift| drift.members.contains(id));
        if past.projects.contains_key(&op.group) {
            let users = users.into_iter().map(|id| (id.clone(), is_here(id)));
            open.entry(op.group.clone()).or_default().extend(users);
        }
    }
    open
}

fn put_back<K: Ord + Clone>(line: &mut BTreeMap<K, Digest>, past: &BTreeMap<K, Digest>, key: &K) {
    match past.get(key) {
        Some(digest) => line.insert(key.clone(), *digest),
        None => line.remove(key),
    };
}

/// The active ADMINs that are no user of Okta's, by their accounts, without the platform's owner.
fn unknown_admins<'a>(plan: &Plan, platform: &'a Platform) -> BTreeMap<&'a AccountId, &'a str> {
    let standing = &plan.standing;
    let owner = standing.owner.as_ref();
    let names: BTreeSet<&str> = standing.local.iter().chain(&standing.foreign).map(String::as_str).collect();
    let admins = platform.users.iter().filter(|user| user.active && user.is_admin() && owner != Some(&user.id));
    let unknown = admins.filter(|user| names.contains(user.user_name.as_str()));
    unknown.map(|user| (&user.id, user.user_name.as_str())).collect()
}

/// None for a user who is left as they are.
fn of_user(user: &DesiredUser, only: OnCreateOnly) -> Option<Digest> {
    match &user.state {
        DesiredState::Present(attributes) => {
            let [role, given, family] = asked_for(attributes, only);
            let user_name = user.user_name.as_deref().unwrap_or_default();
            Some(digest(&["present", user_name, role.unwrap_or("\0"), given.unwrap_or("\0"), family.unwrap_or("\0")]))
        }
        DesiredState::Left(_) => Some(digest(&["left"])),
        DesiredState::Untouched(_) | DesiredState::Problem(_) => None,
    }
}

/// The role and the names, as far as an existing account gets them.
fn asked_for(attributes: &Attributes, only: OnCreateOnly) -> [Option<&str>; 3] {
    let role = (!attributes.role_is_null && !only.platform_role).then_some(attributes.platform_role.as_str());
    let given = attributes.given_name.as_deref().filter(|_| !only.given_name);
    let family = attributes.family_name.as_deref().filter(|_| !only.family_name);
    [role, given, family]
}

fn is_right(account: &User, user: &DesiredUser, only: OnCreateOnly) -> bool {
    match &user.state {
        DesiredState::Present(attributes) => {
            let is = [&*account.platform_role, &account.given_name, &account.family_name];
            let asked = asked_for(attributes, only);
            account.active && asked.into_iter().zip(is).all(|(asked, is)| asked.is_none_or(|asked| asked == is))
        }
        DesiredState::Left(_) => !account.active,
        DesiredState::Untouched(_) | DesiredState::Problem(_) => false,
    }
}

/// The name, the groups and the roles, not the members: they are many, and the cache of groups has them.
fn of_project(project: &DesiredProject) -> Digest {
    let mut context = Context::new(&SHA256);
    add(&mut context, &project.name);
    for source in project.sources.iter().skip_while(|_| project.sources.len() == 1) {
        add(&mut context, source.group.as_str());
    }
    for (id, role) in project.roles.iter().flat_map(|roles| &roles.of) {
        add(&mut context, id.as_str());
        add(&mut context, role.role.as_deref().unwrap_or("\0"));
    }
    first_bytes(context)
}

fn digest(parts: &[&str]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        add(&mut context, part);
    }
    first_bytes(context)
}

/// A text and its end, so that two texts aren't taken for another two.
fn add(context: &mut Context, text: &str) {
    context.update(&text.len().to_le_bytes());
    context.update(text.as_bytes());
}

fn first_bytes(context: Context) -> Digest {
    let whole = context.finish();
    whole.as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
