//! `oktapieces apply`: plans, asks and writes.

use std::path::PathBuf;

use clap::Args;

use super::only::OnlyArgs;
use crate::error::Result;
use crate::output::format::Format;
use crate::output::text::counted;
use crate::plan::saved::{Fingerprints, Remaining, SavedPlan, still_holds};
use crate::plan::{Past, Plan, Step, fingerprint};
use crate::sync::context::Context;
use crate::sync::job::{Consent, Job, WriteArgs};
use crate::sync::saved;
use crate::sync::session::{self, Planned};
use crate::sync::write::{self, Proposal, Writing};

/// Show the plan, ask, and write it to Activepieces
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// Apply exactly the plan in this file, which plan --out made, without asking
    #[arg(value_name = "FILE", conflicts_with_all = ["yes", "only"])]
    plan: Option<PathBuf>,
    #[command(flatten)]
    write: WriteArgs,
    #[command(flatten)]
    reads: ReadArgs,
    #[command(flatten)]
    only: OnlyArgs,
}

/// How Okta is read.
#[derive(Clone, Copy, Debug, Args)]
struct ReadArgs {
    /// Trust Okta's answers even if they are much smaller than the last time
    #[arg(long)]
    trust_source: bool,
    /// Read the members of all groups, also of those that haven't changed since an earlier run
    #[arg(long)]
    full: bool,
}

pub async fn run(args: ApplyArgs, context: &Context) -> Result<u8> {
    let saved = args.plan.as_deref().map(saved::read).transpose()?;
    if saved.is_none() {
        args.write.can_ask(context)?;
    }
    let targets = session::targets(context)?;
    let targets = match &saved {
        Some(saved) => vec![saved::target_of(saved, targets)?],
        None => targets,
    };
    let consent = if saved.is_some() || args.write.yes { Consent::Given } else { Consent::Asked };
    let command = args.plan.as_ref().map_or("apply".to_owned(), |file| format!("apply {}", file.display()));
    let next = "Run oktapieces plan to see that nothing is left to do.";
    let job =
        Job { name: "apply", command, args: &args.write, consent, context, next, format: Format::of(&context.printer) };
    let propose = async |writing: &Writing<'_>| propose(saved.as_ref(), args.reads, &args.only, writing).await;
    Box::pin(write::run(&job, targets, propose)).await
}

/// Plans again, and proposes the plan: all of it, or the part that was saved before.
async fn propose(
    saved: Option<&SavedPlan>,
    reads: ReadArgs,
    only: &OnlyArgs,
    writing: &Writing<'_>,
) -> Result<Proposal> {
    let Writing { job: Job { context, .. }, session, journal, .. } = writing;
    let knows = journal.knows(session, reads.full, saved.is_some(), context)?;
    let planned = Box::pin(session.plan(&knows, reads.trust_source, context)).await?;
    let Planned { plan: mut new, made_from, seen, remember, known, digests, now } = planned;
    journal.state().remember_org(&known)?;
    journal.remember_seen(&knows.past, &seen)?;
    only.keep(&mut new, context);
    let (held, hash) = if let Some(saved) = saved {
        tell_what_changed(saved, &made_from, context);
        (rest(saved, &new, writing)?, saved.hash.clone())
    } else {
        let hash = fingerprint::of_plan(&new);
        (Remaining { plan: new, ..Remaining::default() }, hash)
    };
    let is_part = only.is_part() || saved.is_some_and(|saved| saved.is_part);
    // Of a saved plan only a part may be left, and what isn't in it isn't known to be in line.
    let is_whole = saved.is_none() && !is_part;
    let (digests, in_line) = (is_whole.then_some(digests), knows.in_line);
    // A part doesn't bring the platform in line: the limits of a first run stay those of a first run.
    let trusted = if is_part { knows.past.trusted.clone() } else { remember.trusted };
    let remember = Past { trusted, ..remember };
    Ok(Proposal { held, hash, past: seen, remember, digests, in_line, now, accounts: None })
}

/// Reports which side changed since the plan was made.
fn tell_what_changed(saved: &SavedPlan, now: &Fingerprints, context: &Context) {
    let changed = saved.made_from.changed(now);
    if !changed.is_empty() {
        let changed = changed.join(" and ");
        context.printer.status(&format!("Since this plan was made, {changed} changed; what is stale is left out."));
    }
}

/// What is left of a saved plan, of which an earlier run may have done a part.
fn rest(saved: &SavedPlan, new: &Plan, writing: &Writing<'_>) -> Result<Remaining> {
    let tried = writing.journal.state().tried_of(&saved.hash)?;
    let tried = |step: Step<'_>| tried.contains(&(step.kind().to_owned(), step.okta_id().to_owned()));
    let held = still_holds(&saved.plan, new, &tried);
    if held.done > 0 {
        let done = counted(held.done, "operation of this plan was", "operations of this plan were");
        writing.job.context.printer.status(&format!("{done} done by an earlier run."));
    }
    Ok(held)
}
