//! Users whose account is replaced because their e-mail address changed in Okta.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::activepieces::Platform;
use crate::model::desired::{Desired, DesiredState, DesiredUser, Leave};
use crate::plan::diff::protected::Protected;
use crate::plan::policy::{EmailChange, Policy};

/// The users, by their places, who leave their linked account for that of their new address. A user stays where the new
/// address can't be had: another user wants it too, an embedded account has it, or the account of a user who stays. Users who
/// pass their addresses on, in a row or in a ring, all leave.
pub fn movers(
    desired: &Desired,
    platform: &Platform,
    policy: &Policy,
    linked: &[Option<usize>],
    of_name: &dyn Fn(&str) -> Option<usize>,
) -> BTreeSet<usize> {
    if policy.email_change != EmailChange::Recreate {
        return BTreeSet::new();
    }
    let users: Vec<&DesiredUser> = desired.users.values().collect();
    let protected = Protected::of(platform, policy);
    let leaves = |(place, at): (usize, &Option<usize>)| {
        let (user, account) = (users[place], &platform.users[(*at)?]);
        let name = user.user_name.as_deref().filter(|name| *name != account.user_name)?;
        let may_leave = matches!(user.state, DesiredState::Present(_)) && !protected.holds(&account.id);
        may_leave.then_some((place, name))
    };
    let mut movers: BTreeMap<usize, &str> = linked.iter().enumerate().filter_map(leaves).collect();
    if movers.is_empty() {
        return BTreeSet::new();
    }
    let wanted = wanted(&users, &movers);
    let embedded: BTreeSet<&str> = platform.embedded.iter().map(|account| account.user_name.as_str()).collect();
    movers.retain(|_, name| wanted.get(*name) == Some(&1) && !embedded.contains(name));
    let owners: BTreeMap<usize, usize> =
        linked.iter().enumerate().filter_map(|(place, at)| Some(((*at)?, place))).collect();
    loop {
        let is_free = |name: &str| match of_name(name) {
            None => true,
            Some(at) => match owners.get(&at) {
                Some(owner) => movers.contains_key(owner) || gives_way(users[*owner]),
                // The account of an Okta user that nothing is known of.
                None => platform.users[at].okta_id(&desired.ids).is_none(),
            },
        };
        let stay: Vec<usize> = movers.iter().filter(|(_, name)| !is_free(name)).map(|(place, _)| *place).collect();
        if stay.is_empty() {
            return movers.into_keys().collect();
        }
        movers.retain(|place, _| stay.binary_search(place).is_err());
    }
}

/// How many users want each of the new addresses.
fn wanted<'a>(users: &[&'a DesiredUser], movers: &BTreeMap<usize, &'a str>) -> BTreeMap<&'a str, usize> {
    let mut wanted: BTreeMap<&str, usize> = movers.values().map(|name| (*name, 0)).collect();
    let waits = |user: &DesiredUser| {
        matches!(user.state, DesiredState::Untouched(_) | DesiredState::Left(Leave::Staged)) || gives_way(user)
    };
    for user in users.iter().filter(|user| !waits(user)) {
        if let Some(count) = user.user_name.as_deref().and_then(|name| wanted.get_mut(name)) {
            *count += 1;
        }
    }
    wanted
}

/// Whether the user's account goes to a successor of its address.
fn gives_way(user: &DesiredUser) -> bool {
    matches!(user.state, DesiredState::Left(Leave::Deactivated | Leave::Deleted))
}
