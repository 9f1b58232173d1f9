//! Renders the outcome of an apply as text.

use super::text::{ADD, REMOVE, count, counted, folded, safe, styled};
use crate::apply::{Outcome, Report};

/// What isn't done, each with its reason, and the total in the last line. What a stop kept from being begun is counted.
pub fn render(report: &Report<'_>) -> String {
    let stopped = |outcome: &Outcome| report.is_cut_short() && matches!(outcome, Outcome::Skipped(_));
    let told = report.outcomes().filter(|(_, outcome)| !stopped(outcome));
    let mut undone: Vec<(&str, &str)> = told.filter_map(|(subject, outcome)| Some((outcome.why()?, subject))).collect();
    undone.extend(report.stale.iter().map(|name| ("changed since the plan was made", name.as_str())));
    let mut lines = Vec::new();
    if !undone.is_empty() {
        lines.push(counted(undone.len(), "operation is", "operations are") + " not done:");
        lines.extend(by_reason(&undone).into_iter().map(|(why, subject)| line(&subject, why)));
        lines.push(String::new());
    }
    if report.unsent_mails > 0 {
        let mails = counted(report.unsent_mails, "welcome e-mail wasn't", "welcome e-mails weren't");
        lines.push(format!("{mails} sent: the platform's mail server failed; the accounts are there."));
        lines.push(String::new());
    }
    lines.push(ending(report));
    lines.join("\n")
}

/// The changes that didn't persist, and the total.
pub fn ending(report: &Report<'_>) -> String {
    let stopped = |outcome: &Outcome| report.is_cut_short() && matches!(outcome, Outcome::Skipped(_));
    let mut lines = Vec::new();
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

fn line(subject: &str, why: &str) -> String {
    format!("  {} {}  {}", styled(REMOVE, "!"), safe(subject), safe(why))
}

/// From this many operations with the same reason on they share a line.
const MANY: usize = 6;
/// So many of them are named.
const NAMED: usize = 3;

/// The reasons in their order, each with its subject; those of many operations once.
fn by_reason<'a>(undone: &[(&'a str, &'a str)]) -> Vec<(&'a str, String)> {
    let mut lines = Vec::new();
    for (at, (why, subject)) in undone.iter().enumerate() {
        let same: Vec<&str> = undone.iter().filter(|(other, _)| other == why).map(|(_, subject)| *subject).collect();
        if same.len() < MANY {
            lines.push((*why, (*subject).to_owned()));
        } else if undone.iter().position(|(other, _)| other == why) == Some(at) {
            lines.push((*why, format!("{}: {}", count(same.len()), folded(&same, NAMED))));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_operations_with_one_reason_share_a_line() {
        let many: Vec<String> = (0..7).map(|n| format!("u{n}")).collect();
        let mut undone: Vec<(&str, &str)> = many.iter().map(|name| ("no answer", name.as_str())).collect();
        undone.insert(3, ("another", "x"));
        let lines = by_reason(&undone);
        assert_eq!(lines.iter().map(|(why, _)| *why).collect::<Vec<_>>(), ["no answer", "another"]);
        assert!(lines[0].1.starts_with("7: u0, u1, u2") && lines[1].1 == "x", "{lines:?}");
        assert_eq!(by_reason(&undone[..5]).len(), 5);
    }
}
