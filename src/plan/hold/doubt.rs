//! Defers removals and role changes that rest on a group listing if Okta's answers disagree about it.

use std::collections::BTreeSet;

use crate::model::id::{AccountId, OktaGroupId, OktaUserId};
use crate::plan::deferred::{Because, Deferred};
use crate::plan::op::{InvitationOp, Plan, Removal, RoleChange, UserAction, UserOp};

/// Users whose role would be lowered, or who would be made ADMIN: where roles follow from groups, these are asked about.
pub fn doubted_roles(plan: &Plan) -> BTreeSet<OktaUserId> {
    plan.users.iter().filter(|op| rests_on_groups(op)).map(|op| op.okta_id.clone()).collect()
}

fn rests_on_groups(op: &UserOp) -> bool {
    let changes_role = op.role_change().is_some();
    changes_role && (op.is_downgrade() || op.makes_admin())
}

/// Something that Okta's answers disagree about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disagreement {
    /// Users whose scope can't be told.
    pub scope: BTreeSet<OktaUserId>,
    /// Users whose groups weren't confirmed.
    pub roles: BTreeSet<OktaUserId>,
    /// Accounts of users who weren't confirmed to have left a group.
    pub memberships: BTreeSet<AccountId>,
    /// The externalIds of projects of groups whose members are only known from an earlier run.
    pub projects: BTreeSet<OktaGroupId>,
}

/// Removes from the plan what rests on a disagreement, and reports it.
pub fn hold(plan: &mut Plan, of: &Disagreement) {
    let mut held = |subject: &str, what: String, about: String| {
        plan.held.push(Deferred::new(subject, what, Because::AnswersDisagree { about }));
    };
    let takes_account = |op: &UserOp| matches!(op.action, UserAction::Deactivate | UserAction::Delete);
    let is_held = |op: &mut UserOp| match op.action {
        UserAction::Deactivate | UserAction::Delete => of.scope.contains(&op.okta_id),
        _ => of.roles.contains(&op.okta_id),
    };
    let deferred: Vec<UserOp> = plan.users.extract_if(.., is_held).collect();
    for op in &deferred {
        let about = if takes_account(op) { "the scope" } else { "the groups" };
        for (name, action) in op.undone() {
            held(name, action.as_str().to_owned(), format!("{about} of {}", op.user_name));
        }
    }
    plan.leave_out(deferred.into_iter().filter(|op| !takes_account(op)).collect());
    let mut held = |subject: &str, what: String, about: String| {
        plan.held.push(Deferred::new(subject, what, Because::AnswersDisagree { about }));
    };
    let is_held = |op: &mut InvitationOp| match op.left {
        Some(leave) => leave.is_absence() && of.scope.contains(&op.okta_id),
        None => of.roles.contains(&op.okta_id),
    };
    for op in plan.invitations.extract_if(.., is_held) {
        held(&op.user_name, revocation(&op), format!("the scope or the groups of {}", op.user_name));
    }
    for op in plan.projects.extract_if(.., |op| of.projects.contains(&op.group)) {
        held(&op.name, "change the project".to_owned(), format!("the members of the group of {}", op.name));
    }
    for op in &mut plan.projects {
        let is_held = |removal: &mut Removal| {
            let by_scope = removal.closed.is_some() && removal.okta_id.as_ref().is_some_and(|id| of.scope.contains(id));
            by_scope || of.memberships.contains(&removal.account)
        };
        for removal in op.remove.extract_if(.., is_held) {
            held(&op.name, format!("remove {}", removal.user_name), format!("the groups of {}", removal.user_name));
        }
    }
    for op in &mut plan.projects {
        for change in op.roles.extract_if(.., |change| of.roles.contains(&change.okta_id)) {
            let about = format!("the groups of {}", change.user_name);
            held(&op.name, change_of_role(&change), about);
        }
    }
    plan.projects.retain(|op| !op.is_empty());
}

/// `revoke the invitation as platform ADMIN`
pub fn revocation(op: &InvitationOp) -> String {
    format!("revoke the invitation as {}", op.grant)
}

/// `set the project role of ada@example.com to Viewer`
pub fn change_of_role(change: &RoleChange) -> String {
    format!("set the project role of {} to {}", change.user_name, change.to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::desired::Leave;
    use crate::plan::op::{Attribute, Change, ProjectAction, ProjectOp, Reason};

    fn op(action: UserAction, id: &str, change: Option<(Attribute, &str, &str)>) -> UserOp {
        let change =
            change.map(|(attribute, from, to)| Change { attribute, from: Some(from.to_owned()), to: to.to_owned() });
        UserOp {
            action,
            user_name: format!("{id}@example.com"),
            okta_id: id.into(),
            account: None,
            changes: change.into_iter().collect(),
            reason: Reason::Left(Leave::Unassigned),
            attributes: None,
            replaces: Vec::new(),
            destroys: None,
        }
    }

    #[test]
    fn what_answers_disagree_about_is_deferred_and_named() {
        let role = Some((Attribute::PlatformRole, "ADMIN", "MEMBER"));
        let name = Some((Attribute::GivenName, "A", "B"));
        let remove = ["a1", "a2"].map(|account| Removal {
            user_name: account.to_owned(),
            account: account.into(),
            reason: String::new(),
            okta_id: None,
            role: None,
            closed: None,
        });
        let project = ProjectOp {
            name: "Sales".to_owned(),
            group: "00g1".into(),
            project: Some("p1".into()),
            action: ProjectAction::Members,
            members: 2,
            add: Vec::new(),
            remove: remove.into(),
            roles: Vec::new(),
        };
        let mut plan = Plan {
            users: vec![
                op(UserAction::Update, "00u1", role),
                op(UserAction::Update, "00u2", name),
                op(UserAction::Deactivate, "00u3", None),
                op(UserAction::Deactivate, "00u4", None),
            ],
            projects: vec![project.clone(), ProjectOp { name: "Red".to_owned(), group: "00g2".into(), ..project }],
            ..Plan::default()
        };
        assert_eq!(doubted_roles(&plan), ["00u1".into()].into());
        let disagreement = Disagreement {
            scope: ["00u3".into(), "00u9".into()].into(),
            roles: ["00u1".into()].into(),
            memberships: ["a1".into()].into(),
            projects: ["00g2".into()].into(),
        };
        hold(&mut plan, &disagreement);
        let users: Vec<_> = plan.users.iter().map(|op| op.okta_id.as_str()).collect();
        assert_eq!(users, ["00u2", "00u4"]);
        let left: Vec<_> = plan.projects[0].remove.iter().map(|removal| removal.account.as_str()).collect();
        assert_eq!(left, ["a2"]);
        let held: Vec<_> = plan.held.iter().map(|held| (held.subject.as_str(), held.what.as_str())).collect();
        assert_eq!(
            held,
            [
                ("00u1@example.com", "update"),
                ("00u3@example.com", "deactivate"),
                ("Red", "change the project"),
                ("Sales", "remove a1")
            ]
        );
    }
}
