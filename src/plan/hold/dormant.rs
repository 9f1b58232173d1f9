//! Since when accounts are inactive, by the runs that found them so. An account that no run recorded isn't deleted.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::activepieces::{Platform, User};
use crate::model::id::{AccountId, OktaIds};
use crate::plan::past::{Inactive, Past};
use crate::plan::policy::Policy;

/// The accounts that have been inactive and linked to the same user for as long as the policy asks, each since when.
pub fn due(past: &Past, platform: &Platform, policy: &Policy, now: Timestamp) -> BTreeMap<AccountId, Timestamp> {
    let Some(after) = policy.delete_inactive_after else { return BTreeMap::new() };
    let since = |user: &User| Some((user.id.clone(), still(past, user)?.since));
    let inactive = platform.users.iter().filter_map(since);
    inactive.filter(|(_, since)| now.duration_since(*since) >= after).collect()
}

/// The record of earlier runs without the accounts that aren't inactive any more, whether or not this run completes.
pub fn without_seen(past: &Past, platform: &Platform, policy: &Policy) -> BTreeMap<AccountId, Inactive> {
    if policy.delete_inactive_after.is_none() || past.inactive.is_empty() {
        return BTreeMap::new();
    }
    platform.users.iter().filter_map(|user| Some((user.id.clone(), still(past, user)?.clone()))).collect()
}

/// The record once this run is completed.
pub fn record(
    past: &Past,
    platform: &Platform,
    ids: &OktaIds,
    policy: &Policy,
    now: Timestamp,
) -> BTreeMap<AccountId, Inactive> {
    let mut record = without_seen(past, platform, policy);
    if policy.delete_inactive_after.is_none() {
        return record;
    }
    for user in platform.users.iter().filter(|user| !user.active) {
        let Some(owner) = user.okta_id(ids) else { continue };
        let entry = record.entry(user.id.clone()).or_insert(Inactive { user: owner, since: now });
        // A clock that was once ahead must not count.
        entry.since = entry.since.min(now);
    }
    record
}

/// What is recorded of an account that is inactive and linked to the same user as then.
fn still<'p>(past: &'p Past, user: &User) -> Option<&'p Inactive> {
    past.inactive.get(&user.id).filter(|then| !user.active && user.link() == Some(then.user.as_str()))
}
