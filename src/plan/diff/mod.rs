//! The difference between the desired users and projects and the current platform.

mod closing;
mod deletions;
mod embedded;
mod invitations;
mod leaving;
pub mod links;
pub mod lookup;
pub mod matching;
pub mod members;
mod movers;
pub mod projects;
pub mod protected;
mod recreate;
pub mod roles;
mod unpushed;
mod unresolved;
pub mod users;

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::op::Plan;
use super::policy::Policy;
use crate::model::activepieces::{Platform, User};
use crate::model::desired::Desired;
use crate::model::id::{AccountId, OktaGroupId, OktaUserId};

/// Computes what has to be written so that the platform becomes what is desired.
pub fn diff(desired: &Desired, platform: &Platform, policy: &Policy) -> Plan {
    Comparison::of(desired, platform, policy).plan(policy)
}

/// Absences that follow only from a listing, and that have to be confirmed by id: a listing is no snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doubts {
    /// Users that no listing of the scope contained, and whose accounts would be deactivated or given to another user.
    pub users: BTreeSet<OktaUserId>,
    /// Users that a listing of a group's members didn't contain, and who would be removed from its project or get another
    /// role in one.
    pub memberships: BTreeSet<OktaUserId>,
}

impl Doubts {
    /// The doubts about users, which are found without a comparison, because a comparison takes longer than everything
    /// else.
    /// Inactive accounts only count if they are among `losing`, which lose something more.
    pub fn of_users(desired: &Desired, platform: &Platform, losing: &BTreeSet<AccountId>) -> Self {
        Self::of_unknown(&matching::Links::of(desired, platform).unknown, desired, losing)
    }

    /// The doubts about the users of accounts that the read doesn't know.
    fn of_unknown(accounts: &[&User], desired: &Desired, losing: &BTreeSet<AccountId>) -> Self {
        let wanted = LazyCell::new(|| matching::wanted_names(desired));
        let doubted = |account: &&&User| {
            account.active || losing.contains(&account.id) || wanted.contains(account.user_name.as_str())
        };
        let former = |account: &User| {
            let user = account.former_of(&desired.ids).filter(|_| account.active);
            user.filter(|user| !desired.users.contains_key(user))
        };
        let user = |account: &&User| account.okta_id(&desired.ids).or_else(|| former(account));
        let users = accounts.iter().filter(doubted).filter_map(user).collect();
        Self { users, memberships: BTreeSet::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.memberships.is_empty()
    }

    /// The doubts without those that were already checked.
    #[must_use]
    pub fn without(mut self, asked: &Self) -> Self {
        self.users.retain(|id| !asked.users.contains(id));
        self.memberships.retain(|id| !asked.memberships.contains(id));
        self
    }

    pub fn add(&mut self, more: &Self) {
        self.users.extend(more.users.iter().cloned());
        self.memberships.extend(more.memberships.iter().cloned());
    }
}

/// Inactive accounts that would leave projects for that, or be deleted: their users are asked for by id, too.
pub fn losing(platform: &Platform, policy: &Policy, due: &BTreeMap<AccountId, Timestamp>) -> BTreeSet<AccountId> {
    let mut losing: BTreeSet<AccountId> = due.keys().cloned().collect();
    if !policy.remove_memberships {
        return losing;
    }
    let linked = platform.projects.iter().filter(|project| project.external_id.is_some());
    let members: BTreeSet<&AccountId> = linked.flat_map(|project| &project.members).collect();
    let closed = platform.users.iter().filter(|user| !user.active && members.contains(&user.id));
    losing.extend(closed.map(|user| user.id.clone()));
    losing
}

/// The desired state, compared with the current platform.
pub struct Comparison<'a> {
    pub desired: &'a Desired,
    pub platform: &'a Platform,
    matches: matching::Matches<'a>,
    projects: Vec<projects::Compared<'a>>,
}

impl<'a> Comparison<'a> {
    pub fn of(desired: &'a Desired, platform: &'a Platform, policy: &Policy) -> Self {
        let mut matches = matching::matches(desired, platform, policy);
        embedded::block(&mut matches, desired, platform);
        let projects = projects::compare(desired, platform, &matches);
        Self { desired, platform, matches, projects }
    }

    /// Finds what has to be read again before [`Self::plan`].
    pub fn doubts(&self, losing: &BTreeSet<AccountId>) -> Doubts {
        let mut memberships = projects::missing_in_listing(&self.projects);
        memberships.extend(projects::roles_by_absence(&self.projects));
        memberships.extend(invitations::doubted(self.desired, self.platform, &self.matches));
        let mut doubts = Doubts { memberships, ..Doubts::of_unknown(&self.matches.unknown, self.desired, losing) };
        doubts.users.extend(recreate::doubted(self.platform, &self.matches));
        doubts.users.extend(invitations::unknown_users(self.desired, self.platform, &self.matches.unknown));
        doubts
    }

    /// The accounts of those of these users who would leave a project.
    pub fn leaving(&self, users: &BTreeSet<OktaUserId>) -> BTreeSet<AccountId> {
        projects::leaving(&self.projects, users)
    }

    /// The groups whose projects would change.
    pub fn changing_groups(&self) -> BTreeSet<OktaGroupId> {
        projects::changing(&self.projects, self.desired, &self.matches)
    }

    /// The externalIds of the projects that one of these groups makes, alone or with others.
    pub fn projects_of(&self, groups: &BTreeSet<OktaGroupId>) -> BTreeSet<OktaGroupId> {
        projects::made_of(&self.projects, groups)
    }

    /// Adds the deletions of accounts that are due, each with the time since when it is inactive.
    pub fn delete(&self, plan: &mut Plan, due: &BTreeMap<AccountId, Timestamp>, policy: &Policy) {
        deletions::diff(plan, self.desired, self.platform, &self.matches, due, policy);
    }

    /// The operations to write.
    pub fn plan(&self, policy: &Policy) -> Plan {
        let Self { desired, platform, matches, projects } = self;
        let mut plan = Plan::default();
        plan.standing.scope_is_incomplete = !desired.missing_scope.is_empty();
        embedded::note(&mut plan, platform);
        users::diff(&mut plan, desired, platform, matches, policy);
        projects::diff(&mut plan, projects, desired, platform, matches, policy);
        recreate::without_new_accounts(&mut plan, platform, matches);
        invitations::diff(&mut plan, desired, platform, matches, policy);
        plan.problems.extend(matches.problems.iter().cloned());
        plan.problems.sort();
        plan.problems.dedup();
        plan.warnings.sort();
        plan
    }
}
