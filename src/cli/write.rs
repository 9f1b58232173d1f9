//! How a plan becomes written, for `apply` and `undo` alike: guards, the plan, the question, the writing, the report.

use clap::Args;

use super::Context;
use super::interrupt::{Interrupt, interrupted};
use super::journal::Journal;
use super::plan::show;
use super::session::{PARALLELISM, Session};
use crate::apply::{self, Event, Report};
use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::output::progress::Progress;
use crate::output::{json, report_text};
use crate::plan::Plan;
use crate::plan::guard::{self, Allowed, Refusal};
use crate::plan::saved::Held;

/// What the commands that write have in common.
#[derive(Debug, Args)]
pub struct WriteArgs {
    /// Write without asking
    #[arg(long, short)]
    pub yes: bool,
    /// Wait for the end of another run that writes to the same platform, instead of giving up
    #[arg(long)]
    pub wait: bool,
    /// Requests to Activepieces side by side
    #[arg(long, value_name = "N", default_value_t = PARALLELISM, value_parser = parallelism)]
    pub parallelism: usize,
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

impl WriteArgs {
    /// Refuses to begin where the plan has to be asked about and nobody can be asked.
    pub fn can_ask(&self, context: &Context) -> Result<()> {
        if self.yes || context.printer.interactive {
            return Ok(());
        }
        Err(Error::new(Kind::Usage, "nobody can be asked here, since this is no terminal")
            .hint("--yes writes without asking"))
    }
}

/// A run that is about to write.
#[derive(Debug)]
pub struct Writing<'a> {
    pub args: &'a WriteArgs,
    pub session: &'a Session,
    pub journal: &'a Journal,
    pub interrupt: &'a Interrupt,
    pub context: &'a Context,
    /// What to do after it.
    pub next: &'static str,
}

impl Writing<'_> {
    /// Shows the plan, asks if `asks`, and writes it. Refuses what the guards don't allow.
    pub async fn carry_out(&self, Held { plan, stale }: Held, asks: bool) -> Result<u8> {
        let &Self { args, session, context, .. } = self;
        self.journal.planned(&plan)?;
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
        let report = Report { stale, ..self.write(&plan).await? };
        self.finish(&plan, &report)
    }

    /// Writes the plan with progress, and each step into the journal.
    async fn write<'p>(&self, plan: &'p Plan) -> Result<Report<'p>> {
        let stopped = self.interrupt.begin_writing();
        if plan.is_empty() {
            return Ok(Report::default());
        }
        self.journal.writes(plan)?;
        let progress = Progress::spinner(&self.context.printer, "Applying");
        let tell = |event: Event<'_>| match event {
            Event::Stage { name, steps } => {
                progress.stage(name, steps);
                Ok(())
            }
            Event::Begins(step) => self.journal.begins(step),
            Event::Ended { step, outcome } => {
                progress.step();
                self.journal.ended(step, outcome);
                Ok(())
            }
        };
        Ok(apply::run(plan, &self.session.activepieces, self.args.parallelism, stopped, &tell).await)
    }

    /// Shows what came of it and gives the exit code.
    fn finish(&self, plan: &Plan, report: &Report<'_>) -> Result<u8> {
        let (printer, run) = (&self.context.printer, self.journal.run());
        if printer.json {
            let plan = json::plan(plan, self.session.org(), self.session.platform(), &[]);
            printer.answer(&json::report(run, &plan, report).to_string());
        } else if !plan.is_empty() || !report.stale.is_empty() {
            printer.answer(&format!("\n{}", report_text::render(report)));
            printer.status(&format!("\n{} This was run {run}: oktapieces undo {run} takes it back.", self.next));
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
}

/// All refusals, with the flags that would allow them.
fn refused(refusals: &[Refusal]) -> Error {
    let texts: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    let flags: Vec<String> = refusals.iter().map(Refusal::flag).collect();
    Error::new(Kind::Refused, texts.join("; "))
        .hint(format!("look at the plan; {} allows exactly this", flags.join(" ")))
}
