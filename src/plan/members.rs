//! Who is in a group and not in its project, and the other way round.

use indexmap::IndexMap;

use super::matching::Matches;
use crate::model::Members;
use crate::model::activepieces::{Platform, Project, User};
use crate::model::id::{AccountId, OktaUserId};

/// The Okta user who answers for an account.
#[derive(Clone)]
struct Owner<'a> {
    id: OktaUserId,
    account: &'a User,
    /// Whether they were matched; else the account's externalId alone names the user.
    is_matched: bool,
}

/// Whom each account belongs to, apart from those that nobody in Okta answers for.
pub struct Owners<'a>(IndexMap<AccountId, Owner<'a>>);

impl<'a> Owners<'a> {
    pub fn of(platform: &'a Platform, matches: &Matches<'_>) -> Self {
        let owner = |account: &'a User| {
            let owner = matches.user_of.get(&account.id).map(|id| (*id).clone());
            let is_matched = owner.is_some();
            Some((account.id.clone(), Owner { id: owner.or_else(|| account.okta_id())?, account, is_matched }))
        };
        let mut owners = IndexMap::with_capacity(platform.users.len());
        owners.extend(platform.users.iter().filter_map(owner));
        Self(owners)
    }
}

/// How a group and its project differ.
pub struct Difference<'a> {
    /// Members of the group who have no account in the project.
    pub absent: Vec<&'a OktaUserId>,
    /// Members of the project who aren't in the group. Members that no Okta user answers for were added by hand, and aren't
    /// here.
    pub extra: Vec<(OktaUserId, &'a User)>,
}

impl<'a> Difference<'a> {
    pub fn of(group: &'a Members<OktaUserId>, project: Option<&Project>, owners: &Owners<'a>) -> Self {
        let members = project.into_iter().flat_map(|project| &project.members);
        let mut members: Vec<Owner<'a>> = members.filter_map(|id| owners.0.get(id).cloned()).collect();
        members.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let (mut absent, mut extra) = (Vec::new(), Vec::new());
        let mut members = members.into_iter().peekable();
        for id in group {
            while let Some(member) = members.next_if(|member| member.id < *id) {
                extra.push((member.id, member.account));
            }
            let mut is_member = false;
            while let Some(member) = members.next_if(|member| member.id == *id) {
                is_member |= member.is_matched;
            }
            if !is_member {
                absent.push(id);
            }
        }
        extra.extend(members.map(|member| (member.id, member.account)));
        Self { absent, extra }
    }
}
