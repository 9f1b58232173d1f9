//! What came of an apply, for people.

use super::text::{ADD, REMOVE, count, counted, safe, styled};
use crate::apply::{Outcome, Report};

/// What isn't done, each with its reason, and the total in the last line. What a stop kept from being begun is counted.
pub fn render(report: &Report<'_>) -> String {
    let line = |subject: &str, why: &str| format!("  {} {}  {}", styled(REMOVE, "!"), safe(subject), safe(why));
    let stopped = |outcome: &Outcome| report.is_cut_short() && matches!(outcome, Outcome::Skipped(_));
    let told = report.outcomes().filter(|(_, outcome)| !stopped(outcome));
    let mut lines: Vec<String> = told.filter_map(|(subject, outcome)| Some(line(subject, outcome.why()?))).collect();
    lines.extend(report.stale.iter().map(|name| line(name, "changed since the plan was made")));
    if !lines.is_empty() {
        lines.insert(0, counted(lines.len(), "operation is", "operations are") + " not done:");
        lines.push(String::new());
    }
    if !report.diverged.is_empty() {
        lines.push("The server returned 200, but reading it again shows other values:".to_owned());
        lines.extend(report.diverged.iter().map(|found| line(&found.subject, &found.what)));
        lines.push(String::new());
    }
    let begun = report.outcomes().filter(|(_, outcome)| !stopped(outcome)).count();
    let (done, all) = report.done_of();
    let whole = done == all && report.stale.is_empty() && report.diverged.is_empty();
    let mark = if whole { ADD } else { REMOVE };
    let rest = match all - begun {
        0 => String::new(),
        rest => format!(" {} not begun.", counted(rest, "was", "were")),
    };
    lines.push(format!("{} {} of {} operations.{rest}", styled(mark, "Applied"), count(done), count(all)));
    lines.join("\n")
}
