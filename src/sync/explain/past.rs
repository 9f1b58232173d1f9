//! What earlier runs did for one user.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::model::id::OktaUserId;
use crate::output::explained::{PastOperation, PastWhat};
use crate::output::outcomes;
use crate::output::plan_text::why;
use crate::plan::Step;
use crate::plan::op::Plan;
use crate::plan::part::{About, Membership, MembershipAction, Part};
use crate::state::StateFile;
use crate::state::history::Recorded;

/// So many runs that did something for the user are shown.
const RUNS: usize = 20;

/// What the last runs did for the user, newest first. A plan in the form of another version is left out.
pub(super) fn runs(state: &StateFile, id: &OktaUserId) -> Result<Vec<PastOperation>> {
    let mut all = Vec::new();
    for run in state.runs_about(id.as_str(), RUNS)? {
        let Ok(Some(recorded)) = state.recorded(run) else { continue };
        all.extend(operations(&recorded, id));
    }
    Ok(all)
}

fn operations(recorded: &Recorded, id: &OktaUserId) -> Vec<PastOperation> {
    let about = About { id, login: "", names: BTreeSet::new(), projects: BTreeSet::new() };
    let steps = recorded.plan.steps().flat_map(|step| {
        let what = match step {
            Step::User(op) if op.okta_id == *id => {
                vec![PastWhat::User { action: op.action.as_str(), changes: op.changes.clone(), reason: why(op) }]
            }
            Step::MoveLink(op) | Step::CopyMemberships(op) | Step::CloseOld(op) if op.okta_id == *id => {
                vec![PastWhat::User { action: step.action(), changes: Vec::new(), reason: why(op) }]
            }
            Step::Invitation(op) if op.okta_id == *id => {
                let reason = format!("an invitation as {} waited: {}", op.grant, op.reason);
                vec![PastWhat::User { action: "revoke", changes: Vec::new(), reason }]
            }
            Step::User(_)
            | Step::MoveLink(_)
            | Step::CopyMemberships(_)
            | Step::CloseOld(_)
            | Step::Invitation(_)
            | Step::Project(_) => Vec::new(),
            Step::AddMembers(op) | Step::RemoveMembers(op) | Step::SetRoles(op) => {
                let plan = Plan { projects: vec![op.clone()], ..Plan::default() };
                let part = Part::of(&plan, &about);
                part.memberships.into_iter().filter(|membership| is_of(membership, step)).map(past_membership).collect()
            }
        };
        what.into_iter().map(move |what| (step, what))
    });
    steps.map(|(step, what)| past(recorded, step, what)).collect()
}

fn past_membership(membership: Membership) -> PastWhat {
    let Membership { action, project, role, reason, .. } = membership;
    PastWhat::Membership { action, project, role, reason }
}

/// Whether a step writes this change.
fn is_of(membership: &Membership, step: Step<'_>) -> bool {
    use MembershipAction::{Add, Remove, SetRole};
    matches!(
        (membership.action, step),
        (Add, Step::AddMembers(_)) | (Remove, Step::RemoveMembers(_)) | (SetRole, Step::SetRoles(_))
    )
}

fn past(recorded: &Recorded, step: Step<'_>, what: PastWhat) -> PastOperation {
    let (outcome, why) = outcomes::of(recorded, step);
    let outcome_reason = (!why.is_empty()).then(|| why.to_owned());
    let run = &recorded.run;
    PastOperation {
        run: run.id,
        command: run.command.clone(),
        started: run.started.clone(),
        what,
        outcome,
        outcome_reason,
    }
}
