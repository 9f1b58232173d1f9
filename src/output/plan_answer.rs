//! Renders a plan in the form that the flags ask for.

use super::plan_text::{self, Around};
use super::{Printer, json};
use crate::plan::Plan;

/// Shows a plan with what is known around it.
pub fn show(plan: &Plan, around: Around<'_>, printer: &Printer) {
    if printer.json {
        printer.answer_json(&json::plan(plan, &around));
        return;
    }
    printer.answer_long(&plan_text::render(plan, around, printer.layout()));
}
