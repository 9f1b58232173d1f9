//! What a plan does for one user.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::id::{OktaGroupId, OktaUserId};
use crate::model::problem::{Accepted, Problem};
use crate::plan::deferred::Deferred;
use crate::plan::op::{Member, Plan, ProjectOp, Removal, RoleChange, UserOp};

/// The part of a plan that is about one user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UserPart {
    /// None where the account needs nothing.
    pub operation: Option<UserOp>,
    pub memberships: Vec<MembershipChange>,
    pub deferred: Vec<Deferred>,
    pub problems: Vec<Problem>,
    pub accepted: Vec<Accepted>,
    pub warnings: Vec<String>,
}

/// One change of the user's membership in a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MembershipChange {
    pub project: String,
    pub group: OktaGroupId,
    pub action: MembershipAction,
    /// The project role: the one that is given, or the one that goes with the membership.
    pub role: Option<String>,
    /// The project role before, where it changes.
    pub from: Option<String>,
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MembershipAction {
    Add,
    Remove,
    SetRole,
}

/// A user, as the parts of a plan name them.
#[derive(Clone, Debug)]
pub struct About<'a> {
    pub id: &'a OktaUserId,
    /// The login, which problems name.
    pub login: &'a str,
    /// Login, user name, and the user name of the account.
    pub names: BTreeSet<&'a str>,
    /// The names of the projects that the user is in or is to be in.
    pub projects: BTreeSet<&'a str>,
}

impl UserPart {
    /// The part of the plan that is about this user.
    pub fn of(plan: &Plan, about: &About<'_>) -> Self {
        let is_subject = |subject: &str| about.login == subject || about.projects.contains(subject);
        let is_held = |held: &&Deferred| about.is_named(&held.subject) || about.is_mentioned(&held.what);
        Self {
            operation: plan.users.iter().find(|op| op.okta_id == *about.id).cloned(),
            memberships: plan.projects.iter().flat_map(|op| memberships(op, about)).collect(),
            deferred: plan.held.iter().filter(is_held).cloned().collect(),
            problems: plan.problems.iter().filter(|problem| is_subject(&problem.subject)).cloned().collect(),
            accepted: plan.accepted.iter().filter(|one| is_subject(&one.problem.subject)).cloned().collect(),
            warnings: plan.warnings.iter().filter(|warning| about.is_mentioned(warning)).cloned().collect(),
        }
    }

    /// Whether the plan changes nothing for the user.
    pub fn is_empty(&self) -> bool {
        self.operation.is_none() && self.memberships.is_empty()
    }
}

impl About<'_> {
    fn is_named(&self, text: &str) -> bool {
        self.names.iter().any(|name| name.to_lowercase() == text.to_lowercase())
    }

    fn is_mentioned(&self, text: &str) -> bool {
        let mark = |c: char| matches!(c, '"' | '\'' | ',' | ':' | ';' | '(' | ')');
        text.split_whitespace().any(|word| self.is_named(word.trim_matches(mark)))
    }
}

impl MembershipChange {
    /// What is done for a new member of the project.
    pub fn added(op: &ProjectOp, member: &Member) -> Self {
        let reason = member.role_reason.clone().unwrap_or_default();
        Self { role: member.role.clone(), ..Self::of(op, MembershipAction::Add, reason) }
    }

    pub fn removed(op: &ProjectOp, removal: &Removal) -> Self {
        Self { role: removal.role.clone(), ..Self::of(op, MembershipAction::Remove, removal.reason.clone()) }
    }

    pub fn changed(op: &ProjectOp, change: &RoleChange) -> Self {
        let (role, from) = (Some(change.to.clone()), Some(change.from.clone()));
        Self { role, from, ..Self::of(op, MembershipAction::SetRole, change.reason.clone()) }
    }

    fn of(op: &ProjectOp, action: MembershipAction, reason: String) -> Self {
        Self { project: op.name.clone(), group: op.group.clone(), action, role: None, from: None, reason }
    }
}

fn memberships(op: &ProjectOp, about: &About<'_>) -> Vec<MembershipChange> {
    let added = op.add.iter().filter(|member| member.okta_id == *about.id);
    let removed = op.remove.iter().filter(|removal| removal.okta_id.as_ref() == Some(about.id));
    let changed = op.roles.iter().filter(|change| change.okta_id == *about.id);
    let added = added.map(|member| MembershipChange::added(op, member));
    let removed = removed.map(|removal| MembershipChange::removed(op, removal));
    added.chain(removed).chain(changed.map(|change| MembershipChange::changed(op, change))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::problem::ProblemKind;
    use crate::plan::deferred::Because;
    use crate::plan::op::ProjectAction;

    #[test]
    fn only_what_is_about_the_user_is_taken() {
        let member = |id: &str| Member {
            user_name: format!("{id}@x.io"),
            okta_id: id.into(),
            account: None,
            role: None,
            role_reason: None,
        };
        let removal = |id: &str| Removal {
            user_name: format!("{id}@x.io"),
            account: id.into(),
            reason: "isn't in group AP".to_owned(),
            okta_id: Some(id.into()),
            role: None,
            closed: None,
        };
        let project = ProjectOp {
            name: "Sales".to_owned(),
            group: "00g1".into(),
            project: None,
            action: ProjectAction::Members,
            members: 2,
            add: vec![member("a"), member("b")],
            remove: vec![removal("a"), removal("c")],
            roles: Vec::new(),
        };
        let held = |what: &str| Deferred::new("Sales", what, Because::RoleNotKnown);
        let problem = |subject| Problem::new(subject, ProblemKind::EmailChanged, "x");
        let plan = Plan {
            projects: vec![project],
            problems: vec![problem("A@x.io"), problem("b@x.io"), problem("Sales")],
            held: vec![held("add a@x.io"), held("add ba@x.io")],
            warnings: vec!["a@x.io is protected".to_owned(), "(\"a@x.io\")".to_owned(), "aa@x.io is".to_owned()],
            ..Plan::default()
        };
        let id = OktaUserId::from("a");
        let about = About { id: &id, login: "A@x.io", names: ["a@x.io"].into(), projects: ["Sales"].into() };
        let part = UserPart::of(&plan, &about);
        let actions: Vec<_> = part.memberships.iter().map(|membership| membership.action).collect();
        assert_eq!(actions, [MembershipAction::Add, MembershipAction::Remove]);
        assert_eq!((part.problems.len(), part.deferred.len(), part.warnings.len()), (2, 1, 2));
        assert!(!part.is_empty() && part.operation.is_none());
    }
}
