//! Restores projects and their members as they were before the run.

use std::collections::BTreeSet;

use super::{Accounts, Trace, Undone};
use crate::model::activepieces::{Project, User};
use crate::model::id::{AccountId, OktaUserId};
use crate::model::role::is_lesser_project_role;
use crate::plan::op::{Member, Plan, ProjectAction, ProjectOp, Removal, RoleChange, UserAction};
use crate::plan::step::Step;

/// The accounts, with what the plan already does to them.
struct Standing<'a> {
    accounts: &'a Accounts<'a>,
    reactivated: BTreeSet<AccountId>,
}

/// Adds an operation for each project that the run changed. The users' operations are in the plan already.
pub fn undo(plan: &mut Plan, undone: Undone<'_>, projects: &[Project], accounts: &Accounts<'_>) {
    let reactivations = plan.users.iter().filter(|op| op.action == UserAction::Reactivate);
    let standing = Standing { accounts, reactivated: reactivations.filter_map(|op| op.account.clone()).collect() };
    for made in &undone.plan.projects {
        let project = projects.iter().find(|project| match &made.project {
            Some(id) => project.id == *id,
            None => project.external_id.as_deref() == Some(made.group.as_str()),
        });
        match project {
            Some(project) if is_relinked(project, made) => {
                made.steps().for_each(|step| undone.changed(plan, step, "the project is linked to another group"));
            }
            Some(project) => undo_one(plan, undone, made, project, &standing),
            None if made.is_deletion() => {
                let warning = format!("the project {} was deleted, which can't be undone", made.name);
                plan.warnings.push(warning);
            }
            None => made.steps().for_each(|step| undone.changed(plan, step, "the project is gone")),
        }
    }
    if plan.projects.iter().flat_map(|op| &op.add).any(|member| member.role.is_none()) {
        let warning = "members whose project role isn't recorded get the one that the server gives new members";
        plan.warnings.push(warning.to_owned());
    }
}

/// Whether the project belongs to another group than the run wrote it for.
fn is_relinked(project: &Project, made: &ProjectOp) -> bool {
    let linked = project.external_id.as_deref().filter(|id| !id.is_empty());
    linked.is_some_and(|id| id != made.group.as_str())
}

fn undo_one(plan: &mut Plan, undone: Undone<'_>, made: &ProjectOp, project: &Project, standing: &Standing<'_>) {
    let mut op = ProjectOp {
        name: project.display_name.clone(),
        group: made.group.clone(),
        project: Some(project.id.clone()),
        action: ProjectAction::Members,
        members: project.members.len(),
        add: Vec::new(),
        remove: Vec::new(),
        roles: Vec::new(),
    };
    for step in made.steps() {
        match ((undone.trace)(step), step) {
            (Trace::None, _)
            | (
                _,
                Step::Invitation(_) | Step::MoveLink(_) | Step::User(_) | Step::CopyMemberships(_) | Step::CloseOld(_),
            ) => {}
            (Trace::Blurred, _) => undone.blurred(plan, step),
            (_, Step::Project(_)) => itself(plan, undone, made, project, &mut op),
            (_, Step::AddMembers(_)) => {
                let reason = format!("undo of run {}", undone.run);
                // An account that was replaced keeps its memberships: the user has no other one yet.
                let members = made.add.iter().filter(|member| !undone.replaces(&member.okta_id));
                let members = members.filter_map(|member| standing.of_member(member));
                let still = members.filter(|account| project.members.contains(&account.id));
                op.remove = still.map(|account| removal(account, &reason)).collect();
            }
            (_, Step::SetRoles(_)) => {
                for change in &made.roles {
                    match standing.role_back(change, project, undone) {
                        Ok(back) => op.roles.extend(back),
                        Err(why) => undone.changed(plan, step, &why),
                    }
                }
            }
            (_, Step::RemoveMembers(_)) => {
                let gone = made.remove.iter().filter(|removal| !project.members.contains(&removal.account));
                for removal in gone {
                    match standing.may_come_back(removal) {
                        Ok(member) => op.add.push(member),
                        Err(why) => undone.changed(plan, step, &why),
                    }
                }
            }
        }
    }
    if !op.is_empty() {
        plan.projects.push(op);
    }
}

/// Gives the project its old name, or says what stays of what the run did to it.
fn itself(plan: &mut Plan, undone: Undone<'_>, made: &ProjectOp, project: &Project, op: &mut ProjectOp) {
    match &made.action {
        ProjectAction::Create => plan.warnings.push(format!(
            "the project {} stays: deleting it would destroy what was built in it since run {}",
            made.name, undone.run
        )),
        ProjectAction::Adopt if project.external_id.as_deref() == Some(made.group.as_str()) => {
            plan.warnings.push(format!(
                "the project {} stays linked to the group {}: an externalId can't be cleared",
                made.name, made.group
            ));
        }
        ProjectAction::Relink { from, is_named: true, .. } => plan.warnings.push(format!(
            "the project {} stays linked to the group {}, as the config named it; name it for the group {from} to move it back",
            made.name, made.group
        )),
        ProjectAction::Relink { from, .. } => plan.warnings.push(format!(
            "the project {} stays linked to the group {}: the group {from} of before is gone",
            made.name, made.group
        )),
        ProjectAction::Archive { from } if *from == made.name => {}
        ProjectAction::Rename { from } | ProjectAction::Archive { from } if op.name == made.name => {
            op.action = ProjectAction::Rename { from: std::mem::replace(&mut op.name, from.clone()) };
        }
        ProjectAction::Rename { from } | ProjectAction::Archive { from } if op.name != *from => {
            undone.changed(plan, Step::Project(made), &format!("the project's name is {:?} now", op.name));
        }
        ProjectAction::Adopt => undone.changed(plan, Step::Project(made), "the project isn't linked to the group"),
        ProjectAction::Rename { .. }
        | ProjectAction::Archive { .. }
        | ProjectAction::Members
        | ProjectAction::Delete { .. } => {}
    }
}

fn removal(account: &User, reason: &str) -> Removal {
    Removal {
        user_name: account.user_name.clone(),
        account: account.id.clone(),
        reason: reason.to_owned(),
        okta_id: account.external_id.as_deref().map(OktaUserId::from),
        role: None,
        closed: None,
    }
}

impl Standing<'_> {
    /// The account of a user that the run added, if it is still that user's.
    fn of_member(&self, member: &Member) -> Option<&User> {
        let linked = self.accounts.by_external_id.get(member.okta_id.as_str()).copied()?;
        (member.account.is_none() || member.account.as_ref() == Some(&linked.id)).then_some(linked)
    }

    /// The change that gives a member the role of before; none where the member has it. Nothing is given to a user without
    /// access today.
    fn role_back(
        &self,
        made: &RoleChange,
        project: &Project,
        undone: Undone<'_>,
    ) -> Result<Option<RoleChange>, String> {
        let RoleChange { user_name, account, okta_id, from: before, to: given, .. } = made;
        let link = self.accounts.by_id.get(account).map(|account| account.link().unwrap_or_default());
        let link = link.ok_or_else(|| format!("the account of the member {user_name} is gone"))?;
        if link != okta_id.as_str() {
            return Err(format!("the account of the member {user_name} is linked to {link:?} now"));
        }
        if !project.members.contains(account) {
            return Err(format!("{user_name} isn't a member"));
        }
        let now = self.accounts.roles.and_then(|roles| roles.of(&project.id, account));
        let now = now.ok_or_else(|| format!("the project role of {user_name} can't be read"))?;
        if now == before {
            return Ok(None);
        }
        if now != given {
            return Err(format!("the project role of {user_name} is {now:?} now"));
        }
        if let Some(why) = self.accounts.no_access(link).filter(|_| !is_lesser_project_role(given, before)) {
            return Err(format!("the project role of {user_name} stays {given:?}: the user is {why}"));
        }
        Ok(Some(RoleChange {
            from: given.clone(),
            to: before.clone(),
            reason: format!("undo of run {}", undone.run),
            by_absence: false,
            ..made.clone()
        }))
    }

    /// A member that the run removed, if the account can be added again: the server adds no inactive account (docs/activepieces.md#groups).
    fn may_come_back(&self, removal: &Removal) -> Result<Member, String> {
        let account = self.accounts.by_id.get(&removal.account);
        let account = account.ok_or_else(|| format!("the account of the member {} is gone", removal.user_name))?;
        let link = account.external_id.as_deref().unwrap_or_default();
        if removal.okta_id.as_ref().is_some_and(|id| id.as_str() != link) {
            return Err(format!("the account of the member {} is linked to {link:?} now", removal.user_name));
        }
        if let Some(why) = self.accounts.no_access(link) {
            return Err(format!("the member {} is {why}", removal.user_name));
        }
        if !account.active && !self.reactivated.contains(&account.id) {
            return Err(format!("the member {} is inactive now", removal.user_name));
        }
        Ok(Member {
            user_name: account.user_name.clone(),
            okta_id: account.external_id.as_deref().unwrap_or_default().into(),
            account: Some(account.id.clone()),
            role: removal.role.clone(),
            role_reason: None,
        })
    }
}
