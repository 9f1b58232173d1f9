//! The users that an expression gives no value for: one line for each fault, however many users have it.

use std::collections::BTreeMap;

use super::lines::Lines;
use crate::error::Kind;
use crate::model::desired::{Desired, DesiredState};
use crate::model::problem::{Problem, ProblemKind};
use crate::output::text::{counted, folded};

/// Of the users with a fault so many are named.
const NAMED: usize = 3;
/// If one user of so many has a fault, it is the expression that is wrong, and not the user.
const ONE_IN: usize = 10;

/// The users with the same fault.
struct Fault<'a> {
    first: &'a Problem,
    users: Vec<&'a str>,
}

/// Adds a line for each fault. One that many of the users in scope have is a failure: `floor` users and a tenth of all.
pub(super) fn tell(desired: &Desired, in_scope: usize, floor: usize, lines: &mut Lines<'_>) {
    let faults = faults(desired);
    if faults.is_empty() {
        lines.ok("expressions", "give a value for all users".to_owned());
    }
    let fix = "correct the expression or the profiles; until then these users are left alone";
    for ((kind, ..), fault) in faults {
        let detail = fault.told(in_scope);
        if fault.users.len() >= floor.max(1) && fault.users.len() * ONE_IN >= in_scope {
            lines.failed("expressions", (kind, Kind::Partial), detail, fix);
        } else {
            lines.warn("expressions", detail, Some(fix));
        }
    }
}

/// The faults by kind, place and attribute: what is told of one user may have the user's own value in it.
fn faults(desired: &Desired) -> BTreeMap<(ProblemKind, Option<&str>, &str), Fault<'_>> {
    let mut faults = BTreeMap::new();
    let problems = desired.users.values().filter_map(|user| match &user.state {
        DesiredState::Problem(problems) => Some(problems),
        _ => None,
    });
    for problem in problems.flatten() {
        let attribute = problem.message.split([':', ' ']).next().unwrap_or_default();
        let key = (problem.kind, problem.location.as_deref(), attribute);
        let fault = faults.entry(key).or_insert_with(|| Fault { first: problem, users: Vec::new() });
        fault.users.push(problem.subject.as_str());
    }
    faults
}

impl Fault<'_> {
    fn told(&self, in_scope: usize) -> String {
        let place = self.first.location.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        let users = counted(self.users.len(), "user", "users");
        let named = folded(&self.users, NAMED);
        format!("{place}{} (for {users} of {in_scope}: {named})", self.first.message)
    }
}
