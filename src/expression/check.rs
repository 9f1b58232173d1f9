//! Checks an expression before any evaluation: mistakes that don't depend on a user. Pure.
//!
//! Faults of the text itself (unknown functions, wrong numbers of arguments, patterns) are found by the parser.

mod app_user;
mod branches;
mod conditions;
mod finding;
mod names;
mod parts;
mod schema;
mod types;
mod values;

pub use app_user::check_app_user;
pub(super) use branches::constants;

use super::Expression;

pub use finding::{Finding, Severity, Wants};
pub use schema::{Attribute, AttributeType, Schema};

/// All findings, in the order of the source.
pub fn check(expression: &Expression, schema: &Schema, wants: Wants) -> Vec<Finding> {
    let root = expression.ast();
    let mut findings = Vec::new();
    names::check(root, schema, wants, &mut findings);
    types::check(root, schema, &mut findings);
    conditions::check(root, schema, &mut findings);
    branches::check(root, schema, wants, &mut findings);
    values::check(root, schema, &mut findings);
    findings.sort_by_key(|finding| (finding.span.start, finding.span.end, finding.severity));
    findings.dedup();
    findings
}
