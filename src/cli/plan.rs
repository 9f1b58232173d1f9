//! `oktapieces plan`: shows the changes.

use std::path::PathBuf;

use clap::Args;

use crate::error::{EXIT_CHANGES, EXIT_OK, Kind, Result};
use crate::output::{plan_answer, plan_csv};
use crate::plan::guard::{self, Allowed};
use crate::plan::{Plan, fingerprint};
use crate::sync::context::Context;
use crate::sync::journal::Journal;
use crate::sync::saved;
use crate::sync::session::{PARALLELISM, Planned, Session};

/// Show what would change in Activepieces; nothing is written
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Exit with 0 for no changes, 1 for a failure and 2 for changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// Keep the plan in this file, for apply FILE
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Read the members of all groups, also of those that haven't changed since an earlier run
    #[arg(long)]
    full: bool,
    /// One row of CSV for each change, safe to open in a spreadsheet
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

pub async fn run(args: PlanArgs, context: &Context) -> Result<u8> {
    let session = Session::open(context, PARALLELISM)?;
    let journal = Journal::begin("plan", &session, context)?;
    let result = plan(&args, &session, &journal, context).await;
    journal.end(result, session.requests())
}

async fn plan(args: &PlanArgs, session: &Session, journal: &Journal, context: &Context) -> Result<u8> {
    let knows = journal.knows(args.full, args.out.is_some(), context)?;
    let Planned { plan, made_from, seen, known, .. } = session.plan(&knows, false, context).await?;
    journal.state().remember_org(&known)?;
    journal.remember_seen(&knows.past, &seen)?;
    journal.planned(&plan)?;
    let hash = fingerprint::of_plan(&plan);
    let allowed = Allowed { resumed: journal.resumed()?, ..Allowed::default() };
    let refusals = guard::check(&plan, &hash, &session.settings.policy, &knows.past, &allowed);
    if args.csv {
        context.printer.answer_csv(&plan_csv::render(&plan));
    } else {
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
