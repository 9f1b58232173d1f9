//! State recorded by earlier runs: sizes, grace counters and failed changes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::activepieces::{Platform, Project};
use crate::model::desired::{Leave, LeftRoles};
use crate::model::id::{AccountId, OktaGroupId, OktaUserId, ProjectId};
use crate::model::okta::Status;
use crate::model::org::{Org, PushedGroup};
use crate::plan::op::{Plan, name_before_archive};

/// What is known from the earlier runs of one org and platform; the default before the first. There is no secret in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Past {
    /// The sizes of the last trusted read from which a run completed.
    pub trusted: Option<Sizes>,
    /// Users who were missing from the scope in the last run while their account is still active.
    pub missing: BTreeMap<OktaUserId, Missing>,
    /// Users of a status without access that has a grace, while their account is still active.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stated: BTreeMap<OktaUserId, Stated>,
    /// Accounts that are inactive, where such accounts are deleted after a time.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub inactive: BTreeMap<AccountId, Inactive>,
    /// The project roles that users had when their accounts were closed, by the group of the project.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left_roles: LeftRoles,
    /// The members that each project had when a run archived it: a group made again is known by them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub archived: BTreeMap<ProjectId, BTreeSet<OktaUserId>>,
    /// Users whose e-mail address was already another one than that of their account.
    pub email_changed: BTreeSet<OktaUserId>,
    /// Fingerprints of the changes that a run wrote and that did not stand afterwards, each with the time of that run.
    pub unsettled_since: BTreeMap<String, Timestamp>,
}

/// How much a read of Okta held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// What the scope named, by ids: another scope isn't compared with this one.
    #[serde(default)]
    pub scope: String,
    /// Users that the listings of the scope held, without those who are deactivated in Okta.
    pub users: usize,
    /// Users that each part of the scope named, where it has several, by what names it.
    #[serde(default)]
    pub parts: BTreeMap<String, usize>,
    pub groups: BTreeMap<OktaGroupId, GroupSize>,
}

/// How much a read of a pushed group held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSize {
    /// The group's name then, to name it by.
    pub name: String,
    /// Members of any status, also those out of scope.
    pub members: usize,
}

/// Since when a user has been missing from the scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The time of the first run that missed them.
    pub since: Timestamp,
    /// How many runs in a row missed them.
    pub runs: usize,
}

/// Since when an account is inactive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inactive {
    /// The Okta user that it is linked to.
    pub user: OktaUserId,
    /// The time of the first run that found it so.
    pub since: Timestamp,
}

/// Since when a user has had a status without access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    pub leave: Leave,
    /// The time of the first run that found it.
    pub since: Timestamp,
}

impl Past {
    /// Records the project roles that closed accounts lose by the plan, for the day on which the users come back.
    pub fn note_roles(&mut self, plan: &Plan) {
        for op in &plan.projects {
            for removal in op.remove.iter().filter(|removal| removal.closed.is_some()) {
                let (Some(id), Some(role)) = (&removal.okta_id, &removal.role) else { continue };
                self.left_roles.entry(op.group.clone()).or_default().insert(id.clone(), role.clone());
            }
        }
        self.left_roles.retain(|_, roles| !roles.is_empty());
    }

    /// Records the members of the projects that the plan archives, and keeps those of the projects that are archived: whether a project
    /// got its name back is known once the platform shows it.
    pub fn note_archived(&mut self, plan: &Plan, platform: &Platform) {
        let is_archived = |project: &&Project| name_before_archive(&project.display_name).is_some();
        let still: BTreeSet<&ProjectId> =
            platform.projects.iter().filter(is_archived).map(|project| &project.id).collect();
        self.archived.retain(|project, _| still.contains(project));
        for op in plan.projects.iter().filter(|op| op.is_archival()) {
            let Some(project) = &op.project else { continue };
            let members = op.remove.iter().filter_map(|removal| removal.okta_id.clone());
            self.archived.entry(project.clone()).or_default().extend(members);
        }
    }

    /// The record of before, with what later runs need even if this one is cut short.
    #[must_use]
    pub fn with_what_goes(&self, then: &Self) -> Self {
        let mut early = Self { left_roles: then.left_roles.clone(), ..self.clone() };
        for (project, members) in &then.archived {
            early.archived.entry(project.clone()).or_default().extend(members.iter().cloned());
        }
        early
    }
}

impl Sizes {
    /// The sizes of a read of this scope as the listings had it, before any user is confirmed by id.
    pub fn of(org: &Org, scope: String) -> Self {
        let alive = |id: &&OktaUserId| org.users.get(id).is_none_or(|user| user.status != Status::Deprovisioned);
        let of_roles = org
            .role_groups
            .values()
            .map(|group| (group.id.clone(), GroupSize { name: group.name.clone(), members: group.members.len() }));
        let of_pushed = org.pushed.iter().map(|(id, pushed)| (id.clone(), GroupSize::of(pushed)));
        Self {
            scope,
            users: org.in_scope.iter().filter(alive).count(),
            parts: if org.parts.len() > 1 { org.parts.clone() } else { BTreeMap::new() },
            groups: of_roles.chain(of_pushed).collect(),
        }
    }
}

impl GroupSize {
    fn of(pushed: &PushedGroup) -> Self {
        Self { name: pushed.group.name.clone(), members: pushed.members.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_past_reads_back_and_one_that_knows_less_is_filled_up() {
        let missing = Missing { since: Timestamp::UNIX_EPOCH, runs: 2 };
        let group = GroupSize { name: "AP Eng".to_owned(), members: 3 };
        let past = Past {
            trusted: Some(Sizes {
                scope: "app 0oa1".to_owned(),
                users: 7,
                parts: BTreeMap::from([("users assigned to the app AP".to_owned(), 6)]),
                groups: BTreeMap::from([("00g1".into(), group)]),
            }),
            missing: BTreeMap::from([("00u1".into(), missing)]),
            ..Past::default()
        };
        let text = serde_json::to_string(&past).unwrap();
        assert_eq!(serde_json::from_str::<Past>(&text).unwrap(), past);
        assert_eq!(serde_json::from_str::<Past>("{}").unwrap(), Past::default());
    }
}
