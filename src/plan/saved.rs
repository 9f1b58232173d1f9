//! A saved plan: exactly its operations are applied, as far as they still hold.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::guard::Refusal;
use super::op::{Change, Member, Plan, ProjectAction, ProjectOp, Removal, Replaced, RoleChange, UserAction, UserOp};
use super::step::Step;
use crate::model::activepieces::Platform;
use crate::model::desired::Desired;
use crate::model::id::{OktaGroupId, OktaUserId};
use crate::plan::diff::users::keep_the_last_admin;
use crate::plan::fingerprint::fingerprint;
use crate::plan::policy::Limits;

/// The version of the file's format. It moves when an older program couldn't read the file rightly.
pub const FORMAT_VERSION: u32 = 1;

/// What a file holds. There is no secret in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedPlan {
    pub format_version: u32,
    /// The program that wrote it.
    pub tool_version: String,
    /// The org and the platform that it is for.
    pub okta: String,
    pub activepieces: String,
    /// The plan's [`hash::of_plan`](crate::plan::fingerprint::of_plan), by which it can be approved.
    pub hash: String,
    /// What it was made from.
    #[serde(default)]
    pub made_from: Fingerprints,
    /// When both sides were read, by Okta's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
    /// The config file that it was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// The limits that it was made under, which are shown next to its counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// What the guards refused of it when it was made. They look again before it is applied.
    #[serde(default)]
    pub refusals: Vec<Refusal>,
    pub plan: Plan,
}

/// What a plan was made from: names that are the same for the same content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// What Okta asked for, mapped.
    pub okta: String,
    /// The current value on the platform.
    pub activepieces: String,
    /// The config file's SHA-256.
    pub config: String,
}

impl Fingerprints {
    /// Takes as long as writing all of both sides as JSON does.
    pub fn of(desired: &Desired, platform: &Platform, config: String) -> Self {
        Self { okta: fingerprint(desired), activepieces: fingerprint(platform), config }
    }

    /// What isn't the same by now: `Okta`, `Activepieces`, `the config`.
    pub fn changed(&self, now: &Self) -> Vec<&'static str> {
        let sides = [
            ("Okta", &self.okta, &now.okta),
            ("Activepieces", &self.activepieces, &now.activepieces),
            ("the config", &self.config, &now.config),
        ];
        sides.into_iter().filter(|(_, then, now)| then != now).map(|(name, ..)| name).collect()
    }
}

/// A saved plan next to a new one of the same org and platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remaining {
    /// The operations of the saved plan that the new one has too.
    pub plan: Plan,
    /// Those that it hasn't, each by the name of its user or project and what was to be done.
    pub stale: Vec<String>,
    /// How many of its steps an earlier run of it took, of which nothing is left to do.
    pub done: usize,
}

/// Keeps of a saved plan what a new plan, made from a new read of both sides, would do as well: whatever changed on
/// either side since then makes its operation another one, and so stale. What only the new plan has is not done.
///
/// Where an earlier run of the saved plan was cut short, `tried` knows the steps that it began: of those, the new plan
/// has no more than the rest.
pub fn still_holds(saved: &Plan, new: &Plan, tried: &dyn Fn(Step<'_>) -> bool) -> Remaining {
    let mut held = Remaining {
        plan: Plan {
            users: Vec::new(),
            projects: Vec::new(),
            invitations: Vec::new(),
            problems: new.problems.clone(),
            accepted: new.accepted.clone(),
            held: new.held.clone(),
            shrunk: new.shrunk.clone(),
            standing: new.standing.clone(),
            drift: new.drift.clone(),
            ..saved.clone()
        },
        ..Remaining::default()
    };
    for op in &saved.invitations {
        match new.invitations.iter().find(|new| new.id == op.id) {
            Some(new) if new == op => held.plan.invitations.push(op.clone()),
            None if tried(Step::Invitation(op)) => held.done += 1,
            _ => held.stale.push(format!("{}: invitation as {}", op.user_name, op.grant)),
        }
    }
    let users: BTreeMap<&OktaUserId, &UserOp> = new.users.iter().map(|op| (&op.okta_id, op)).collect();
    for op in &saved.users {
        match users.get(&op.okta_id) {
            Some(new) if *new == op => held.plan.users.push(op.clone()),
            Some(new) if is_rest_of_user(new, op) && op.steps().any(tried) => {
                held.done += op.steps().count() - new.steps().count().min(op.steps().count());
                held.plan.users.push((*new).clone());
            }
            None if op.steps().all(tried) => held.done += op.steps().count(),
            _ => held.stale.push(named(op)),
        }
    }
    let projects: BTreeMap<&OktaGroupId, &ProjectOp> = new.projects.iter().map(|op| (&op.group, op)).collect();
    for op in &saved.projects {
        match projects.get(&op.group) {
            Some(new) if is_same_project(op, new) => held.project(op, new, tried),
            Some(new) if is_rest(new, op) && tried(Step::Project(op)) => {
                held.done += 1;
                held.project(op, new, tried);
            }
            None if op.steps().all(tried) => held.done += op.steps().count(),
            _ => held.stale.push(format!("project {}", op.name)),
        }
    }
    held.leave_the_last_admin();
    held
}

/// `ada@example.com: create`
fn named(op: &UserOp) -> String {
    format!("{}: {}", op.user_name, op.action.as_str())
}

/// Whether the same is done to the project itself. What is destroyed with one must be what was listed.
fn is_same_project(saved: &ProjectOp, new: &ProjectOp) -> bool {
    let same_action = match (&saved.action, &new.action) {
        (ProjectAction::Delete { contents }, ProjectAction::Delete { contents: now }) => {
            contents.are_those_of(now) && saved.members == new.members
        }
        (then, now) => then == now,
    };
    same_action && (&saved.name, &saved.project) == (&new.name, &new.project)
}

/// Whether what is left of a replaced account is a part of what was saved.
fn is_rest_of_user(new: &UserOp, saved: &UserOp) -> bool {
    let gives = |op: &UserOp, wanted: &Change| {
        op.changes.iter().any(|change| (change.attribute, &change.to) == (wanted.attribute, &wanted.to))
    };
    let leaves = |op: &UserOp, wanted: &Replaced| op.replaces.iter().any(|left| left.account == wanted.account);
    let of_same = (new.action, &new.user_name) == (UserAction::Recreate, &saved.user_name)
        && saved.action == UserAction::Recreate
        && (saved.account.is_none() || saved.account == new.account);
    of_same
        && new.changes.iter().all(|change| gives(saved, change))
        && new.replaces.iter().all(|left| leaves(saved, left))
}

/// Whether of a project's operation only that on the members is left.
fn is_rest(new: &ProjectOp, saved: &ProjectOp) -> bool {
    new.action == ProjectAction::Members && new.name == saved.name
}

impl Remaining {
    /// Leaves out what would take the last ADMINs away: what makes another one may be stale.
    fn leave_the_last_admin(&mut self) {
        let before = self.plan.users.clone();
        keep_the_last_admin(&mut self.plan);
        self.plan.keep_members_of_open_accounts();
        let kept: BTreeMap<&OktaUserId, &UserOp> = self.plan.users.iter().map(|op| (&op.okta_id, op)).collect();
        let is_left_out = |op: &&UserOp| kept.get(&op.okta_id) != Some(op);
        self.stale.extend(before.iter().filter(is_left_out).map(named));
    }

    /// Keeps of the new plan's operation the members that the saved one adds or removes too.
    fn project(&mut self, saved: &ProjectOp, new: &ProjectOp, tried: &dyn Fn(Step<'_>) -> bool) {
        let mut op = new.clone();
        // A user without an account when the plan was saved may have got one from an earlier run of the plan.
        let adds: BTreeMap<&OktaUserId, &Member> = saved.add.iter().map(|member| (&member.okta_id, member)).collect();
        let removes: BTreeSet<&Removal> = saved.remove.iter().collect();
        let changes: BTreeSet<&RoleChange> = saved.roles.iter().collect();
        op.add.retain(|member| adds.get(&member.okta_id).is_some_and(|saved| is_same(saved, member)));
        op.remove.retain(|removal| removes.contains(removal));
        // If an earlier run of the plan added the member, only the role may still be missing.
        op.roles.retain(|change| {
            let adds_role =
                |member: &&Member| member.role.as_deref() == Some(&change.to) && tried(Step::AddMembers(saved));
            changes.contains(change) || adds.get(&change.okta_id).is_some_and(adds_role)
        });
        let kept: BTreeSet<&OktaUserId> = op.add.iter().map(|member| &member.okta_id).collect();
        let added = saved.add.iter().filter(|member| !kept.contains(&member.okta_id));
        let added: Vec<&String> = added.map(|member| &member.user_name).collect();
        let kept: BTreeSet<&Removal> = op.remove.iter().collect();
        let lost: Vec<&String> = removes.difference(&kept).map(|gone| &gone.user_name).collect();
        let kept: BTreeSet<&RoleChange> = op.roles.iter().collect();
        let given: Vec<&String> = changes.difference(&kept).map(|change| &change.user_name).collect();
        for (names, kept, step) in [
            (added, op.add.len(), Step::AddMembers(saved)),
            (lost, op.remove.len(), Step::RemoveMembers(saved)),
            (given, op.roles.len(), Step::SetRoles(saved)),
        ] {
            if names.is_empty() {
                continue;
            }
            if tried(step) {
                self.done += usize::from(kept == 0);
            } else {
                self.stale.extend(names.into_iter().map(|name| format!("project {}: member {name}", saved.name)));
            }
        }
        if !op.is_empty() {
            self.plan.projects.push(op);
        }
    }
}

/// Whether a new plan adds the member that a saved one adds.
fn is_same(saved: &Member, new: &Member) -> bool {
    let is_same_account = saved.account.is_none() || saved.account == new.account;
    saved.okta_id == new.okta_id && is_same_account && saved.role == new.role
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn deletion(action: &Value) -> ProjectOp {
        let op = json!({"name": "Sales", "group": "00g1", "project": "p1", "action": {"delete": action}, "members": 2, "add": [], "remove": []});
        serde_json::from_value(op).unwrap()
    }

    #[test]
    fn a_deletion_of_a_plan_saved_without_all_numbers_is_readable() {
        for flows in [json!(3), Value::Null] {
            let op = deletion(&json!({ "flows": flows }));
            assert_eq!(serde_json::to_value(&op).unwrap()["action"], json!({"delete": {"flows": flows}}));
        }
    }

    #[test]
    fn a_deletion_holds_while_the_same_is_destroyed_whenever_a_flow_ran() {
        let saved = deletion(&json!({"flows": 3, "connections": 2, "tables": 0, "last_run": {"on": "2026-03-04"}}));
        let ran_again = deletion(&json!({"flows": 3, "connections": 2, "tables": 0, "last_run": {"on": "2026-03-05"}}));
        assert!(is_same_project(&saved, &ran_again));
        for other in [
            json!({"flows": 3, "connections": 3, "tables": 0}),
            json!({"flows": 3, "connections": 2, "tables": 1}),
            json!({"flows": 3, "tables": 0}),
        ] {
            assert!(!is_same_project(&saved, &deletion(&other)));
        }
    }
}
