//! `oktapieces undo`: plans and writes the reverse of a run.

use std::collections::BTreeSet;

use clap::Args;

use crate::apply::Outcome;
use crate::error::{Error, Kind, Result};
use crate::output::format::Format;
use crate::plan::saved::Remaining;
use crate::plan::undo::{Trace, Undone};
use crate::plan::{Step, fingerprint};
use crate::state::history::{Recorded, Standing};
use crate::sync::context::Context;
use crate::sync::job::{Consent, Job, WriteArgs};
use crate::sync::session::{self, Knows, Planned};
use crate::sync::write::{self, Proposal, Writing};

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
    let command = format!("undo {}{}", args.run, if args.dry_run { " --dry-run" } else { "" });
    let next = "Run oktapieces plan to see what the next apply would do again.";
    let job =
        Job { name: "undo", command, args: &args.write, consent, context, next, format: Format::of(&context.printer) };
    let propose = async |writing: &Writing<'_>| propose(args.run, writing).await;
    Box::pin(write::run(&job, vec![session::one_target(context)?], propose)).await
}

async fn propose(run: u32, writing: &Writing<'_>) -> Result<Proposal> {
    let Writing { job: Job { context, .. }, session, journal, .. } = writing;
    let recorded = journal.state().recorded(journal.state().run(run)?)?;
    let recorded = recorded.ok_or_else(|| Error::new(Kind::Usage, format!("run {run} wrote nothing")))?;
    let knows = journal.knows(session, false, false, context)?;
    let Planned { plan, seen, remember, now, .. } = plan(&recorded, &knows, writing).await?;
    journal.remember_seen(&knows.past, &seen)?;
    if !plan.is_empty() {
        context.printer.warning("the next apply repeats what Okta and the config still ask for");
    }
    let hash = fingerprint::of_plan(&plan);
    let held = Remaining { plan, ..Remaining::default() };
    Ok(Proposal { held, hash, past: seen, remember, digests: None, in_line: knows.in_line, now, accounts: None })
}

/// The plan that undoes the run, from a new read of both sides.
async fn plan(recorded: &Recorded, knows: &Knows, writing: &Writing<'_>) -> Result<Planned> {
    let (session, state, run) = (&writing.session, writing.journal.state(), recorded.run.id);
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
    Box::pin(session.undo(knows, undone, writing.job.context)).await
}

/// What the journal of the run knows of a step.
fn trace(recorded: &Recorded, step: Step<'_>) -> Trace {
    match recorded.standing(step) {
        Standing::Ended(Outcome::Done) => Trace::Done,
        Standing::Planned | Standing::Ended(Outcome::Skipped(_) | Outcome::Stale(_)) => Trace::None,
        Standing::Begun | Standing::Ended(_) => Trace::Perhaps,
    }
}
