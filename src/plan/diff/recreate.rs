//! The accounts that users leave because their e-mail address changed: what becomes of them, and what is copied from them.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::PlatformRole;
use crate::model::activepieces::{Contents, Platform, Project, User, moved_link};
use crate::model::desired::{Attributes, Desired, DesiredState, DesiredUser, OnCreateOnly};
use crate::model::id::{AccountId, OktaUserId};
use crate::model::problem::{Problem, ProblemKind};
use crate::plan::diff::leaving::{deactivate, effective, note_grace};
use crate::plan::diff::matching::Matches;
use crate::plan::diff::protected::Protected;
use crate::plan::op::{Attribute, Copied, Fate, Plan, Reason, Replaced, UserAction, UserOp};
use crate::plan::policy::{OnLeave, Policy};

/// What a user leaves behind, of what there is still something to do.
pub(super) fn left(
    id: &OktaUserId,
    account: Option<&User>,
    desired: &Desired,
    platform: &Platform,
    matches: &Matches<'_>,
    protected: &Protected<'_>,
    warnings: &mut Vec<String>,
) -> Vec<Replaced> {
    let Some(places) = matches.former.get(id) else { return Vec::new() };
    let replaced = |place: &usize| {
        let former = &platform.users[*place];
        let fate = match matches.user_of[*place] {
            Some(other) => Fate::TakenOver { by: desired.users[other].login().to_owned() },
            None if former.active => Fate::Close,
            None => Fate::Closed,
        };
        let copies = copies(former, id, account, desired, platform);
        let replaced = Replaced { copies, ..replaced(former, fate) };
        (replaced.is_linked_to(id) || replaced.fate == Fate::Close).then_some(replaced)
    };
    let is_left = |left: &Replaced| !protected.keeps_open(left, &Reason::EmailChanged, warnings);
    places.iter().filter_map(replaced).filter(is_left).collect()
}

fn replaced(former: &User, fate: Fate) -> Replaced {
    Replaced {
        account: former.id.clone(),
        user_name: former.user_name.clone(),
        link: former.link().unwrap_or_default().to_owned(),
        fate,
        copies: Vec::new(),
        personal: Contents::default(),
    }
}

/// The memberships to copy. Okta decides who is in the project of a pushed group, so that only the project role is copied there,
/// unless Okta gives it too.
fn copies(
    former: &User,
    id: &OktaUserId,
    account: Option<&User>,
    desired: &Desired,
    platform: &Platform,
) -> Vec<Copied> {
    let copied = |project: &Project| {
        let external_id = project.external_id.as_deref().unwrap_or_default();
        let has = account.is_some_and(|account| project.members.contains(&account.id));
        let joins = match desired.project_of(external_id) {
            Some(pushed) if !pushed.members.contains(id) || pushed.roles.is_some() => return None,
            Some(_) => false,
            None => !has,
        };
        Some(Copied { name: project.display_name.clone(), project: project.id.clone(), joins, role: None })
    };
    let projects = platform.projects.iter().filter(|project| project.members.contains(&former.id));
    let mut all: Vec<Copied> = projects.filter_map(copied).collect();
    all.sort_unstable();
    all
}

/// The attributes for the new account: where Okta gives no role, that of the account that is left.
pub(super) fn carried(attributes: &Attributes, former: Option<&User>, only: OnCreateOnly) -> Attributes {
    let mut attributes = attributes.clone();
    let role = former.and_then(|former| PlatformRole::parse(&former.platform_role));
    if let (true, Some(role)) = (only.platform_role || attributes.role_is_null, role) {
        (attributes.platform_role, attributes.role_because, attributes.role_is_null) = (role, None, false);
    }
    attributes
}

/// The operation of a user who leaves accounts behind, from the one on the new account.
pub(super) fn recreation(
    op: Option<UserOp>,
    id: &OktaUserId,
    account: Option<&User>,
    replaces: Vec<Replaced>,
) -> Option<UserOp> {
    if replaces.is_empty() {
        return op;
    }
    let nothing = || {
        let account = account?;
        let platform_role = PlatformRole::parse(&account.platform_role).unwrap_or_default();
        Some(UserOp {
            action: UserAction::Recreate,
            user_name: account.user_name.clone(),
            okta_id: id.clone(),
            account: Some(account.id.clone()),
            changes: Vec::new(),
            reason: Reason::EmailChanged,
            attributes: Some(Attributes { platform_role, ..Attributes::default() }),
            replaces: Vec::new(),
            destroys: None,
        })
    };
    let op = op.or_else(nothing)?;
    Some(UserOp { action: UserAction::Recreate, reason: Reason::EmailChanged, replaces, ..op })
}

/// Closes the accounts that were left by users who have no access by now, and names those that have to stay open.
pub(super) fn close(
    plan: &mut Plan,
    desired: &Desired,
    platform: &Platform,
    matches: &Matches<'_>,
    protected: &Protected<'_>,
    policy: &Policy,
) {
    for (id, places) in &matches.former {
        let user = &desired.users[id];
        let open = places.iter().filter(|place| matches.user_of[**place].is_none());
        for former in open.map(|place| &platform.users[*place]).filter(|former| former.active) {
            match &user.state {
                DesiredState::Left(leave) => {
                    let leave = effective(*leave, user, policy);
                    if policy.on_leave(leave) == OnLeave::Deactivate {
                        note_grace(plan, id, leave, former, policy);
                        let op = protected.restrict(deactivate(id, leave, former), Some(former), &mut plan.warnings);
                        add(plan, op, former);
                    }
                }
                DesiredState::Present(_) if !matches.blocked.contains(id) => {}
                _ => plan.problems.push(stays_open(user, former)),
            }
        }
    }
}

/// One operation for a user: an account more is closed by the one that closes the other.
fn add(plan: &mut Plan, op: Option<UserOp>, former: &User) {
    let Some(op) = op else { return };
    let same = |other: &&mut UserOp| other.okta_id == op.okta_id && other.action == UserAction::Deactivate;
    match plan.users.iter_mut().find(same) {
        Some(other) if other.account == op.account => {}
        Some(other) => other.replaces.push(replaced(former, Fate::Close)),
        None => plan.users.push(op),
    }
}

fn stays_open(user: &DesiredUser, former: &User) -> Problem {
    let message = format!(
        "the account {} was replaced and is still open: what the user should have isn't known",
        former.user_name
    );
    Problem::new(user.login(), ProblemKind::EmailChanged, message)
}

/// An account that changes hands has a third externalId by the time that it is linked, so that two users can swap.
pub(super) fn through_a_third_value(plan: &mut Plan) {
    let moves = |op: &UserOp| {
        let id = op.okta_id.clone();
        let moved = op.replaces.iter().filter(|left| left.is_linked_to(&op.okta_id));
        moved.map(move |left| (left.account.clone(), moved_link(&id, &left.account))).collect::<Vec<_>>()
    };
    let links: BTreeMap<AccountId, String> = plan.users.iter().flat_map(moves).collect();
    for op in &mut plan.users {
        let Some(link) = op.account.as_ref().and_then(|account| links.get(account)) else { continue };
        for change in op.changes.iter_mut().filter(|change| change.attribute == Attribute::ExternalId) {
            change.from = Some(link.clone());
        }
        if op.reason == Reason::Relinked {
            op.reason = Reason::AddressPassedOn;
        }
    }
}

/// The users whose new address follows from one listing: Okta is asked for them by id.
pub(super) fn doubted(platform: &Platform, matches: &Matches<'_>) -> BTreeSet<OktaUserId> {
    let moves = |(id, places): &(&OktaUserId, &Vec<usize>)| {
        places.iter().any(|place| platform.users[*place].link() == Some(id.as_str()))
    };
    matches.former.iter().filter(moves).map(|(id, _)| id.clone()).collect()
}

/// Adds no user to projects whose new account isn't made after all.
pub(super) fn without_new_accounts(plan: &mut Plan, platform: &Platform, matches: &Matches<'_>) {
    let mut without = doubted(platform, matches);
    plan.users.iter().for_each(|op| _ = without.remove(&op.okta_id));
    if without.is_empty() {
        return;
    }
    plan.projects.iter_mut().for_each(|op| op.add.retain(|member| !without.contains(&member.okta_id)));
    plan.projects.retain(|op| !op.is_empty());
}
