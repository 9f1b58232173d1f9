//! The difference between what should be and what stands, and the guards on it. Pure.

pub mod convergence;
pub mod grace;
pub mod guard;
pub mod hash;
pub mod held;
pub mod matching;
pub mod op;
pub mod past;
pub mod policy;
pub mod projects;
pub mod saved;
pub mod step;
pub mod trust;
pub mod undo;
pub mod users;

use std::collections::BTreeSet;

pub use op::Plan;
pub use past::Past;
pub use policy::Policy;
pub use step::Step;

use crate::model::activepieces::Platform;
use crate::model::desired::Desired;
use crate::model::id::OktaUserId;

/// Computes what has to be written so that the platform becomes what is desired.
pub fn diff(desired: &Desired, platform: &Platform, policy: &Policy) -> Plan {
    let matches = matching::matches(desired, platform);
    let mut plan = Plan::default();
    users::diff(&mut plan, desired, platform, &matches, policy);
    projects::diff(&mut plan, desired, platform, &matches, policy);
    plan.problems.extend(matches.problems);
    plan.problems.sort();
    plan.warnings.sort();
    plan
}

/// What follows only from somebody's missing in a listing, and has to be read again by id before it is believed: a
/// listing is no snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doubts {
    /// Users that no listing of the scope held, and whose accounts would be deactivated or given to somebody else.
    pub users: BTreeSet<OktaUserId>,
    /// Users that a listing of a group's members didn't hold, and who would be removed from its project.
    pub memberships: BTreeSet<OktaUserId>,
}

/// Finds what has to be read again before [`diff`].
pub fn doubts(desired: &Desired, platform: &Platform) -> Doubts {
    let matches = matching::matches(desired, platform);
    let wanted: BTreeSet<&str> = desired.users.values().filter_map(|user| user.user_name.as_deref()).collect();
    let users = platform
        .users
        .iter()
        .filter(|account| account.active || wanted.contains(account.user_name.as_str()))
        .filter_map(|account| account.external_id.as_deref().filter(|id| OktaUserId::is_shape_of(id)))
        .map(OktaUserId::from)
        .filter(|id| !desired.users.contains_key(id))
        .collect();
    Doubts { users, memberships: projects::missing_in_listing(desired, platform, &matches) }
}

#[cfg(test)]
mod tests;
