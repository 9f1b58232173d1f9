//! `oktapieces apply`

use std::path::PathBuf;

use clap::Args;

use super::interrupt::Interrupt;
use super::journal::Journal;
use super::session::Session;
use super::write::{WriteArgs, Writing};
use super::{Context, saved};
use crate::error::Result;
use crate::plan::saved::{Held, SavedPlan, still_holds};

/// Show the plan, ask, and write it to Activepieces
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// Apply exactly the plan in this file, which plan --out made, without asking
    #[arg(value_name = "FILE", conflicts_with = "yes")]
    plan: Option<PathBuf>,
    #[command(flatten)]
    write: WriteArgs,
}

pub async fn run(args: ApplyArgs, context: &Context) -> Result<u8> {
    let saved = args.plan.as_deref().map(saved::read).transpose()?;
    if saved.is_none() {
        args.write.can_ask(context)?;
    }
    let interrupt = Interrupt::watch();
    let session = Session::open(context, args.write.parallelism)?;
    if let Some(saved) = &saved {
        saved::is_for(saved, &session)?;
    }
    let command = args.plan.as_ref().map_or("apply".to_owned(), |file| format!("apply {}", file.display()));
    let journal = Journal::begin_alone(&command, &session, args.write.wait, context).await?;
    let next = "Run oktapieces plan to see that nothing is left to do.";
    let writing =
        Writing { args: &args.write, session: &session, journal: &journal, interrupt: &interrupt, context, next };
    let result = apply(saved, &writing).await;
    journal.end(result, session.requests())
}

/// Plans anew, and applies what the plan says: all of it, or as far as it was saved before.
async fn apply(saved: Option<SavedPlan>, writing: &Writing<'_>) -> Result<u8> {
    let asks = saved.is_none() && !writing.args.yes;
    let new = writing.session.plan(writing.context).await?;
    let held = match saved {
        Some(saved) => still_holds(&saved.plan, &new),
        None => Held { plan: new, stale: Vec::new() },
    };
    writing.carry_out(held, asks).await
}
