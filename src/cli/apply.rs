//! `oktapieces apply`

use std::path::PathBuf;

use clap::Args;

use super::interrupt::{Interrupt, interrupted};
use super::plan::show;
use super::session::{PARALLELISM, Session};
use super::{Context, saved};
use crate::apply::{self, Event, Report};
use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::output::progress::Progress;
use crate::output::{json, report_text};
use crate::plan::Plan;
use crate::plan::guard::{self, Allowed, Refusal};
use crate::plan::saved::{Held, still_holds};

/// Show the plan, ask, and write it to Activepieces
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// Apply exactly the plan in this file, which plan --out made, without asking
    #[arg(value_name = "FILE", conflicts_with = "yes")]
    plan: Option<PathBuf>,
    /// Write without asking
    #[arg(long, short)]
    yes: bool,
    /// Requests to Activepieces side by side
    #[arg(long, value_name = "N", default_value_t = PARALLELISM, value_parser = parallelism)]
    parallelism: usize,
    /// Allow exactly so many deactivations, though the limit in the config is lower
    #[arg(long, value_name = "N")]
    allow_deactivations: Option<usize>,
    /// Allow a plan that deactivates accounts because nobody is in scope
    #[arg(long)]
    allow_empty_scope: bool,
}

fn parallelism(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=64) => Ok(number),
        _ => Err("a number from 1 to 64 is wanted".to_owned()),
    }
}

pub async fn run(args: ApplyArgs, context: &Context) -> Result<u8> {
    let saved = args.plan.as_deref().map(saved::read).transpose()?;
    let asks = saved.is_none() && !args.yes;
    if asks && !context.printer.interactive {
        return Err(Error::new(Kind::Usage, "nobody can be asked here, since this is no terminal")
            .hint("--yes applies without asking"));
    }
    let interrupt = Interrupt::watch();
    let session = Session::open(context, args.parallelism)?;
    if let Some(saved) = &saved {
        saved::is_for(saved, &session)?;
    }
    let new = session.plan(context).await?;
    let Held { plan, stale } = match saved {
        Some(saved) => still_holds(&saved.plan, &new),
        None => Held { plan: new, stale: Vec::new() },
    };
    let allowed = Allowed { deactivations: args.allow_deactivations, empty_scope: args.allow_empty_scope };
    let refusals = guard::check(&plan, &session.settings.policy, allowed);
    if !context.printer.json || !refusals.is_empty() {
        show(&plan, (session.org(), session.platform()), &refusals, context);
    }
    if !refusals.is_empty() {
        return Err(refused(&refusals));
    }
    if asks && !plan.is_empty() && !context.printer.confirm("\nApply this plan?") {
        context.printer.status("Nothing was written.");
        return Err(interrupted());
    }
    let report = Report { stale, ..write(&plan, &session, args.parallelism, &interrupt, context).await };
    finish(&plan, &session, &report, context)
}

/// All refusals, with the flags that would allow them.
fn refused(refusals: &[Refusal]) -> Error {
    let texts: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    let flags: Vec<String> = refusals.iter().map(Refusal::flag).collect();
    Error::new(Kind::Refused, texts.join("; "))
        .hint(format!("look at the plan; {} allows exactly this", flags.join(" ")))
}

/// Writes the plan with progress.
async fn write<'p>(
    plan: &'p Plan,
    session: &Session,
    parallelism: usize,
    interrupt: &Interrupt,
    context: &Context,
) -> Report<'p> {
    let progress = Progress::spinner(&context.printer, "Applying");
    let tell = |event: Event<'_>| match event {
        Event::Stage { name, operations } => progress.stage(name, operations),
        Event::Ended { .. } => progress.step(),
    };
    apply::run(plan, &session.activepieces, parallelism, interrupt.begin_writing(), &tell).await
}

/// Shows what came of it and gives the exit code.
fn finish(plan: &Plan, session: &Session, report: &Report<'_>, context: &Context) -> Result<u8> {
    let printer = &context.printer;
    if printer.json {
        let plan = json::plan(plan, session.org(), session.platform(), &[]);
        printer.answer(&json::report(&plan, report).to_string());
    } else if !plan.is_empty() || !report.stale.is_empty() {
        printer.answer(&format!("\n{}", report_text::render(report)));
        printer.status("\nRun oktapieces plan to see that nothing is left to do.");
    }
    let (done, all) = report.done_of();
    if report.interrupted {
        return Err(interrupted().hint(format!("{} of {all} operations remain; run it again", all - done)));
    }
    if all == 0 && !report.stale.is_empty() {
        return Err(Error::new(Kind::Refused, "nothing of the plan holds any more").hint("make a new one"));
    }
    let whole = done == all && report.stale.is_empty() && plan.problems.is_empty();
    Ok(if whole { EXIT_OK } else { Kind::Partial.exit_code() })
}
