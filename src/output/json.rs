//! Renders plans and reports as JSON. The format only grows; `format_version` changes when it doesn't.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use super::document::Document as Shown;
use super::text::is_harmful;
use crate::apply::Report;
use crate::plan::Plan;
use crate::plan::guard::Refusal;
use crate::plan::op::{NewProjectAdmin, Totals};

/// The version of all JSON answers.
pub const FORMAT_VERSION: u32 = 1;

/// A JSON text in which the characters that could move a terminal's cursor or turn the text around are JSON's escapes. They
/// stand in strings alone, so that the text stays JSON of the same value.
pub fn escaped(json: &str) -> Cow<'_, str> {
    let harmful = |c: char| is_harmful(c) && c != '\n';
    if !json.contains(harmful) {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if harmful(c) {
            let units = c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            text.push_str(&units);
        } else {
            text.push(c);
        }
    }
    Cow::Owned(text)
}

#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    tool_version: &'static str,
    okta: &'a str,
    activepieces: &'a str,
    hash: &'a str,
    #[serde(flatten)]
    plan: &'a Plan,
    totals: Totals,
    welcome_emails: usize,
    /// The user names of all users who become ADMIN.
    new_admins: Vec<&'a str>,
    /// The user names that a waiting invitation makes ADMIN, unless the plan deletes it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waiting_admins: Vec<&'a str>,
    /// All users who become Admin of a project.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    new_project_admins: Vec<NewProjectAdmin<'a>>,
    refusals: Vec<Value>,
}

/// The plan as one JSON object; the same bytes for the same input.
pub fn plan(shown: &Shown<'_>) -> Value {
    let Shown { plan, okta, activepieces, hash, refusals, .. } = *shown;
    let document = Document {
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION"),
        okta,
        activepieces,
        hash,
        plan,
        totals: plan.totals(),
        welcome_emails: plan.welcome_emails(),
        new_admins: plan.new_admins().map(|op| op.user_name.as_str()).collect(),
        waiting_admins: plan.standing.waiting_admins.iter().map(String::as_str).collect(),
        new_project_admins: plan.new_project_admins().collect(),
        refusals: refusals.iter().map(|refusal| refused(refusal, hash)).collect(),
    };
    serde_json::to_value(document).unwrap_or_default()
}

/// The numbers of a refusal, with its text and the flag that allows it.
fn refused(refusal: &Refusal, hash: &str) -> Value {
    let mut value = serde_json::to_value(refusal).unwrap_or_default();
    value["message"] = refusal.to_string().into();
    value["flag"] = refusal.flag(hash).into();
    value
}

/// A run that wrote as one JSON object: its number, the plan, and the outcome of each of its operations in the plan's order.
pub fn report(run: u32, plan: &Value, report: &Report<'_>) -> Value {
    let (done, all) = report.done_of();
    let users: Vec<Value> = report
        .users
        .iter()
        .map(|(op, outcome)| json!({ "user_name": op.user_name, "action": op.action, "result": outcome }))
        .collect();
    let invitations: Vec<Value> = report
        .invitations
        .iter()
        .map(|(op, outcome)| json!({ "id": op.id, "user_name": op.user_name, "result": outcome }))
        .collect();
    let projects: Vec<Value> = report
        .projects
        .iter()
        .map(|(op, outcome)| json!({ "name": op.name, "group": op.group, "result": outcome }))
        .collect();
    json!({
        "format_version": FORMAT_VERSION,
        "tool_version": env!("CARGO_PKG_VERSION"),
        "run": run,
        "plan": plan,
        "invitations": invitations,
        "users": users,
        "projects": projects,
        "done": done,
        "operations": all,
        "stale": report.stale,
        "diverged": report.diverged,
        "interrupted": report.interrupted,
        "unreachable": report.unreachable,
        "unsent_mails": report.unsent_mails,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_escaped_text_has_the_same_value_and_nothing_harmful(text in any::<String>(), c in any::<char>()) {
            let marks = "\u{7f}\u{9b}\u{61c}\u{200e}\u{2028}\u{202e}\u{2069}";
            let value = json!({ format!("{text}{marks}"): [format!("{c}{marks}{text}"), null] });
            for json in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                let escaped = escaped(&json);
                prop_assert!(!escaped.contains(|c| is_harmful(c) && c != '\n'), "{escaped:?}");
                prop_assert_eq!(&serde_json::from_str::<Value>(&escaped).unwrap(), &value);
            }
        }
    }
}
