//! The operations that the last run was allowed to do and didn't: they don't count in the limits of the next run.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::id::{AccountId, OktaGroupId, OktaUserId};
use crate::plan::op::{Plan, ProjectOp, Removal, RoleChange, UserOp};
use crate::plan::step::Step;

/// Operations that passed the guards of the last run. They don't count in the limits of the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    users: BTreeMap<OktaUserId, UserOp>,
    removals: BTreeSet<(OktaGroupId, AccountId)>,
    #[serde(default)]
    roles: BTreeMap<OktaGroupId, BTreeSet<RoleChange>>,
}

impl Resumed {
    /// The steps of a plan that weren't done.
    pub fn of(plan: &Plan, is_done: impl Fn(Step<'_>) -> bool) -> Self {
        let mut resumed = Self::default();
        for step in plan.steps().filter(|step| !is_done(*step)) {
            match step {
                Step::User(op) | Step::MoveLink(op) | Step::CopyMemberships(op) | Step::CloseOld(op) => {
                    resumed.users.extend([(op.okta_id.clone(), op.clone())]);
                }
                Step::RemoveMembers(op) => {
                    resumed.removals.extend(op.remove.iter().map(|gone| (op.group.clone(), gone.account.clone())));
                }
                Step::SetRoles(op) => {
                    resumed.roles.insert(op.group.clone(), op.roles.iter().cloned().collect());
                }
                Step::Project(_) | Step::AddMembers(_) | Step::Invitation(_) => {}
            }
        }
        resumed
    }

    /// Whether exactly this was allowed.
    pub fn user(&self, op: &UserOp) -> bool {
        self.users
            .get(&op.okta_id)
            .is_some_and(|allowed| (allowed.action, &allowed.changes) == (op.action, &op.changes))
    }

    /// Whether exactly this was allowed.
    pub fn removal(&self, op: &ProjectOp, removal: &Removal) -> bool {
        self.removals.contains(&(op.group.clone(), removal.account.clone()))
    }

    /// Whether exactly this was allowed.
    pub fn role(&self, op: &ProjectOp, change: &RoleChange) -> bool {
        self.roles.get(&op.group).is_some_and(|allowed| allowed.contains(change))
    }
}
