//! Which account belongs to which Okta user: by externalId, else by user name.

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};

use crate::model::activepieces::{Platform, User};
use crate::model::desired::{Desired, DesiredUser, Leave, State};
use crate::model::id::{AccountId, OktaUserId};
use crate::model::problem::{Problem, ProblemKind};

/// The accounts of a platform, found by externalId and by user name.
#[derive(Debug)]
pub struct Accounts<'a> {
    by_external_id: IndexMap<&'a str, &'a User>,
    by_user_name: IndexMap<&'a str, &'a User>,
}

impl<'a> Accounts<'a> {
    pub fn of(platform: &'a Platform) -> Self {
        Self {
            by_external_id: platform
                .users
                .iter()
                .filter_map(|user| Some((user.external_id.as_deref()?, user)))
                .filter(|(external_id, _)| !external_id.is_empty())
                .collect(),
            by_user_name: platform.users.iter().map(|user| (user.user_name.as_str(), user)).collect(),
        }
    }

    /// The account linked to this Okta user.
    pub fn linked(&self, id: &OktaUserId) -> Option<&'a User> {
        self.by_external_id.get(id.as_str()).copied()
    }

    /// The account with this user name, which must be lower-cased and trimmed.
    pub fn named(&self, user_name: &str) -> Option<&'a User> {
        self.by_user_name.get(user_name).copied()
    }
}

/// The outcome of matching.
#[derive(Debug, Default)]
pub struct Matches<'a> {
    /// Each Okta user's account.
    pub account_of: IndexMap<OktaUserId, &'a User>,
    /// The other way round: the user whom an account belongs to.
    pub user_of: IndexMap<AccountId, &'a OktaUserId>,
    /// Okta users that are left alone.
    pub blocked: BTreeSet<&'a OktaUserId>,
    /// Okta users whose account went over to a newer one of the same person or address.
    pub superseded: BTreeSet<&'a OktaUserId>,
    pub problems: Vec<Problem>,
}

/// A claim of one Okta user on one user name, and on the account that has it.
struct Claim<'a> {
    id: &'a OktaUserId,
    user: &'a DesiredUser,
    linked: bool,
}

impl Claim<'_> {
    /// Whether the claim stands against others. Somebody deactivated in Okta or deleted gives way to a successor.
    fn is_strong(&self) -> bool {
        match &self.user.state {
            State::Present(_) | State::Left(Leave::Suspended | Leave::Unassigned) | State::Problem(_) => true,
            State::Left(Leave::Deactivated | Leave::Deleted) => false,
            State::Untouched(_) => self.linked,
        }
    }
}

/// The claims on each user name. These maps hold everybody, and are asked in any order: hashes find faster than trees.
type Claims<'a> = IndexMap<&'a str, Vec<Claim<'a>>>;

/// Room for the one claim that there mostly is.
fn one<T>() -> Vec<T> {
    Vec::with_capacity(1)
}

/// The user names that anybody in Okta gives.
pub fn wanted_names(desired: &Desired) -> IndexSet<&str> {
    desired.users.values().filter_map(|user| user.user_name.as_deref()).collect()
}

/// Matches every desired user with the account that is theirs.
pub fn matches<'a>(desired: &'a Desired, platform: &'a Platform) -> Matches<'a> {
    let accounts = Accounts::of(platform);
    let mut found = Matches::default();
    let mut claims = Claims::with_capacity(desired.users.len());
    for (id, user) in &desired.users {
        let linked = accounts.linked(id);
        if let Some(account) = linked {
            claims.entry(&account.user_name).or_insert_with(one).push(Claim { id, user, linked: true });
            note_second_account(&mut found, &accounts, id, user, account);
        } else if let (Some(user_name), false) = (&user.user_name, matches!(user.state, State::Untouched(_))) {
            claims.entry(user_name).or_insert_with(one).push(Claim { id, user, linked: false });
        }
    }
    give_way(&mut claims);
    for (user_name, claims) in claims {
        settle(&mut found, accounts.named(user_name), user_name, claims);
    }
    found.problems.sort();
    found
}

/// Somebody deactivated or deleted whose linked account a successor takes is left with the account of their own address.
fn give_way<'a>(claims: &mut Claims<'a>) {
    let mut moved = Vec::new();
    let contested = |claims: &[Claim<'_>]| claims.len() > 1 && claims.iter().any(Claim::is_strong);
    for (user_name, claims) in claims.iter_mut().filter(|(_, claims)| contested(claims)) {
        let own = |claim: &mut Claim<'a>| claim.user.user_name.as_deref().filter(|own| own != user_name);
        let leaving = claims.extract_if(.., |claim| claim.linked && !claim.is_strong() && own(claim).is_some());
        moved.extend(leaving.map(|claim| Claim { linked: false, ..claim }));
    }
    for claim in moved {
        let user_name = claim.user.user_name.as_deref().unwrap_or_default();
        claims.entry(user_name).or_default().push(claim);
    }
}

/// Somebody whose e-mail address changed, and for whom an account stands under the new one too.
fn note_second_account<'a>(
    found: &mut Matches<'a>,
    accounts: &Accounts<'a>,
    id: &'a OktaUserId,
    user: &'a DesiredUser,
    account: &'a User,
) {
    let new_name = user.user_name.as_deref().filter(|name| *name != account.user_name);
    let second = new_name.and_then(|name| accounts.named(name)).filter(|other| other.id != account.id);
    let Some(second) = second else { return };
    if !matches!(user.state, State::Left(_)) {
        found.blocked.insert(id);
    }
    found.problems.push(Problem::new(
        &user.login,
        ProblemKind::TwoAccounts,
        format!("has two accounts: {} by externalId, {} by e-mail address", account.user_name, second.user_name),
    ));
}

/// Gives the account with this user name to the one who claims it, or to nobody where it isn't clear.
fn settle<'a>(found: &mut Matches<'a>, account: Option<&'a User>, user_name: &str, claims: Vec<Claim<'a>>) {
    let strong = claims.iter().filter(|claim| claim.is_strong()).count();
    let weak_linked = claims.iter().any(|claim| claim.linked && !claim.is_strong());
    let winner = |claim: &Claim<'_>| match strong {
        0 => claims.len() == 1 || (weak_linked && claim.linked),
        _ => claim.is_strong(),
    };
    let mut winners = claims.iter().filter(|claim| winner(claim)).map(|claim| claim.id);
    let (Some(winner), None) = (winners.next(), winners.next()) else {
        return report_contested(found, user_name, &claims);
    };
    for claim in claims {
        if claim.id == winner {
            if let Some(account) = account {
                found.account_of.insert(claim.id.clone(), account);
                found.user_of.insert(account.id.clone(), claim.id);
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
            &claim.user.login,
            ProblemKind::ClaimedTwice,
            format!("{} claims the account {user_name}, and so does {}", claim.id, others.join(", ")),
        ));
    }
}
