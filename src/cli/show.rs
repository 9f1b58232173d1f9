//! `oktapieces show`: shows a saved plan or a run.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::history::with_outcome;
use crate::error::{EXIT_OK, Result};
use crate::output::json::{self, FORMAT_VERSION};
use crate::output::plan_text::Around;
use crate::output::{history_text, plan_answer, plan_csv, report_text};
use crate::plan::fingerprint;
use crate::state::history::Run;
use crate::sync::context::Context;
use crate::sync::saved;
use crate::sync::session::{load, state_to_read};

/// Show a plan that was kept in a file, as plan did, or a run with its plan and what came of it
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The number of a run, which history lists, or a file that plan --out made
    #[arg(value_name = "RUN|FILE")]
    what: PathBuf,
    /// The plan in one row of CSV for each change, safe to open in a spreadsheet
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

pub fn run(args: &ShowArgs, context: &Context) -> Result<u8> {
    match args.what.to_str().and_then(|text| text.parse().ok()) {
        Some(number) => of_run(number, args.csv, context),
        None => of_file(args, context),
    }
}

fn of_file(args: &ShowArgs, context: &Context) -> Result<u8> {
    let saved = saved::read(&args.what)?;
    if args.csv {
        context.printer.answer_csv(&plan_csv::render(&saved.plan));
        return Ok(EXIT_OK);
    }
    let host = |url: &str| url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/').to_owned();
    let (okta, activepieces) = (host(&saved.okta), host(&saved.activepieces));
    let (made, refusals) = (saved.made.as_ref(), &saved.refusals[..]);
    let around = Around { okta: &okta, activepieces: &activepieces, made, limits: None, refusals, hash: &saved.hash };
    plan_answer::show(&saved.plan, around, &context.printer);
    Ok(EXIT_OK)
}

/// What is shown around the plan of a run. When it was made is in the heading of the run.
fn around<'a>(run: &'a Run, hash: &'a str) -> Around<'a> {
    let (okta, activepieces) = (&run.okta, &run.activepieces);
    Around { okta, activepieces, made: None, limits: None, refusals: &[], hash }
}

fn of_run(number: u32, csv: bool, context: &Context) -> Result<u8> {
    let state = state_to_read(&load(context)?, context)?;
    let run = with_outcome(state.run(number)?, &state);
    let recorded = state.recorded(run.clone())?;
    if csv {
        let plan = recorded.map(|recorded| recorded.plan).unwrap_or_default();
        context.printer.answer_csv(&plan_csv::render(&plan));
        return Ok(EXIT_OK);
    }
    if context.printer.json {
        let mut answer = match &recorded {
            Some(recorded) => {
                let hash = fingerprint::of_plan(&recorded.plan);
                let plan = json::plan(&recorded.plan, &around(&run, &hash));
                json::report(number, &plan, &recorded.report())
            }
            None => {
                json!({ "format_version": FORMAT_VERSION, "tool_version": env!("CARGO_PKG_VERSION"), "run": number })
            }
        };
        answer["record"] = json!(run);
        context.printer.answer_json(&answer);
        return Ok(EXIT_OK);
    }
    context.printer.answer(&format!("{}\n", history_text::heading(&run)));
    match recorded {
        Some(recorded) => {
            let hash = fingerprint::of_plan(&recorded.plan);
            plan_answer::show(&recorded.plan, around(&run, &hash), &context.printer);
            context.printer.answer(&format!("\n{}", report_text::render(&recorded.report())));
        }
        None => context.printer.answer("It wrote nothing."),
    }
    Ok(EXIT_OK)
}
