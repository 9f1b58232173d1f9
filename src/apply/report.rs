//! The outcome of each operation.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::plan::Step;
use crate::plan::hold::convergence::{Divergence, Part, Stands};
use crate::plan::op::{InvitationOp, ProjectOp, UserOp};

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "why")]
pub enum Outcome {
    /// It is on the server as planned, which the server's answer showed.
    Done,
    /// The server answered well and made something else of it, or nothing; the text says what. To be told apart from
    /// what failed: trying it again won't help.
    Kept(String),
    /// The change isn't in place; the text says why. Lower case, no full stop.
    Failed(String),
    /// It wasn't written: the current value isn't the one that the plan was made from, since it was changed meanwhile.
    Stale(String),
    /// It wasn't tried, since something that it needs failed or the run was stopped.
    #[serde(rename = "not begun")]
    Skipped(String),
}

impl Outcome {
    /// The word as JSON has it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Kept(_) => "kept",
            Self::Failed(_) => "failed",
            Self::Stale(_) => "stale",
            Self::Skipped(_) => "not begun",
        }
    }

    pub fn is_done(&self) -> bool {
        *self == Self::Done
    }

    /// Whether the server answered that it did it, which may not be so.
    pub fn is_answered(&self) -> bool {
        matches!(self, Self::Done | Self::Kept(_))
    }

    /// Why it isn't done.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Done => None,
            Self::Kept(why) | Self::Failed(why) | Self::Stale(why) | Self::Skipped(why) => Some(why),
        }
    }
}

/// The outcome of every operation, in the plan's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report<'p> {
    pub invitations: Vec<(&'p InvitationOp, Outcome)>,
    pub users: Vec<(&'p UserOp, Outcome)>,
    /// The project's own change, and that of its members.
    pub projects: Vec<(&'p ProjectOp, ProjectOutcome)>,
    /// Operations of a saved plan that don't hold any more, and weren't tried.
    pub stale: Vec<String>,
    /// Where a later read of the platform differs from the server's answer.
    pub diverged: Vec<Divergence>,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// Whether the server stopped taking the key, after which nothing more began.
    pub unauthorized: bool,
    /// Whether the server stopped answering, after which nothing more began.
    pub unreachable: bool,
    /// Accounts that were made though the server couldn't send their welcome e-mails.
    pub unsent_mails: usize,
}

/// The outcomes of a project's parts; none where a part had nothing to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProjectOutcome {
    pub project: Option<Outcome>,
    pub add: Option<Outcome>,
    pub remove: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Outcome>,
}

/// Lets an operation fail with `?` where only the reason is known.
impl From<String> for Outcome {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

impl<'p> Report<'p> {
    /// Holds what was done against a later read: notes what the server changed, and gives, by step, all that it answered
    /// well and that doesn't stand.
    pub fn look_again(&mut self, stands: &Stands<'_>) -> Vec<(Step<'p>, Divergence)> {
        let mut unsettled = Vec::new();
        let mut note = |step: Step<'p>, found: Divergence, outcome: &Outcome| {
            if outcome.is_done() {
                self.diverged.push(found.clone());
            }
            if outcome.is_answered() {
                unsettled.push((step, found));
            }
        };
        for (op, outcome) in &self.invitations {
            if let Some(found) = stands.invitation(op) {
                note(Step::Invitation(op), found, outcome);
            }
        }
        for (op, outcome) in &self.users {
            if let Some(found) = stands.user(op) {
                note(Step::User(op), found, outcome);
            }
        }
        for (op, outcomes) in &self.projects {
            for (part, found) in stands.project(op) {
                let (step, outcome) = match part {
                    Part::Itself => (Step::Project(op), &outcomes.project),
                    Part::Add => (Step::AddMembers(op), &outcomes.add),
                    Part::Remove => (Step::RemoveMembers(op), &outcomes.remove),
                    Part::Roles => (Step::SetRoles(op), &outcomes.roles),
                };
                if let Some(outcome) = outcome {
                    note(step, found, outcome);
                }
            }
        }
        unsettled
    }

    /// Whether operations weren't begun because the run could or should not go on.
    pub fn is_cut_short(&self) -> bool {
        self.interrupted || self.unauthorized || self.unreachable
    }

    /// Every outcome with the name of its subject.
    pub fn outcomes(&self) -> impl Iterator<Item = (&str, &Outcome)> {
        let users = self.users.iter().map(|(op, outcome)| (op.user_name.as_str(), outcome));
        let projects = self.projects.iter().flat_map(|(op, outcome)| {
            let parts = [&outcome.project, &outcome.add, &outcome.remove, &outcome.roles];
            parts.into_iter().flatten().map(|outcome| (op.name.as_str(), outcome))
        });
        let invitations = self.invitations.iter().map(|(op, outcome)| (op.user_name.as_str(), outcome));
        invitations.chain(users).chain(projects)
    }

    /// The steps that are done, by kind and Okta id.
    pub fn done_steps(&self) -> BTreeSet<(&'static str, &'p str)> {
        let users = self.users.iter().filter(|(_, outcome)| outcome.is_done()).flat_map(|(op, _)| op.steps());
        let projects = self.projects.iter().flat_map(|(op, outcomes)| {
            let parts = [
                (Step::Project(op), &outcomes.project),
                (Step::AddMembers(op), &outcomes.add),
                (Step::RemoveMembers(op), &outcomes.remove),
                (Step::SetRoles(op), &outcomes.roles),
            ];
            parts
                .into_iter()
                .filter(|(_, outcome)| outcome.as_ref().is_some_and(Outcome::is_done))
                .map(|(step, _)| step)
        });
        users.chain(projects).map(|step| (step.kind(), step.okta_id())).collect()
    }

    /// How many operations are done, and how many there were.
    pub fn done_of(&self) -> (usize, usize) {
        let done = self.outcomes().filter(|(_, outcome)| outcome.is_done()).count();
        (done, self.outcomes().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::activepieces::Contents;
    use crate::plan::op::{Copied, Fate, Reason, Replaced, UserAction};

    #[test]
    fn of_an_account_that_is_replaced_every_step_is_done() {
        let copied = Copied { name: "Eng".to_owned(), project: "p1".into(), joins: true, role: None };
        let left = Replaced {
            account: "a1".into(),
            user_name: "ada@example.com".to_owned(),
            link: "00u1".to_owned(),
            fate: Fate::Close,
            copies: vec![copied],
            personal: Contents::default(),
        };
        let op = UserOp {
            action: UserAction::Recreate,
            user_name: "lovelace@example.com".to_owned(),
            okta_id: "00u1".into(),
            account: None,
            changes: Vec::new(),
            reason: Reason::EmailChanged,
            attributes: None,
            replaces: vec![left],
            destroys: None,
        };
        let report = |outcome| Report { users: vec![(&op, outcome)], ..Report::default() };
        let all: BTreeSet<_> = op.steps().map(|step| (step.kind(), step.okta_id())).collect();
        assert_eq!((all.len(), report(Outcome::Done).done_steps()), (4, all));
        assert!(report(Outcome::Failed(String::new())).done_steps().is_empty());
    }
}
