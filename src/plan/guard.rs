//! The guards: what a plan must not do without being told to.

use std::fmt;

use serde::Serialize;

use super::op::Plan;
use super::policy::{Limit, Policy};

/// A named refusal, with the flag that allows exactly this.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refusal {
    pub deactivations: usize,
    pub allowed: usize,
    pub limit: String,
    pub managed_active: usize,
}

impl Refusal {
    /// The flag that allows exactly what was refused.
    pub fn flag(&self) -> String {
        format!("--allow-deactivations {}", self.deactivations)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} deactivations are more than the {} that safety.max_deactivations = {} allows with {} managed active users",
            self.deactivations, self.allowed, self.limit, self.managed_active
        )
    }
}

/// Refuses a plan with more deactivations than the policy allows, unless exactly that number was allowed.
pub fn check(plan: &Plan, policy: &Policy, allowed_deactivations: Option<usize>) -> Result<(), Refusal> {
    let deactivations = plan.totals().deactivate;
    let managed_active = plan.standing.managed_active;
    let allowed = policy.max_deactivations.of(managed_active);
    if deactivations <= allowed || allowed_deactivations == Some(deactivations) {
        return Ok(());
    }
    let limit = match policy.max_deactivations {
        Limit::Count(count) => count.to_string(),
        Limit::Percent(percent) => format!("\"{percent}%\""),
    };
    Err(Refusal { deactivations, allowed, limit, managed_active })
}
