//! The difference between what should be and what stands, and the guards on it. Pure.

pub mod convergence;
pub mod grace;
pub mod guard;
pub mod hash;
pub mod held;
pub mod matching;
pub mod members;
pub mod op;
pub mod past;
pub mod policy;
pub mod projects;
pub mod saved;
pub mod step;
pub mod trust;
pub mod undo;
pub mod users;

use std::cell::LazyCell;
use std::collections::BTreeSet;

pub use op::Plan;
pub use past::Past;
pub use policy::Policy;
pub use step::Step;

use crate::model::activepieces::{Platform, User};
use crate::model::desired::Desired;
use crate::model::id::{OktaGroupId, OktaUserId};

/// Computes what has to be written so that the platform becomes what is desired.
pub fn diff(desired: &Desired, platform: &Platform, policy: &Policy) -> Plan {
    Comparison::of(desired, platform).plan(policy)
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

/// What is desired, held against what stands.
pub struct Comparison<'a> {
    desired: &'a Desired,
    platform: &'a Platform,
    matches: matching::Matches<'a>,
    projects: Vec<projects::Compared<'a>>,
}

impl<'a> Comparison<'a> {
    pub fn of(desired: &'a Desired, platform: &'a Platform) -> Self {
        let matches = matching::matches(desired, platform);
        let projects = projects::compare(desired, platform, &matches);
        Self { desired, platform, matches, projects }
    }

    /// Finds what has to be read again before [`Self::plan`].
    pub fn doubts(&self) -> Doubts {
        let wanted = LazyCell::new(|| matching::wanted_names(self.desired));
        let missing = |account: &User| {
            let id = account.external_id.as_deref().filter(|id| OktaUserId::is_shape_of(id))?.into();
            let is_missing = !self.desired.users.contains_key(&id);
            (is_missing && (account.active || wanted.contains(account.user_name.as_str()))).then_some(id)
        };
        let users = self.platform.users.iter().filter_map(missing).collect();
        Doubts { users, memberships: projects::missing_in_listing(&self.projects) }
    }

    /// Of these groups, which weren't read, those that have to be: whose projects have members of whom nothing was read,
    /// since a deletion may not show in the group; and, by a run that `writes`, those whose projects would change.
    pub fn doubtful_groups(&self, groups: &BTreeSet<OktaGroupId>, writes: bool) -> BTreeSet<OktaGroupId> {
        if groups.is_empty() {
            return BTreeSet::new();
        }
        projects::doubtful(&self.projects, groups, self.desired, self.platform, &self.matches, writes)
    }

    /// What has to be written.
    pub fn plan(&self, policy: &Policy) -> Plan {
        let Self { desired, platform, matches, projects } = self;
        let mut plan = Plan::default();
        users::diff(&mut plan, desired, platform, matches, policy);
        projects::diff(&mut plan, projects, desired, platform, matches, policy);
        plan.problems.extend(matches.problems.iter().cloned());
        plan.problems.sort();
        plan.warnings.sort();
        plan
    }
}

#[cfg(test)]
mod tests;
