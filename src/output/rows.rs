//! The changes of a plan in rows, which CSV, JSON lines, markdown and HTML show alike.

use serde_json::Value;

use super::contents;
use super::document::Document;
use super::plan_text::{because, why};
use crate::apply::Outcome;
use crate::apply::report::ProjectOutcome;
use crate::model::id::OktaUserId;
use crate::model::problem::Problem;
use crate::plan::adoption::AccountMatch;
use crate::plan::op::{ProjectAction, ProjectOp, Reason, UserAction, UserOp};

/// One change, or one thing to know. What doesn't apply is empty or none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row<'a> {
    /// `user`, `project`, `invitation`, `account`, `problem`, `accepted`, `held`, `warning` or `diverged`.
    pub kind: &'a str,
    pub action: &'a str,
    /// A user name; for a problem its subject.
    pub subject: &'a str,
    pub project: &'a str,
    pub attribute: &'a str,
    pub before: Option<&'a str>,
    pub after: Option<&'a str>,
    pub reason: &'a str,
    /// The id of the user in Okta, or that of the group for what is done to a project itself.
    pub okta_id: &'a str,
    /// The reason as one word of JSON's vocabulary, where it has one.
    pub code: &'a str,
    pub outcome: Option<&'a Outcome>,
}

/// Hands on the rows of the changes: those of users, of projects and of invitations.
pub fn changes(document: &Document<'_>, visit: &mut dyn FnMut(&Row<'_>)) {
    let plan = document.plan;
    for (at, op) in plan.users.iter().enumerate() {
        user(op, document.outcome_of_user(at), visit);
    }
    for (at, op) in plan.projects.iter().enumerate() {
        let none = ProjectOutcome::default();
        project(op, document.outcomes_of_project(at).unwrap_or(&none), visit);
    }
    for (at, op) in plan.invitations.iter().enumerate() {
        let grant = op.grant.to_string();
        let row = Row { kind: "invitation", action: "revoke", subject: &op.user_name, ..Row::default() };
        let row = Row { okta_id: op.okta_id.as_str(), outcome: document.outcome_of_invitation(at), ..row };
        visit(&Row { attribute: "invitation", before: Some(&grant), reason: &op.reason, ..row });
    }
}

/// How an account is matched, a row for each user who claims it.
fn account(of: &AccountMatch, visit: &mut dyn FnMut(&Row<'_>)) {
    let conflicts: Vec<String> = of.conflicts.iter().map(ToString::to_string).collect();
    let by = of.by.map(|by| format!("by {by}")).into_iter();
    let reason = by.chain(conflicts).collect::<Vec<_>>().join("; ");
    let row = Row { kind: "account", action: of.state.as_str(), subject: &of.user_name, ..Row::default() };
    let row = Row { attribute: "externalId", before: of.external_id.as_deref(), reason: &reason, ..row };
    if of.users.is_empty() {
        visit(&row);
    }
    for user in &of.users {
        visit(&Row { okta_id: user.id.as_str(), ..row });
    }
}

fn user(op: &UserOp, outcome: Option<&Outcome>, visit: &mut dyn FnMut(&Row<'_>)) {
    let (reason, okta_id, code) = (why(op), op.okta_id.as_str(), code(&op.reason));
    let row = Row { kind: "user", action: op.action.as_str(), subject: &op.user_name, outcome, ..Row::default() };
    let row = Row { reason: &reason, okta_id, code, ..row };
    if let Some(attributes) = op.attributes.as_ref().filter(|_| op.action == UserAction::Create) {
        let names = [("givenName", &attributes.given_name), ("familyName", &attributes.family_name)];
        for (attribute, after) in names.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))) {
            visit(&Row { attribute, after: Some(after), ..row });
        }
        visit(&Row { attribute: "platformRole", after: Some(attributes.platform_role.as_str()), ..row });
        if op.makes_inactive() {
            visit(&Row { attribute: "active", after: Some("false"), ..row });
        }
        return;
    }
    for change in &op.changes {
        let before = change.from.as_deref();
        visit(&Row { attribute: change.attribute.as_str(), before, after: Some(&change.to), ..row });
    }
    for left in &op.replaces {
        visit(&Row { attribute: "userName", before: Some(&left.user_name), after: Some(&op.user_name), ..row });
        for copied in &left.copies {
            let row = Row { action: "copy member", project: &copied.name, ..row };
            visit(&Row { attribute: "projectRole", after: copied.role.as_deref(), ..row });
        }
    }
    if op.changes.is_empty() && op.replaces.is_empty() {
        visit(&row);
    }
}

fn project(op: &ProjectOp, outcomes: &ProjectOutcome, visit: &mut dyn FnMut(&Row<'_>)) {
    let row = Row { kind: "project", project: &op.name, ..Row::default() };
    let itself = Row { action: op.action.as_str(), okta_id: op.group.as_str(), ..row };
    let itself = Row { outcome: outcomes.project.as_ref(), ..itself };
    match &op.action {
        ProjectAction::Create | ProjectAction::Adopt => visit(&itself),
        ProjectAction::Relink { from, archived, .. } => {
            if let Some(before) = archived {
                visit(&Row { attribute: "displayName", before: Some(before), after: Some(&op.name), ..itself });
            }
            let (before, after) = (Some(from.as_str()), Some(op.group.as_str()));
            visit(&Row { attribute: "externalId", before, after, ..itself });
        }
        ProjectAction::Rename { from } => {
            visit(&Row { attribute: "displayName", before: Some(from), after: Some(&op.name), ..itself });
        }
        ProjectAction::Archive { from } => {
            let (before, after) = (Some(from.as_str()), Some(op.name.as_str()));
            visit(&Row { reason: GROUP_GONE, attribute: "displayName", before, after, ..itself });
        }
        ProjectAction::Delete { contents } => {
            let destroyed = contents::whole(contents, Some(op.members));
            visit(&Row { reason: GROUP_GONE, before: Some(&destroyed), ..itself });
        }
        ProjectAction::Members => {}
    }
    members(op, outcomes, row, visit);
}

fn members(op: &ProjectOp, outcomes: &ProjectOutcome, row: Row<'_>, visit: &mut dyn FnMut(&Row<'_>)) {
    for member in &op.add {
        let row = Row { action: "add member", subject: &member.user_name, okta_id: member.okta_id.as_str(), ..row };
        let row = Row { outcome: outcomes.add.as_ref(), ..row };
        let reason = member.role_reason.as_deref().unwrap_or_default();
        visit(&match &member.role {
            Some(role) => Row { attribute: "projectRole", after: Some(role), reason, ..row },
            None => row,
        });
    }
    for removal in &op.remove {
        let row = Row { action: "remove member", subject: &removal.user_name, reason: &removal.reason, ..row };
        let okta_id = removal.okta_id.as_ref().map(OktaUserId::as_str).unwrap_or_default();
        let row = Row { okta_id, outcome: outcomes.remove.as_ref(), ..row };
        visit(&match &removal.role {
            Some(role) => Row { attribute: "projectRole", before: Some(role), ..row },
            None => row,
        });
    }
    for change in &op.roles {
        let row = Row { action: "set role", subject: &change.user_name, attribute: "projectRole", ..row };
        let row = Row { okta_id: change.okta_id.as_str(), outcome: outcomes.roles.as_ref(), ..row };
        visit(&Row { before: Some(&change.from), after: Some(&change.to), reason: &change.reason, ..row });
    }
}

/// Hands on the rows of what is left alone, and of what didn't persist.
pub fn left_alone(document: &Document<'_>, visit: &mut dyn FnMut(&Row<'_>)) {
    let plan = document.plan;
    document.accounts.into_iter().flatten().for_each(|of| account(of, visit));
    for problem in &plan.problems {
        let (reason, kind) = (message(problem), problem.kind.as_str());
        let row = Row { kind: "problem", action: kind, code: kind, ..Row::default() };
        visit(&Row { subject: &problem.subject, reason: &reason, ..row });
    }
    for accepted in &plan.accepted {
        let Problem { kind, subject, .. } = &accepted.problem;
        let until = accepted.until.map(|until| format!(" (until {until})")).unwrap_or_default();
        let reason = format!("{}{until}", accepted.why);
        let row = Row { kind: "accepted", action: kind.as_str(), code: kind.as_str(), ..Row::default() };
        visit(&Row { subject, reason: &reason, ..row });
    }
    for held in &plan.held {
        let because_code = serde_json::to_value(&held.because).unwrap_or(Value::Null);
        let code = because_code["kind"].as_str().unwrap_or_default();
        let reason = because(&held.because);
        let row = Row { kind: "held", action: &held.what, subject: &held.subject, ..Row::default() };
        visit(&Row { reason: &reason, code, ..row });
    }
    for warning in &plan.warnings {
        visit(&Row { kind: "warning", reason: warning, ..Row::default() });
    }
    for found in document.report.iter().flat_map(|report| &report.diverged) {
        visit(&Row { kind: "diverged", subject: &found.subject, reason: &found.what, ..Row::default() });
    }
}

/// Why a project is deleted.
pub const GROUP_GONE: &str = "its group isn't pushed any more";

/// What is wrong, and where in the config.
pub fn message(problem: &Problem) -> String {
    let place = problem.location.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
    format!("{}{place}", problem.message)
}

/// The reason as one word: that of JSON, and for a user who left how they left.
fn code(reason: &Reason) -> &'static str {
    match reason {
        Reason::Assigned => "assigned",
        Reason::Staged => "staged",
        Reason::ActiveInOkta => "active_in_okta",
        Reason::SameEmail => "same_email",
        Reason::Alias => "alias",
        Reason::Relinked => "relinked",
        Reason::OtherDirectory => "other_directory",
        Reason::EmailChanged => "email_changed",
        Reason::AddressPassedOn => "address_passed_on",
        Reason::Profile => "profile",
        Reason::Left(leave) => leave.name(),
        Reason::Undo(_) => "undo",
    }
}
