//! The grace of those who are missing from the scope: they may only be missing from one read of it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::held::{Because, Held};
use super::op::{Plan, Reason, UserAction, UserOp};
use super::past::{Missing, Past};
use super::policy::Grace;
use crate::model::desired::Leave;
use crate::model::id::{AccountId, OktaUserId};

/// Who is missing now and would be deactivated for it, since when and in how many runs, this one included. Whoever is
/// suspended or deactivated in Okta isn't missing: there the answer is clear.
pub fn missing(plan: &Plan, past: &Past, now: Timestamp) -> BTreeMap<OktaUserId, Missing> {
    let again = |op: &UserOp| {
        let before = past.missing.get(&op.okta_id);
        Missing {
            // A clock that was ahead once must not make anybody wait for ever.
            since: before.map_or(now, |before| before.since.min(now)),
            runs: before.map_or(1, |before| before.runs + 1),
        }
    };
    plan.users.iter().filter(|op| is_missing(op)).map(|op| (op.okta_id.clone(), again(op))).collect()
}

fn is_missing(op: &UserOp) -> bool {
    op.action == UserAction::Deactivate && matches!(op.reason, Reason::Left(Leave::Unassigned | Leave::Deleted))
}

/// Holds back the deactivation of everybody whose grace isn't over, and their removal from projects, which would lose
/// them their project roles.
pub fn hold(plan: &mut Plan, missing: &BTreeMap<OktaUserId, Missing>, now: Timestamp, grace: Grace) {
    let waiting = |op: &UserOp| {
        let Missing { since, runs } = *missing.get(&op.okta_id).filter(|_| is_missing(op))?;
        let waits = runs < grace.runs || now.duration_since(since) < grace.time;
        waits.then_some(Because::Waiting { since, runs })
    };
    let mut accounts: BTreeMap<AccountId, Because> = BTreeMap::new();
    for op in plan.users.extract_if(.., |op| waiting(op).is_some()) {
        let Some(because) = waiting(&op) else { continue };
        plan.held.push(Held::new(&op.user_name, "deactivate", because.clone()));
        accounts.extend(op.account.map(|account| (account, because)));
    }
    for op in &mut plan.projects {
        for removal in op.remove.extract_if(.., |removal| accounts.contains_key(&removal.account)) {
            let because = accounts[&removal.account].clone();
            plan.held.push(Held::new(&op.name, format!("remove {}", removal.user_name), because));
        }
    }
}
