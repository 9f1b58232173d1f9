//! Short names for exactly this plan or change: the same for the same content, whatever the time and the machine.

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;

use super::op::Plan;

/// Six bytes: short enough to be typed, and two plans of one org never share it by chance.
const BYTES: usize = 6;

/// The name of what a plan would write: of its operations with before, after and reason, in their order. Two plans of the
/// same operations have the same, and of any other have another.
pub fn of_plan(plan: &Plan) -> String {
    fingerprint(&(&plan.users, &plan.projects))
}

/// The name of a value: twelve hexadecimal digits of the SHA-256 of its JSON.
pub fn fingerprint(value: &impl Serialize) -> String {
    let json = serde_json::to_vec(value).unwrap_or_default();
    let digest = digest(&SHA256, &json);
    digest.as_ref().iter().take(BYTES).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
