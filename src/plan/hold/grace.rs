//! The grace period of users without access: of those who are missing from the scope, since one read may have missed them by
//! mistake, and of those whose status the policy gives one.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::desired::Leave;
use crate::model::id::{AccountId, OktaUserId};
use crate::plan::deferred::{Because, Deferred};
use crate::plan::hold::doubt::revocation;
use crate::plan::op::{Attribute, InvitationOp, Plan, Reason, UserAction, UserOp};
use crate::plan::past::{Missing, Past, Stated};
use crate::plan::policy::Policy;

/// Who is without access though the account is active, and since when, this run included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Since {
    pub missing: BTreeMap<OktaUserId, Missing>,
    pub stated: BTreeMap<OktaUserId, Stated>,
}

impl Since {
    /// By this plan and what earlier runs recorded. The time of a status counts again where it is another one.
    pub fn of(plan: &Plan, past: &Past, now: Timestamp) -> Self {
        let missing = |id: &OktaUserId| {
            let before = past.missing.get(id);
            Missing {
                // A clock that was once ahead must not extend the grace period forever.
                since: before.map_or(now, |before| before.since.min(now)),
                runs: before.map_or(1, |before| before.runs + 1),
            }
        };
        let stated = |(id, leave): (&OktaUserId, &Leave)| {
            let before = past.stated.get(id).filter(|before| before.leave == *leave);
            (id.clone(), Stated { leave: *leave, since: before.map_or(now, |before| before.since.min(now)) })
        };
        Self {
            missing: plan.standing.missing.keys().map(|id| (id.clone(), missing(id))).collect(),
            stated: plan.standing.stated.iter().map(stated).collect(),
        }
    }

    /// Those of the missing users who are deleted in Okta and whose accounts the plan deactivates.
    pub fn deleted(&self, plan: &Plan) -> BTreeMap<OktaUserId, Missing> {
        let deleted = plan.users.iter().filter(|op| op.reason == Reason::Left(Leave::Deleted));
        deleted.filter_map(|op| Some((op.okta_id.clone(), *self.missing.get(&op.okta_id)?))).collect()
    }

    /// Why an account isn't closed yet for this reason; none where its grace is over.
    fn waits(&self, id: &OktaUserId, leave: Leave, now: Timestamp, policy: &Policy) -> Option<Because> {
        let time = policy.grace_of(leave);
        if leave.is_absence() {
            let Missing { since, runs } = *self.missing.get(id)?;
            let waits = runs < policy.grace.runs || now.duration_since(since) < time;
            return waits.then_some(Because::Waiting { since, runs });
        }
        let since = self.stated.get(id)?.since;
        let until = since.saturating_add(time).unwrap_or(Timestamp::MAX);
        (now < until).then_some(Because::Grace { leave, since, until })
    }
}

/// The record of earlier runs without the users who were seen in this one: only misses in a row count, whether or not this
/// run completes.
#[must_use]
pub fn without_seen(past: &Past, plan: &Plan) -> Past {
    let mut past = past.clone();
    past.missing.retain(|id, _| plan.standing.missing.contains_key(id));
    past.stated.retain(|id, before| plan.standing.stated.get(id) == Some(&before.leave));
    past
}

/// Whether the account is linked to another user until now.
fn is_of_another(op: &UserOp) -> bool {
    op.changes.iter().any(|change| change.attribute == Attribute::ExternalId && change.from.is_some())
}

/// Defers the deactivation of the users whose grace isn't over. Those who are missing stay in their projects too, where a removal
/// would lose them their project roles, also where the account itself is protected. The account of
/// another user, who is gone, gets no grace from the status of the user who takes it over.
pub fn hold(plan: &mut Plan, since: &Since, now: Timestamp, policy: &Policy) {
    let is_over = |id: &OktaUserId, leave| since.waits(id, leave, now, policy);
    let mut held = Vec::new();
    plan.users.retain(|op| {
        let because = match op.reason {
            Reason::Left(leave)
                if op.action == UserAction::Deactivate && (leave.is_absence() || !is_of_another(op)) =>
            {
                is_over(&op.okta_id, leave)
            }
            _ => None,
        };
        let Some(because) = because else { return true };
        held.extend(op.undone().map(|(name, action)| Deferred::new(name, action.as_str(), because.clone())));
        false
    });
    let still_given = |op: &InvitationOp| op.left.and_then(|leave| is_over(&op.okta_id, leave));
    for op in plan.invitations.extract_if(.., |op| still_given(op).is_some()) {
        held.extend(still_given(&op).map(|because| Deferred::new(&op.user_name, revocation(&op), because)));
    }
    let leave_of = |id| if plan.standing.deleted.contains(id) { Leave::Deleted } else { Leave::Unassigned };
    let missing = plan.standing.missing.iter();
    let accounts: BTreeMap<AccountId, Because> =
        missing.filter_map(|(id, account)| Some((account.clone(), is_over(id, leave_of(id))?))).collect();
    for op in &mut plan.projects {
        for removal in op.remove.extract_if(.., |removal| accounts.contains_key(&removal.account)) {
            let because = accounts[&removal.account].clone();
            held.push(Deferred::new(&op.name, format!("remove {}", removal.user_name), because));
        }
    }
    plan.held.extend(held);
}
