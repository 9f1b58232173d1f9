//! Refreshes cached groups before a write depends on them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

use crate::error::Error;
use crate::model::Members;
use crate::model::desired::RuleFault;
use crate::model::id::{OktaGroupId, OktaUserId};
use crate::model::known::KnownGroup;
use crate::model::okta::Group;
use crate::model::org::{Org, RoleGroup};
use crate::okta::api::client::Okta;
use crate::okta::api::groups::MEMBERS_PAGE;
use crate::okta::api::users::IDS;
use crate::okta::read::{Reading, members_failed};

/// Reads the members of these groups, which came from the cache. A group that was deleted since has no members, and if it is
/// pushed, its project stays as it is.
pub async fn members(okta: &Okta, reading: &mut Reading, groups: &BTreeSet<OktaGroupId>) -> Result<(), Error> {
    let now = Timestamp::now();
    // Owned, since a future over borrowed groups couldn't move between threads.
    let owned: Vec<Group> = groups.iter().filter_map(|id| reading.unread.remove(id)).collect();
    let reads = stream::iter(owned).map(async |group| match okta.group_member_ids(&group.id).await {
        Ok(members) => Ok((group, Some(members))),
        Err(failure) if failure.is_not_found() => Ok((group, None)),
        Err(failure) => Err(members_failed(failure, &group)),
    });
    let read: Vec<_> = reads.buffer_unordered(okta.at_once()).try_collect().await?;
    for (group, members) in read {
        let Some(members) = members else {
            let before = reading.known.groups.remove(&group.id).map(|known| known.members).unwrap_or_default();
            if reading.org.pushed.contains_key(&group.id) {
                reading.org.vanish(&group.id);
            }
            let gone = |of_roles: &RoleGroup| of_roles.id == group.id;
            for (wanted, _) in reading.org.role_groups.extract_if(.., |_, of_roles| gone(of_roles)) {
                reading.org.missing_role_groups.insert(wanted, RuleFault::NoSuchGroup { nearest: Vec::new() });
            }
            put(&mut reading.org, group, &before, Members::default());
            continue;
        };
        let Some(known) = reading.known.groups.get_mut(&group.id) else { continue };
        known.read = now;
        let before = std::mem::replace(&mut known.members, members.clone());
        put(&mut reading.org, group, &before, members);
    }
    Ok(())
}

/// Replaces the cached members of a group, also in the groups of each user.
fn put(org: &mut Org, group: Group, before: &Members<OktaUserId>, members: Members<OktaUserId>) {
    for left in before.iter().filter(|id| !members.contains(id)) {
        if let Some(groups) = org.groups_of.get_mut(left) {
            groups.retain(|other| other.id != group.id);
        }
    }
    let group = Arc::new(group);
    for came in members.iter().filter(|id| !before.contains(id)) {
        if let Some(groups) = org.groups_of.get_mut(came) {
            // They are in the order of their ids, which expressions can see.
            let place = groups.partition_point(|other| other.id < group.id);
            groups.insert(place, Arc::clone(&group));
        }
    }
    for of_roles in org.role_groups.values_mut().filter(|of_roles| of_roles.id == group.id) {
        of_roles.members = members.clone();
    }
    if let Some(pushed) = org.pushed.get_mut(&group.id) {
        pushed.members = members;
    }
}

/// Removes deleted users from cached groups, since a deletion may not move a group's `lastMembershipUpdated`. Users who were read
/// exist, and users without an account don't matter: so only users who have one of `accounts` and weren't read are asked for, or
/// their groups are read, whichever takes fewer requests.
pub async fn forget_deleted(
    okta: &Okta,
    reading: &mut Reading,
    accounts: impl Iterator<Item = OktaUserId>,
) -> Result<(), Error> {
    let suspects: BTreeSet<OktaUserId> = accounts.filter(|id| !reading.org.users.contains_key(id)).collect();
    let (mut groups, mut asked) = (BTreeSet::new(), BTreeSet::new());
    for (id, pushed) in reading.org.pushed.iter().filter(|(id, _)| reading.unread.contains_key(*id)) {
        let found: Vec<_> = pushed.members.iter().filter(|member| suspects.contains(*member)).cloned().collect();
        if !found.is_empty() {
            groups.insert(id.clone());
            asked.extend(found);
        }
    }
    if requests(reading, &groups) < asked.len().div_ceil(IDS) {
        return members(okta, reading, &groups).await;
    }
    let found = okta.users_by_id(&asked).await;
    let found =
        found.map_err(|failure| Error::from(failure).context("asking Okta who of the known members is there"))?;
    let gone: BTreeSet<OktaUserId> = found.into_iter().filter_map(|(id, user)| user.is_none().then_some(id)).collect();
    for id in &groups {
        let (Some(pushed), Some(known)) = (reading.org.pushed.get_mut(id), reading.known.groups.get_mut(id)) else {
            continue;
        };
        if pushed.members.iter().any(|member| gone.contains(member)) {
            pushed.members = pushed.members.iter().filter(|member| !gone.contains(*member)).cloned().collect();
            known.members = pushed.members.clone();
        }
    }
    Ok(())
}

/// Drops groups from the cache whose members contradict what the members' own groups say: a listing that missed a user is
/// never cached.
pub fn forget_misses(reading: &mut Reading, own: &BTreeMap<OktaUserId, BTreeSet<OktaGroupId>>) {
    let agrees = |group: &OktaGroupId, known: &KnownGroup| {
        own.iter().all(|(user, groups)| groups.contains(group) == known.members.contains(user))
    };
    reading.known.groups.retain(|group, known| agrees(group, known));
}

/// How many requests the members of these groups take, by the cached numbers.
pub fn requests(reading: &Reading, groups: &BTreeSet<OktaGroupId>) -> usize {
    let members = groups.iter().filter_map(|id| Some(reading.known.groups.get(id)?.members.len()));
    members.map(|members| 1 + members / MEMBERS_PAGE as usize).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::scripted::ScriptedServer;
    use crate::model::desired::Source;
    use crate::model::known::KnownOrg;
    use crate::model::okta::GroupType;
    use crate::model::org::{PushedGroup, Target};
    use crate::okta::read::resolve::ResolvedScope;
    use crate::okta::testing::{error, okta, page, user};

    fn group(id: &str) -> Group {
        Group { id: id.into(), name: id.to_owned(), kind: GroupType::OktaGroup }
    }

    fn ids(ids: &[&str]) -> Members<OktaUserId> {
        ids.iter().map(|id| OktaUserId::from(*id)).collect()
    }

    /// What is known of a group that is pushed, and of whose members one has an account and wasn't read.
    fn known_alone() -> Reading {
        let known = KnownGroup { updated: String::new(), read: Timestamp::UNIX_EPOCH, members: ids(&["00u1"]) };
        let pushed = PushedGroup { group: group("00g1"), members: known.members.clone() };
        let sources = vec![Source::of("00g1".into())];
        let target = Target { name: "One".to_owned(), is_named: false, sources };
        let org = Org { pushed: [("00g1".into(), pushed)].into(), targets: vec![target], ..Org::default() };
        Reading {
            org,
            scope: ResolvedScope::default(),
            known: KnownOrg { groups: [("00g1".into(), known)].into(), ..KnownOrg::default() },
            unread: [("00g1".into(), group("00g1"))].into(),
            asked_by_expressions: 0,
            warnings: Vec::new(),
        }
    }

    #[tokio::test]
    async fn who_was_deleted_is_forgotten_where_the_filter_is_refused_too() {
        for is_there in [true, false] {
            let server = ScriptedServer::new(move |seen| match seen.path() {
                "/api/v1/users/00u1" if is_there => page(seen, &user("00u1", "ACTIVE"), None),
                "/api/v1/users" => error(400, "E0000031", "Invalid search criteria."),
                _ => error(404, "E0000007", "Not found: Resource not found: 00u1 (User)"),
            })
            .await;
            let mut reading = known_alone();
            forget_deleted(&okta(&server.url), &mut reading, ["00u1".into()].into_iter()).await.unwrap();
            let known: Vec<_> = reading.org.pushed.values().map(|pushed| pushed.members.len()).collect();
            assert_eq!(known, [usize::from(is_there)]);
        }
    }

    #[tokio::test]
    async fn the_project_of_a_known_group_that_was_deleted_is_left_alone() {
        let server =
            ScriptedServer::new(move |_| error(404, "E0000007", "Not found: Resource not found: 00g1 (UserGroup)"))
                .await;
        let mut reading = known_alone();
        members(&okta(&server.url), &mut reading, &["00g1".into()].into()).await.unwrap();
        assert!(reading.unread.is_empty() && reading.org.pushed.is_empty());
        assert_eq!(reading.org.vanished.len(), 1);
    }

    #[test]
    fn a_group_that_members_contradict_is_not_kept() {
        for (groups, kept) in [(&["00g1", "00g2"][..], 1), (&["00g2"], 0)] {
            let mut reading = known_alone();
            let own = [("00u1".into(), groups.iter().map(|id| OktaGroupId::from(*id)).collect())].into();
            forget_misses(&mut reading, &own);
            assert_eq!(reading.known.groups.len(), kept, "{groups:?}");
        }
        let mut reading = known_alone();
        forget_misses(&mut reading, &[("00u2".into(), ["00g1".into()].into())].into());
        assert!(reading.known.groups.is_empty(), "missed by the listing");
    }

    #[test]
    fn the_groups_of_a_user_stay_in_the_order_of_their_ids() {
        let groups_of = |ids: &[&str]| ids.iter().map(|id| Arc::new(group(id))).collect::<Vec<_>>();
        let mut org = Org::default();
        org.groups_of.insert("00u1".into(), groups_of(&["00g1", "00g3"]));
        org.groups_of.insert("00u2".into(), groups_of(&["00g2", "00g3"]));
        put(&mut org, group("00g2"), &ids(&["00u2", "00u9"]), ids(&["00u1", "00u9"]));
        assert_eq!(org.groups_of[&"00u1".into()], groups_of(&["00g1", "00g2", "00g3"]));
        assert_eq!(org.groups_of[&"00u2".into()], groups_of(&["00g3"]));
        assert_eq!(org.groups_of.len(), 2, "whose groups weren't read has none now");
    }
}
