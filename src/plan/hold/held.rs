//! Deferred operations: removals when the source looks incomplete, deactivations within their grace period, and changes
//! that failed to persist in recent runs.

use jiff::Timestamp;

use crate::plan::deferred::Because;
use crate::plan::diff::users::keep_the_last_admin;
use crate::plan::hold::grace::Since;
use crate::plan::hold::{convergence, grace, trust};
use crate::plan::op::Plan;
use crate::plan::past::{Past, Sizes};
use crate::plan::policy::Policy;

/// What one run adds to what is known.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// The sizes of this read.
    pub sizes: &'a Sizes,
    pub now: Timestamp,
    /// The admin says that the read is right, however small it is.
    pub trust_source: bool,
}

/// Defers what must wait, and returns what to record once the run has completed.
pub fn settle(plan: &mut Plan, past: &Past, run: &Run<'_>, policy: &Policy) -> Past {
    let since = Since::of(plan, past, run.now);
    if !run.trust_source {
        plan.shrunk = trust::shrunk(run.sizes, past, &policy.limits);
    }
    let unsettled_since = convergence::hold(plan, past, run.now);
    let scope_is_incomplete = plan.standing.scope_is_incomplete;
    let deleted = since.deleted(plan);
    if !plan.shrunk.is_empty() {
        trust::hold(plan, &Because::SourceNotTrusted);
    } else if scope_is_incomplete {
        trust::hold(plan, &Because::ScopeNotFound);
    }
    grace::hold(plan, &since, run.now, policy);
    plan.projects.retain(|op| !op.is_empty());
    // The last ADMIN may have been meant to go because another account becomes one, which is deferred now.
    keep_the_last_admin(plan);
    plan.keep_members_of_open_accounts();
    plan.warnings.sort();
    plan.held.sort();
    if !plan.shrunk.is_empty() {
        // Nothing is recorded from a read that isn't trusted.
        return Past { unsettled_since, ..past.clone() };
    }
    if scope_is_incomplete {
        // The sizes are those of another scope, and only users who are deleted are missing for sure.
        let mut missing = grace::without_seen(past, plan).missing;
        missing.extend(deleted);
        return Past { missing, stated: since.stated, unsettled_since, ..past.clone() };
    }
    let email_changed = plan.standing.email_changed.clone();
    let Since { missing, stated } = since;
    let trusted = Some(run.sizes.clone());
    let mut left_roles = past.left_roles.clone();
    for (group, roles) in &mut left_roles {
        roles.retain(|id, _| !plan.standing.settled_roles.contains(&(group.clone(), id.clone())));
    }
    Past { trusted, missing, stated, left_roles, email_changed, unsettled_since, ..past.clone() }
}
