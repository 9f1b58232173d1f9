//! What the admin allows a plan to do: `[lifecycle]`, `[safety]` and `[projects_policy]`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::model::desired::Leave;
use crate::model::problem::Acceptance;

/// What happens to the account of a user who left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnLeave {
    #[default]
    Deactivate,
    Keep,
}

/// What happens to the account of a user whose e-mail address changed in Okta: the platform can't change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum EmailChange {
    /// It is a problem of the plan.
    #[default]
    Report,
    /// The user gets the account of the new address, and the old one is closed.
    Recreate,
}

/// What happens to an accepted invitation that waits and gives another role than Okta.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnInvitation {
    /// Invitations aren't read.
    #[default]
    Ignore,
    /// It is a problem of the plan.
    Report,
    /// It is deleted.
    Revoke,
}

/// An upper limit: a count, or a share of something in percent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    Count(usize),
    Percent(f64),
}

impl Limit {
    /// How many of `total` are within the limit. A share is rounded down, and one of fewer than `floor` doesn't count, as
    /// two of three people say nothing; 0 % is none of any number.
    pub fn of(self, total: usize, floor: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) if percent > 0.0 && total < floor => usize::MAX,
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "counts of users are far below 2^52 and percentages are between 0 and 100"
            )]
            Self::Percent(percent) => (total as f64 * percent / 100.0).floor() as usize,
        }
    }
}

impl fmt::Display for Limit {
    /// As the config has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "\"{percent}%\""),
        }
    }
}

/// What one run may do without a flag; `config.example.toml` describes each key.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Over the managed active users.
    pub deactivations: Limit,
    /// Accounts that stop being ADMIN or OPERATOR for a lesser role, over the managed active ones with these roles.
    pub role_downgrades: Limit,
    /// Over the managed active users.
    pub role_or_email_changes: Limit,
    /// Members removed from one project, over the members of that project.
    pub members_removed: Limit,
    /// Members of one project whose project role changes, over the members of that project.
    pub project_role_changes: Limit,
    /// Over the managed active users, once a run has brought the platform in line.
    pub creations: Limit,
    /// Users who become ADMIN. What the admin sets holds from the first run on, the default from the second.
    pub new_admins: Option<Limit>,
    /// Accounts that are replaced because of a changed address, over the managed active users. It holds from the first run on.
    pub recreations: Limit,
    /// How much smaller than the last trusted read one may be, over that.
    pub shrink: Limit,
    /// Shares of fewer than so many don't count. Where the admin says nothing, a share of deactivations always does.
    pub size_floor: Option<usize>,
}

impl Limits {
    /// Below so many people a share of anything but deactivations doesn't count, unless the admin says otherwise.
    const SIZE_FLOOR: usize = 20;

    /// So many users may become ADMIN in one run, unless the admin says otherwise: few have this role in a large company
    /// too.
    pub const NEW_ADMINS: Limit = Limit::Count(5);

    /// The floor for all shares but that of deactivations.
    pub fn floor(&self) -> usize {
        self.size_floor.unwrap_or(Self::SIZE_FLOOR)
    }

    /// The floor for the share of deactivations: a wrong one locks a user out, in a small company too.
    pub fn floor_of_deactivations(&self) -> usize {
        self.size_floor.unwrap_or_default()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deactivations: Limit::Percent(10.0),
            role_downgrades: Limit::Percent(50.0),
            role_or_email_changes: Limit::Percent(50.0),
            members_removed: Limit::Percent(50.0),
            project_role_changes: Limit::Percent(50.0),
            creations: Limit::Percent(100.0),
            new_admins: None,
            recreations: Limit::Count(5),
            shrink: Limit::Percent(50.0),
            size_floor: None,
        }
    }
}

/// How long a user has to be missing from the scope before their account is deactivated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grace {
    /// So many runs in a row, the one that deactivates included.
    pub runs: usize,
    /// So long since the first of them.
    pub time: SignedDuration,
}

impl Default for Grace {
    /// Immediately.
    fn default() -> Self {
        Self { runs: 1, time: SignedDuration::ZERO }
    }
}

/// The admin's policy; the default is that of a config which says nothing about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    pub suspended: OnLeave,
    pub deactivated: OnLeave,
    /// Out of scope, and still in Okta.
    pub unassigned: OnLeave,
    /// Gone from Okta.
    pub deleted: OnLeave,
    /// For those who are out of scope or gone from Okta.
    pub grace: Grace,
    /// The least time between the first run that finds a user without access for this reason and the deactivation. Without an
    /// entry it is that of `grace` for an absence, and none for what Okta states.
    pub graces: BTreeMap<Leave, SignedDuration>,
    pub limits: Limits,
    /// User names, lower-cased and trimmed: never deactivated, never lose ADMIN.
    pub protect: BTreeSet<String>,
    /// After this time an inactive account of a user who left is deleted.
    pub delete_inactive_after: Option<SignedDuration>,
    /// Whether a user whose account is closed leaves all projects that are linked to Okta.
    pub remove_memberships: bool,
    /// Whether projects whose group isn't pushed any more are deleted.
    pub delete_unpushed: bool,
    pub invitations: OnInvitation,
    pub email_change: EmailChange,
    /// Whether they are archived, which comes before a deletion.
    pub archive: bool,
    /// The accepted problems.
    pub accepted: Vec<Acceptance>,
}

impl Policy {
    /// What happens to the account of a user who left for this reason.
    pub fn on_leave(&self, leave: Leave) -> OnLeave {
        match leave {
            Leave::Suspended => self.suspended,
            Leave::Deactivated => self.deactivated,
            Leave::Unassigned => self.unassigned,
            Leave::Deleted => self.deleted,
            // A user only has one of these where the config says that it closes the account.
            Leave::Staged | Leave::Provisioned | Leave::Recovery | Leave::PasswordExpired | Leave::LockedOut => {
                OnLeave::Deactivate
            }
        }
    }

    /// How long a user has to be without access for this reason before the account is closed.
    pub fn grace_of(&self, leave: Leave) -> SignedDuration {
        let other = if leave.is_absence() { self.grace.time } else { SignedDuration::ZERO };
        self.graces.get(&leave).copied().unwrap_or(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_fewer_than_the_floor_does_not_count() {
        let within = |percent, totals: [usize; 5]| totals.map(|total| Limit::Percent(percent).of(total, 20));
        assert_eq!(within(10.0, [0, 19, 20, 29, 30]), [usize::MAX, usize::MAX, 2, 2, 3]);
        assert_eq!(within(0.0, [0, 9, 20, 29, 30]), [0; 5]);
        assert_eq!([0, 9, 100].map(|total| Limit::Count(3).of(total, 20)), [3; 3]);
        assert_eq!([9, 10].map(|total| Limit::Percent(10.0).of(total, 0)), [0, 1], "rounded down");
    }
}
