//! `oktapieces show`: shows a saved plan or a run.

use std::path::PathBuf;

use clap::Args;

use super::format::FormatArgs;
use super::history::with_outcome;
use crate::apply::estimate::Estimate;
use crate::error::{EXIT_OK, Result};
use crate::output::document::Document;
use crate::plan::{Plan, fingerprint};
use crate::sync::context::Context;
use crate::sync::saved;
use crate::sync::session::{load, state_to_read};

/// Show a plan that was kept in a file, as plan did, or a run with its plan and what came of each operation
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The number of a run, which history lists, or last for the newest apply or undo, or a file that plan --out made
    #[arg(value_name = "RUN|last|FILE")]
    what: PathBuf,
    #[command(flatten)]
    pub format: FormatArgs,
}

pub fn run(args: &ShowArgs, context: &Context) -> Result<u8> {
    match args.what.to_str() {
        Some("last") => of_run(None, args, context),
        Some(text) if text.parse::<u32>().is_ok() => of_run(text.parse().ok(), args, context),
        _ => of_file(args, context),
    }
}

fn of_file(args: &ShowArgs, context: &Context) -> Result<u8> {
    let saved = saved::read(&args.what)?;
    let host = |url: &str| url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/').to_owned();
    let (okta, activepieces) = (host(&saved.okta), host(&saved.activepieces));
    let made = saved.made_at.map(|made| made.to_string());
    let estimate = Some(Estimate { writes: saved.plan.steps().count(), takes: None });
    let document = Document {
        estimate,
        made: made.as_deref(),
        tool_version: &saved.tool_version,
        config: saved.config.as_deref(),
        limits: saved.limits.as_ref(),
        refusals: &saved.refusals,
        ..Document::of_plan(&saved.plan, &saved.hash, (&okta, &activepieces))
    };
    args.format.wanted(&context.printer).answer(&document, &context.printer);
    Ok(EXIT_OK)
}

/// A run by its number, or the newest that may have written.
fn of_run(number: Option<u32>, args: &ShowArgs, context: &Context) -> Result<u8> {
    let state = state_to_read(&load(context)?, context)?;
    let found = number.map_or_else(|| state.last_apply(), |number| state.run(number))?;
    let run = with_outcome(found, &state);
    let recorded = state.recorded(run.clone())?;
    let none = Plan::default();
    let plan = recorded.as_ref().map_or(&none, |recorded| &recorded.plan);
    let (hash, report) = (fingerprint::of_plan(plan), recorded.as_ref().map(|recorded| recorded.report()));
    let document = Document {
        made: Some(&run.started),
        tool_version: &run.tool_version,
        run: Some(&run),
        report: report.as_ref(),
        recorded: recorded.as_ref(),
        ..Document::of_plan(plan, &hash, (&run.okta, &run.activepieces))
    };
    args.format.wanted(&context.printer).answer(&document, &context.printer);
    Ok(EXIT_OK)
}
