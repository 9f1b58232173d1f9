//! What a plan is to do and doesn't yet: a source that isn't trusted takes nothing away, whoever is missing gets a grace,
//! and what never came to stand isn't written for ever.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::convergence;
use super::grace;
use super::op::Plan;
use super::past::{Past, Sizes};
use super::policy::Policy;
use super::trust;
use super::users::keep_the_last_admin;

/// One thing that is held back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Held {
    /// A user name, or a project's name.
    pub subject: String,
    /// What isn't done: `deactivate`, `remove dan@example.com`.
    pub what: String,
    pub because: Because,
}

/// Why something is held back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Because {
    /// The read was much smaller than the last trusted one.
    SourceNotTrusted,
    /// Missing from the scope for too short a time: since then, in so many runs, this one included.
    Waiting { since: Timestamp, runs: usize },
    /// What it follows from is missing in one of Okta's answers and wasn't confirmed by another.
    AnswersDisagree { about: String },
    /// The last run wrote it, the server answered well, and it did not stand afterwards.
    DoesNotStand,
}

impl Held {
    pub fn new(subject: &str, what: impl Into<String>, because: Because) -> Self {
        Self { subject: subject.to_owned(), what: what.into(), because }
    }
}

/// What one run adds to what is known.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// The sizes of this read.
    pub sizes: &'a Sizes,
    pub now: Timestamp,
    /// The admin says that the read is right, however small it is.
    pub trust_source: bool,
}

/// Holds back what must wait, and gives what is to be remembered once the run came to its end.
pub fn settle(plan: &mut Plan, past: &Past, run: &Run<'_>, policy: &Policy) -> Past {
    let missing = grace::missing(plan, past, run.now);
    if !run.trust_source {
        plan.shrunk = trust::shrunk(run.sizes, past, &policy.limits);
    }
    let unsettled_since = convergence::hold(plan, past, run.now);
    if plan.shrunk.is_empty() {
        grace::hold(plan, &missing, run.now, policy.grace);
    } else {
        trust::hold(plan);
    }
    plan.projects.retain(|op| !op.is_empty());
    // The last ADMIN may have been meant to go because somebody else becomes one, which is deferred now.
    keep_the_last_admin(plan);
    plan.warnings.sort();
    plan.held.sort();
    if !plan.shrunk.is_empty() {
        // Nothing is learnt from a read that isn't trusted.
        return Past { unsettled_since, ..past.clone() };
    }
    let email_changed = plan.standing.email_changed.clone();
    Past { trusted: Some(run.sizes.clone()), missing, email_changed, unsettled_since }
}

/// `24h` or `30m`, for people.
pub fn duration_text(time: SignedDuration) -> String {
    match time.as_mins() {
        minutes if minutes % 60 == 0 => format!("{}h", minutes / 60),
        minutes => format!("{minutes}m"),
    }
}
