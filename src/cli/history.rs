//! `oktapieces history`: lists the runs.

use clap::Args;
use clap::builder::PossibleValuesParser;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};
use serde_json::json;

use crate::error::{EXIT_OK, Result};
use crate::output::history_text;
use crate::output::json::FORMAT_VERSION;
use crate::state::StateFile;
use crate::state::history::{Filter, Run};
use crate::sync::context::Context;
use crate::sync::session::{load, state_to_read};

/// The outcomes that a run can have.
const OUTCOMES: [&str; 6] = ["done", "partial", "refused", "failed", "interrupted", "running"];

/// List the runs of this org and platform, newest first
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// At most so many runs
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Only runs that may write: apply and undo, and no dry run
    #[arg(long)]
    applies: bool,
    /// Only runs that began since then: a date or a time in UTC (2026-11-01), or a length of time (7d, 12h)
    #[arg(long, value_name = "DATE|TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// Only runs of this outcome
    #[arg(long, value_name = "WORD", value_parser = PossibleValuesParser::new(OUTCOMES))]
    outcome: Option<String>,
}

/// `2026-11-01`, `2026-11-01T12:00`, `2026-11-01T12:00:00+01:00`, or `7d` for seven days ago.
fn since(text: &str) -> std::result::Result<Timestamp, String> {
    let text = text.trim();
    let expected = || "expected a date such as 2026-11-01, or a length of time such as 7d".to_owned();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    if let Ok(time) = text.parse::<DateTime>() {
        return TimeZone::UTC.to_timestamp(time).map_err(|_| expected());
    }
    let span: Span = text.parse().map_err(|_| expected())?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| expected())?;
    if length.is_negative() {
        return Err(expected());
    }
    Timestamp::now().checked_sub(length).map_err(|_| expected())
}

pub fn run(args: &HistoryArgs, context: &Context) -> Result<u8> {
    let state = state_to_read(&load(context)?, context)?;
    let filter = Filter { applies: args.applies, since: args.since, outcome: args.outcome.as_deref() };
    let runs = state.runs(filter, args.limit)?;
    let runs: Vec<Run> = runs.into_iter().map(|run| with_outcome(run, &state)).collect();
    if context.printer.json {
        let answer = json!({
            "format_version": FORMAT_VERSION,
            "tool_version": env!("CARGO_PKG_VERSION"),
            "file": state.path(),
            "runs": runs,
        });
        context.printer.answer_json(&answer);
    } else if runs.is_empty() {
        let path = state.path().display();
        context.printer.status(&if args.filters() {
            format!("There is no such run in {path}.")
        } else {
            format!("There is no run in {path} yet.")
        });
    } else {
        context.printer.answer(&history_text::list(&runs));
        context.printer.status("\nRun oktapieces show RUN to see one whole, or oktapieces undo RUN to undo one.");
    }
    Ok(EXIT_OK)
}

impl HistoryArgs {
    fn filters(&self) -> bool {
        self.applies || self.since.is_some() || self.outcome.is_some()
    }
}

/// Sets the outcome of a run that has none in the file: it is running, or it was killed and no later run has recorded
/// that.
pub fn with_outcome(mut run: Run, state: &StateFile) -> Run {
    if run.outcome.is_none() {
        let word = if !run.may_write() || state.is_locked() { "running" } else { "interrupted" };
        run.outcome = Some(word.to_owned());
    }
    run
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_beginning_is_a_date_a_time_or_a_length_of_time() {
        let moment = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(since("2026-11-01"), Ok(moment("2026-11-01T00:00:00Z")));
        assert_eq!(since("2026-11-01T12:30"), Ok(moment("2026-11-01T12:30:00Z")));
        assert_eq!(since("2026-11-01T12:30:00+01:00"), Ok(moment("2026-11-01T11:30:00Z")));
        for (text, hours) in [("7d", 168), ("2w", 336), ("12h", 12)] {
            let ago = Timestamp::now().duration_since(since(text).unwrap());
            assert!((ago - SignedDuration::from_hours(hours)).as_secs() < 60, "{text}");
        }
        for wrong in ["", "yesterday", "7", "-7d", "2026-13-01"] {
            assert!(since(wrong).unwrap_err().starts_with("expected"), "{wrong}");
        }
    }
}
