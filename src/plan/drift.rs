//! What was changed on the platform since the last run.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::id::{OktaGroupId, OktaUserId};

/// What was changed on the platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// The run since which it was changed; none if no earlier run recorded what it left in line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_run: Option<u32>,
    /// Users whose operations undo a change of the platform.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub users: BTreeSet<OktaUserId>,
    /// What operations on projects undo of the platform's changes, by group.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub projects: BTreeMap<OktaGroupId, ProjectDrift>,
    /// The user names of active ADMINs that no Okta user owns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_admins: Vec<String>,
    /// Those of them who weren't there when the last run recorded them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_unknown_admins: Vec<String>,
}

/// What was changed of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectDrift {
    /// Whether it was renamed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renamed: bool,
    /// Members that were added or removed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub members: BTreeSet<OktaUserId>,
    /// Members whose project roles were changed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<OktaUserId>,
}

impl Drift {
    /// Whether there is nothing to say.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether nothing was changed on the platform, as far as it is known.
    pub fn is_none(&self) -> bool {
        self.users.is_empty() && self.projects.is_empty() && self.new_unknown_admins.is_empty()
    }
}
