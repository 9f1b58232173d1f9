//! Embedded accounts, which SCIM hides: counts them, and reports a problem for a user in scope with the same address.

use std::collections::BTreeSet;

use crate::model::activepieces::Platform;
use crate::model::desired::{Desired, DesiredState};
use crate::model::problem::{Problem, ProblemKind};
use crate::plan::diff::matching::Matches;
use crate::plan::op::Plan;

/// Blocks users whose address an embedded account already has: the server answers their creation with 409 and shows no
/// account to link (`docs/activepieces.md`).
pub fn block<'a>(matches: &mut Matches<'a>, desired: &'a Desired, platform: &Platform) {
    if platform.embedded.is_empty() {
        return;
    }
    let taken: BTreeSet<&str> = platform.embedded.iter().map(|account| account.user_name.as_str()).collect();
    for ((id, user), account) in desired.users.iter().zip(&matches.account_of) {
        let (None, Some(user_name)) = (account, user.user_name.as_deref()) else { continue };
        let is_made = matches!(user.state, DesiredState::Present(_)) || user.prepared.is_some();
        if is_made && taken.contains(user_name) && matches.blocked.insert(id) {
            matches.problems.push(Problem::new(
                user.login(),
                ProblemKind::EmbeddedAccount,
                format!(
                    "the account \"{user_name}\" is embedded (a customer's token made it), and SCIM can't link it; \
                     give the user another address, or delete the embedded account"
                ),
            ));
        }
    }
}

/// Records the embedded accounts, which no operation changes.
pub fn note(plan: &mut Plan, platform: &Platform) {
    plan.standing.embedded = platform.embedded.iter().map(|account| account.user_name.clone()).collect();
}
