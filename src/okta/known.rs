//! Groups that an earlier run read and that haven't changed since.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::client::Okta;
use super::read::{Reading, SIDE_BY_SIDE, members_failed};
use super::wire::WireGroup;
use crate::error::Error;
use crate::model::Members;
use crate::model::id::{OktaGroupId, OktaUserId};
use crate::model::known::{KnownGroup, KnownGroups};
use crate::model::okta::{Group, GroupType};

/// What was known before a run, held against what Okta's listing of groups says now.
#[derive(Clone, Debug)]
pub(super) struct Known<'a> {
    groups: &'a KnownGroups,
    /// `lastMembershipUpdated` of each group; not of `Everyone` and its like, for which nobody promises that it moves.
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

    /// The members of a group, if they needn't be read.
    pub fn members(&self, group: &OktaGroupId) -> Option<&'a Members<OktaUserId>> {
        Some(&self.unchanged(group)?.members)
    }

    fn unchanged(&self, group: &OktaGroupId) -> Option<&'a KnownGroup> {
        let updated = self.updated.get(group).map(String::as_str);
        self.groups.get(group).filter(|known| known.still_holds(updated, self.now))
    }

    /// What is known now of the groups with these members, and which of them weren't read.
    pub fn after(self, read: &BTreeMap<OktaGroupId, Members<OktaUserId>>) -> (KnownGroups, BTreeSet<OktaGroupId>) {
        let mut unread = BTreeSet::new();
        let known = |(id, members): (&OktaGroupId, &Members<OktaUserId>)| {
            if let Some(known) = self.unchanged(id) {
                unread.insert(id.clone());
                return Some((id.clone(), known.clone()));
            }
            let updated = self.updated.get(id).map(String::as_str);
            Some((id.clone(), KnownGroup::new(updated, self.server_time, self.now, members.clone())?))
        };
        (read.iter().filter_map(known).collect(), unread)
    }
}

/// Reads the members of these pushed groups after all, whatever was known of them.
pub async fn read_members(okta: &Okta, reading: &mut Reading, groups: &BTreeSet<OktaGroupId>) -> Result<(), Error> {
    let now = Timestamp::now();
    let pushed = reading.org.pushed.iter().filter(|(id, _)| groups.contains(*id));
    // Owned, since a future over borrowed groups couldn't move between threads.
    let owned: Vec<Group> = pushed.map(|(_, pushed)| pushed.group.clone()).collect();
    let reads = stream::iter(owned).map(async |group| {
        let members = okta.group_member_ids(&group.id).await.map_err(|failure| members_failed(failure, &group))?;
        Ok::<_, Error>((group, members))
    });
    let read: Vec<_> = reads.buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
    for (group, members) in read {
        reading.unread.remove(&group.id);
        if let Some(known) = reading.groups.get_mut(&group.id) {
            (known.read, known.members) = (now, members.clone());
        }
        put(reading, group, &members);
    }
    Ok(())
}

/// Puts the members of a group in the place of those that were known, with the groups of each user.
fn put(reading: &mut Reading, group: Group, members: &Members<OktaUserId>) {
    let Some(pushed) = reading.org.pushed.get_mut(&group.id) else { return };
    let before = std::mem::replace(&mut pushed.members, members.clone());
    let group = Arc::new(group);
    for left in before.iter().filter(|id| !members.contains(id)) {
        if let Some(groups) = reading.org.groups_of.get_mut(left) {
            groups.retain(|other| other.id != group.id);
        }
    }
    for came in members.iter().filter(|id| !before.contains(id)) {
        if let Some(groups) = reading.org.groups_of.get_mut(came) {
            groups.push(Arc::clone(&group));
        }
    }
}
