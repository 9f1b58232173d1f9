//! Accounts that are never deactivated and never lose ADMIN.

use std::collections::BTreeSet;

use crate::model::PlatformRole;
use crate::model::activepieces::{Platform, User};
use crate::model::id::AccountId;
use crate::plan::op::{Attribute, Fate, Reason, Replaced, UserAction, UserOp};
use crate::plan::policy::Policy;

/// Accounts that are never deactivated and never lose ADMIN: the owner's, and those that the admin protects.
pub struct Protected<'a> {
    accounts: BTreeSet<&'a AccountId>,
    owner: Option<&'a AccountId>,
}

impl<'a> Protected<'a> {
    pub fn of(platform: &'a Platform, policy: &Policy) -> Self {
        let named = platform.users.iter().filter(|user| policy.protect.contains(&user.user_name)).map(|user| &user.id);
        Self { accounts: named.chain(platform.owner.as_ref()).collect(), owner: platform.owner.as_ref() }
    }

    pub fn holds(&self, account: &AccountId) -> bool {
        self.accounts.contains(account)
    }

    /// Removes from an operation what a protected account must keep. An operation that closes a protected account is dropped.
    pub fn restrict(&self, mut op: UserOp, account: Option<&User>, warnings: &mut Vec<String>) -> Option<UserOp> {
        if op.replaces.iter().any(|left| self.keeps_open(left, &op.reason, warnings)) {
            return None;
        }
        let Some(account) = account.filter(|account| self.holds(&account.id)) else { return Some(op) };
        if op.action == UserAction::Deactivate {
            warnings.push(self.stays_active(&account.id, &op.user_name, &why(&op.reason)));
            return None;
        }
        if account.is_admin() && !op.makes_admin() {
            let who = self.who(&account.id);
            warnings.push(format!("{} is {who} and stays ADMIN, though the role would be {}", op.user_name, role(&op)));
            keep_admin(&mut op);
        }
        (!op.changes.is_empty() || !op.replaces.is_empty()).then_some(op)
    }

    /// Whether a protected account would be closed, which is said then.
    pub fn keeps_open(&self, left: &Replaced, reason: &Reason, warnings: &mut Vec<String>) -> bool {
        let keeps = left.fate == Fate::Close && self.holds(&left.account);
        warnings.extend(keeps.then(|| self.stays_active(&left.account, &left.user_name, &why(reason))));
        keeps
    }

    /// The warning of a protected account that isn't closed.
    fn stays_active(&self, account: &AccountId, user_name: &str, why: &str) -> String {
        format!("{user_name} is {} and stays active, though {why}", self.who(account))
    }

    fn who(&self, account: &AccountId) -> &'static str {
        if self.owner == Some(account) { "the platform's owner" } else { "protected" }
    }
}

fn why(reason: &Reason) -> String {
    match reason {
        Reason::Left(leave) => leave.as_str().to_owned(),
        Reason::EmailChanged => "its user has another account now".to_owned(),
        _ => "the run that made the account active is undone".to_owned(),
    }
}

fn role(op: &UserOp) -> &'static str {
    op.attributes.as_ref().map_or("none", |attributes| attributes.platform_role.as_str())
}

/// Takes the loss of ADMIN out of an operation.
pub fn keep_admin(op: &mut UserOp) {
    op.changes.retain(|change| change.attribute != Attribute::PlatformRole);
    if let Some(attributes) = &mut op.attributes {
        attributes.platform_role = PlatformRole::Admin;
    }
}
