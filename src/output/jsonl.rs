//! A plan or a run as JSON lines: an object for each change, then what is left alone. What doesn't apply isn't in it.

use serde::Serialize;

use super::document::Document;
use super::json::escaped;
use super::rows::{self, Row};
use crate::apply::Outcome;

#[derive(Serialize)]
struct Line<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    action: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    subject: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    project: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    okta_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    attribute: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<u32>,
}

/// One line for each row; empty where there is none.
pub fn render(document: &Document<'_>) -> String {
    let mut text = String::new();
    let mut add = |row: &Row<'_>| {
        let json = serde_json::to_string(&line(row, document.run_id())).unwrap_or_default();
        text.push_str(&escaped(&json));
        text.push('\n');
    };
    rows::changes(document, &mut add);
    rows::left_alone(document, &mut add);
    text.truncate(text.trim_end().len());
    text
}

fn line<'a>(row: &Row<'a>, run: Option<u32>) -> Line<'a> {
    let Row { kind, action, subject, project, okta_id, attribute, before, after, reason, code, outcome } = *row;
    let (outcome, outcome_reason) = (outcome.map(Outcome::as_str), outcome.and_then(Outcome::why));
    Line {
        kind,
        action,
        subject,
        project,
        okta_id,
        attribute,
        before,
        after,
        reason,
        code,
        outcome,
        outcome_reason,
        run,
    }
}
