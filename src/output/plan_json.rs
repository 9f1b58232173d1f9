//! A plan for scripts. The format only grows; `format_version` moves when it doesn't.

use serde::Serialize;
use serde_json::{Value, json};

use crate::plan::Plan;
use crate::plan::guard::Refusal;

/// The version of all JSON answers.
pub const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    tool_version: &'static str,
    okta: &'a str,
    activepieces: &'a str,
    #[serde(flatten)]
    plan: &'a Plan,
    totals: crate::plan::op::Totals,
    welcome_emails: usize,
    refusal: Option<Value>,
}

/// The plan as one JSON object; the same bytes for the same input.
pub fn render(plan: &Plan, okta: &str, activepieces: &str, refusal: Option<&Refusal>) -> Value {
    let document = Document {
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION"),
        okta,
        activepieces,
        plan,
        totals: plan.totals(),
        welcome_emails: plan.welcome_emails(),
        refusal: refusal.map(|refusal| {
            json!({
                "guard": "max_deactivations",
                "deactivations": refusal.deactivations,
                "allowed": refusal.allowed,
                "managed_active": refusal.managed_active,
                "message": refusal.to_string(),
                "flag": refusal.flag(),
            })
        }),
    };
    serde_json::to_value(document).unwrap_or_default()
}
