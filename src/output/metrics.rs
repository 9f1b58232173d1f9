//! Renders a run as metrics in Prometheus's text format, for the textfile collector of `node_exporter`. No name of a user is in
//! it.
//!
//! The format: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

use jiff::Timestamp;

use super::night_text::kinds;
use super::run_summary::{Planned, Summary};
use crate::plan::op::Totals;

/// The words for outcomes, each with a metric of its own that is 1 for the one that holds.
const OUTCOMES: [&str; 5] = ["done", "partial", "refused", "failed", "interrupted"];

/// All metrics of the run; `last_done` says when a run of each command ended last of which all is done.
pub fn render(summary: &Summary, last_done: &BTreeMap<String, Timestamp>) -> String {
    let mut text = Metrics { text: String::new(), summary };
    text.runs(last_done);
    if let Some(planned) = &summary.planned {
        text.plan(planned);
    }
    text.changes();
    text.text
}

struct Metrics<'s> {
    text: String,
    summary: &'s Summary,
}

impl Metrics<'_> {
    fn runs(&mut self, last_done: &BTreeMap<String, Timestamp>) {
        let summary = self.summary;
        let ended = seconds(summary.started) + summary.seconds;
        let command = [("command", summary.command.as_str())];
        self.gauge("last_run_timestamp_seconds", "When the last run ended.", &[(command, ended)]);
        let last: Vec<_> =
            last_done.iter().map(|(command, at)| ([("command", command.as_str())], seconds(*at))).collect();
        let help = "When a run ended last that did all that was planned.";
        self.gauge("last_success_timestamp_seconds", help, &last);
        let outcomes = OUTCOMES.map(|word| ([command[0], ("outcome", word)], u8::from(word == summary.outcome)));
        self.gauge("last_run_outcome", "1 for the outcome of the last run.", &outcomes);
        self.gauge("last_run_exit_code", "The exit code of the last run.", &[(command, summary.exit_code)]);
        self.gauge("last_run_number", "The number of the last run.", &[(command, summary.run.unwrap_or_default())]);
        self.gauge("last_run_duration_seconds", "How long the last run took.", &[(command, summary.seconds)]);
        self.gauge("last_run_requests", "Requests of the last run to both servers.", &[(command, summary.requests)]);
        let help = "How long the last run waited for rate limits.";
        self.gauge("last_run_rate_limit_wait_seconds", help, &[(command, summary.waited)]);
    }

    fn plan(&mut self, planned: &Planned) {
        let command = ("command", self.summary.command.as_str());
        let by_state =
            |states: [(&'static str, usize); 3]| states.map(|(state, number)| ([command, ("state", state)], number));
        let new = planned.new_problems.len();
        let known = planned.problems.saturating_sub(new);
        let problems = by_state([("new", new), ("known", known), ("accepted", planned.accepted)]);
        self.gauge(
            "problems",
            "Problems by state: new since the last run, known from it, or accepted in the config.",
            &problems,
        );
        self.gauge("users_in_scope", "Users in scope who aren't deactivated in Okta.", &[([command], planned.users)]);
        self.gauge("deferred_operations", "Operations that the plan defers.", &[([command], planned.deferred)]);
        let (done, failed, undone) = match &self.summary.applied {
            Some(applied) => (applied.done, applied.failed, applied.stale + applied.not_begun),
            None => (0, 0, planned.operations),
        };
        let operations = by_state([("done", done), ("failed", failed), ("not_done", undone)]);
        self.gauge("operations", "Operations of the last run by state.", &operations);
    }

    /// What was planned, and what was done of it, by kind.
    fn changes(&mut self) {
        let summary = self.summary;
        let planned = summary.planned.as_ref().map(|planned| planned.changes);
        let done = summary.applied.as_ref().map(|applied| applied.changes);
        self.by_kind("planned_changes", "Changes that the last run planned, by kind.", planned);
        self.by_kind("done_changes", "Changes that the last run made, by kind.", Some(done.unwrap_or_default()));
    }

    fn by_kind(&mut self, name: &str, help: &str, changes: Option<Totals>) {
        let Some(changes) = changes else { return };
        let command = ("command", self.summary.command.as_str());
        let kinds = kinds(&changes).map(|(kind, number, ..)| ([command, ("kind", kind)], number));
        self.gauge(name, help, &kinds);
    }

    /// A metric with its samples; nothing without any.
    fn gauge<'l, L: AsRef<[(&'l str, &'l str)]>, V: Display>(&mut self, name: &str, help: &str, samples: &[(L, V)]) {
        if samples.is_empty() {
            return;
        }
        // Writing to a string can't fail.
        let _ = writeln!(self.text, "# HELP oktapieces_{name} {help}\n# TYPE oktapieces_{name} gauge");
        let target = self.summary.target.as_deref().map(|name| ("target", name));
        let servers = [("okta", self.summary.okta.as_str()), ("activepieces", self.summary.activepieces.as_str())];
        for (labels, value) in samples {
            let labels = target
                .iter()
                .chain(&servers)
                .chain(labels.as_ref())
                .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
            let labels = labels.collect::<Vec<_>>().join(",");
            let _ = writeln!(self.text, "oktapieces_{name}{{{labels}}} {value}");
        }
    }
}

/// The value of a label between its quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Seconds since the epoch, to the millisecond.
fn seconds(time: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
    let milliseconds = time.as_millisecond() as f64;
    milliseconds / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::run_summary::Applied;

    #[test]
    fn each_sample_has_its_metric_and_labels_are_escaped() {
        let summary = Summary {
            command: "apply".to_owned(),
            target: Some("staging".to_owned()),
            run: Some(7),
            started: "2026-11-27T02:00:00Z".parse().unwrap(),
            seconds: 1.5,
            okta: "a\"b\\c".to_owned(),
            activepieces: "flows.example.com".to_owned(),
            outcome: "partial",
            exit_code: 3,
            error: None,
            planned: Some(Planned { users: 12, operations: 3, ..Planned::default() }),
            applied: Some(Applied { done: 2, failed: 1, ..Applied::default() }),
            requests: 40,
            waited: 0.25,
        };
        let last = BTreeMap::from([("plan".to_owned(), "2026-11-26T02:00:00Z".parse().unwrap())]);
        let text = render(&summary, &last);
        let servers = r#"target="staging",okta="a\"b\\c",activepieces="flows.example.com""#;
        for line in [
            format!("oktapieces_last_run_timestamp_seconds{{{servers},command=\"apply\"}} 1795744801.5"),
            format!("oktapieces_last_success_timestamp_seconds{{{servers},command=\"plan\"}} 1795658400"),
            format!("oktapieces_last_run_outcome{{{servers},command=\"apply\",outcome=\"partial\"}} 1"),
            format!("oktapieces_last_run_outcome{{{servers},command=\"apply\",outcome=\"done\"}} 0"),
            format!("oktapieces_operations{{{servers},command=\"apply\",state=\"failed\"}} 1"),
            format!("oktapieces_last_run_rate_limit_wait_seconds{{{servers},command=\"apply\"}} 0.25"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        let names = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect::<Vec<_>>();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "each metric has one block: {names:?}");
    }
}
