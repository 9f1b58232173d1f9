//! `oktapieces apply`

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::interrupt::{Interrupt, interrupted};
use super::plan::show;
use super::session::{PARALLELISM, Planned, Session};
use super::{Context, saved};
use crate::activepieces;
use crate::apply::{self, Event, Report};
use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::output::progress::Progress;
use crate::output::{json, report_text};
use crate::plan::convergence::Stands;
use crate::plan::guard::{self, Allowed, Refusal};
use crate::plan::saved::{Held, still_holds};
use crate::plan::{Past, Plan, hash};

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
    /// Allow exactly so many deletions of projects, which `delete_unpushed` asks for
    #[arg(long, value_name = "N")]
    allow_project_deletions: Option<usize>,
    /// Allow the plan of this hash, which plan printed, though it is over a limit; refuse every other
    #[arg(long, value_name = "HASH")]
    approve: Option<String>,
    /// Take what Okta answers now for right, though it is much smaller than the last time
    #[arg(long)]
    trust_source: bool,
}

impl ApplyArgs {
    fn allowed(&self) -> Allowed {
        Allowed {
            deactivations: self.allow_deactivations,
            project_deletions: self.allow_project_deletions,
            empty_scope: self.allow_empty_scope,
            approved: self.approve.clone(),
        }
    }
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
    let past = Past::default();
    let Planned { plan: new, mut remember } = session.plan(&past, args.trust_source, context).await?;
    // The hash of a saved plan is that which was looked at, also where a part of it is stale.
    let hash = saved.as_ref().map_or_else(|| hash::of_plan(&new), |saved| saved.hash.clone());
    let Held { plan, stale } = match saved {
        Some(saved) => still_holds(&saved.plan, &new),
        None => Held { plan: new, stale: Vec::new() },
    };
    let refusals = guard::check(&plan, &hash, &session.settings.policy, &past, &args.allowed());
    if !context.printer.json || !refusals.is_empty() {
        show(&plan, &hash, (session.org(), session.platform()), &refusals, context);
    }
    if !refusals.is_empty() {
        return Err(refused(&refusals, &hash));
    }
    if asks && !plan.is_empty() && !context.printer.confirm("\nApply this plan?") {
        context.printer.status("Nothing was written.");
        return Err(interrupted());
    }
    let mut report = Report { stale, ..write(&plan, &session, args.parallelism, &interrupt, context).await };
    let seen = look_again(&mut report, &session).await;
    match &seen {
        Ok(unsettled) => remember.unsettled.extend(unsettled.iter().cloned()),
        Err(error) => context.printer.warning(&format!("whether all of it stands wasn't seen: {error}")),
    }
    let code = finish(&plan, &hash, &session, &report, context)?;
    Ok(if seen.is_err() && code == EXIT_OK { Kind::Partial.exit_code() } else { code })
}

/// Reads again what was written, and gives the changes that did not come to stand.
async fn look_again(report: &mut Report<'_>, session: &Session) -> Result<Vec<String>> {
    if report.interrupted || !report.outcomes().any(|(_, outcome)| outcome.is_answered()) {
        return Ok(Vec::new());
    }
    let platform = activepieces::read(&session.activepieces).await?;
    Ok(report.look_again(&Stands::of(&platform)))
}

/// All refusals, with the flags that would allow them.
fn refused(refusals: &[Refusal], hash: &str) -> Error {
    let texts: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    let error = Error::new(Kind::Refused, texts.join("; "));
    match refusals.iter().map(|refusal| refusal.flag(hash)).collect::<Option<BTreeSet<String>>>() {
        Some(flags) => {
            let flags: Vec<String> = flags.into_iter().collect();
            error.hint(format!("look at the plan; {} allows exactly this", flags.join(" ")))
        }
        None => error.hint("look at the plan; no flag allows this"),
    }
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
fn finish(plan: &Plan, hash: &str, session: &Session, report: &Report<'_>, context: &Context) -> Result<u8> {
    let printer = &context.printer;
    if printer.json {
        let plan = json::plan(plan, hash, (session.org(), session.platform()), &[]);
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
    if !plan.shrunk.is_empty() {
        printer.warning("the source is not trusted, and nothing was taken away; --trust-source takes it for right");
        return Ok(Kind::NotTrusted.exit_code());
    }
    let whole = done == all && report.stale.is_empty() && report.diverged.is_empty() && plan.problems.is_empty();
    Ok(if whole { EXIT_OK } else { Kind::Partial.exit_code() })
}
