//! Accounts that have been inactive for so long that they are deleted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::PlatformRole;
use crate::model::activepieces::{Contents, Platform, User};
use crate::model::desired::{Desired, DesiredState, DesiredUser, Leave};
use crate::model::id::{AccountId, OktaUserId};
use crate::plan::diff::leaving::effective;
use crate::plan::diff::matching::Matches;
use crate::plan::diff::protected::Protected;
use crate::plan::op::{Destroyed, Plan, Reason, UserAction, UserOp};
use crate::plan::policy::{OnLeave, Policy};

/// Adds the deletions of accounts that are due. Never of one that isn't linked to Okta, that is ADMIN, the owner's or protected, or whose
/// user has access, is in scope, or has anything else done.
pub fn diff(
    plan: &mut Plan,
    desired: &Desired,
    platform: &Platform,
    matches: &Matches<'_>,
    due: &BTreeMap<AccountId, Timestamp>,
    policy: &Policy,
) {
    if due.is_empty() {
        return;
    }
    let protected = Protected::of(platform, policy);
    let replaced = plan.users.iter().flat_map(|op| &op.replaces).map(|left| &left.account);
    let changed: BTreeSet<&AccountId> =
        plan.users.iter().filter_map(|op| op.account.as_ref()).chain(replaced).collect();
    // A user has one operation.
    let busy: BTreeSet<&OktaUserId> = plan.users.iter().map(|op| &op.okta_id).collect();
    let owners = platform.users.iter().map(|user| &user.id).zip(&matches.user_of);
    let owner_of: BTreeMap<_, _> = owners.filter(|(account, _)| due.contains_key(account)).collect();
    let mut deletions = Vec::new();
    for ((id, user), account) in desired.users.iter().zip(&matches.linked) {
        let Some(account) = account else { continue };
        let (Some(since), Some(leave)) = (due.get(&account.id), leave_for_good(user, policy)) else { continue };
        let is_theirs = owner_of.get(&account.id).is_some_and(|owner| **owner == Some(id));
        let is_changed = changed.contains(&account.id) || busy.contains(id);
        if !is_deletable(account) || protected.holds(&account.id) || is_changed || !is_theirs {
            continue;
        }
        deletions.push(UserOp {
            action: UserAction::Delete,
            user_name: account.user_name.clone(),
            okta_id: id.clone(),
            account: Some(account.id.clone()),
            changes: Vec::new(),
            reason: Reason::Left(leave),
            attributes: None,
            replaces: Vec::new(),
            destroys: Some(Box::new(Destroyed { inactive_since: *since, contents: Contents::default() })),
        });
    }
    deletions.sort_unstable_by(|a, b| (&a.user_name, &a.okta_id).cmp(&(&b.user_name, &b.okta_id)));
    plan.standing.unchanged_users = plan.standing.unchanged_users.saturating_sub(deletions.len());
    plan.users.extend(deletions);
}

/// The reason of a user who isn't expected back: who is out of scope, deactivated or deleted.
fn leave_for_good(user: &DesiredUser, policy: &Policy) -> Option<Leave> {
    let DesiredState::Left(leave) = user.state else { return None };
    let is_for_good = !user.in_scope || leave == Leave::Deactivated;
    let closes = policy.on_leave(effective(leave, user, policy)) == OnLeave::Deactivate;
    (is_for_good && closes && user.prepared.is_none()).then_some(leave)
}

/// Whether the account is inactive and has a role that is known to be less than ADMIN.
fn is_deletable(account: &User) -> bool {
    let role = PlatformRole::parse(&account.platform_role);
    !account.active && matches!(role, Some(PlatformRole::Member | PlatformRole::Operator))
}
