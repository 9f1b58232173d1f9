//! Reads what was only known from an earlier run, where more than time hangs on it.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::client::Okta;
use super::groups::MEMBERS_PAGE;
use super::read::{Reading, members_failed};
use crate::error::Error;
use crate::http::Failure;
use crate::model::Members;
use crate::model::id::{OktaGroupId, OktaUserId};
use crate::model::okta::{Group, Org};

/// So many users are asked for by one filter, which stays shorter than what proxies let through.
const IDS: usize = 25;

/// Reads the members of these groups, which weren't read. One that was deleted meanwhile is no group of anybody any more, and
/// the project of a pushed one is left alone.
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
            if let Some(pushed) = reading.org.pushed.remove(&group.id) {
                reading.org.vanished.insert(group.id.clone(), pushed.project_name);
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

/// Puts the members of a group in the place of those that were known, also where the groups of each user are.
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
    if let Some(pushed) = org.pushed.get_mut(&group.id) {
        pushed.members = members;
    }
}

/// Takes those who were deleted out of the pushed groups that weren't read, since a deletion may not move a group's
/// `lastMembershipUpdated`. Who was read is there, and of somebody without an account nothing follows: so only those who have
/// one of `accounts` and weren't read are asked for, or their groups are read, whichever takes fewer requests.
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
    let gone = match deleted(okta, asked).await {
        Ok(gone) => gone,
        // The filter was refused, though it's one that Okta has.
        Err(failure) if failure.status() == Some(400) => return members(okta, reading, &groups).await,
        Err(failure) => return Err(Error::from(failure).context("asking Okta who of the known members is there")),
    };
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

/// Those of the users who are deleted.
async fn deleted(okta: &Okta, users: BTreeSet<OktaUserId>) -> Result<BTreeSet<OktaUserId>, Failure> {
    let all: Vec<OktaUserId> = users.iter().cloned().collect();
    let asked: Vec<Vec<OktaUserId>> = all.chunks(IDS).map(<[_]>::to_vec).collect();
    let reads = stream::iter(asked).map(async |ids| okta.users_there(&ids).await);
    let there: Vec<_> = reads.buffer_unordered(okta.at_once()).try_collect().await?;
    let there: BTreeSet<OktaUserId> = there.into_iter().flatten().collect();
    Ok(users.difference(&there).cloned().collect())
}

/// Reads which groups these users are in: of each of them, or of all groups that weren't read, whichever takes fewer requests.
pub async fn groups_of(okta: &Okta, reading: &mut Reading, users: &BTreeSet<OktaUserId>) -> Result<(), Error> {
    let unread: BTreeSet<OktaGroupId> = reading.unread.keys().cloned().collect();
    if requests(reading, &unread) <= users.len() {
        return members(okta, reading, &unread).await;
    }
    let reads = stream::iter(users.clone()).map(async |id| match okta.user_groups(&id).await {
        Ok(groups) => Ok((id, Some(groups))),
        Err(failure) if failure.is_not_found() => Ok((id, None)),
        Err(failure) => Err(Error::from(failure).context(format!("reading the groups of the Okta user {id}"))),
    });
    let read: Vec<_> = reads.buffer_unordered(okta.at_once()).try_collect().await?;
    let Org { users, in_scope, gone, groups_of, .. } = &mut reading.org;
    for (id, groups) in read {
        if let Some(groups) = groups {
            groups_of.insert(id, groups.into_iter().map(Arc::new).collect());
        } else {
            // Deleted since he was listed.
            users.remove(&id);
            in_scope.remove(&id);
            gone.insert(id);
        }
    }
    Ok(())
}

/// How many requests the members of these groups take, by as many as were known.
fn requests(reading: &Reading, groups: &BTreeSet<OktaGroupId>) -> usize {
    let members = groups.iter().filter_map(|id| Some(reading.known.groups.get(id)?.members.len()));
    members.map(|members| 1 + members / MEMBERS_PAGE as usize).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::scripted::Server;
    use crate::model::known::{KnownGroup, KnownOrg};
    use crate::model::okta::{GroupType, PushedGroup};
    use crate::okta::resolve::ResolvedScope;
    use crate::okta::testing::{error, okta, page};

    fn group(id: &str) -> Group {
        Group { id: id.into(), name: id.to_owned(), kind: GroupType::OktaGroup }
    }

    fn members(ids: &[&str]) -> Members<OktaUserId> {
        ids.iter().map(|id| OktaUserId::from(*id)).collect()
    }

    /// What is known of a group that is pushed, and of whose members one has an account and wasn't read.
    fn known_alone() -> Reading {
        let known = KnownGroup { updated: String::new(), read: Timestamp::UNIX_EPOCH, members: members(&["00u1"]) };
        let pushed =
            PushedGroup { group: group("00g1"), project_name: "One".to_owned(), members: known.members.clone() };
        let org = Org { pushed: [("00g1".into(), pushed)].into(), ..Org::default() };
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
    async fn a_known_group_is_read_where_the_filter_is_refused_and_its_project_left_alone_where_it_was_deleted() {
        for is_there in [true, false] {
            let server = Server::new(move |seen| match seen.path() {
                "/api/v1/groups/00g1/users" if is_there => page(seen, &json!([]), None),
                "/api/v1/users" => error(400, "E0000031", "Invalid search criteria."),
                _ => error(404, "E0000007", "Not found: Resource not found: 00g1 (UserGroup)"),
            })
            .await;
            let mut reading = known_alone();
            forget_deleted(&okta(&server.url), &mut reading, ["00u1".into()].into_iter()).await.unwrap();
            assert!(reading.unread.is_empty());
            let Org { pushed, vanished, .. } = reading.org;
            let known: Vec<_> = pushed.values().map(|pushed| pushed.members.len()).collect();
            assert_eq!((known, vanished.len()), if is_there { (vec![0], 0) } else { (vec![], 1) });
        }
    }

    #[test]
    fn the_groups_of_a_user_stay_in_the_order_of_their_ids() {
        let groups_of = |ids: &[&str]| ids.iter().map(|id| Arc::new(group(id))).collect::<Vec<_>>();
        let mut org = Org::default();
        org.groups_of.insert("00u1".into(), groups_of(&["00g1", "00g3"]));
        org.groups_of.insert("00u2".into(), groups_of(&["00g2", "00g3"]));
        put(&mut org, group("00g2"), &members(&["00u2", "00u9"]), members(&["00u1", "00u9"]));
        assert_eq!(org.groups_of[&"00u1".into()], groups_of(&["00g1", "00g2", "00g3"]));
        assert_eq!(org.groups_of[&"00u2".into()], groups_of(&["00g3"]));
        assert_eq!(org.groups_of.len(), 2, "whose groups weren't read has none now");
    }
}
