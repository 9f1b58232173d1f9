//! Verifies that writes persisted, and stops repeating changes that don't.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::model::activepieces::{Invitation, KnownRoles, Platform, Project, User};
use crate::model::id::{AccountId, OktaGroupId, OktaUserId};
use crate::plan::deferred::{Because, Deferred};
use crate::plan::fingerprint::fingerprint;
use crate::plan::op::{
    Change, InvitationOp, Member, Plan, ProjectAction, ProjectOp, Reason, Replaced, UserAction, UserOp,
};
use crate::plan::past::Past;

/// A value that differs from what a run wrote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Divergence {
    /// A user name, or a project's name.
    pub subject: String,
    /// The current value: `givenName is "Ada" and not "ada"`. Lower-case, no full stop.
    pub what: String,
    /// The name of the change, by which a later plan knows it again; none where it is to be written again all the same.
    #[serde(skip)]
    pub change: Option<String>,
}

/// A part of a project's operation that has an outcome of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectPart {
    Itself,
    Add,
    Remove,
    Roles,
}

/// A platform's current state, indexed for lookups by operation.
#[derive(Debug)]
pub struct Stands<'a> {
    users: BTreeMap<&'a AccountId, &'a User>,
    user_of: BTreeMap<&'a str, &'a User>,
    projects: BTreeMap<&'a str, &'a Project>,
    roles: Option<&'a KnownRoles>,
    invitations: &'a [Invitation],
}

impl<'a> Stands<'a> {
    pub fn of(platform: &'a Platform) -> Self {
        Self {
            users: platform.users.iter().map(|user| (&user.id, user)).collect(),
            user_of: platform.users.iter().filter_map(|user| Some((user.external_id.as_deref()?, user))).collect(),
            projects: platform
                .projects
                .iter()
                .filter_map(|project| Some((project.external_id.as_deref()?, project)))
                .collect(),
            roles: platform.roles.known(),
            invitations: platform.invitations.known(),
        }
    }

    /// Whether an invitation is still there.
    pub fn invitation(&self, op: &InvitationOp) -> Option<Divergence> {
        let is_there = self.invitations.iter().any(|waiting| waiting.id == op.id);
        is_there.then(|| Divergence {
            subject: op.user_name.clone(),
            what: format!("the invitation as {} is still there", op.grant),
            change: None,
        })
    }

    /// The parts of a user's operation that didn't persist.
    pub fn user(&self, op: &UserOp) -> Option<Divergence> {
        let account = match &op.account {
            Some(id) => self.users.get(id),
            None => self.user_of.get(op.okta_id.as_str()),
        };
        let mut what = match account {
            None if op.is_deletion() => Vec::new(),
            Some(_) if op.is_deletion() => vec!["the account is still there".to_owned()],
            None => vec!["the account isn't there".to_owned()],
            Some(user) => op.changes.iter().filter_map(|change| differs(change, user)).collect(),
        };
        let old = |left: &Replaced| self.users.get(&left.account).copied();
        let open = op.closed().filter(|left| old(left).is_some_and(|old| old.active));
        what.extend(open.map(|left| format!("the old account {} is active", left.user_name)));
        (!what.is_empty()).then(|| Divergence {
            subject: op.user_name.clone(),
            what: what.join(", "),
            change: may_be_held(op).then(|| of_user(op)),
        })
    }

    /// The parts of a project's operation that didn't persist.
    pub fn project(&self, op: &ProjectOp) -> Vec<(ProjectPart, Divergence)> {
        let diverges = |what: String, change: Option<String>| Divergence { subject: op.name.clone(), what, change };
        let project = self.projects.get(op.group.as_str());
        let Some(project) = project.filter(|_| !op.is_deletion()) else {
            let expected = op.is_deletion() == project.is_none();
            let what = if op.is_deletion() { "the project is still there" } else { "the project isn't there" };
            return if expected { Vec::new() } else { vec![(ProjectPart::Itself, diverges(what.to_owned(), None))] };
        };
        let mut found = Vec::new();
        if op.action != ProjectAction::Members && project.display_name != op.name {
            let what = format!("the name is {:?}", project.display_name);
            found.push((ProjectPart::Itself, diverges(what, Some(of_project(op)))));
        }
        for member in &op.add {
            let account = member.account.as_ref().or_else(|| Some(&self.user_of.get(member.okta_id.as_str())?.id));
            if !account.is_some_and(|account| project.members.contains(account)) {
                let change = Some(of_member(&op.group, member));
                found.push((ProjectPart::Add, diverges(format!("{} isn't a member", member.user_name), change)));
            }
        }
        let differs = |account: &AccountId, role: &str| {
            let stands = self.roles?.of(&project.id, account)?;
            (!stands.eq_ignore_ascii_case(role)).then(|| format!("project role is {stands:?} and not {role:?}"))
        };
        for member in &op.add {
            let account = member.account.as_ref().or_else(|| Some(&self.user_of.get(member.okta_id.as_str())?.id));
            let what = account.zip(member.role.as_deref()).and_then(|(account, role)| differs(account, role));
            found.extend(what.map(|what| (ProjectPart::Add, diverges(format!("{}'s {what}", member.user_name), None))));
        }
        for change in &op.roles {
            let what = differs(&change.account, &change.to);
            found.extend(
                what.map(|what| (ProjectPart::Roles, diverges(format!("{}'s {what}", change.user_name), None))),
            );
        }
        for removal in op.remove.iter().filter(|removal| project.members.contains(&removal.account)) {
            found.push((ProjectPart::Remove, diverges(format!("{} is still a member", removal.user_name), None)));
        }
        found
    }
}

fn differs(change: &Change, user: &User) -> Option<String> {
    let stands = change.attribute.of(user);
    let attribute = change.attribute.as_str();
    (stands != change.to).then(|| format!("{attribute} is {stands:?} and not {:?}", change.to))
}

/// A change that removes access is repeated as often as needed: an admin who keeps undoing it must not succeed. A new
/// link takes the account from the user that it was linked to before.
fn may_be_held(op: &UserOp) -> bool {
    !matches!(op.action, UserAction::Deactivate | UserAction::Recreate | UserAction::Delete)
        && !op.is_downgrade()
        && op.reason != Reason::Relinked
}

fn of_user(op: &UserOp) -> String {
    let id: &OktaUserId = &op.okta_id;
    fingerprint(&(id, &op.changes))
}

fn of_project(op: &ProjectOp) -> String {
    fingerprint(&(&op.group, &op.action, &op.name))
}

fn of_member(group: &OktaGroupId, member: &Member) -> String {
    fingerprint(&(group, &member.okta_id, "member"))
}

/// A deferred change is tried again after this time: the server may have been updated by then.
const RETRY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Defers changes that a run of the last days wrote, from the same value to the same value, and that didn't persist. Returns
/// the names of these changes with the time of that run, as far as the plan still has them.
pub fn hold(plan: &mut Plan, past: &Past, now: Timestamp) -> BTreeMap<String, Timestamp> {
    let mut known = BTreeMap::new();
    if past.unsettled_since.is_empty() {
        return known;
    }
    let mut is_known = |change: String| {
        let since = past.unsettled_since.get(&change).filter(|since| now.duration_since(**since) < RETRY);
        since.is_some_and(|since| known.insert(change, *since).is_none())
    };
    let mut held = Vec::new();
    for op in plan.users.extract_if(.., |op| may_be_held(op) && is_known(of_user(op))) {
        let changes: Vec<&str> = op.changes.iter().map(|change| change.attribute.as_str()).collect();
        held.push(Deferred::new(&op.user_name, format!("set {}", changes.join(", ")), Because::DoesNotStand));
    }
    for op in &mut plan.projects {
        if matches!(op.action, ProjectAction::Rename { .. }) && is_known(of_project(op)) {
            held.push(Deferred::new(&op.name, "rename the project", Because::DoesNotStand));
            op.action = ProjectAction::Members;
        }
        let group = op.group.clone();
        for member in op.add.extract_if(.., |member| is_known(of_member(&group, member))) {
            held.push(Deferred::new(&op.name, format!("add {}", member.user_name), Because::DoesNotStand));
        }
    }
    plan.held.extend(held);
    known
}
