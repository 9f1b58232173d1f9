//! Reads the runs of the journal.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;

use super::StateFile;
use crate::apply::estimate::{Record, Spent};
use crate::apply::report::ProjectOutcome;
use crate::apply::{Outcome, Report};
use crate::error::{Error, Kind, Result};
use crate::plan::hold::convergence::Divergence;
use crate::plan::op::UserOp;
use crate::plan::{Plan, Step};

/// One run, as its row has it. Times are UTC in ISO 8601.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    pub id: u32,
    pub command: String,
    pub started: String,
    pub ended: Option<String>,
    pub seconds: Option<f64>,
    pub tool_version: String,
    /// The SHA-256 of the config file.
    pub config: String,
    pub okta: String,
    pub activepieces: String,
    /// None while it runs, and where it was killed until a later run notes that.
    pub outcome: Option<String>,
    pub reason: Option<String>,
    /// The steps of its plan; none where it never came to one.
    pub changes: Option<usize>,
    /// The steps that are done.
    pub done: usize,
    /// The steps that failed, or were under way when the run was killed.
    pub failed: usize,
    pub problems: Option<usize>,
    pub requests: Option<u64>,
}

impl Run {
    /// Whether it may write to the platform, or might have.
    pub fn may_write(&self) -> bool {
        let command = self.command.as_str();
        let is_undo = command.starts_with("undo ") && !command.ends_with(" --dry-run");
        command == "apply" || command == "adopt" || command.starts_with("apply ") || is_undo
    }
}

const RUN: &str = "SELECT id, command, started, ended, seconds, tool_version, config, okta, activepieces, outcome, \
    reason, changes, problems, requests, \
    (SELECT count(*) FROM operations WHERE run = runs.id AND outcome = 'done') AS done, \
    (SELECT count(*) FROM operations WHERE run = runs.id AND outcome IN ('failed', 'begun')) AS failed FROM runs";

/// What is known of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Ended(Outcome),
    /// The run was killed before it.
    Planned,
    /// The run was killed while it was under way: the server may have done it.
    Begun,
}

/// A run that wrote, with its plan and the outcome of each step.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub run: Run,
    pub plan: Plan,
    steps: BTreeMap<(String, String), Standing>,
    /// What a later read showed otherwise, of the steps that the server answered well.
    diverged: Vec<Divergence>,
}

/// Which runs are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only runs that may write: no plan, no export and no dry run.
    pub applies: bool,
    /// Only runs that began then or later.
    pub since: Option<Timestamp>,
    /// Only runs of this outcome, which is `running` or `interrupted` for those that have none in the file.
    pub outcome: Option<&'a str>,
}

/// Holds for commands that may write.
const APPLIES: &str = "(command = 'apply' OR command LIKE 'apply %' \
    OR (command LIKE 'undo %' AND command NOT LIKE '% --dry-run'))";

/// The newest steps that are done, as many as are needed to know how long such steps take.
const NEWEST_DONE: &str = "done AS (SELECT run, kind, action, before, after, unixepoch(begun, 'subsec') AS begun, \
    unixepoch(ended, 'subsec') AS ended FROM operations WHERE outcome = 'done' ORDER BY run DESC LIMIT 10000)";

/// How many users, projects or members the steps of each kind changed, and how many seconds they took.
const SPENT: &str = "SELECT kind, action, total(max(1, (SELECT count(*) FROM json_each(before, '$.members')), \
    (SELECT count(*) FROM json_each(after, '$.members')), (SELECT count(*) FROM json_each(after, '$.roles')), \
    (SELECT count(*) FROM json_each(after, '$.projects')))), total(ended - begun) FROM done GROUP BY kind, action";

/// How many seconds passed from the first to the last of these steps in each run, together.
const SPAN: &str = "SELECT total(span) FROM (SELECT max(ended) - min(begun) AS span FROM done GROUP BY run)";

impl StateFile {
    /// The newest of these runs, newest first. One without an outcome was killed, or it's running: a run that may write has the
    /// lock then, and any other counts as running.
    pub fn runs(&self, filter: Filter<'_>, limit: usize) -> Result<Vec<Run>> {
        let is_locked = self.is_locked();
        let select = format!(
            "{RUN} WHERE (NOT ?1 OR {APPLIES}) AND started >= ?2 AND (?3 IS NULL OR ?3 = coalesce(outcome, \
             CASE WHEN ?4 OR NOT {APPLIES} THEN 'running' ELSE 'interrupted' END)) ORDER BY id DESC LIMIT ?5"
        );
        let since = filter.since.map(super::time).unwrap_or_default();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.with(|connection| {
            let mut statement = connection.prepare(&select)?;
            statement.query_map(params![filter.applies, since, filter.outcome, is_locked, limit], run)?.collect()
        })
    }

    /// The newest run that may have written, also one that goes on.
    pub fn last_apply(&self) -> Result<Run> {
        let last = self.runs(Filter { applies: true, ..Filter::default() }, 1)?.pop();
        last.ok_or_else(|| {
            Error::new(Kind::Usage, format!("there is no apply in {} yet", self.path.display()))
                .hint("oktapieces history lists the runs")
        })
    }

    /// When a run of each command ended last of which all is done, by the first word of the command.
    pub fn last_done(&self) -> Result<BTreeMap<String, Timestamp>> {
        let select = "SELECT command, max(ended) FROM runs WHERE outcome = 'done' \
                      GROUP BY command";
        let ends: Vec<(String, String)> = self.with(|connection| {
            let mut statement = connection.prepare(select)?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })?;
        let mut last: BTreeMap<String, Timestamp> = BTreeMap::new();
        for (command, ended) in ends {
            let word = command.split(' ').next().unwrap_or_default().to_owned();
            let Ok(ended) = ended.parse() else { continue };
            let known = last.entry(word).or_insert(ended);
            *known = (*known).max(ended);
        }
        Ok(last)
    }

    /// The run of this number.
    pub fn run(&self, id: u32) -> Result<Run> {
        let found = self.with(|connection| connection.query_row(&format!("{RUN} WHERE id = ?1"), [id], run).optional());
        found?.ok_or_else(|| {
            Error::new(Kind::Usage, format!("there is no run {id} in {}", self.path.display()))
                .hint("oktapieces history lists the runs")
        })
    }

    /// The newest runs that wrote a plan in which the user or group of this Okta id is, newest first.
    pub fn runs_about(&self, okta_id: &str, limit: usize) -> Result<Vec<Run>> {
        let select = format!("{RUN} WHERE plan IS NOT NULL AND instr(plan, ?1) ORDER BY id DESC LIMIT ?2");
        self.with(|connection| {
            let mut statement = connection.prepare(&select)?;
            statement.query_map(params![format!("\"{okta_id}\""), limit], run)?.collect()
        })
    }

    /// The platform role that a run wrote last for an Okta user; none where no run that is kept did.
    pub fn last_role(&self, okta_id: &str) -> Result<Option<String>> {
        let select = "SELECT after ->> '$.platformRole' FROM operations WHERE okta_id = ?1 AND kind = 'user' \
                      AND outcome = 'done' AND after ->> '$.platformRole' IS NOT NULL ORDER BY run DESC LIMIT 1";
        self.with(|connection| connection.prepare_cached(select)?.query_row([okta_id], |row| row.get(0)).optional())
    }

    /// The newest run with a plan that it wrote or began to write, also one that was killed.
    pub fn last_with_plan(&self) -> Result<Option<Run>> {
        let select = format!("{RUN} WHERE plan IS NOT NULL ORDER BY id DESC LIMIT 1");
        self.with(|connection| connection.query_row(&select, [], run).optional())
    }

    /// The newest run that wrote, if any.
    pub fn last_written(&self) -> Result<Option<Run>> {
        let select = format!("{RUN} WHERE plan IS NOT NULL AND outcome IS NOT NULL ORDER BY id DESC LIMIT 1");
        self.with(|connection| connection.query_row(&select, [], run).optional())
    }

    /// A run with all that it did; none where it wrote nothing.
    pub fn recorded(&self, run: Run) -> Result<Option<Recorded>> {
        let plan: Option<String> = self.with(|connection| {
            connection.query_row("SELECT plan FROM runs WHERE id = ?1", [run.id], |row| row.get(0))
        })?;
        let Some(plan) = plan else { return Ok(None) };
        let plan = serde_json::from_str(&plan).map_err(|error| {
            let message = format!("the plan of run {} has the form of version {}", run.id, run.tool_version);
            Error::from_source(Kind::Failed, error).context(message)
        })?;
        let steps = self.with(|connection| {
            let select = "SELECT kind, okta_id, outcome, reason FROM operations WHERE run = ?1";
            let mut statement = connection.prepare(select)?;
            let row = |row: &Row<'_>| {
                let (outcome, reason): (String, Option<String>) = (row.get(2)?, row.get(3)?);
                Ok(((row.get(0)?, row.get(1)?), standing(&outcome, reason.unwrap_or_default())))
            };
            statement.query_map([run.id], row)?.collect()
        })?;
        let diverged = self.with(|connection| {
            let select = "SELECT subject, diverged FROM operations \
                          WHERE run = ?1 AND outcome = 'done' AND diverged IS NOT NULL ORDER BY rowid";
            let mut statement = connection.prepare(select)?;
            let row = |row: &Row<'_>| Ok(Divergence { subject: row.get(0)?, what: row.get(1)?, change: None });
            statement.query_map([run.id], row)?.collect()
        })?;
        Ok(Some(Recorded { run, plan, steps, diverged }))
    }

    /// Whether a later run tried the same step.
    pub fn tried_since(&self, id: u32, step: Step<'_>) -> Result<bool> {
        let select = "SELECT EXISTS (SELECT 1 FROM operations WHERE run > ?1 AND kind = ?2 AND okta_id = ?3 \
                      AND outcome IN ('begun', 'done', 'failed'))";
        self.with(|connection| {
            let mut statement = connection.prepare_cached(select)?;
            statement.query_row(params![id, step.kind(), step.okta_id()], |row| row.get(0))
        })
    }

    /// The kind and Okta id of each step that the last runs tried, if they wrote the plan of this hash and no run wrote
    /// another one since.
    pub fn tried_of(&self, hash: &str) -> Result<BTreeSet<(String, String)>> {
        let select = "SELECT DISTINCT kind, okta_id FROM operations JOIN runs ON runs.id = run \
                      WHERE operations.outcome IN ('begun', 'done', 'failed') AND hash = ?1 \
                      AND run > (SELECT coalesce(max(id), 0) FROM runs WHERE hash <> ?1)";
        self.with(|connection| {
            let mut statement = connection.prepare(select)?;
            statement.query_map([hash], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    /// What the newest steps that are done needed, by their kind.
    pub fn pace(&self) -> Result<Record> {
        self.with(|connection| {
            let mut statement = connection.prepare(&format!("WITH {NEWEST_DONE} {SPENT}"))?;
            let row =
                |row: &Row<'_>| Ok(((row.get(0)?, row.get(1)?), Spent { pieces: row.get(2)?, seconds: row.get(3)? }));
            let steps = statement.query_map([], row)?.collect::<rusqlite::Result<_>>()?;
            let seconds = connection.query_row(&format!("WITH {NEWEST_DONE} {SPAN}"), [], |row| row.get(0))?;
            Ok(Record { steps, seconds })
        })
    }

    /// Marks runs that never ended as interrupted, and returns them. Only the process with the lock may call it.
    pub fn close_open(&self) -> Result<Vec<Run>> {
        self.with(|connection| {
            let transaction = connection.transaction()?;
            let open: Vec<Run> = {
                let mut statement = transaction.prepare(&format!("{RUN} WHERE outcome IS NULL ORDER BY id"))?;
                statement.query_map([], run)?.collect::<rusqlite::Result<_>>()?
            };
            transaction.execute(
                "UPDATE runs SET outcome = 'interrupted', reason = 'it was killed, or stopped before it wrote', ended = coalesce( \
                 (SELECT max(max(begun), coalesce(max(ended), '')) FROM operations WHERE run = runs.id), started) \
                 WHERE outcome IS NULL",
                [],
            )?;
            transaction.commit()?;
            Ok(open)
        })
    }
}

impl Recorded {
    /// What is known of a step of the run's plan.
    pub fn standing(&self, step: Step<'_>) -> &Standing {
        let key = (step.kind().to_owned(), step.okta_id().to_owned());
        self.steps.get(&key).unwrap_or(&Standing::Planned)
    }

    /// The report of the run, as far as it came.
    pub fn report(&self) -> Report<'_> {
        let outcome = |step| match self.standing(step) {
            Standing::Ended(outcome) => outcome.clone(),
            Standing::Planned => Outcome::Skipped("not begun".to_owned()),
            Standing::Begun => Outcome::Failed("begun and not ended: the server may have done it".to_owned()),
        };
        let invitations = self.plan.invitations.iter().map(|op| (op, outcome(Step::Invitation(op)))).collect();
        // The first step that isn't done tells how far an operation came.
        let of_user = |op| UserOp::steps(op).map(outcome).find(|outcome| !outcome.is_done()).unwrap_or(Outcome::Done);
        let users = self.plan.users.iter().map(|op| (op, of_user(op))).collect();
        let mut projects: Vec<_> = self.plan.projects.iter().map(|op| (op, ProjectOutcome::default())).collect();
        for (op, outcomes) in &mut projects {
            for step in op.steps() {
                match step {
                    Step::Project(_) => outcomes.project = Some(outcome(step)),
                    Step::AddMembers(_) => outcomes.add = Some(outcome(step)),
                    Step::RemoveMembers(_) => outcomes.remove = Some(outcome(step)),
                    Step::SetRoles(_) => outcomes.roles = Some(outcome(step)),
                    Step::Invitation(_)
                    | Step::User(_)
                    | Step::MoveLink(_)
                    | Step::CopyMemberships(_)
                    | Step::CloseOld(_) => {}
                }
            }
        }
        let ended = ["done", "partial", "refused", "failed"];
        let interrupted = self.run.outcome.as_deref().is_none_or(|outcome| !ended.contains(&outcome));
        Report { invitations, users, projects, interrupted, diverged: self.diverged.clone(), ..Report::default() }
    }
}

fn run(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        id: row.get("id")?,
        command: row.get("command")?,
        started: row.get("started")?,
        ended: row.get("ended")?,
        seconds: row.get("seconds")?,
        tool_version: row.get("tool_version")?,
        config: row.get("config")?,
        okta: row.get("okta")?,
        activepieces: row.get("activepieces")?,
        outcome: row.get("outcome")?,
        reason: row.get("reason")?,
        changes: row.get("changes")?,
        done: row.get("done")?,
        failed: row.get("failed")?,
        problems: row.get("problems")?,
        requests: row.get("requests")?,
    })
}

fn standing(outcome: &str, reason: String) -> Standing {
    match outcome {
        "done" => Standing::Ended(Outcome::Done),
        "failed" => Standing::Ended(Outcome::Failed(reason)),
        "stale" => Standing::Ended(Outcome::Stale(reason)),
        "skipped" => Standing::Ended(Outcome::Skipped(reason)),
        "begun" => Standing::Begun,
        _ => Standing::Planned,
    }
}
