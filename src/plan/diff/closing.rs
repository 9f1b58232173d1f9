//! Memberships of accounts that are closed.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::activepieces::{Project, User};
use crate::model::desired::{Desired, DesiredProject, DesiredState, Leave};
use crate::model::id::{AccountId, OktaGroupId, OktaUserId};
use crate::plan::diff::leaving::effective;
use crate::plan::diff::matching::Matches;
use crate::plan::diff::members::removal;
use crate::plan::op::{Closed, Plan, ProjectAction, ProjectOp, Removal, UserAction, UserOp};
use crate::plan::policy::{OnLeave, Policy};

/// Linked users whose accounts are closed, now or by this plan, where they leave their projects for it.
pub struct Closing<'a>(BTreeMap<AccountId, (OktaUserId, &'a User, Closed, Leave)>);

impl<'a> Closing<'a> {
    pub fn of(plan: &Plan, desired: &Desired, matches: &Matches<'a>, policy: &Policy) -> Self {
        let mut closing = BTreeMap::new();
        if !policy.remove_memberships {
            return Self(closing);
        }
        let op_of: BTreeMap<&AccountId, &UserOp> =
            plan.users.iter().filter_map(|op| Some((op.account.as_ref()?, op))).collect();
        for ((id, user), account) in desired.users.iter().zip(&matches.linked) {
            let (DesiredState::Left(leave), Some(account)) = (&user.state, account) else { continue };
            let leave = effective(*leave, user, policy);
            let closed = match op_of.get(&account.id).map(|op| op.action) {
                Some(UserAction::Deactivate) => Closed::ByThisPlan,
                None if !account.active && policy.on_leave(leave) == OnLeave::Deactivate => Closed::Before,
                _ => continue,
            };
            closing.insert(account.id.clone(), (id.clone(), *account, closed, leave));
        }
        Self(closing)
    }

    /// The removals of those who are members of the project, without those that are planned already.
    pub fn removals(&self, project: &Project, planned: &[Removal]) -> Vec<Removal> {
        let planned: BTreeSet<&AccountId> = planned.iter().map(|removal| &removal.account).collect();
        let is_member = |account: &&AccountId| project.members.contains(*account) && !planned.contains(*account);
        let leaving = self.0.keys().filter(is_member).map(|account| &self.0[account]);
        leaving
            .map(|(id, account, closed, leave)| Removal {
                closed: Some(*closed),
                ..removal(account, id, leave.as_str().to_owned())
            })
            .collect()
    }

    /// Takes them out of a project that no group is pushed to.
    pub fn leave(&self, plan: &mut Plan, project: &Project, group: &OktaGroupId) {
        let mut remove = self.removals(project, &[]);
        if remove.is_empty() {
            return;
        }
        remove.sort_unstable();
        plan.standing.members += project.members.len();
        plan.projects.push(ProjectOp {
            name: project.display_name.clone(),
            group: group.clone(),
            project: Some(project.id.clone()),
            action: ProjectAction::Members,
            members: project.members.len(),
            add: Vec::new(),
            remove,
            roles: Vec::new(),
        });
    }
}

/// Users whose recorded role in the project counts no more: those who are members of it, and those who aren't in its groups. Where
/// the config moves the project from another group, what is recorded by either group may be of another project.
pub fn settled_roles(
    op: &ProjectOp,
    project: &DesiredProject,
    absent: &[&OktaUserId],
    desired: &Desired,
) -> Vec<(OktaGroupId, OktaUserId)> {
    let moved_from = match &op.action {
        ProjectAction::Relink { from, is_named: true, .. } => Some(from),
        _ => None,
    };
    let waits = |id: &OktaUserId| moved_from.is_none() && absent.binary_search(&id).is_ok();
    let of_link = |link: &OktaGroupId| {
        let recorded = desired.left_roles.get(link).into_iter().flat_map(BTreeMap::keys);
        recorded.filter(|id| !waits(id)).map(|id| (link.clone(), id.clone())).collect::<Vec<_>>()
    };
    project.links().chain(moved_from).flat_map(of_link).collect()
}
