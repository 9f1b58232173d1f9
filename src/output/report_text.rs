//! What came of an apply, for people.

use super::text::{ADD, REMOVE, count, counted, safe, styled};
use crate::apply::Report;

/// What isn't done, each with its reason, and the total in the last line.
pub fn render(report: &Report) -> String {
    let mut lines: Vec<String> = report
        .outcomes()
        .filter_map(|(subject, outcome)| Some((subject, outcome.why()?)))
        .map(|(subject, why)| format!("  {} {}  {}", styled(REMOVE, "!"), safe(subject), safe(why)))
        .collect();
    let stale = report.stale.iter();
    lines
        .extend(stale.map(|name| {
            format!("  {} {}  stale: it changed since the plan was made", styled(REMOVE, "!"), safe(name))
        }));
    if !lines.is_empty() {
        lines.insert(0, counted(lines.len(), "operation is", "operations are") + " not done:");
        lines.push(String::new());
    }
    let (done, all) = report.done_of();
    let mark = if done == all && report.stale.is_empty() { ADD } else { REMOVE };
    lines.push(format!("{} {} of {} operations.", styled(mark, "Applied"), count(done), count(all)));
    lines.join("\n")
}
