//! Deferred operations of a plan, and the reads that were too small to be trusted.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::desired::Leave;

/// One deferred operation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Deferred {
    /// A user name, or a project's name.
    pub subject: String,
    /// What isn't done: `deactivate`, `remove dan@example.com`.
    pub what: String,
    pub because: Because,
}

/// Why an operation is deferred.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Because {
    /// The read was much smaller than the last trusted one.
    SourceNotTrusted,
    /// A part of the scope isn't in Okta, so that it isn't known who is out of scope.
    ScopeNotFound,
    /// Missing from the scope for too short a time: since then, in so many runs, this one included.
    Waiting { since: Timestamp, runs: usize },
    /// Of a status without access for too short a time: since then, and until then.
    Grace { leave: Leave, since: Timestamp, until: Timestamp },
    /// What it follows from is missing in one of Okta's answers and wasn't confirmed by another.
    AnswersDisagree { about: String },
    /// A problem keeps the project role of a new member from being known.
    RoleNotKnown,
    /// The last run wrote it, the server answered well, and it did not stand afterwards.
    DoesNotStand,
}

impl Deferred {
    pub fn new(subject: &str, what: impl Into<String>, because: Because) -> Self {
        Self { subject: subject.to_owned(), what: what.into(), because }
    }
}

/// Something of which the read held much less than the last trusted one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shrunk {
    /// What they are: `users in scope`, `users assigned to the app Activepieces`, `members of the group AP Sales`.
    pub which: String,
    pub before: usize,
    pub now: usize,
}

impl fmt::Display for Shrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { which, before, now } = self;
        write!(f, "{now} {which}, and {before} in the last trusted read")
    }
}
