//! The outcome of a run in numbers, which the line of `--quiet`, the metrics and the webhook tell.

use jiff::Timestamp;

use crate::apply::{Outcome, Report};
use crate::model::problem::Problem;
use crate::plan::Plan;
use crate::plan::op::{ProjectAction, Totals};

/// A run that has ended.
#[derive(Clone, Debug)]
pub struct Summary {
    /// `plan`, `apply` or `undo`.
    pub command: String,
    /// None where the config has no targets.
    pub target: Option<String>,
    /// None where the run failed before it had a number.
    pub run: Option<u32>,
    pub started: Timestamp,
    pub seconds: f64,
    pub okta: String,
    pub activepieces: String,
    /// `done`, `partial`, `refused`, `failed` or `interrupted`.
    pub outcome: &'static str,
    pub exit_code: u8,
    pub error: Option<String>,
    /// None where the run never came to a plan.
    pub planned: Option<Planned>,
    /// None where nothing was to be written.
    pub applied: Option<Applied>,
    pub requests: u64,
    /// How many seconds requests waited for rate limits.
    pub waited: f64,
}

/// A plan in numbers, and what of it the last run of the same command didn't have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Planned {
    /// Users in scope.
    pub users: usize,
    pub operations: usize,
    pub changes: Totals,
    /// Why the guards would refuse it.
    pub refusals: Vec<String>,
    pub problems: usize,
    pub new_problems: Vec<Problem>,
    pub accepted: usize,
    pub deferred: usize,
    pub new_deferred: usize,
    pub new_warnings: Vec<String>,
}

/// What was written, in numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applied {
    /// Operations.
    pub done: usize,
    pub failed: usize,
    pub stale: usize,
    pub not_begun: usize,
    /// What the operations that are done changed.
    pub changes: Totals,
    /// Each operation that isn't done, or that didn't persist, with the reason.
    pub undone: Vec<(String, String)>,
}

impl Summary {
    /// Whether everything that was planned is done.
    pub fn ended_well(&self) -> bool {
        self.outcome == "done"
    }

    /// Whether the run changed something, or found something to change.
    pub fn has_changes(&self) -> bool {
        match (&self.applied, &self.planned) {
            (Some(applied), _) => applied.done > 0,
            (None, Some(planned)) => planned.operations > 0,
            (None, None) => false,
        }
    }

    /// Whether an admin has to hear of it: of a change, of all that isn't exit code 0, and of a warning or a deferred
    /// operation that the last run didn't have. Accepted problems are none of these (docs/safety.md#accepted-problems).
    pub fn is_news(&self) -> bool {
        let new = |planned: &Planned| !planned.new_warnings.is_empty() || planned.new_deferred > 0;
        self.exit_code != 0 || self.has_changes() || self.planned.as_ref().is_some_and(new)
    }
}

impl Applied {
    pub fn of(report: &Report<'_>) -> Self {
        let mut applied = Self { changes: done(report).totals(), ..Self::default() };
        for (subject, outcome) in report.outcomes() {
            match outcome {
                Outcome::Done => applied.done += 1,
                Outcome::Kept(_) | Outcome::Failed(_) => applied.failed += 1,
                Outcome::Stale(_) => applied.stale += 1,
                Outcome::Skipped(_) => applied.not_begun += 1,
            }
            let stopped = report.is_cut_short() && matches!(outcome, Outcome::Skipped(_));
            let why = outcome.why().filter(|_| !stopped);
            applied.undone.extend(why.map(|why| (subject.to_owned(), why.to_owned())));
        }
        applied.stale += report.stale.len();
        let changed = |name: &String| (name.clone(), "changed since the plan was made".to_owned());
        applied.undone.extend(report.stale.iter().map(changed));
        let diverged = report.diverged.iter();
        applied.undone.extend(diverged.map(|found| (found.subject.clone(), format!("didn't persist: {}", found.what))));
        applied
    }

    /// All operations that were to be written.
    pub fn all(&self) -> usize {
        self.done + self.failed + self.stale + self.not_begun
    }
}

/// The part of the plan that is done.
fn done(report: &Report<'_>) -> Plan {
    let is_done = |outcome: &Option<Outcome>| outcome.as_ref().is_some_and(Outcome::is_done);
    let users = report.users.iter().filter(|(_, outcome)| outcome.is_done()).map(|(op, _)| (*op).clone());
    let projects = report.projects.iter().map(|(op, outcomes)| {
        let mut op = (*op).clone();
        if !is_done(&outcomes.project) {
            op.action = ProjectAction::Members;
        }
        if !is_done(&outcomes.add) {
            op.add.clear();
        }
        if !is_done(&outcomes.remove) {
            op.remove.clear();
        }
        if !is_done(&outcomes.roles) {
            op.roles.clear();
        }
        op
    });
    let invitations = report.invitations.iter().filter(|(_, outcome)| outcome.is_done()).map(|(op, _)| (*op).clone());
    let invitations = invitations.collect();
    Plan { users: users.collect(), projects: projects.collect(), invitations, ..Plan::default() }
}
