//! Renders a plan in the form that the flags ask for.

use super::{Printer, Verbosity, json, plan_text};
use crate::plan::Plan;
use crate::plan::guard::Refusal;

/// Shows the plan of this hash for an org and a platform.
pub fn show(plan: &Plan, hash: &str, servers: (&str, &str), refusals: &[Refusal], printer: &Printer) {
    if printer.json {
        printer.answer_json(&json::plan(plan, hash, servers, refusals));
        return;
    }
    let (okta, activepieces) = servers;
    let whole = printer.verbosity == Verbosity::Verbose;
    printer.answer(&plan_text::render(plan, plan_text::Around { okta, activepieces, whole, refusals, hash }));
}
