//! The differences between the members of a group and the members of its project.

use crate::model::Members;
use crate::model::activepieces::{Platform, Project, User};
use crate::model::desired::{Desired, DesiredState};
use crate::model::id::{AccountId, OktaIds, OktaUserId};
use crate::plan::diff::lookup::Lookup;
use crate::plan::diff::matching::Matches;
use crate::plan::diff::users::{is_linked, is_managed};
use crate::plan::op::Removal;

/// The Okta user who answers for an account.
struct Owner<'a> {
    id: OktaUserId,
    account: &'a User,
    /// Whether they were matched; else the account's externalId alone names the user.
    is_matched: bool,
}

/// The Okta user of each account; accounts without one are left out.
pub struct Owners<'a> {
    /// By their ids, as the members of a group are sorted.
    sorted: Vec<Owner<'a>>,
    /// Where an account's owner stands: places are sorted faster than ids.
    places: Lookup<AccountId, usize>,
}

impl<'a> Owners<'a> {
    pub fn of(platform: &'a Platform, matches: &Matches<'_>, ids: &OktaIds) -> Self {
        let owner = |(account, owner): (&'a User, Option<&OktaUserId>)| {
            let owner = owner.cloned();
            let is_matched = owner.is_some();
            Some(Owner { id: owner.or_else(|| account.okta_id(ids))?, account, is_matched })
        };
        let mut sorted: Vec<Owner<'a>> =
            platform.users.iter().zip(matches.user_of.iter().copied()).filter_map(owner).collect();
        sorted.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let place = |(place, owner): (usize, &Owner<'_>)| (owner.account.id.clone(), place);
        let places = Lookup::of(sorted.len(), sorted.iter().enumerate().map(place));
        Self { sorted, places }
    }

    /// How many of a project's members that Okta answers for are in a group, and how many there are.
    pub fn shared(&self, project: &Project, group: &Members<OktaUserId>) -> (usize, usize) {
        let (mut shared, mut owned) = (0, 0);
        for owner in self.of_members(Some(project)) {
            owned += 1;
            shared += usize::from(group.contains(&owner.id));
        }
        (shared, owned)
    }

    /// The members of a project that Okta answers for, by the ids of their users.
    pub fn all(&self, project: &Project) -> impl Iterator<Item = (&OktaUserId, &'a User)> {
        self.of_members(Some(project)).map(|owner| (&owner.id, owner.account))
    }

    /// The members of a project who are matched, by the ids of their users.
    pub fn matched(&self, project: &Project) -> impl Iterator<Item = (&OktaUserId, &'a User)> {
        self.of_members(Some(project)).filter(|owner| owner.is_matched).map(|owner| (&owner.id, owner.account))
    }

    /// The owners of a project's members, by their ids.
    fn of_members(&self, project: Option<&Project>) -> impl Iterator<Item = &Owner<'a>> {
        let members = project.into_iter().flat_map(|project| &project.members);
        let mut places: Vec<usize> = members.filter_map(|id| self.places.get(id).copied()).collect();
        places.sort_unstable();
        places.into_iter().map(|place| &self.sorted[place])
    }
}

/// How a group and its project differ.
pub struct MemberDifference<'a> {
    /// Members of the group who have no account in the project.
    pub absent: Vec<&'a OktaUserId>,
    /// Members of the project who aren't in the group. Members without an Okta user were added by hand, and aren't
    /// listed here.
    pub extra: Vec<(OktaUserId, &'a User)>,
}

impl<'a> MemberDifference<'a> {
    pub fn of(group: &'a Members<OktaUserId>, project: Option<&Project>, owners: &Owners<'a>) -> Self {
        let (mut absent, mut extra) = (Vec::new(), Vec::new());
        let leaves = |owner: &Owner<'a>| (owner.id.clone(), owner.account);
        let mut members = owners.of_members(project).peekable();
        for id in group {
            while let Some(member) = members.next_if(|member| member.id < *id) {
                extra.push(leaves(member));
            }
            let mut is_member = false;
            while let Some(member) = members.next_if(|member| member.id == *id) {
                is_member |= member.is_matched;
            }
            if !is_member {
                absent.push(id);
            }
        }
        extra.extend(members.map(leaves));
        Self { absent, extra }
    }
}

/// Whether a member may be removed: Okta answers for the account, and no problem leaves the user alone.
pub fn may_leave(account: &User, id: &OktaUserId, desired: &Desired, matches: &Matches<'_>) -> bool {
    let (user, ids) = (desired.users.get(id), &desired.ids);
    let is_oktas = || user.map_or_else(|| is_linked(account, ids), |user| is_managed(id, user, account, ids));
    let has_problem = || user.is_some_and(|user| matches!(user.state, DesiredState::Problem(_)));
    !matches.blocked.contains(id) && is_oktas() && !has_problem()
}

/// The removal of a member from a project.
pub fn removal(account: &User, id: &OktaUserId, reason: String) -> Removal {
    Removal {
        user_name: account.user_name.clone(),
        account: account.id.clone(),
        reason,
        okta_id: Some(id.clone()),
        role: None,
        closed: None,
    }
}
