//! How each account of the platform is matched to a user, and the part of a plan that links accounts and changes nothing else.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::model::PlatformRole;
use crate::model::activepieces::{EmbeddedUser, Platform, User};
use crate::model::desired::{Attributes, Desired, DesiredState, DesiredUser, Leave};
use crate::model::id::{AccountId, OktaUserId};
use crate::model::problem::ProblemKind;
use crate::plan::access::OktaUser;
use crate::plan::diff::matching::{self, Matches};
use crate::plan::drift::Drift;
use crate::plan::op::{Attribute, Change, Plan, UserAction, UserOp};
use crate::plan::policy::Policy;

/// An account with the users that it matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountMatch {
    pub user_name: String,
    pub account: AccountId,
    pub active: bool,
    /// Empty where it isn't known: SCIM hides embedded accounts.
    pub role: String,
    pub external_id: Option<String>,
    pub state: MatchState,
    /// One user, or all that claim the account.
    pub users: Vec<OktaUser>,
    /// None where no user matches.
    pub by: Option<Basis>,
    /// Why the account isn't linked.
    pub conflicts: Vec<Conflict>,
    /// What the next apply changes of it, the link aside.
    pub next_apply: Vec<Change>,
}

/// What becomes of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchState {
    /// It is linked by this plan.
    Link,
    /// A user matches, but something is in the way.
    Conflict,
    /// No user matches.
    NoUser,
    /// It is linked already.
    Linked,
}

impl MatchState {
    /// The name as JSON has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Conflict => "conflict",
            Self::NoUser => "no_user",
            Self::Linked => "linked",
        }
    }
}

/// What a match rests on, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    ExternalId,
    Address,
    Alias,
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExternalId => "externalId",
            Self::Address => "e-mail address",
            Self::Alias => "alias",
        })
    }
}

/// Why a match isn't linked: a link can't be cleared, so only what is beyond doubt is linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Conflict {
    /// Several users claim the account.
    SeveralUsers,
    /// The user claims other accounts too.
    SeveralAccounts { accounts: Vec<String> },
    /// The account is linked to another directory.
    OtherDirectory { external_id: String },
    /// The account is linked to another Okta user, who is gone, or was replaced.
    OtherUser { external_id: String },
    /// The platform's owner.
    Owner,
    /// A customer's token made the account, and SCIM hides it.
    Embedded,
    /// An account without access gets Okta's role with its reactivation, which a link alone doesn't give.
    Inactive,
    /// The user has no access in Okta.
    NoAccess { leave: Leave },
    /// The user has a problem, or a status of which nothing follows.
    LeftAlone { why: String },
    /// The adoption is deferred.
    Deferred,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SeveralUsers => write!(f, "several users claim the account"),
            Self::SeveralAccounts { accounts } => {
                write!(f, "the user may have several accounts: {}", accounts.join(", "))
            }
            Self::OtherDirectory { external_id } => {
                write!(f, "linked to another directory: externalId {external_id:?}")
            }
            Self::OtherUser { external_id } => write!(f, "linked to another Okta user: externalId {external_id:?}"),
            Self::Owner => write!(f, "the platform's owner"),
            Self::Embedded => write!(f, "embedded: SCIM can't link it"),
            Self::Inactive => write!(f, "inactive"),
            Self::NoAccess { leave } => write!(f, "the user is {}", leave.as_str()),
            Self::LeftAlone { why } => write!(f, "the user is left alone: {why}"),
            Self::Deferred => write!(f, "deferred, as the next plan says"),
        }
    }
}

/// What is compared, and the plan for all of it.
struct Sources<'a> {
    desired: &'a Desired,
    platform: &'a Platform,
    matches: Matches<'a>,
    plan: &'a Plan,
}

/// All accounts with what this plan does to them, those to link first, then by user name.
pub fn accounts(desired: &Desired, platform: &Platform, policy: &Policy, plan: &Plan) -> Vec<AccountMatch> {
    let sources = Sources { desired, platform, matches: matching::matches(desired, platform, policy), plan };
    let claimed: BTreeMap<usize, &OktaUserId> =
        sources.matches.several.iter().flat_map(|(id, places)| places.iter().map(move |at| (*at, *id))).collect();
    let ops: BTreeMap<&AccountId, &UserOp> =
        sources.plan.users.iter().filter_map(|op| Some((op.account.as_ref()?, op))).collect();
    let all = sources.platform.users.iter().enumerate();
    let of_accounts = all.map(|(at, account)| sources.account(at, account, claimed.get(&at).copied(), &ops));
    let hidden: BTreeMap<&str, &EmbeddedUser> =
        sources.platform.embedded.iter().map(|account| (account.user_name.as_str(), account)).collect();
    let embedded = sources.desired.users.iter().filter_map(|(id, user)| {
        let account = hidden.get(user.user_name.as_deref()?)?;
        Some(embedded(account, id, user))
    });
    let mut all: Vec<AccountMatch> = of_accounts.chain(embedded).collect();
    all.sort_by(|one, other| (one.state, &one.user_name).cmp(&(other.state, &other.user_name)));
    all
}

fn embedded(account: &EmbeddedUser, id: &OktaUserId, user: &DesiredUser) -> AccountMatch {
    AccountMatch {
        user_name: account.user_name.clone(),
        account: account.id.clone(),
        active: true,
        role: String::new(),
        external_id: None,
        state: MatchState::Conflict,
        users: vec![OktaUser::of(id, Some(user))],
        by: Some(Basis::Address),
        conflicts: vec![Conflict::Embedded],
        next_apply: Vec::new(),
    }
}

impl Sources<'_> {
    /// `several`: the user who may have this account and others.
    fn account(
        &self,
        at: usize,
        account: &User,
        several: Option<&OktaUserId>,
        ops: &BTreeMap<&AccountId, &UserOp>,
    ) -> AccountMatch {
        let Self { desired, matches, .. } = self;
        let linked = account.okta_id(&desired.ids).or_else(|| account.former_of(&desired.ids));
        let claimants: Vec<&OktaUserId> = match (matches.user_of[at], matches.contested.get(&at)) {
            (Some(id), _) => vec![id],
            (None, Some(claimants)) => claimants.clone(),
            (None, None) => several.or(linked.as_ref()).into_iter().collect(),
        };
        let is_linked = linked.as_ref().is_some_and(|linked| claimants.iter().all(|id| *id == linked));
        let users = claimants.iter().map(|id| OktaUser::of(id, desired.users.get(*id))).collect();
        let op = ops.get(&account.id).copied();
        let conflicts =
            if is_linked { Vec::new() } else { self.conflicts(account, &claimants, several, linked.as_ref(), op) };
        let state = match (claimants.is_empty(), is_linked, conflicts.is_empty()) {
            (true, ..) => MatchState::NoUser,
            (_, true, _) => MatchState::Linked,
            (.., true) => MatchState::Link,
            (.., false) => MatchState::Conflict,
        };
        let by = claimants.first().map(|id| match desired.users.get(*id) {
            _ if is_linked => Basis::ExternalId,
            Some(user) if user.user_name.as_deref() != Some(&account.user_name) => Basis::Alias,
            _ => Basis::Address,
        });
        let changes = op.iter().flat_map(|op| &op.changes).filter(|change| change.attribute != Attribute::ExternalId);
        AccountMatch {
            user_name: account.user_name.clone(),
            account: account.id.clone(),
            active: account.active,
            role: account.platform_role.to_string(),
            external_id: account.link().map(str::to_owned),
            state,
            users,
            by,
            conflicts,
            next_apply: changes.cloned().collect(),
        }
    }

    fn conflicts(
        &self,
        account: &User,
        claimants: &[&OktaUserId],
        several: Option<&OktaUserId>,
        linked: Option<&OktaUserId>,
        op: Option<&UserOp>,
    ) -> Vec<Conflict> {
        let Some(id) = claimants.first() else { return Vec::new() };
        let external_id = account.link().unwrap_or_default().to_owned();
        let link = match (linked, account.link()) {
            (Some(linked), _) if claimants.contains(&linked) => None,
            (Some(_), _) => Some(Conflict::OtherUser { external_id }),
            (None, Some(_)) => Some(Conflict::OtherDirectory { external_id }),
            (None, None) => None,
        };
        let is_owner = self.platform.owner.as_ref() == Some(&account.id);
        let found = [
            (claimants.len() > 1).then_some(Conflict::SeveralUsers),
            several.map(|id| Conflict::SeveralAccounts { accounts: self.accounts_of(id) }),
            link,
            is_owner.then_some(Conflict::Owner),
            (!account.active).then_some(Conflict::Inactive),
            self.desired.users.get(*id).filter(|_| claimants.len() == 1).and_then(|user| without_access(&user.state)),
        ];
        let found: Vec<Conflict> = found.into_iter().flatten().collect();
        let is_planned = op.is_some_and(|op| op.action == UserAction::Adopt && op.okta_id == **id);
        if found.is_empty() && !is_planned { vec![Conflict::Deferred] } else { found }
    }

    fn accounts_of(&self, id: &OktaUserId) -> Vec<String> {
        let places = self.matches.several.get(id).into_iter().flatten();
        places.map(|at| self.platform.users[*at].user_name.clone()).collect()
    }
}

fn without_access(state: &DesiredState) -> Option<Conflict> {
    match state {
        DesiredState::Left(leave) => Some(Conflict::NoAccess { leave: *leave }),
        state => state.why_left_alone().map(|why| Conflict::LeftAlone { why }),
    }
}

/// Leaves of a plan the links of the accounts that are to be linked, and the problems of matching. The role of each account is stated
/// as it is, so that an account that is ADMIN counts as a new ADMIN.
pub fn keep(plan: &mut Plan, accounts: &[AccountMatch]) {
    let to_link = accounts.iter().filter(|account| account.state == MatchState::Link);
    let roles: BTreeMap<&AccountId, &str> = to_link.map(|of| (&of.account, of.role.as_str())).collect();
    plan.users.retain_mut(|op| {
        let Some(role) = op.account.as_ref().and_then(|account| roles.get(account)) else { return false };
        op.changes.retain(|change| change.attribute == Attribute::ExternalId);
        let platform_role = PlatformRole::parse(role).unwrap_or_default();
        op.attributes = Some(Attributes { platform_role, ..Attributes::default() });
        true
    });
    let is_about_matching =
        |kind| matches!(kind, ProblemKind::ClaimedTwice | ProblemKind::TwoAccounts | ProblemKind::EmbeddedAccount);
    plan.problems.retain(|problem| is_about_matching(problem.kind));
    plan.accepted.retain(|accepted| is_about_matching(accepted.problem.kind));
    plan.projects.clear();
    plan.invitations.clear();
    plan.warnings.clear();
    plan.held.clear();
    plan.expressions.clear();
    plan.drift = Drift::default();
    // Nothing of them is changed or told by a plan that only links.
    plan.standing.email_changed.clear();
    plan.standing.waiting_admins.clear();
}
