//! A plan, or a run with its plan, with all that any format shows of it.

use super::text::safe;
use crate::apply::estimate::Estimate;
use crate::apply::report::ProjectOutcome;
use crate::apply::{Outcome, Report};
use crate::plan::Plan;
use crate::plan::adoption::AccountMatch;
use crate::plan::guard::Refusal;
use crate::plan::policy::Limits;
use crate::state::history::{Recorded, Run};

/// What every format is rendered from.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    pub plan: &'a Plan,
    /// By which the plan is approved.
    pub hash: &'a str,
    /// The hosts.
    pub okta: &'a str,
    pub activepieces: &'a str,
    /// When both sides were read, as ISO 8601; none of a plan that an older version kept.
    pub made: Option<&'a str>,
    /// The version that made the plan.
    pub tool_version: &'a str,
    /// The config file, where it is known.
    pub config: Option<&'a str>,
    /// The limits that the plan is under, where they are known.
    pub limits: Option<&'a Limits>,
    /// How long it takes to write it, where that is still to be done.
    pub estimate: Option<Estimate>,
    pub refusals: &'a [Refusal],
    /// The run that is shown, if it is one.
    pub run: Option<&'a Run>,
    /// The outcome of each operation of the plan, if a run wrote it.
    pub report: Option<&'a Report<'a>>,
    /// The run as it is recorded, if a run wrote the plan.
    pub recorded: Option<&'a Recorded>,
    pub snapshot: Option<FromSnapshot<'a>>,
    /// How each account is matched, where that is asked for.
    pub accounts: Option<&'a [AccountMatch]>,
}

/// The snapshot that a plan was made from.
#[derive(Clone, Copy, Debug)]
pub struct FromSnapshot<'a> {
    pub file: &'a str,
    pub redacted: bool,
}

impl<'a> Document<'a> {
    /// A plan of this version that no run wrote.
    pub fn of_plan(plan: &'a Plan, hash: &'a str, (okta, activepieces): (&'a str, &'a str)) -> Self {
        Self {
            plan,
            hash,
            okta,
            activepieces,
            made: None,
            tool_version: env!("CARGO_PKG_VERSION"),
            config: None,
            limits: None,
            estimate: None,
            refusals: &[],
            run: None,
            report: None,
            recorded: None,
            snapshot: None,
            accounts: None,
        }
    }

    /// `Plan`, or `Run 12: apply, partial`.
    pub fn title(&self) -> String {
        match self.run {
            Some(run) => {
                let outcome = run.outcome.as_deref().unwrap_or("running");
                format!("Run {}: {}, {outcome}", run.id, safe(&run.command))
            }
            None => "Plan".to_owned(),
        }
    }

    /// When it was made and by which version, a part each.
    pub fn origin(&self) -> Vec<String> {
        let made = self.made.map(|made| format!("{} {}", self.verb(), shown_time(made)));
        let ended = self.run.and_then(|run| run.ended.as_deref()).map(|ended| format!("ended {}", shown_time(ended)));
        let snapshot = self.snapshot.map(|snapshot| {
            let redacted = if snapshot.redacted { "redacted " } else { "" };
            format!("from the {redacted}snapshot {}", safe(snapshot.file))
        });
        let version = Some(format!("oktapieces {}", safe(self.tool_version)));
        [made, ended, snapshot, version].into_iter().flatten().collect()
    }

    fn verb(&self) -> &'static str {
        if self.run.is_some() { "begun" } else { "made" }
    }

    /// The number of the run.
    pub fn run_id(&self) -> Option<u32> {
        self.run.map(|run| run.id)
    }

    /// The outcome of a user's operation, by its place in the plan.
    pub fn outcome_of_user(&self, at: usize) -> Option<&'a Outcome> {
        self.report.and_then(|report| report.users.get(at)).map(|(_, outcome)| outcome)
    }

    /// The outcome of the deletion of an invitation, by its place in the plan.
    pub fn outcome_of_invitation(&self, at: usize) -> Option<&'a Outcome> {
        self.report.and_then(|report| report.invitations.get(at)).map(|(_, outcome)| outcome)
    }

    /// The outcomes of a project's operation, by its place in the plan.
    pub fn outcomes_of_project(&self, at: usize) -> Option<&'a ProjectOutcome> {
        self.report.and_then(|report| report.projects.get(at)).map(|(_, outcomes)| outcomes)
    }
}

/// `2026-11-24T01:43:39.120Z` as `2026-11-24 01:43:39 UTC`.
pub(super) fn shown_time(time: &str) -> String {
    let whole = time.split(['.', 'Z']).next().unwrap_or_default();
    format!("{} UTC", safe(&whole.replace('T', " ")))
}
