//! What the admin allows a plan to do: `[lifecycle]` and `[safety]`.

use std::collections::BTreeSet;

/// What happens to the account of somebody who left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnLeave {
    #[default]
    Deactivate,
    Keep,
}

/// An upper limit: a count, or a share of something in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    Count(usize),
    Percent(f64),
}

impl Limit {
    /// How many of `total` are within the limit. A share is rounded down: 10 % of nine people is none.
    pub fn of(self, total: usize) -> usize {
        match self {
            Self::Count(count) => count,
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

/// The admin's policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub suspended: OnLeave,
    /// Out of scope, or gone from Okta.
    pub unassigned: OnLeave,
    /// Over the managed active users.
    pub max_deactivations: Limit,
    /// User names, lower-cased and trimmed: never deactivated, never lose ADMIN.
    pub protect: BTreeSet<String>,
}
