//! The differences between the project roles that members have and those that they should have.

use std::collections::BTreeSet;

use crate::model::PlatformRole;
use crate::model::activepieces::{KnownRoles, Platform, Project, User};
use crate::model::desired::{Desired, DesiredProject, DesiredRole, DesiredRoles, DesiredState};
use crate::model::id::{AccountId, OktaUserId};
use crate::model::problem::{Problem, ProblemKind};
use crate::model::similar::{did_you_mean, nearest};
use crate::plan::deferred::{Because, Deferred};
use crate::plan::diff::matching::Matches;
use crate::plan::diff::members::Owners;
use crate::plan::op::{Member, ProjectAction, ProjectOp, RoleChange};

/// A member whose role differs.
pub struct RoleDifference<'a> {
    pub id: OktaUserId,
    account: &'a User,
    from: &'a str,
    to: &'a str,
    wanted: &'a DesiredRole,
}

impl RoleDifference<'_> {
    /// Whether another answer about a group would have given another role.
    pub fn is_doubted(&self) -> bool {
        self.wanted.by_absence
    }
}

/// The members of a project whose role differs. The platform's owner counts as Admin whatever the membership says, and is
/// left alone (docs/activepieces.md#rest); a member whose current role isn't known too.
pub fn differences<'a>(
    project: &'a DesiredProject,
    standing: Option<&'a Project>,
    platform: &'a Platform,
    owners: &Owners<'a>,
    matches: &Matches<'_>,
) -> Vec<RoleDifference<'a>> {
    let (Some(wanted), Some(known), Some(standing)) = (&project.roles, platform.roles.known(), standing) else {
        return Vec::new();
    };
    let members = owners.matched(standing).filter(|(id, account)| {
        let is_managed = !wanted.on_add_only || wanted.owed.contains(*id);
        is_managed
            && platform.owner.as_ref() != Some(&account.id)
            && project.members.contains(id)
            && !matches.blocked.contains(*id)
    });
    let difference = |(id, account): (&OktaUserId, &'a User)| {
        let wanted = wanted.of.get(id)?;
        let to = known.spelled(wanted.role.as_deref()?)?;
        let from = known.of(&standing.id, &account.id)?;
        (from != to).then(|| RoleDifference { id: id.clone(), account, from, to, wanted })
    };
    members.filter_map(difference).collect()
}

/// The operations for these differences.
pub fn changes(differences: &[RoleDifference<'_>], desired: &Desired) -> Vec<RoleChange> {
    let change = |difference: &RoleDifference<'_>| RoleChange {
        user_name: difference.account.user_name.clone(),
        account: difference.account.id.clone(),
        okta_id: difference.id.clone(),
        from: difference.from.to_owned(),
        to: difference.to.to_owned(),
        reason: reason(difference.wanted, platform_role(&difference.id, Some(difference.account), desired)),
        by_absence: difference.wanted.by_absence,
    };
    let mut changes: Vec<RoleChange> = differences.iter().map(change).collect();
    changes.sort_unstable();
    changes
}

/// Why a role is given, and whether it has any effect.
fn reason(wanted: &DesiredRole, platform_role: Option<PlatformRole>) -> String {
    let because = &wanted.because;
    match platform_role {
        // The membership decides only for a MEMBER (docs/activepieces.md#rest).
        Some(role @ (PlatformRole::Admin | PlatformRole::Operator)) => {
            format!("{because}; no effect while the user is platform {role}")
        }
        Some(PlatformRole::Member) | None => because.clone(),
    }
}

/// The platform role that a user has after the run.
fn platform_role(id: &OktaUserId, account: Option<&User>, desired: &Desired) -> Option<PlatformRole> {
    let given = desired.users.get(id).and_then(|user| match &user.state {
        DesiredState::Present(attributes) => Some(attributes),
        _ => None,
    });
    let kept = account.map(|account| PlatformRole::parse(&account.platform_role));
    match (given, kept) {
        (Some(given), Some(kept)) if given.role_is_null || desired.on_create_only.platform_role => kept,
        (Some(given), _) => Some(given.platform_role),
        (None, kept) => kept.flatten(),
    }
}

/// Gives new members their roles. A member whose role can't be told isn't added: the server's default may be too much.
pub fn of_new_members<'a>(
    op: &mut ProjectOp,
    project: &DesiredProject,
    platform: &Platform,
    desired: &Desired,
    account_of: &impl Fn(&AccountId) -> Option<&'a User>,
    held: &mut Vec<Deferred>,
) {
    let (Some(wanted), Some(known)) = (&project.roles, platform.roles.known()) else { return };
    let waits = |member: &mut Member| {
        if member.account.is_some() && member.account == platform.owner {
            return false;
        }
        let Some(wanted) = wanted.of.get(&member.okta_id) else { return false };
        match wanted.role.as_deref().and_then(|role| known.spelled(role)) {
            Some(role) => {
                let account = member.account.as_ref().and_then(account_of);
                member.role = Some(role.to_owned());
                member.role_reason = Some(reason(wanted, platform_role(&member.okta_id, account, desired)));
                false
            }
            None => true,
        }
    };
    for member in op.add.extract_if(.., waits) {
        held.push(Deferred::new(&op.name, format!("add {}", member.user_name), Because::RoleNotKnown));
    }
}

/// Gives members who come back the project roles that they had when their accounts were closed, where the config doesn't manage the
/// roles of the project.
pub fn of_returning_members(op: &mut ProjectOp, project: &DesiredProject, platform: &Platform, desired: &Desired) {
    let is_moved = matches!(op.action, ProjectAction::Relink { is_named: true, .. });
    if project.roles.is_some() || desired.left_roles.is_empty() || is_moved {
        return;
    }
    let recorded: Vec<_> = project.links().filter_map(|link| desired.left_roles.get(link)).collect();
    let is_there = |role: &&String| platform.roles.known().is_none_or(|known| known.spelled(role).is_some());
    for member in &mut op.add {
        let role = recorded.iter().find_map(|roles| roles.get(&member.okta_id)).filter(|role| is_there(role));
        if let Some(role) = role {
            member.role = Some(role.clone());
            member.role_reason = Some("the project role before the deactivation".to_owned());
        }
    }
}

/// A problem for each role that the platform doesn't have, and those of the roles themselves.
pub fn problems(project: &DesiredProject, platform: &Platform) -> Vec<Problem> {
    let (Some(wanted), Some(known)) = (&project.roles, platform.roles.known()) else { return Vec::new() };
    let given = wanted.of.values().filter_map(|wanted| wanted.role.as_ref());
    let names: BTreeSet<&String> = wanted.names.iter().chain(given).collect();
    let unknown = names.into_iter().filter(|name| known.spelled(name).is_none());
    unknown.map(|name| no_such_role(name, project, wanted, known)).chain(wanted.problems.iter().cloned()).collect()
}

fn no_such_role(name: &str, project: &DesiredProject, wanted: &DesiredRoles, known: &KnownRoles) -> Problem {
    let message =
        format!("{}; members who should have it keep their role, and no member gets one", unknown_role(name, known));
    Problem::new(&project.name, ProblemKind::UnknownProjectRole, message).at(wanted.location.clone())
}

/// What is wrong with the name of a role that the platform doesn't have.
pub fn unknown_role(name: &str, known: &KnownRoles) -> String {
    let all = || known.names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let near = did_you_mean(&nearest(name, known.names.iter().map(String::as_str)));
    let hint = near.unwrap_or_else(|| format!("the roles are {}", all()));
    format!("no project role is named {name:?}; {hint}")
}
