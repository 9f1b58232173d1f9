//! The cache of an org's groups, filled by earlier runs. It makes runs faster and never changes their result, so it can
//! be deleted at any time.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::Members;
use super::id::{OktaGroupId, OktaUserId};

/// The longest time that a cached group is used.
const OLDEST: SignedDuration = SignedDuration::from_hours(24);
/// A change that is younger than this may not be the last one of its moment, or may not have reached all of Okta's
/// servers.
const SETTLED: SignedDuration = SignedDuration::from_mins(2);

/// The cached data of an org.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownOrg {
    pub groups: KnownGroups,
    pub beginnings: Beginnings,
}

/// Moments between which about as many users were created, of those that a search finds, by the search.
pub type Beginnings = BTreeMap<String, Vec<Timestamp>>;

/// The groups that were read: a group whose memberships haven't changed since needn't be read again.
pub type KnownGroups = BTreeMap<OktaGroupId, KnownGroup>;

/// The members of a group, as they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownGroup {
    /// `lastMembershipUpdated`, as Okta wrote it before the members were read (Okta API: Groups, list).
    pub updated: String,
    /// When the members were read.
    pub read: Timestamp,
    pub members: Members<OktaUserId>,
}

impl KnownGroup {
    /// What a read found; none where the next change might not show. `server_time` is the server's clock before the read.
    pub fn new(
        updated: Option<&str>,
        server_time: Option<Timestamp>,
        read: Timestamp,
        members: Members<OktaUserId>,
    ) -> Option<Self> {
        let updated = updated?;
        let changed: Timestamp = updated.parse().ok()?;
        let settled = server_time?.duration_since(changed) >= SETTLED;
        settled.then(|| Self { updated: updated.to_owned(), read, members })
    }

    /// Whether the members are still the same, if Okta says this of the group now.
    pub fn still_holds(&self, updated: Option<&str>, now: Timestamp) -> bool {
        let age = now.duration_since(self.read);
        updated == Some(&self.updated) && age >= SignedDuration::ZERO && age < OLDEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPDATED: &str = "2026-11-24T10:00:00.000Z";

    fn at(text: &str) -> Timestamp {
        format!("2026-11-{text}Z").parse().unwrap()
    }

    fn known(server_time: Option<&str>) -> Option<KnownGroup> {
        KnownGroup::new(Some(UPDATED), server_time.map(at), at("24T10:30:00"), Members::default())
    }

    #[test]
    fn a_group_that_changed_just_now_is_not_kept() {
        assert!(known(Some("24T10:02:00")).is_some());
        for server_time in [Some("24T10:01:59"), Some("24T09:00:00"), None] {
            assert_eq!(known(server_time), None);
        }
        for updated in [None, Some("soon")] {
            let now = at("24T10:30:00");
            assert_eq!(KnownGroup::new(updated, Some(now), now, Members::default()), None);
        }
    }

    #[test]
    fn a_group_is_believed_while_okta_says_the_same_and_for_a_day() {
        let known = known(Some("24T10:30:00")).unwrap();
        assert!(known.still_holds(Some(UPDATED), at("25T10:29:59")));
        assert!(!known.still_holds(Some(UPDATED), at("25T10:30:00")));
        assert!(!known.still_holds(Some(UPDATED), at("24T10:29:59")), "this machine's clock was set back");
        assert!(!known.still_holds(Some("2026-11-24T10:00:01.000Z"), at("24T11:00:00")));
        assert!(!known.still_holds(None, at("24T11:00:00")));
    }
}
