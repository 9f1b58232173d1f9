//! The grace period of users who are missing from the scope: one read may have missed them by mistake.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::desired::Leave;
use crate::model::id::{AccountId, OktaUserId};
use crate::plan::deferred::{Because, Deferred};
use crate::plan::hold::doubt::revocation;
use crate::plan::op::{InvitationOp, Plan, Reason, UserAction, UserOp};
use crate::plan::past::{Missing, Past};
use crate::plan::policy::Grace;

/// The users who are missing now though their account is active, since when and in how many runs in a row, this one
/// included. A user who is suspended or deactivated in Okta isn't missing: there the answer is clear.
pub fn missing(plan: &Plan, past: &Past, now: Timestamp) -> BTreeMap<OktaUserId, Missing> {
    let again = |id: &OktaUserId| {
        let before = past.missing.get(id);
        Missing {
            // A clock that was once ahead must not extend the grace period forever.
            since: before.map_or(now, |before| before.since.min(now)),
            runs: before.map_or(1, |before| before.runs + 1),
        }
    };
    plan.standing.missing.keys().map(|id| (id.clone(), again(id))).collect()
}

/// The record of earlier runs without the users who were seen in this one: only misses in a row count, whether or not this
/// run completes.
#[must_use]
pub fn without_seen(past: &Past, plan: &Plan) -> Past {
    let mut past = past.clone();
    past.missing.retain(|id, _| plan.standing.missing.contains_key(id));
    past
}

/// Those of the missing users who are deleted in Okta and whose accounts the plan deactivates.
pub fn deleted(plan: &Plan, missing: &BTreeMap<OktaUserId, Missing>) -> BTreeMap<OktaUserId, Missing> {
    let is_deleted = |op: &&UserOp| op.reason == Reason::Left(Leave::Deleted);
    let deleted = plan.users.iter().filter(is_deleted);
    deleted.filter_map(|op| Some((op.okta_id.clone(), *missing.get(&op.okta_id)?))).collect()
}

fn is_missing(op: &UserOp) -> bool {
    op.action == UserAction::Deactivate && matches!(op.reason, Reason::Left(Leave::Unassigned | Leave::Deleted))
}

/// Defers the deactivation of the users whose grace isn't over, and their removal from projects, which would lose them
/// their project roles, also where the account itself is protected.
pub fn hold(plan: &mut Plan, missing: &BTreeMap<OktaUserId, Missing>, now: Timestamp, grace: Grace) {
    let waiting = |id: &OktaUserId| {
        let Missing { since, runs } = *missing.get(id)?;
        let waits = runs < grace.runs || now.duration_since(since) < grace.time;
        waits.then_some(Because::Waiting { since, runs })
    };
    for op in plan.users.extract_if(.., |op| is_missing(op) && waiting(&op.okta_id).is_some()) {
        plan.held.extend(waiting(&op.okta_id).map(|because| Deferred::new(&op.user_name, "deactivate", because)));
    }
    let is_missing = |op: &InvitationOp| matches!(op.left, Some(Leave::Unassigned | Leave::Deleted));
    for op in plan.invitations.extract_if(.., |op| is_missing(op) && waiting(&op.okta_id).is_some()) {
        let because = waiting(&op.okta_id);
        plan.held.extend(because.map(|because| Deferred::new(&op.user_name, revocation(&op), because)));
    }
    let accounts: BTreeMap<AccountId, Because> =
        plan.standing.missing.iter().filter_map(|(id, account)| Some((account.clone(), waiting(id)?))).collect();
    for op in &mut plan.projects {
        for removal in op.remove.extract_if(.., |removal| accounts.contains_key(&removal.account)) {
            let because = accounts[&removal.account].clone();
            plan.held.push(Deferred::new(&op.name, format!("remove {}", removal.user_name), because));
        }
    }
}
