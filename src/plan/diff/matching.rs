//! Matches accounts with Okta users: by externalId, else by user name, else by an alias.

use std::cell::{LazyCell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

use crate::model::activepieces::{Platform, User};
use crate::model::desired::{Desired, DesiredState, DesiredUser, Leave};
use crate::model::id::OktaUserId;
use crate::model::problem::{Problem, ProblemKind};
use crate::plan::diff::lookup::Lookup;
use crate::plan::diff::movers::movers;
use crate::plan::policy::Policy;

/// Users who are linked by externalId.
#[derive(Debug)]
pub struct Links<'a> {
    /// The place of each desired user's account in the platform's listing, in the order of the desired users.
    of_users: Vec<Option<usize>>,
    /// Accounts whose Okta users are unknown.
    pub unknown: Vec<&'a User>,
}

impl<'a> Links<'a> {
    pub fn of(desired: &Desired, platform: &'a Platform) -> Self {
        let users = platform.users.as_slice();
        let external_id = |(at, user): (usize, &User)| {
            let id = user.external_id.as_deref().filter(|id| !id.is_empty())?;
            Some((id.into(), at))
        };
        let mut accounts: Vec<(OktaUserId, usize)> = users.iter().enumerate().filter_map(external_id).collect();
        accounts.sort_unstable();
        // Both are sorted: a million look-ups would take as long as all the rest.
        let (mut accounts, mut unknown) = (accounts.into_iter().peekable(), Vec::new());
        let of_user = |id: &OktaUserId| {
            unknown.extend(std::iter::from_fn(|| accounts.next_if(|(other, _)| other < id)).map(|(_, at)| &users[at]));
            let (_, first) = accounts.next_if(|(other, _)| other == id)?;
            while accounts.next_if(|(other, _)| other == id).is_some() {}
            Some(first)
        };
        let of_users = desired.users.keys().map(of_user).collect();
        unknown.extend(accounts.map(|(_, at)| &users[at]));
        Self { of_users, unknown }
    }
}

/// The accounts of a platform by their places in its listing, found by user name.
struct Accounts<'a> {
    users: &'a [User],
    /// Made when it's asked for: where all are linked, it's not asked for.
    by_user_name: OnceCell<Lookup<&'a str, usize>>,
}

impl<'a> Accounts<'a> {
    fn of(platform: &'a Platform) -> Self {
        Self { users: &platform.users, by_user_name: OnceCell::new() }
    }

    fn of_name(&self, user_name: &str) -> Option<usize> {
        let name = |(at, user): (usize, &'a User)| (user.user_name.as_str(), at);
        let all = || Lookup::of(self.users.len(), self.users.iter().enumerate().map(name));
        self.by_user_name.get_or_init(all).get(user_name).copied()
    }
}

/// The outcome of matching.
#[derive(Debug, Default)]
pub struct Matches<'a> {
    /// Each Okta user's account, in the order of the desired users.
    pub account_of: Vec<Option<&'a User>>,
    /// Okta users who are left alone.
    pub user_of: Vec<Option<&'a OktaUserId>>,
    /// Okta users whose account goes to a newer user of the same person or address.
    pub blocked: BTreeSet<&'a OktaUserId>,
    /// Okta users whose account went over to a newer one of the same person or address.
    pub superseded: BTreeSet<&'a OktaUserId>,
    /// The account whose externalId names the user, in the order of the desired users, also where it goes to another.
    pub linked: Vec<Option<&'a User>>,
    /// Linked accounts of whose users nothing is known.
    pub unknown: Vec<&'a User>,
    /// Accounts that users leave, or left, for that of their new address, by their places in the platform's listing.
    pub former: BTreeMap<OktaUserId, Vec<usize>>,
    /// Accounts, by their places, that several users claim.
    pub contested: BTreeMap<usize, Vec<&'a OktaUserId>>,
    /// Users who claim several accounts, with the places of these.
    pub several: BTreeMap<&'a OktaUserId, Vec<usize>>,
    pub problems: Vec<Problem>,
}

/// A claim of one Okta user on one user name, and on the account that has it.
#[derive(Clone, Copy)]
struct Claim<'a> {
    /// The user's place among the desired ones.
    place: usize,
    id: &'a OktaUserId,
    user: &'a DesiredUser,
    linked: bool,
}

impl Claim<'_> {
    /// Whether the claim prevails over others. A user who is deactivated in Okta or deleted gives way to a successor.
    fn is_strong(&self) -> bool {
        match &self.user.state {
            DesiredState::Present(_) | DesiredState::Problem(_) => true,
            DesiredState::Untouched(_) | DesiredState::Left(Leave::Staged) => self.linked,
            DesiredState::Left(leave) => !matches!(leave, Leave::Deactivated | Leave::Deleted),
        }
    }
}

/// Claims on the same account. Usually there is one, which needs no memory of its own.
type Claimants<'a> = SmallVec<[Claim<'a>; 1]>;

/// The claims on accounts, by their places, and on user names that no account has.
struct Claims<'a> {
    on_accounts: Vec<Claimants<'a>>,
    on_names: Vec<(&'a str, Claimants<'a>)>,
    /// Where a name stands among these.
    names: Lookup<&'a str, usize>,
}

impl<'a> Claims<'a> {
    fn add(&mut self, accounts: &Accounts<'_>, user_name: &'a str, claim: Claim<'a>) {
        let claims = if let Some(at) = accounts.of_name(user_name) {
            &mut self.on_accounts[at]
        } else {
            let at = *self.names.get_or_insert_with(user_name, || {
                self.on_names.push((user_name, Claimants::new()));
                self.on_names.len() - 1
            });
            &mut self.on_names[at].1
        };
        claims.push(claim);
    }

    /// A deactivated or deleted user whose linked account a successor takes keeps the account of their own address.
    fn give_way(&mut self, accounts: &Accounts<'a>) {
        let mut moved = Vec::new();
        let contested = |claims: &[Claim<'_>]| claims.len() > 1 && claims.iter().any(Claim::is_strong);
        let all = accounts.users.iter().zip(&mut self.on_accounts);
        for (account, claims) in all.filter(|(_, claims)| contested(claims)) {
            let other = |claim: &Claim<'_>| claim.user.user_name.as_ref().is_some_and(|own| *own != account.user_name);
            let leaves = |claim: &Claim<'_>| claim.linked && !claim.is_strong() && other(claim);
            moved.extend(claims.iter().filter(|claim| leaves(claim)).map(|claim| Claim { linked: false, ..*claim }));
            claims.retain(|claim| !leaves(claim));
        }
        for claim in moved {
            self.add(accounts, claim.user.user_name.as_deref().unwrap_or_default(), claim);
        }
    }
}

/// All user names that Okta users have.
pub fn wanted_names(desired: &Desired) -> Lookup<&str, ()> {
    let names = desired.users.values().filter_map(|user| user.user_name.as_deref());
    Lookup::of(desired.users.len(), names.map(|name| (name, ())))
}

/// Matches every desired user with their account.
pub fn matches<'a>(desired: &'a Desired, platform: &'a Platform, policy: &Policy) -> Matches<'a> {
    let (accounts, links) = (Accounts::of(platform), Links::of(desired, platform));
    let mut found = Matches {
        account_of: vec![None; desired.users.len()],
        user_of: vec![None; platform.users.len()],
        linked: links.of_users.iter().map(|at| at.map(|at| &platform.users[at])).collect(),
        unknown: links.unknown,
        ..Matches::default()
    };
    let mut claims = Claims { on_accounts: Vec::new(), on_names: Vec::new(), names: Lookup::default() };
    claims.on_accounts.resize_with(platform.users.len(), Claimants::new);
    let movers = movers(desired, platform, policy, &links.of_users, &|name| accounts.of_name(name));
    let mut by_alias = Vec::new();
    for (place, ((id, user), linked)) in desired.users.iter().zip(links.of_users).enumerate() {
        if let (Some(at), true) = (linked, movers.contains(&place)) {
            let new_name = user.user_name.as_deref().unwrap_or_default();
            claims.add(&accounts, new_name, Claim { place, id, user, linked: false });
            found.former.entry(id.clone()).or_default().push(at);
        } else if let Some(at) = linked {
            claims.on_accounts[at].push(Claim { place, id, user, linked: true });
            note_second_account(&mut found, &accounts, id, user, at);
        } else if let (Some(user_name), true) = (&user.user_name, claims_by_name(user)) {
            let claim = Claim { place, id, user, linked: false };
            let own = accounts.of_name(user_name);
            by_alias.extend((!user.aliases.is_empty()).then_some((claim, own)));
            if own.is_some() || user.aliases.is_empty() {
                claims.add(&accounts, user_name, claim);
            }
        }
    }
    claim_aliases(&mut found, &mut claims, &accounts, by_alias);
    claims.give_way(&accounts);
    for (at, (account, claims)) in accounts.users.iter().zip(&claims.on_accounts).enumerate() {
        settle(&mut found, Some((at, account)), &account.user_name, claims);
    }
    for (user_name, claims) in claims.on_names {
        settle(&mut found, None, user_name, &claims);
    }
    found.note_former(desired, platform);
    found.problems.sort();
    found
}

impl<'a> Matches<'a> {
    /// Finds the accounts that users left in an earlier run, and that are still open. That of a user without access and without
    /// another account counts as the user's own, to be closed.
    fn note_former(&mut self, desired: &'a Desired, platform: &'a Platform) {
        let places = LazyCell::new(|| desired.users.keys().enumerate().map(|(place, id)| (id, place)).collect());
        let places: &LazyCell<BTreeMap<&OktaUserId, usize>, _> = &places;
        for (at, account) in platform.users.iter().enumerate().filter(|(_, account)| account.active) {
            let Some(id) = account.former_of(&desired.ids).filter(|_| self.user_of[at].is_none()) else { continue };
            let Some((id, user)) = desired.users.get_key_value(&id) else { continue };
            let place = places[id];
            let is_left = matches!(user.state, DesiredState::Left(_));
            if is_left && self.account_of[place].is_none() && self.linked[place].is_none() {
                (self.account_of[place], self.linked[place]) = (Some(account), Some(account));
                self.user_of[at] = Some(id);
            } else {
                self.former.entry(id.clone()).or_default().push(at);
            }
        }
    }
}

/// Users who aren't linked claim the account of an alias that has no externalId and that no user claims by an address. Of a user who
/// could have several accounts it isn't known which one it is.
fn claim_aliases<'a>(
    found: &mut Matches<'a>,
    claims: &mut Claims<'a>,
    accounts: &Accounts<'a>,
    users: Vec<(Claim<'a>, Option<usize>)>,
) {
    let mut claimed = Vec::new();
    for (claim, own) in users {
        let others = free_accounts(accounts, claims, claim.user);
        match (own, others.as_slice()) {
            (None, []) => claims.add(accounts, claim.user.user_name.as_deref().unwrap_or_default(), claim),
            (Some(_), []) => {}
            (None, [at]) => claimed.push((*at, claim)),
            (own, others) => {
                if own.is_none() {
                    claims.add(accounts, claim.user.user_name.as_deref().unwrap_or_default(), claim);
                }
                let several = own.into_iter().chain(others.iter().copied());
                note_several_accounts(found, accounts, claim, several.collect());
            }
        }
    }
    for (at, claim) in claimed {
        claims.on_accounts[at].push(claim);
    }
}

/// The accounts of a user's aliases, by their places, that may be the user's.
fn free_accounts(accounts: &Accounts<'_>, claims: &Claims<'_>, user: &DesiredUser) -> Vec<usize> {
    let is_free = |at: &usize| accounts.users[*at].link().is_none() && claims.on_accounts[*at].is_empty();
    let places: BTreeSet<usize> = user.aliases.iter().filter_map(|alias| accounts.of_name(alias)).collect();
    places.into_iter().filter(is_free).collect()
}

fn note_several_accounts<'a>(found: &mut Matches<'a>, accounts: &Accounts<'_>, claim: Claim<'a>, places: Vec<usize>) {
    let names: Vec<&str> = places.iter().map(|at| accounts.users[*at].user_name.as_str()).collect();
    let names = names.join(", ");
    let message = format!(
        "may have several accounts, by address and alias: {names}; delete those in Activepieces that aren't used, or correct \
         the aliases in Okta"
    );
    found.blocked.insert(claim.id);
    found.problems.push(Problem::new(claim.user.login(), ProblemKind::TwoAccounts, message));
    found.several.insert(claim.id, places);
}

/// Whether the user takes, or makes, the account of their address.
fn claims_by_name(user: &DesiredUser) -> bool {
    user.prepared.is_some() || !matches!(user.state, DesiredState::Untouched(_))
}

/// A user whose e-mail address changed and who has an account under the new address too.
fn note_second_account<'a>(
    found: &mut Matches<'a>,
    accounts: &Accounts<'a>,
    id: &'a OktaUserId,
    user: &'a DesiredUser,
    at: usize,
) {
    let account = &accounts.users[at];
    let new_name = user.user_name.as_deref().filter(|name| *name != account.user_name);
    let Some(second) = new_name.and_then(|name| accounts.of_name(name)) else { return };
    found.several.insert(id, vec![at, second]);
    let second = &accounts.users[second];
    if !matches!(user.state, DesiredState::Left(_)) {
        found.blocked.insert(id);
    }
    found.problems.push(Problem::new(
        user.login(),
        ProblemKind::TwoAccounts,
        format!(
            "has two accounts: {} by externalId, {} by e-mail address; delete the one in Activepieces that isn't used",
            account.user_name, second.user_name
        ),
    ));
}

/// Gives the account with this user name to the user who claims it, or to no user if several do.
fn settle<'a>(found: &mut Matches<'a>, account: Option<(usize, &'a User)>, user_name: &str, claims: &[Claim<'a>]) {
    let strong = claims.iter().filter(|claim| claim.is_strong()).count();
    let weak_linked = claims.iter().any(|claim| claim.linked && !claim.is_strong());
    let winner = |claim: &Claim<'_>| match strong {
        0 => claims.len() == 1 || (weak_linked && claim.linked),
        _ => claim.is_strong(),
    };
    let mut winners = claims.iter().filter(|claim| winner(claim)).map(|claim| claim.id);
    let (Some(winner), None) = (winners.next(), winners.next()) else {
        let contested = account.filter(|_| !claims.is_empty());
        found.contested.extend(contested.map(|(at, _)| (at, claims.iter().map(|claim| claim.id).collect())));
        return report_contested(found, user_name, claims);
    };
    for claim in claims {
        if claim.id == winner {
            if let Some((at, account)) = account {
                found.account_of[claim.place] = Some(account);
                found.user_of[at] = Some(claim.id);
            }
        } else {
            found.superseded.insert(claim.id);
        }
    }
}

fn report_contested<'a>(found: &mut Matches<'a>, user_name: &str, claims: &[Claim<'a>]) {
    for claim in claims {
        let others: Vec<&str> =
            claims.iter().filter(|other| other.id != claim.id).map(|other| other.id.as_str()).collect();
        found.blocked.insert(claim.id);
        found.problems.push(Problem::new(
            claim.user.login(),
            ProblemKind::ClaimedTwice,
            format!(
                "{} claims the account {user_name}, and so does {}; correct the address of all but one in Okta",
                claim.id,
                others.join(", ")
            ),
        ));
    }
}
