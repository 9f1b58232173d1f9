//! Users who left: the reason that counts, and how an account is closed.

use crate::model::activepieces::{User, moved_link};
use crate::model::desired::{DesiredUser, Leave};
use crate::model::id::OktaUserId;
use crate::plan::op::{Attribute, Change, Plan, Reason, UserAction, UserOp};
use crate::plan::policy::{OnLeave, Policy};

/// The reason that counts where a user is suspended and out of scope at once: the one for which the account is closed, or closed
/// sooner.
pub fn effective(leave: Leave, user: &DesiredUser, policy: &Policy) -> Leave {
    let is_sooner = || {
        policy.suspended == OnLeave::Keep
            || (policy.unassigned == OnLeave::Deactivate
                && policy.grace_of(Leave::Unassigned) < policy.grace_of(Leave::Suspended))
    };
    match leave {
        Leave::Suspended if !user.in_scope && is_sooner() => Leave::Unassigned,
        leave => leave,
    }
}

/// Closes the account of a user who left.
pub fn deactivate(id: &OktaUserId, leave: Leave, account: &User) -> UserOp {
    let mut changes =
        vec![Change { attribute: Attribute::Active, from: Some("true".to_owned()), to: "false".to_owned() }];
    let is_own = account.link().is_some_and(|link| link == id.as_str() || link == moved_link(id, &account.id));
    if !is_own {
        let from = account.link().map(str::to_owned);
        changes.push(Change { attribute: Attribute::ExternalId, from, to: id.to_string() });
    }
    UserOp {
        action: UserAction::Deactivate,
        user_name: account.user_name.clone(),
        okta_id: id.clone(),
        account: Some(account.id.clone()),
        changes,
        reason: Reason::Left(leave),
        attributes: None,
        replaces: Vec::new(),
        destroys: None,
    }
}

/// Notes a user without access whose active account may have a grace: for an absence, and for a status that the policy gives one.
pub fn note_grace(plan: &mut Plan, id: &OktaUserId, leave: Leave, account: &User, policy: &Policy) {
    let standing = &mut plan.standing;
    if leave.is_absence() {
        standing.missing.entry(id.clone()).or_insert_with(|| account.id.clone());
        standing.deleted.extend((leave == Leave::Deleted).then(|| id.clone()));
    } else if policy.grace_of(leave).is_positive() {
        standing.stated.insert(id.clone(), leave);
    }
}
