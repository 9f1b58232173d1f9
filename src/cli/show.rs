//! `oktapieces show`: shows a saved plan or a run.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::history::with_outcome;
use crate::error::{EXIT_OK, Result};
use crate::output::json::{self, FORMAT_VERSION};
use crate::output::{Verbosity, history_text, outcomes, plan_answer, plan_csv, report_text};
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
    /// One row of CSV for each change, safe to open in a spreadsheet; of a run with what came of it
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

pub fn run(args: &ShowArgs, context: &Context) -> Result<u8> {
    match args.what.to_str() {
        Some("last") => of_run(None, args.csv, context),
        Some(text) if text.parse::<u32>().is_ok() => of_run(text.parse().ok(), args.csv, context),
        _ => of_file(args, context),
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
    plan_answer::show(&saved.plan, &saved.hash, (&okta, &activepieces), &saved.refusals, &context.printer);
    Ok(EXIT_OK)
}

/// A run by its number, or the newest that may have written.
fn of_run(number: Option<u32>, csv: bool, context: &Context) -> Result<u8> {
    let state = state_to_read(&load(context)?, context)?;
    let found = number.map_or_else(|| state.last_apply(), |number| state.run(number))?;
    let run = with_outcome(found, &state);
    let recorded = state.recorded(run.clone())?;
    if csv {
        let table = recorded.as_ref().map_or_else(|| plan_csv::render(&Plan::default()), plan_csv::render_run);
        context.printer.answer_csv(&table);
        return Ok(EXIT_OK);
    }
    if context.printer.json {
        let mut answer = match &recorded {
            Some(recorded) => {
                let hash = fingerprint::of_plan(&recorded.plan);
                let plan = json::plan(&recorded.plan, &hash, (&run.okta, &run.activepieces), &[]);
                let mut answer = json::report(run.id, &plan, &recorded.report());
                answer["outcomes"] = outcomes::json(recorded).into();
                answer
            }
            None => {
                json!({ "format_version": FORMAT_VERSION, "tool_version": env!("CARGO_PKG_VERSION"), "run": run.id })
            }
        };
        answer["record"] = json!(run);
        context.printer.answer_json(&answer);
        return Ok(EXIT_OK);
    }
    context.printer.answer(&format!("{}\n", history_text::heading(&run)));
    match recorded {
        Some(recorded) => {
            plan_answer::show(
                &recorded.plan,
                &fingerprint::of_plan(&recorded.plan),
                (&run.okta, &run.activepieces),
                &[],
                &context.printer,
            );
            let whole = context.printer.verbosity == Verbosity::Verbose;
            let (each, ending) = (outcomes::text(&recorded, whole), report_text::ending(&recorded.report()));
            context.printer.answer(&format!("\n{each}\n\n{ending}"));
        }
        None => context.printer.answer("It wrote nothing."),
    }
    Ok(EXIT_OK)
}
