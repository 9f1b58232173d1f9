//! Groups that an earlier run read and that haven't changed since.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::Members;
use crate::model::id::{OktaGroupId, OktaUserId};
use crate::model::known::{KnownGroup, KnownGroups};
use crate::model::okta::{Group, GroupType};
use crate::okta::api::wire::WireGroup;

/// Groups whose members are known and weren't read.
pub type Unread = BTreeMap<OktaGroupId, Group>;

/// What was known before a run, compared with Okta's current listing of groups.
#[derive(Clone, Debug)]
pub(crate) struct Known<'a> {
    groups: &'a KnownGroups,
    /// `lastMembershipUpdated` of each group; not of built-in groups (`docs/okta.md#when-memberships-changed`), and
    /// not of groups that are always read.
    updated: BTreeMap<OktaGroupId, String>,
    /// This machine's clock, and the server's, before any member was read.
    now: Timestamp,
    server_time: Option<Timestamp>,
}

impl<'a> Known<'a> {
    /// Takes note of a listing that was just read.
    pub fn new(groups: &'a KnownGroups, listed: &[WireGroup], server_time: Option<Timestamp>) -> Self {
        let changes = listed.iter().filter(|group| group.kind != GroupType::BuiltIn);
        let updated = changes.filter_map(|group| Some((group.id.clone(), group.membership_updated.clone()?))).collect();
        Self { groups, updated, now: Timestamp::now(), server_time }
    }

    /// Takes note of groups that are read whatever is known of them.
    pub fn always_reads(&mut self, groups: &[Group]) {
        for group in groups {
            self.updated.remove(&group.id);
        }
    }

    /// The members of a group, if they needn't be read.
    pub fn members(&self, group: &OktaGroupId) -> Option<&'a Members<OktaUserId>> {
        Some(&self.unchanged(group)?.members)
    }

    fn unchanged(&self, group: &OktaGroupId) -> Option<&'a KnownGroup> {
        let updated = self.updated.get(group).map(String::as_str);
        self.groups.get(group).filter(|known| known.still_holds(updated, self.now))
    }

    /// What is known now of those of the groups that have members here, and which of them weren't read.
    pub fn after(self, groups: Vec<Group>, read: &BTreeMap<OktaGroupId, Members<OktaUserId>>) -> (KnownGroups, Unread) {
        let (mut known, mut unread) = (KnownGroups::new(), Unread::new());
        for group in groups {
            let Some(members) = read.get(&group.id) else { continue };
            if let Some(unchanged) = self.unchanged(&group.id) {
                known.insert(group.id.clone(), unchanged.clone());
                unread.insert(group.id.clone(), group);
                continue;
            }
            let updated = self.updated.get(&group.id).map(String::as_str);
            let now = KnownGroup::new(updated, self.server_time, self.now, members.clone());
            known.extend(now.map(|now| (group.id, now)));
        }
        (known, unread)
    }
}
