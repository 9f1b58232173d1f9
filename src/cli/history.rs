//! `oktapieces history`: lists the runs.

use clap::Args;
use serde_json::json;

use crate::error::{EXIT_OK, Result};
use crate::output::history_text;
use crate::output::json::FORMAT_VERSION;
use crate::state::StateFile;
use crate::state::history::Run;
use crate::sync::context::Context;
use crate::sync::session::{load, state_to_read};

/// List the runs of this org and platform, newest first
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// So many runs
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

pub fn run(args: &HistoryArgs, context: &Context) -> Result<u8> {
    let state = state_to_read(&load(context)?, context)?;
    let runs: Vec<Run> = state.runs(args.limit)?.into_iter().map(|run| with_outcome(run, &state)).collect();
    if context.printer.json {
        let answer = json!({
            "format_version": FORMAT_VERSION,
            "tool_version": env!("CARGO_PKG_VERSION"),
            "file": state.path(),
            "runs": runs,
        });
        context.printer.answer_json(&answer);
    } else if runs.is_empty() {
        context.printer.status(&format!("There is no run in {} yet.", state.path().display()));
    } else {
        context.printer.answer(&history_text::list(&runs));
        context.printer.status("\nRun oktapieces show RUN to see one whole, or oktapieces undo RUN to undo one.");
    }
    Ok(EXIT_OK)
}

/// Sets the outcome of a run that has none in the file: it is running, or it was killed and no later run has recorded
/// that. A writing run has the lock; a plan has none and counts as running.
pub fn with_outcome(mut run: Run, state: &StateFile) -> Run {
    let word = || if run.command == "plan" || state.is_locked() { "running" } else { "interrupted" };
    run.outcome = Some(run.outcome.take().unwrap_or_else(|| word().to_owned()));
    run
}
