//! From what was read to a plan. Whatever it would rest on and that wasn't read for sure is read first: groups that are only
//! known from an earlier run, and people that a listing missed.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::error::Result;
use crate::mapping::attributes::{self, Mapping};
use crate::model::activepieces::{Platform, User};
use crate::model::desired::Desired;
use crate::model::id::{OktaGroupId, OktaUserId};
use crate::okta::{self, Okta, Reading, again};
use crate::plan::op::UserAction;
use crate::plan::past::Sizes;
use crate::plan::saved::Fingerprints;
use crate::plan::{Comparison, Doubts, Plan, Policy};

/// What a plan is made from, and never changes.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    pub okta: &'a Okta,
    pub mapping: &'a Mapping,
    pub platform: &'a Platform,
    pub policy: &'a Policy,
    pub now: Timestamp,
    /// Whether the plan may be written: then nothing of it rests on what was only known.
    pub writes: bool,
    /// The name of the config file's content, if what the plan is made from is to be told.
    pub config: Option<&'a str>,
}

/// A plan, and how much it was made from.
pub struct Drafted {
    pub plan: Plan,
    pub made_from: Fingerprints,
    pub sizes: Sizes,
    /// Users in scope.
    pub users: usize,
    /// Groups that are pushed.
    pub groups: usize,
    /// What was read, without the org.
    pub reading: Reading,
}

/// What was read so far, and what follows from it.
struct Draft<'a> {
    sources: Sources<'a>,
    reading: Reading,
    desired: Desired,
    /// Whom Okta was asked for by id.
    asked: Doubts,
    /// Users whose groups were read, and aren't only known.
    certain: BTreeSet<OktaUserId>,
    /// As the listings had it.
    sizes: Option<Sizes>,
}

/// Makes the plan.
pub async fn plan(sources: Sources<'_>, mut reading: Reading) -> Result<Drafted> {
    let accounts = sources.platform.users.iter().filter_map(User::okta_id);
    again::forget_deleted(sources.okta, &mut reading, accounts).await?;
    let desired = attributes::desired(&reading.org, sources.mapping, sources.now);
    let (asked, certain) = (Doubts::default(), BTreeSet::new());
    let mut draft = Draft { sources, reading, desired, asked, certain, sizes: None };
    let doubts = Doubts::of_users(&draft.desired, sources.platform);
    if !doubts.is_empty() {
        draft.confirm(doubts).await?;
    }
    // Each turn reads something that wasn't read before.
    loop {
        let comparison = Comparison::of(&draft.desired, sources.platform);
        let groups = draft.only_known_groups(&comparison);
        if !groups.is_empty() {
            drop(comparison);
            draft.read_members(&groups).await?;
            continue;
        }
        let doubts = comparison.doubts().without(&draft.asked);
        if !doubts.is_empty() {
            drop(comparison);
            draft.confirm(doubts).await?;
            continue;
        }
        if !draft.may_be_only_known() {
            let made_from = draft.made_from();
            return Ok(Drafted::of(draft.sizes, draft.reading, made_from, || comparison.plan(sources.policy)));
        }
        let plan = comparison.plan(sources.policy);
        let users = draft.only_known_users(&plan);
        if users.is_empty() {
            let made_from = draft.made_from();
            return Ok(Drafted::of(draft.sizes, draft.reading, made_from, || plan));
        }
        drop(comparison);
        draft.read_groups_of(users).await?;
    }
}

impl Drafted {
    /// Lets go of the org before the plan is made, which may be as large.
    fn of(sizes: Option<Sizes>, mut reading: Reading, made_from: Fingerprints, plan: impl FnOnce() -> Plan) -> Self {
        let org = std::mem::take(&mut reading.org);
        let sizes = sizes.unwrap_or_else(|| Sizes::of(&org, reading.scope.key()));
        let (users, groups) = (org.in_scope.len(), org.pushed.len());
        drop(org);
        Self { plan: plan(), made_from, sizes, users, groups, reading }
    }
}

impl Draft<'_> {
    /// What the plan is made from, where that is to be told.
    fn made_from(&self) -> Fingerprints {
        let Sources { config, platform, .. } = self.sources;
        config.map(|config| Fingerprints::of(&self.desired, platform, config.to_owned())).unwrap_or_default()
    }

    /// Groups that weren't read and whose projects the run would change.
    fn only_known_groups(&self, comparison: &Comparison<'_>) -> BTreeSet<OktaGroupId> {
        if !self.sources.writes || self.reading.unread.is_empty() {
            return BTreeSet::new();
        }
        let mut changing = comparison.changing_groups();
        changing.retain(|id| self.reading.unread.contains_key(id));
        changing
    }

    async fn read_members(&mut self, groups: &BTreeSet<OktaGroupId>) -> Result<()> {
        again::members(self.sources.okta, &mut self.reading, groups).await?;
        if let Some(sizes) = &mut self.sizes {
            let now = Sizes::of(&self.reading.org, self.reading.scope.key());
            sizes.groups.extend(now.groups.into_iter().filter(|(id, _)| groups.contains(id)));
        }
        // The listing may have missed again whom asking by id had found.
        self.asked.memberships.clear();
        self.map_anew();
        Ok(())
    }

    /// Maps again what follows from groups.
    fn map_anew(&mut self) {
        let Sources { mapping, now, .. } = self.sources;
        if mapping.needs().groups {
            self.desired = Desired::default();
            self.desired = attributes::desired(&self.reading.org, mapping, now);
        } else {
            self.desired.projects = attributes::projects(&self.reading.org);
            self.desired.vanished.clone_from(&self.reading.org.vanished);
        }
    }

    async fn confirm(&mut self, doubts: Doubts) -> Result<()> {
        let Reading { org, scope, .. } = &mut self.reading;
        self.sizes.get_or_insert_with(|| Sizes::of(org, scope.key()));
        self.asked.add(&doubts);
        let doubted: BTreeSet<OktaUserId> = doubts.users.union(&doubts.memberships).cloned().collect();
        okta::confirm(self.sources.okta, scope, org, doubts.users, doubts.memberships).await?;
        attributes::renew(&mut self.desired, org, self.sources.mapping, self.sources.now, doubted.iter().cloned());
        self.certain.extend(doubted);
        Ok(())
    }

    /// Whether anything that may be written follows from groups that weren't read.
    fn may_be_only_known(&self) -> bool {
        self.sources.writes && !self.reading.unread.is_empty() && self.sources.mapping.needs().groups
    }

    /// Users that the plan would give attributes which follow from groups that weren't read.
    fn only_known_users(&self, plan: &Plan) -> BTreeSet<OktaUserId> {
        let gives = plan.users.iter().filter(|op| op.action != UserAction::Deactivate);
        gives.map(|op| &op.okta_id).filter(|id| !self.certain.contains(id)).cloned().collect()
    }

    async fn read_groups_of(&mut self, users: BTreeSet<OktaUserId>) -> Result<()> {
        let unread = self.reading.unread.len();
        again::groups_of(self.sources.okta, &mut self.reading, &users).await?;
        if self.reading.unread.len() < unread {
            self.map_anew();
        } else {
            let Sources { mapping, now, .. } = self.sources;
            attributes::renew(&mut self.desired, &self.reading.org, mapping, now, users.iter().cloned());
        }
        self.certain.extend(users);
        Ok(())
    }
}
