//! The guards: what a plan must not do without being told to.

use std::fmt;

use serde::Serialize;

use super::op::Plan;
use super::policy::{Limit, Policy};

/// A named refusal, with the numbers behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "guard")]
pub enum Refusal {
    /// More deactivations than `safety.max_deactivations` allows.
    MaxDeactivations { deactivations: usize, allowed: usize, limit: String, managed_active: usize },
    /// Nobody is in scope, and yet there are accounts to deactivate: more likely a mistake, or a source that answers
    /// with nothing, than a company without people.
    EmptyScope { deactivations: usize },
}

/// What the admin allowed for this one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Exactly so many deactivations.
    pub deactivations: Option<usize>,
    /// A scope without anybody in it.
    pub empty_scope: bool,
}

impl Refusal {
    /// The flag that allows exactly what was refused.
    pub fn flag(&self) -> String {
        match self {
            Self::MaxDeactivations { deactivations, .. } => format!("--allow-deactivations {deactivations}"),
            Self::EmptyScope { .. } => "--allow-empty-scope".to_owned(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MaxDeactivations { deactivations, allowed, limit, managed_active } => write!(
                f,
                "{deactivations} deactivations are more than the {allowed} that safety.max_deactivations = {limit} \
                 allows with {managed_active} managed active users"
            ),
            Self::EmptyScope { deactivations } => {
                write!(f, "nobody is in scope, and {deactivations} accounts would be deactivated for it")
            }
        }
    }
}

/// Every refusal that the plan meets; none means that it may be written.
pub fn check(plan: &Plan, policy: &Policy, allowed: Allowed) -> Vec<Refusal> {
    let deactivations = plan.totals().deactivate;
    let mut refusals = Vec::new();
    if plan.standing.in_scope == 0 && deactivations > 0 && !allowed.empty_scope {
        refusals.push(Refusal::EmptyScope { deactivations });
    }
    let managed_active = plan.standing.managed_active;
    let within = policy.max_deactivations.of(managed_active);
    if deactivations > within && allowed.deactivations != Some(deactivations) {
        let limit = match policy.max_deactivations {
            Limit::Count(count) => count.to_string(),
            Limit::Percent(percent) => format!("\"{percent}%\""),
        };
        refusals.push(Refusal::MaxDeactivations { deactivations, allowed: within, limit, managed_active });
    }
    refusals
}
