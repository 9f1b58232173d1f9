//! Builds the plan in two passes: what the first pass would change is read again and confirmed by id before the second pass
//! counts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::error::Result;
use crate::http::Failure;
use crate::mapping::attributes::{self, Mapping};
use crate::model::activepieces::{Platform, User};
use crate::model::desired::Desired;
use crate::model::id::{AccountId, OktaGroupId, OktaIds, OktaUserId};
use crate::okta::recheck::cached_groups;
use crate::okta::{self, Okta, Reading};
use crate::plan::hold::doubt::{self, Disagreement, doubted_roles};
use crate::plan::in_line::Digests;
use crate::plan::op::{UserAction, UserOp};
use crate::plan::past::Sizes;
use crate::plan::saved::Fingerprints;
use crate::plan::{Comparison, Doubts, Plan, Policy};

/// What a plan is made from; it doesn't change.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    pub okta: &'a Okta,
    pub mapping: &'a Mapping,
    pub platform: &'a Platform,
    pub policy: &'a Policy,
    /// Inactive accounts that lose something more.
    pub losing: &'a BTreeSet<AccountId>,
    /// Those that have been inactive long enough to be deleted, since when.
    pub due: &'a BTreeMap<AccountId, Timestamp>,
    pub now: Timestamp,
    /// Whether the plan may be written: then nothing of it rests on what was only known.
    pub writes: bool,
    /// The name of the config file's content, if what the plan is made from is to be told.
    pub config: Option<&'a str>,
}

/// A plan, and how much it was made from.
pub struct Drafted {
    pub plan: Plan,
    pub digests: Digests,
    pub made_from: Fingerprints,
    pub sizes: Sizes,
    /// Users in scope.
    pub users: usize,
    /// Groups that are pushed.
    pub groups: usize,
    /// What was read, without the org.
    pub reading: Reading,
    /// Users that a snapshot has too few answers about.
    pub not_recorded: usize,
}

/// What was read so far, and what follows from it.
pub struct Draft<'a> {
    sources: Sources<'a>,
    reading: Reading,
    pub desired: Desired,
    /// The users that Okta was asked for by id.
    asked: Doubts,
    /// The groups of users, by the users' own listings of them.
    own_groups: BTreeMap<OktaUserId, BTreeSet<OktaGroupId>>,
    /// Users who may be in scope or not.
    undecided: BTreeSet<OktaUserId>,
    /// Users that a snapshot has no answer of Okta about.
    not_recorded: BTreeSet<OktaUserId>,
    /// The sizes by the listings.
    sizes: Option<Sizes>,
}

/// What the changes of a plan depend on and that isn't sure.
#[derive(Default)]
struct Unsure {
    /// Groups whose members are only known from an earlier run.
    groups: BTreeSet<OktaGroupId>,
    /// Users who lose something, or become ADMIN, by what a listing said.
    doubts: Doubts,
    /// Users whose attributes follow from groups that are only known.
    users: BTreeSet<OktaUserId>,
}

impl Unsure {
    fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.doubts.is_empty() && self.users.is_empty()
    }
}

/// Makes the plan. If nothing changes by what is known already, that is all. Otherwise what the changes depend on is read again,
/// removals are confirmed by id, and what still isn't sure is deferred.
pub async fn plan(sources: Sources<'_>, reading: Reading) -> Result<Drafted> {
    let Sources { platform, policy, .. } = sources;
    let mut draft = Draft::of(sources, reading).await?;
    let mut comparison = Comparison::of(&draft.desired, platform, policy);
    let unsure = draft.unsure(&comparison);
    if !unsure.is_empty() {
        drop(comparison);
        draft.settle(unsure).await?;
        comparison = Comparison::of(&draft.desired, platform, policy);
    }
    let held = draft.disagreement(&comparison);
    let made_from = draft.made_from();
    let digests = Digests::of(&draft.desired, platform);
    cached_groups::forget_misses(&mut draft.reading, &draft.own_groups);
    let not_recorded = draft.not_recorded.len();
    let planned = || planned(&comparison, &held, sources);
    Ok(Drafted::of(draft.sizes, draft.reading, (made_from, digests), not_recorded, planned))
}

/// The plan of a comparison, of which is deferred what isn't sure.
fn planned(comparison: &Comparison<'_>, held: &Disagreement, sources: Sources<'_>) -> Plan {
    let Sources { due, policy, .. } = sources;
    let mut plan = comparison.plan(policy);
    comparison.delete(&mut plan, due, policy);
    doubt::hold(&mut plan, held);
    plan
}

/// A plan with all that it was made from.
pub struct Looked {
    pub plan: Plan,
    pub desired: Desired,
    pub reading: Reading,
    pub sizes: Sizes,
    /// Users that a snapshot has too few answers about.
    pub not_recorded: usize,
}

/// The same as [`plan`], for commands that show more than the plan: what it was made from is kept.
pub async fn look(sources: Sources<'_>, reading: Reading) -> Result<Looked> {
    let Sources { platform, policy, .. } = sources;
    let mut draft = Draft::of(sources, reading).await?;
    let unsure = draft.unsure(&Comparison::of(&draft.desired, platform, policy));
    if !unsure.is_empty() {
        draft.settle(unsure).await?;
    }
    let comparison = Comparison::of(&draft.desired, platform, policy);
    let plan = planned(&comparison, &draft.disagreement(&comparison), sources);
    drop(comparison);
    let not_recorded = draft.not_recorded.len();
    let desired = std::mem::take(&mut draft.desired);
    let (sizes, reading) = draft.end();
    Ok(Looked { plan, desired, reading, sizes, not_recorded })
}

impl Drafted {
    /// Frees the org before the plan is made, which may be as large.
    fn of(
        sizes: Option<Sizes>,
        mut reading: Reading,
        (made_from, digests): (Fingerprints, Digests),
        not_recorded: usize,
        plan: impl FnOnce() -> Plan,
    ) -> Self {
        let org = std::mem::take(&mut reading.org);
        let sizes = sizes.unwrap_or_else(|| Sizes::of(&org, reading.scope.key()));
        let (users, groups) = (org.in_scope.len(), org.pushed.len());
        drop(org);
        Self { plan: plan(), digests, made_from, sizes, users, groups, reading, not_recorded }
    }
}

impl<'a> Draft<'a> {
    /// Maps what was read, and confirms by id the users that it misses and who have an active account.
    pub async fn of(sources: Sources<'a>, mut reading: Reading) -> Result<Self> {
        let ids = OktaIds::of(reading.org.users.keys(), []);
        let accounts = sources.platform.users.iter().filter_map(|user: &User| user.okta_id(&ids));
        cached_groups::forget_deleted(sources.okta, &mut reading, accounts).await?;
        let desired = attributes::desired(&reading.org, sources.mapping, sources.now);
        let mut draft = Self {
            sources,
            reading,
            desired,
            asked: Doubts::default(),
            own_groups: BTreeMap::new(),
            undecided: BTreeSet::new(),
            not_recorded: BTreeSet::new(),
            sizes: None,
        };
        let doubts = Doubts::of_users(&draft.desired, sources.platform, sources.losing);
        draft.confirm(doubts).await?;
        Ok(draft)
    }

    /// The sizes of the read, and what was read.
    pub fn end(self) -> (Sizes, Reading) {
        let sizes = self.sizes.unwrap_or_else(|| Sizes::of(&self.reading.org, self.reading.scope.key()));
        (sizes, self.reading)
    }

    /// What the plan is made from, where that is to be told.
    fn made_from(&self) -> Fingerprints {
        let Sources { config, platform, .. } = self.sources;
        config.map(|config| Fingerprints::of(&self.desired, platform, config.to_owned())).unwrap_or_default()
    }

    /// What the changes depend on and that isn't sure.
    fn unsure(&self, comparison: &Comparison<'_>) -> Unsure {
        let Sources { mapping, policy, writes, .. } = self.sources;
        let doubts = comparison.doubts(self.sources.losing);
        let mut unsure = Unsure { doubts, ..Unsure::default() };
        if writes && !self.reading.unread.is_empty() {
            unsure.groups = comparison.changing_groups();
            unsure.groups.retain(|id| self.reading.unread.contains_key(id));
        }
        if mapping.needs().groups {
            let plan = comparison.plan(policy);
            unsure.doubts.memberships.extend(doubted_roles(&plan));
            if writes && !self.reading.unread.is_empty() {
                unsure.users = self.only_known_users(&plan);
            }
        }
        unsure.doubts = unsure.doubts.without(&self.asked);
        unsure
    }

    /// What the changes depend on and that Okta's answers disagree about.
    fn disagreement(&self, comparison: &Comparison<'_>) -> Disagreement {
        let Unsure { groups, doubts, users } = self.unsure(comparison);
        let memberships = comparison.leaving(&doubts.memberships);
        let roles = doubts.memberships.union(&users).cloned().collect();
        let projects = comparison.projects_of(&groups);
        Disagreement { scope: self.undecided.clone(), roles, memberships, projects }
    }

    /// Users that the plan would give attributes which follow from groups that weren't read.
    fn only_known_users(&self, plan: &Plan) -> BTreeSet<OktaUserId> {
        let takes = |op: &UserOp| matches!(op.action, UserAction::Deactivate | UserAction::Delete);
        let gives = plan.users.iter().filter(|op| !takes(op)).map(|op| &op.okta_id);
        let of_roles = plan.projects.iter().flat_map(|op| {
            let new = op.add.iter().filter(|member| member.role.is_some()).map(|member| &member.okta_id);
            op.roles.iter().map(|change| &change.okta_id).chain(new)
        });
        let invited = plan.invitations.iter().filter(|op| op.left.is_none()).map(|op| &op.okta_id);
        gives.chain(of_roles).chain(invited).filter(|id| !self.asked.memberships.contains(*id)).cloned().collect()
    }

    /// Reads again what isn't sure, then asks by id for all users who would lose something by it.
    async fn settle(&mut self, mut unsure: Unsure) -> Result<()> {
        let unread: BTreeSet<OktaGroupId> = self.reading.unread.keys().cloned().collect();
        let one_by_one = unsure.users.difference(&unsure.doubts.memberships).count();
        if one_by_one > 0 && cached_groups::requests(&self.reading, &unread) <= one_by_one {
            unsure.groups = unread;
        }
        if !unsure.groups.is_empty() {
            self.read_members(&unsure.groups).await?;
            unsure = self.unsure(&Comparison::of(&self.desired, self.sources.platform, self.sources.policy));
        }
        unsure.doubts.memberships.append(&mut unsure.users);
        self.confirm(unsure.doubts).await
    }

    async fn read_members(&mut self, groups: &BTreeSet<OktaGroupId>) -> Result<()> {
        cached_groups::members(self.sources.okta, &mut self.reading, groups).await?;
        if let Some(sizes) = &mut self.sizes {
            let now = Sizes::of(&self.reading.org, self.reading.scope.key());
            sizes.groups.extend(now.groups.into_iter().filter(|(id, _)| groups.contains(id)));
        }
        // The new listing may miss users that asking by id had found.
        self.asked.memberships.clear();
        self.map_again();
        Ok(())
    }

    /// Maps again what follows from groups.
    fn map_again(&mut self) {
        let Sources { mapping, now, .. } = self.sources;
        if mapping.needs().groups {
            self.desired = Desired::default();
            self.desired = attributes::desired(&self.reading.org, mapping, now);
        } else {
            self.desired.projects = attributes::projects(&self.reading.org, mapping, &self.desired.users, now);
            self.desired.vanished.clone_from(&self.reading.org.vanished);
        }
    }

    /// Asks Okta by id, and maps again what follows from the answers.
    pub async fn confirm(&mut self, doubts: Doubts) -> Result<()> {
        if doubts.is_empty() {
            return Ok(());
        }
        let Sources { okta, mapping, now, .. } = self.sources;
        let Reading { org, scope, .. } = &mut self.reading;
        self.sizes.get_or_insert_with(|| Sizes::of(org, scope.key()));
        self.asked.add(&doubts);
        let doubted: BTreeSet<OktaUserId> = doubts.users.union(&doubts.memberships).cloned().collect();
        let confirmed = okta::confirm(okta, scope, org, doubts.users, doubts.memberships).await?;
        attributes::renew(&mut self.desired, org, mapping, now, doubted);
        // What they would lose stays in doubt, and is deferred.
        self.asked.memberships.retain(|id| !confirmed.not_recorded.contains(id));
        self.not_recorded.extend(confirmed.not_recorded);
        self.undecided.extend(confirmed.undecided);
        self.asked.memberships.extend(confirmed.own_groups.keys().cloned());
        self.asked.memberships.retain(|id| !confirmed.unlisted.contains(id));
        self.own_groups.extend(confirmed.own_groups);
        Ok(())
    }
}

/// The answer, or none where a snapshot doesn't hold it.
pub fn recorded<T>(asked: Result<T>) -> Result<Option<T>> {
    match asked {
        Err(error) if Failure::of(&error).is_some_and(Failure::is_not_recorded) => Ok(None),
        asked => asked.map(Some),
    }
}
