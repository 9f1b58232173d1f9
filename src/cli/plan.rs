//! `oktapieces plan`: shows the changes.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tracing::Instrument;

use crate::config::Settings;
use crate::error::{EXIT_CHANGES, EXIT_OK, Kind, Result};
use crate::output::{json, plan_answer, plan_csv};
use crate::plan::guard::{self, Allowed};
use crate::plan::{Plan, fingerprint};
use crate::snapshot::Snapshot;
use crate::sync::context::Context;
use crate::sync::journal::Journal;
use crate::sync::session::{self, PARALLELISM, Planned, Session};
use crate::sync::watch::Watch;
use crate::sync::{saved, snapshot};

/// Show what would change in Activepieces; nothing is written
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Exit with 0 for no changes, 1 for a failure and 2 for changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// Keep the plan in this file, for apply FILE
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Plan from a snapshot that export made, without any network or secret; it can't be applied
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "full"])]
    from: Option<PathBuf>,
    /// Read the members of all groups, also of those that haven't changed since an earlier run
    #[arg(long)]
    full: bool,
    /// One row of CSV for each change, safe to open in a spreadsheet
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

pub async fn run(args: PlanArgs, context: &Context) -> Result<u8> {
    if let Some(path) = &args.from {
        return from_snapshot(&args, path, context).await;
    }
    let (watch, settings) = Watch::begin("plan", args.csv, context)?;
    let result = Box::pin(run_watched(&args, settings, &watch, context).instrument(watch.span())).await;
    watch.end(result).await
}

async fn run_watched(args: &PlanArgs, settings: Settings, watch: &Watch<'_>, context: &Context) -> Result<u8> {
    let session = Session::with(settings, PARALLELISM)?;
    let journal = Journal::begin("plan", &session, context)?;
    watch.begun(&journal);
    let result = Box::pin(plan(args, &session, &journal, watch, context)).await;
    watch.close(journal, result, &session)
}

async fn plan(
    args: &PlanArgs,
    session: &Session,
    journal: &Journal,
    watch: &Watch<'_>,
    context: &Context,
) -> Result<u8> {
    let knows = journal.knows(session, args.full, args.out.is_some(), context)?;
    let Planned { plan, made_from, seen, known, .. } = session.plan(&knows, false, context).await?;
    journal.state().remember_org(&known)?;
    journal.remember_seen(&knows.past, &seen)?;
    journal.planned(&plan)?;
    let hash = fingerprint::of_plan(&plan);
    let allowed = Allowed { resumed: journal.resumed()?, ..Allowed::default() };
    let refusals = guard::check(&plan, &hash, &session.settings.policy, &knows.past, &allowed);
    watch.planned(&plan, &refusals);
    if args.csv {
        context.printer.answer_csv(&plan_csv::render(&plan));
    } else if !watch.is_brief() {
        plan_answer::show(&plan, &hash, (session.org(), session.platform()), &refusals, &context.printer);
    }
    if let Some(path) = &args.out {
        saved::write(path, &plan, made_from, refusals, session)?;
        context
            .printer
            .status(&format!("\nNothing was applied. Run oktapieces apply {} to apply exactly this.", path.display()));
    } else if !plan.is_empty() {
        context.printer.status(
            "\nNothing was written. Run oktapieces apply to apply it, or oktapieces plan --out plan.json to keep it.",
        );
    }
    Ok(exit_code(&plan, args.detailed_exitcode))
}

/// Plans from a snapshot. Nothing is recorded: it isn't a run.
async fn from_snapshot(args: &PlanArgs, path: &Path, context: &Context) -> Result<u8> {
    let mut snapshot = Snapshot::read(path)?;
    let session = Session::offline(session::load(context)?, &snapshot)?;
    snapshot::is_for(&snapshot, &session)?;
    snapshot::serves(&snapshot, &session, context).await?;
    let knows = snapshot::knows(std::mem::take(&mut snapshot.past));
    let Planned { plan, .. } = session.plan(&knows, false, context).await?;
    let hash = fingerprint::of_plan(&plan);
    let allowed = Allowed { resumed: snapshot.resumed, ..Allowed::default() };
    let refusals = guard::check(&plan, &hash, &session.settings.policy, &knows.past, &allowed);
    let servers = (session.org(), session.platform());
    let redacted = if snapshot.redacted { ", redacted" } else { "" };
    if args.csv {
        context.printer.answer_csv(&plan_csv::render(&plan));
    } else if context.printer.json {
        let mut answer = json::plan(&plan, &hash, servers, &refusals);
        answer["snapshot"] = json!({ "file": path, "read_at": snapshot.read_at, "redacted": snapshot.redacted });
        context.printer.answer_json(&answer);
    } else {
        plan_answer::show(&plan, &hash, servers, &refusals, &context.printer);
    }
    context.printer.status(&format!(
        "\nFrom the snapshot {}, read at {}{redacted}. A plan from a snapshot can't be applied.",
        path.display(),
        snapshot.read_at
    ));
    Ok(exit_code(&plan, args.detailed_exitcode))
}

/// A source that isn't trusted and problems have exit codes of their own, so that an unattended run isn't mistaken for
/// a clean one.
fn exit_code(plan: &Plan, detailed: bool) -> u8 {
    if detailed && !plan.is_empty() {
        return EXIT_CHANGES;
    }
    match (plan.shrunk.is_empty(), plan.problems.is_empty()) {
        (false, _) => Kind::NotTrusted.exit_code(),
        (true, false) => Kind::Partial.exit_code(),
        (true, true) => EXIT_OK,
    }
}
