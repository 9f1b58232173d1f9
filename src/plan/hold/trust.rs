//! Rejects an Okta read that is much smaller than the last trusted one.

use crate::model::desired::Leave;
use crate::plan::deferred::{Because, Deferred, Shrunk};
use crate::plan::hold::doubt::{change_of_role, revocation};
use crate::plan::op::{InvitationOp, Plan, Reason, RoleChange, UserAction, UserOp};
use crate::plan::past::{Past, Sizes};
use crate::plan::policy::Limits;

/// What shrank by more than `max_shrink`. A group that isn't pushed any more is another matter, and the first read of a
/// scope is always trusted.
pub fn shrunk(now: &Sizes, past: &Past, limits: &Limits) -> Vec<Shrunk> {
    let Some(trusted) = &past.trusted else { return Vec::new() };
    let same_scope = trusted.scope == now.scope;
    let users =
        same_scope.then(|| Shrunk { which: "users in scope".to_owned(), before: trusted.users, now: now.users });
    let parts =
        trusted.parts.iter().filter(|_| same_scope).filter_map(|(part, before)| {
            Some(Shrunk { which: part.clone(), before: *before, now: *now.parts.get(part)? })
        });
    let groups = trusted.groups.iter().filter_map(|(id, before)| {
        let now = now.groups.get(id)?;
        Some(Shrunk { which: format!("members of the group {}", now.name), before: before.members, now: now.members })
    });
    let too_small =
        |shrunk: &Shrunk| shrunk.before.saturating_sub(shrunk.now) > limits.shrink.of(shrunk.before, limits.floor());
    let mut all: Vec<_> = users.into_iter().chain(parts).chain(groups).filter(too_small).collect();
    // A group may be pushed and in scope.
    all.sort_unstable();
    all.dedup();
    all
}

/// Defers everything that takes something away because of an absence. A status that Okta states isn't one: a user who is
/// suspended or deactivated there loses access however little else was read, within the limit of deactivations. A user who is
/// deleted is only known by the read that isn't trusted, but where a part of the scope is missing each was asked for by id.
pub fn hold(plan: &mut Plan, because: &Because) {
    let mut held = |subject: &str, what: String| plan.held.push(Deferred::new(subject, what, because.clone()));
    let is_stated_by = |leave: Leave| match leave {
        Leave::Deleted => *because == Because::ScopeNotFound,
        leave => !leave.is_absence(),
    };
    let is_stated = |op: &UserOp| matches!(op.reason, Reason::Left(leave) if is_stated_by(leave));
    let is_held = |op: &mut UserOp| match op.action {
        UserAction::Delete => true,
        UserAction::Deactivate => !is_stated(op),
        _ => false,
    };
    for op in plan.users.extract_if(.., is_held) {
        op.undone().for_each(|(name, action)| held(name, action.as_str().to_owned()));
    }
    // A role or a membership doesn't follow from the scope.
    let is_held = |op: &mut InvitationOp| match op.left {
        Some(leave) => !is_stated_by(leave),
        None => *because == Because::SourceNotTrusted,
    };
    for op in plan.invitations.extract_if(.., is_held) {
        held(&op.user_name, revocation(&op));
    }
    for op in plan.projects.extract_if(.., |op| op.is_deletion() || op.is_archival()) {
        held(&op.name, format!("{} the project", op.action.as_str()));
    }
    for op in &mut plan.projects {
        for removal in op.remove.drain(..) {
            held(&op.name, format!("remove {}", removal.user_name));
        }
        // Which groups a user is in says nothing about the scope.
        let is_held = |change: &mut RoleChange| change.by_absence && *because == Because::SourceNotTrusted;
        for change in op.roles.extract_if(.., is_held) {
            held(&op.name, change_of_role(&change));
        }
    }
}
