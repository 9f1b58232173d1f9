//! Notes what a run comes to, and tells it at its end: the line of `--quiet`, the metrics, and other services.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::Span;
use tracing::field::Empty;

use crate::apply::Report;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::files;
use crate::model::problem::Problem;
use crate::output::run_summary::{Applied, Planned, Summary};
use crate::output::targets_text::Ended;
use crate::output::{metrics, night_text};
use crate::plan::Plan;
use crate::plan::deferred::Deferred;
use crate::plan::guard::Refusal;
use crate::state::StateFile;
use crate::sync::context::Context;
use crate::sync::journal::{self, Journal};
use crate::sync::notify::Services;
use crate::sync::session::Session;

/// A run that goes on, watched from its config to its end.
#[derive(Debug)]
pub struct Watch<'a> {
    context: &'a Context,
    /// `plan`, `apply` or `undo`.
    command: String,
    target: Option<String>,
    started: Timestamp,
    began: Instant,
    servers: (String, String),
    /// Whether one line at the end takes the place of the plan and the report.
    brief: bool,
    /// What the lines of the log about the run begin with.
    span: Span,
    metrics_file: Option<PathBuf>,
    services: Services,
    noted: Mutex<Noted>,
}

/// What is known of the run so far.
#[derive(Debug, Default)]
struct Noted {
    run: Option<u32>,
    planned: Option<Planned>,
    told: Told,
    applied: Option<Applied>,
    /// Whether something that was planned isn't done.
    undone: bool,
    requests: u64,
    waited: f64,
    /// When a run of each command ended last of which all is done; none where the run has no journal.
    last_done: Option<BTreeMap<String, Timestamp>>,
    /// Warnings that were held until the next target's turn.
    warnings: Vec<String>,
    /// What is wrong with the monitoring itself.
    faults: Vec<String>,
}

/// What a run told, which isn't news to the next run of the same command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    /// `email_changed ada@example.com`
    problems: BTreeSet<String>,
    /// `deactivate ada@example.com`
    deferred: BTreeSet<String>,
    warnings: BTreeSet<String>,
}

impl<'a> Watch<'a> {
    /// Watches a run of this config. With `--quiet` nothing is said before its end, unless the plan `is_shown` in any case: as CSV, or
    /// since the admin is asked about it.
    pub fn begin(command: &str, is_shown: bool, settings: &Settings, context: &'a Context) -> Self {
        let (started, began) = (Timestamp::now(), Instant::now());
        let brief = context.printer.is_quiet() && !is_shown;
        if brief {
            context.printer.hold_warnings();
        }
        settings.warnings.iter().for_each(|warning| context.printer.warning(warning));
        let servers = (settings.okta.org_url.authority().to_owned(), settings.activepieces.url.authority().to_owned());
        let span = tracing::info_span!("run", run = Empty, command, of_target = settings.target.as_deref());
        let (services, faults) = Services::open(&settings.monitoring);
        let noted = Mutex::new(Noted { faults, ..Noted::default() });
        let (command, metrics_file) = (command.to_owned(), settings.monitoring.metrics_file.clone());
        let target = settings.target.clone();
        Self { context, command, target, started, began, servers, brief, span, metrics_file, services, noted }
    }

    /// Lets another target have its turn: warnings that are held are this run's.
    pub fn pause(&self) {
        if self.brief {
            self.noted().warnings.append(&mut self.context.printer.take_warnings());
        }
    }

    /// Goes on after that.
    pub fn resume(&self) {
        if self.brief {
            self.context.printer.hold_warnings();
        }
    }

    /// What the run is to be instrumented with.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// Notes the run's number.
    pub fn begun(&self, journal: &Journal) {
        self.noted().run = Some(journal.run());
        self.span.record("run", journal.run());
        let (okta, activepieces) = (self.servers.0.as_str(), self.servers.1.as_str());
        tracing::info!(okta, activepieces, version = env!("CARGO_PKG_VERSION"), "run begun");
    }

    /// Whether the plan and the report are left out.
    pub fn is_brief(&self) -> bool {
        self.brief
    }

    /// Notes the plan, and why the guards refuse it.
    pub fn planned(&self, plan: &Plan, refusals: &[Refusal]) {
        let planned = Planned {
            users: plan.standing.in_scope,
            operations: plan.steps().count(),
            changes: plan.totals(),
            refusals: refusals.iter().map(ToString::to_string).collect(),
            problems: plan.problems.len(),
            new_problems: plan.problems.clone(),
            accepted: plan.accepted.len(),
            deferred: plan.held.len(),
            new_deferred: 0,
            new_warnings: plan.warnings.clone(),
        };
        let (operations, users, problems) = (planned.operations, planned.users, planned.problems);
        tracing::info!(
            operations,
            users,
            problems,
            accepted = planned.accepted,
            deferred = planned.deferred,
            "plan made"
        );
        let mut noted = self.noted();
        noted.told.deferred = plan.held.iter().map(deferred).collect();
        noted.planned = Some(planned);
    }

    /// Notes what was written.
    pub fn applied(&self, report: &Report<'_>) {
        self.noted().applied = Some(Applied::of(report));
    }

    /// Ends the run in the journal, and returns its outcome.
    pub fn close(&self, journal: Journal, result: Result<u8>, session: &Session) -> Result<u8> {
        let mut noted = self.noted();
        noted.undone = journal.is_undone();
        noted.requests = session.requests();
        noted.waited = session.waited().as_secs_f64();
        noted.last_done = journal.state().last_done().ok();
        let compared = self.compare(&mut noted, journal.state());
        drop(noted);
        journal.end(result.and_then(|code| compared.map(|()| code)), session.requests())
    }

    /// Leaves what is new to the last run of the same command, and records the rest for the next one.
    fn compare(&self, noted: &mut Noted, state: &StateFile) -> Result<()> {
        let Noted { planned: Some(planned), told, warnings: earlier, .. } = noted else { return Ok(()) };
        let name = format!("told {}", self.command);
        let known: Told = state.kept(&name)?.unwrap_or_default();
        let mut warnings = std::mem::take(earlier);
        warnings.append(&mut self.context.printer.take_warnings());
        if self.brief {
            self.context.printer.hold_warnings();
        }
        warnings.append(&mut planned.new_warnings);
        told.problems = planned.new_problems.iter().map(problem).collect();
        told.warnings = warnings.iter().cloned().collect();
        planned.new_problems.retain(|found| !known.problems.contains(&problem(found)));
        planned.new_deferred = told.deferred.difference(&known.deferred).count();
        planned.new_warnings = warnings.into_iter().filter(|text| !known.warnings.contains(text)).collect();
        if known == *told { Ok(()) } else { state.keep(&name, told) }
    }

    /// Tells what the run came to, and returns that.
    pub async fn end(self, result: &Result<u8>) -> Ended {
        let summary = self.summary(result);
        let Summary { outcome, exit_code, requests, seconds, .. } = summary;
        self.span.in_scope(|| tracing::info!(outcome, exit_code, requests, seconds, "run ended"));
        if self.brief {
            self.say(&summary);
        }
        self.monitor(&summary).await;
        Ended {
            target: summary.target.clone().unwrap_or_default(),
            told: night_text::outcome(&summary),
            okta: summary.okta,
            activepieces: summary.activepieces,
            outcome: summary.outcome,
            exit_code: summary.exit_code,
            error: summary.error,
        }
    }

    /// Writes the metrics and tells other services. What fails is a warning: it changes nothing of what was done.
    async fn monitor(&self, summary: &Summary) {
        let mut faults = std::mem::take(&mut self.noted().faults);
        faults.extend(self.write_metrics(summary).err());
        faults.extend(self.services.tell(summary).await);
        for fault in &faults {
            self.context.printer.warning(fault);
        }
    }

    /// Without a journal, what is known of earlier runs isn't known here: the file of the last run stays.
    fn write_metrics(&self, summary: &Summary) -> std::result::Result<(), String> {
        let (Some(path), Some(mut last)) = (&self.metrics_file, self.noted().last_done.clone()) else { return Ok(()) };
        if summary.ended_well() {
            last.insert(self.command.clone(), Timestamp::now());
        }
        let text = metrics::render(summary, &last);
        let written = files::write_public(path, text.as_bytes());
        written.map_err(|refusal| format!("no metrics: {} {refusal}", path.display()))
    }

    /// The line of the run, if it's news.
    fn say(&self, summary: &Summary) {
        let printer = &self.context.printer;
        let mut late = std::mem::take(&mut self.noted().warnings);
        late.append(&mut printer.take_warnings());
        if !summary.is_news() && late.is_empty() {
            return;
        }
        let new = summary.planned.iter().flat_map(|planned| &planned.new_warnings);
        new.chain(&late).for_each(|warning| printer.warning(warning));
        printer.answer(&night_text::render(summary));
    }

    fn summary(&self, result: &Result<u8>) -> Summary {
        let noted = self.noted();
        Summary {
            command: self.command.clone(),
            target: self.target.clone(),
            run: noted.run,
            started: self.started,
            seconds: self.began.elapsed().as_secs_f64(),
            okta: self.servers.0.clone(),
            activepieces: self.servers.1.clone(),
            outcome: journal::outcome(result, noted.undone),
            exit_code: result.as_ref().map_or_else(|error| error.kind.exit_code(), |code| *code),
            error: result.as_ref().err().map(Error::to_string),
            planned: noted.planned.clone(),
            applied: noted.applied.clone(),
            requests: noted.requests,
            waited: noted.waited,
        }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn problem(problem: &Problem) -> String {
    format!("{} {}", problem.kind, problem.subject)
}

fn deferred(deferred: &Deferred) -> String {
    format!("{} {}", deferred.what, deferred.subject)
}
