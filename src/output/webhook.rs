//! Renders a run as what a webhook gets. No name of a user is in it, apart from what an error names.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::json::FORMAT_VERSION;
use super::night_text;
use super::run_summary::Summary;
use super::text::{count, counted, visible};

/// All numbers of the run.
pub fn json(summary: &Summary) -> Value {
    let planned = summary.planned.as_ref();
    let applied = summary.applied.as_ref();
    let mut message = json!({
        "format_version": FORMAT_VERSION,
        "tool_version": env!("CARGO_PKG_VERSION"),
        "run": summary.run,
        "command": summary.command,
        "started": format!("{:.3}", summary.started),
        "seconds": summary.seconds,
        "okta": summary.okta,
        "activepieces": summary.activepieces,
        "outcome": summary.outcome,
        "exit_code": summary.exit_code,
        "error": summary.error,
        "planned": planned.map(|planned| json!({
            "operations": planned.operations,
            "changes": planned.changes,
            "deferred": planned.deferred,
            "refused": planned.refusals.len(),
        })),
        "applied": applied.map(|applied| json!({
            "operations": applied.all(),
            "done": applied.done,
            "failed": applied.failed,
            "stale": applied.stale,
            "not_begun": applied.not_begun,
            "changes": applied.changes,
        })),
        "users_in_scope": planned.map(|planned| planned.users),
        "problems": planned.map(|planned| json!({
            "open": planned.problems,
            "new": planned.new_problems.len(),
            "new_by_kind": new_by_kind(summary),
            "accepted": planned.accepted,
        })),
        "requests": summary.requests,
        "rate_limit_wait_seconds": summary.waited,
    });
    if let Some(target) = &summary.target {
        message["target"] = target.as_str().into();
    }
    message
}

/// A message of Slack's: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.
pub fn slack(summary: &Summary) -> Value {
    let run = summary.run.map(|run| format!(" run {run}")).unwrap_or_default();
    let target = summary.target.as_ref().map(|name| format!("{}: ", visible(name))).unwrap_or_default();
    let servers = format!("{target}{} → {}", visible(&summary.okta), visible(&summary.activepieces));
    let mut lines = vec![format!("*oktapieces{run}* {servers}"), night_text::outcome(summary)];
    if let Some(planned) = &summary.planned {
        let users = counted(planned.users, "user", "users");
        let problems = counted(planned.problems, "problem", "problems");
        let accepted = count(planned.accepted);
        lines.push(format!("{users}, {:.1} s, {problems}, {accepted} accepted", summary.seconds));
        let new = new_by_kind(summary).into_iter().map(|(kind, number)| format!("{} {kind}", count(number)));
        let new: Vec<String> = new.collect();
        if !new.is_empty() {
            lines.push(format!("new problems: {}", new.join(", ")));
        }
    }
    lines.extend(summary.error.iter().map(|error| format!("error: {}", visible(error))));
    json!({ "text": escaped(&lines.join("\n")) })
}

fn new_by_kind(summary: &Summary) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for problem in summary.planned.iter().flat_map(|planned| &planned.new_problems) {
        *kinds.entry(problem.kind.as_str()).or_default() += 1;
    }
    kinds
}

/// The three characters that Slack reads as marks:
/// <https://docs.slack.dev/messaging/formatting-message-text#escaping>.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::problem::{Problem, ProblemKind};
    use crate::output::run_summary::{Applied, Planned};

    #[test]
    fn a_message_has_counts_and_no_names() {
        let problem = Problem::new("bob@example.com", ProblemKind::EmailChanged, "bob is bobby now");
        let summary = Summary {
            command: "apply".to_owned(),
            target: Some("staging".to_owned()),
            run: Some(7),
            started: "2026-11-27T02:00:00Z".parse().unwrap(),
            seconds: 1.5,
            okta: "acme.okta.com".to_owned(),
            activepieces: "flows.example.com".to_owned(),
            outcome: "failed",
            exit_code: 1,
            error: Some("<@U1> & more".to_owned()),
            planned: Some(Planned { users: 12, problems: 1, new_problems: vec![problem], ..Planned::default() }),
            applied: Some(Applied { done: 2, failed: 1, ..Applied::default() }),
            requests: 40,
            waited: 0.25,
        };
        let message = slack(&summary);
        assert_eq!(
            message["text"],
            "*oktapieces run 7* staging: acme.okta.com → flows.example.com\napply failed, 2 of 3 operations done\n\
             12 users, 1.5 s, 1 problem, 0 accepted\nnew problems: 1 email_changed\nerror: &lt;@U1&gt; &amp; more"
        );
        let json = json(&summary);
        assert_eq!(json["problems"]["new_by_kind"]["email_changed"], 1);
        assert_eq!((&json["applied"]["done"], &json["exit_code"]), (&2.into(), &1.into()));
        assert!(!json.to_string().contains("bob"), "{json}");
    }
}
