//! `oktapieces undo`: plans and writes the reverse of a run.

use std::collections::BTreeSet;

use clap::Args;
use tracing::Instrument;

use crate::apply::Outcome;
use crate::config::Settings;
use crate::error::{Error, Kind, Result};
use crate::plan::saved::Remaining;
use crate::plan::undo::{Trace, Undone};
use crate::plan::{Step, fingerprint};
use crate::state::history::{Recorded, Standing};
use crate::sync::context::Context;
use crate::sync::interrupt::Interrupt;
use crate::sync::session::{Knows, Planned, Session};
use crate::sync::watch::Watch;
use crate::sync::write::{self, Consent, Proposal, WriteArgs, Writing};

/// Show the plan that undoes a run, ask, and write it
///
/// What the run did is undone as far as it is still current: accounts become active or inactive again, roles, names and
/// memberships are restored. Users without access in Okta today get no access and no role back. What changed since, or
/// can't be undone, is named and left alone.
#[derive(Debug, Args)]
pub struct UndoArgs {
    /// The number of a run, which history lists
    #[arg(value_name = "RUN")]
    run: u32,
    /// Show the plan and write nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    write: WriteArgs,
}

pub async fn run(args: UndoArgs, context: &Context) -> Result<u8> {
    let consent = match (args.dry_run, args.write.yes) {
        (true, _) => Consent::Withheld,
        (false, true) => Consent::Given,
        (false, false) => Consent::Asked,
    };
    if consent == Consent::Asked {
        args.write.can_ask(context)?;
    }
    let (watch, settings) = Watch::begin("undo", consent == Consent::Asked, context)?;
    let result = Box::pin(run_watched(&args, consent, settings, &watch).instrument(watch.span())).await;
    watch.end(result).await
}

async fn run_watched(args: &UndoArgs, consent: Consent, settings: Settings, watch: &Watch<'_>) -> Result<u8> {
    let interrupt = Interrupt::watch();
    let session = Session::with(settings, args.write.parallelism)?;
    let command = format!("undo {}{}", args.run, if args.dry_run { " --dry-run" } else { "" });
    let next = "Run oktapieces plan to see what the next apply would do again.";
    let work = async |writing: &Writing<'_>| take_back(args.run, consent, writing).await;
    write::run(&command, next, &args.write, &session, watch, &interrupt, work).await
}

async fn take_back(run: u32, consent: Consent, writing: &Writing<'_>) -> Result<u8> {
    let state = writing.journal.state();
    let recorded = state.recorded(state.run(run)?)?;
    let recorded = recorded.ok_or_else(|| Error::new(Kind::Usage, format!("run {run} wrote nothing")))?;
    let propose = async || {
        let knows = writing.journal.knows(writing.session, false, false, writing.context)?;
        let Planned { plan, seen, remember, now, .. } = plan(&recorded, &knows, writing).await?;
        writing.journal.remember_seen(&knows.past, &seen)?;
        if !plan.is_empty() {
            writing.context.printer.warning("the next apply repeats what Okta and the config still ask for");
        }
        let hash = fingerprint::of_plan(&plan);
        let held = Remaining { plan, ..Remaining::default() };
        Ok(Proposal { held, hash, past: seen, remember, digests: None, in_line: knows.in_line, now, accounts: None })
    };
    writing.carry_out(propose, consent).await
}

/// The plan that undoes the run, from a new read of both sides.
async fn plan(recorded: &Recorded, knows: &Knows, writing: &Writing<'_>) -> Result<Planned> {
    let (session, state, run) = (writing.session, writing.journal.state(), recorded.run.id);
    let mut blurred = BTreeSet::new();
    for step in recorded.plan.steps() {
        if trace(recorded, step) == Trace::Perhaps && state.tried_since(run, step)? {
            blurred.insert((step.kind(), step.okta_id()));
        }
    }
    let trace = |step: Step<'_>| match trace(recorded, step) {
        Trace::Perhaps if blurred.contains(&(step.kind(), step.okta_id())) => Trace::Blurred,
        trace => trace,
    };
    let undone = Undone { run, plan: &recorded.plan, trace: &trace };
    Box::pin(session.undo(knows, undone, writing.context)).await
}

/// What the journal of the run knows of a step.
fn trace(recorded: &Recorded, step: Step<'_>) -> Trace {
    match recorded.standing(step) {
        Standing::Ended(Outcome::Done) => Trace::Done,
        Standing::Planned | Standing::Ended(Outcome::Skipped(_) | Outcome::Stale(_)) => Trace::None,
        Standing::Begun | Standing::Ended(_) => Trace::Perhaps,
    }
}
