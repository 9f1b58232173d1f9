//! A plan that was kept in a file: exactly it is applied, as far as it still holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::op::{Plan, ProjectOp, UserOp};
use crate::model::id::{OktaGroupId, OktaUserId};

/// The version of the file's format. It moves when an older program couldn't read the file rightly.
pub const FORMAT_VERSION: u32 = 1;

/// What a file holds. There is no secret in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPlan {
    pub format_version: u32,
    /// The program that wrote it.
    pub tool_version: String,
    /// The org and the platform that it is for.
    pub okta: String,
    pub activepieces: String,
    /// The plan's [`hash::of_plan`](super::hash::of_plan), by which it can be approved.
    pub hash: String,
    pub plan: Plan,
}

/// A saved plan next to a new one of the same org and platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The operations of the saved plan that the new one has too.
    pub plan: Plan,
    /// Those that it hasn't, each by the name of its user or project and what was to be done.
    pub stale: Vec<String>,
}

/// Keeps of a saved plan what a new plan, made from a new read of both sides, would do as well: whatever changed on
/// either side since then makes its operation another one, and so stale. What only the new plan has is not done.
pub fn still_holds(saved: &Plan, new: &Plan) -> Held {
    let mut held = Held {
        plan: Plan {
            users: Vec::new(),
            projects: Vec::new(),
            held: new.held.clone(),
            shrunk: new.shrunk.clone(),
            standing: new.standing.clone(),
            ..saved.clone()
        },
        stale: Vec::new(),
    };
    let users: BTreeMap<&OktaUserId, &UserOp> = new.users.iter().map(|op| (&op.okta_id, op)).collect();
    for op in &saved.users {
        if users.get(&op.okta_id) == Some(&op) {
            held.plan.users.push(op.clone());
        } else {
            held.stale.push(format!("{}: {:?}", op.user_name, op.action).to_lowercase());
        }
    }
    let projects: BTreeMap<&OktaGroupId, &ProjectOp> = new.projects.iter().map(|op| (&op.group, op)).collect();
    for op in &saved.projects {
        match projects.get(&op.group).filter(|new| new.action == op.action && new.project == op.project) {
            Some(new) => held.project(op, new),
            None => held.stale.push(format!("project {}", op.name)),
        }
    }
    held
}

impl Held {
    /// Keeps the members that both plans add or remove.
    fn project(&mut self, saved: &ProjectOp, new: &ProjectOp) {
        let mut op = saved.clone();
        op.add.retain(|member| new.add.contains(member));
        op.remove.retain(|removal| new.remove.contains(removal));
        let added = saved.add.iter().filter(|member| !op.add.contains(member)).map(|member| &member.user_name);
        let removed = saved.remove.iter().filter(|gone| !op.remove.contains(gone)).map(|gone| &gone.user_name);
        let stale = added.chain(removed).map(|name| format!("project {}: member {name}", saved.name));
        self.stale.extend(stale);
        if !op.is_empty() {
            self.plan.projects.push(op);
        }
    }
}
