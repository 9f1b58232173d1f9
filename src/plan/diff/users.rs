//! The difference for users.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use crate::model::PlatformRole;
use crate::model::activepieces::{Platform, User, census};
use crate::model::desired::{Attributes, Desired, DesiredState, DesiredUser, Leave, OnCreateOnly};
use crate::model::id::{AccountId, OktaIds, OktaUserId};
use crate::model::problem::{Problem, ProblemKind};
use crate::plan::diff::leaving::{deactivate, effective, note_grace};
use crate::plan::diff::matching::{Matches, wanted_names};
use crate::plan::diff::protected::{Protected, keep_admin};
use crate::plan::diff::recreate;
use crate::plan::op::{Attribute, Change, Plan, Reason, UserAction, UserOp};
use crate::plan::policy::{OnLeave, Policy};

/// Adds the users' part to the plan: operations, problems, warnings and counts.
pub fn diff(plan: &mut Plan, desired: &Desired, platform: &Platform, matches: &Matches<'_>, policy: &Policy) {
    let protected = Protected::of(platform, policy);
    let mut open = Vec::new();
    let accounts = matches.account_of.iter().copied().zip(matches.linked.iter().copied());
    for ((id, user), (account, linked)) in desired.users.iter().zip(accounts) {
        let is_gone = matches!(user.state, DesiredState::Left(Leave::Unassigned | Leave::Deactivated | Leave::Deleted));
        plan.standing.in_scope += usize::from(user.in_scope && !is_gone);
        if let DesiredState::Problem(problems) = &user.state {
            plan.problems.extend(problems.iter().cloned());
        }
        let is_managed = |account: &User| is_managed(id, user, account, &desired.ids);
        let former = matches.former.get(id).and_then(|places| places.first()).map(|at| &platform.users[*at]);
        if let Some(account) = account.or(former).filter(|account| account.active && is_managed(account)) {
            plan.standing.managed_active += 1;
            plan.standing.privileged_active += usize::from(is_privileged(account));
            if let DesiredState::Left(leave) = user.state {
                note_grace(plan, id, effective(leave, user, policy), account, policy);
            }
        }
        if let (DesiredState::Left(leave), Some(account)) = (&user.state, linked.filter(|linked| linked.active)) {
            open.push((id, user, *leave, account));
        }
        if matches.blocked.contains(id) || matches.superseded.contains(id) {
            continue;
        }
        note_changed_email(plan, id, user, account);
        let new = op(id, user, account, former, desired, policy);
        let op = if matches!(user.state, DesiredState::Present(_)) {
            let warnings = &mut plan.warnings;
            let left = recreate::left(id, account, desired, platform, matches, &protected, warnings);
            recreate::recreation(new, id, account, left)
        } else {
            new
        };
        match op.and_then(|op| protected.restrict(op, account, &mut plan.warnings)) {
            Some(op) if op.action == UserAction::Deactivate && !account.is_some_and(is_managed) => {
                plan.problems.push(unlinked_leaver(user, &op));
            }
            Some(op) => plan.users.push(op),
            None if account.is_some() => plan.standing.unchanged_users += 1,
            None => note_without_account(plan, user),
        }
    }
    close_what_is_open(plan, open, matches, &protected, policy);
    recreate::close(plan, desired, platform, matches, &protected, policy);
    note_admins(plan, platform);
    keep_the_last_admin(plan);
    recreate::through_a_third_value(plan);
    count_unmatched(plan, platform, matches, desired);
    plan.users.sort_unstable_by(|a, b| (a.action, &a.user_name, &a.okta_id).cmp(&(b.action, &b.user_name, &b.okta_id)));
}

/// Whether the account is, or becomes, one that Okta answers for: it is taken over by its address, also to be closed
/// when Okta says that the person has no access.
pub(crate) fn is_managed(id: &OktaUserId, user: &DesiredUser, account: &User, ids: &OktaIds) -> bool {
    let by_address = match user.state {
        DesiredState::Present(_) => true,
        DesiredState::Left(leave) => !leave.is_absence(),
        DesiredState::Untouched(_) | DesiredState::Problem(_) => false,
    };
    let is_own = account.link() == Some(id.as_str()) || account.former_of(ids).is_some_and(|user| user == *id);
    is_own || is_linked(account, ids) || by_address
}

/// Whether Okta or this program created or adopted the account: access is removed only from such accounts.
pub(crate) fn is_linked(account: &User, ids: &OktaIds) -> bool {
    account.external_id.as_deref().is_some_and(|id| ids.is_user(id))
}

/// The account that is linked to a user without access is closed, whatever else is wrong: others may claim its address, or
/// the one it goes to may have a problem. Only an operation that gives it to another user who has access takes it from the
/// user.
fn close_what_is_open(
    plan: &mut Plan,
    open: Vec<(&OktaUserId, &DesiredUser, Leave, &User)>,
    matches: &Matches<'_>,
    protected: &Protected<'_>,
    policy: &Policy,
) {
    let changed: BTreeSet<AccountId> = plan.users.iter().filter_map(|op| op.account.clone()).collect();
    for (id, user, leave, account) in open {
        let leave = effective(leave, user, policy);
        if changed.contains(&account.id) || leave == Leave::Unassigned || policy.on_leave(leave) == OnLeave::Keep {
            continue;
        }
        note_grace(plan, id, leave, account, policy);
        let op = protected.restrict(deactivate(id, leave, account), Some(account), &mut plan.warnings);
        plan.users.extend(op);
        if matches.account_of.iter().flatten().all(|matched| matched.id != account.id) {
            plan.standing.managed_active += 1;
            plan.standing.privileged_active += usize::from(is_privileged(account));
        }
    }
    plan.warnings.sort();
    plan.warnings.dedup();
}

/// Counts a user in scope whose status gives no account.
fn note_without_account(plan: &mut Plan, user: &DesiredUser) {
    let status = match &user.state {
        DesiredState::Untouched(status) => status.as_str().to_lowercase(),
        DesiredState::Left(leave) => leave.name().to_owned(),
        DesiredState::Present(_) | DesiredState::Problem(_) => return,
    };
    if user.in_scope && status != Leave::Deactivated.name() {
        *plan.standing.without_account.entry(status).or_default() += 1;
    }
}

/// Whether the account is ADMIN or OPERATOR.
pub(crate) fn is_privileged(account: &User) -> bool {
    matches!(PlatformRole::parse(&account.platform_role), Some(PlatformRole::Admin | PlatformRole::Operator))
}

/// An e-mail address can't be changed there; all else of the person still is.
fn note_changed_email(plan: &mut Plan, id: &OktaUserId, user: &DesiredUser, account: Option<&User>) {
    let (Some(account), Some(user_name), DesiredState::Present(_)) = (account, &user.user_name, &user.state) else {
        return;
    };
    if *user_name != account.user_name {
        plan.standing.email_changed.insert(id.clone());
        plan.problems.push(Problem::new(
            user.login(),
            ProblemKind::EmailChanged,
            format!(
                "the e-mail address is {user_name} now; Activepieces can't change it from {}; role and names are still \
                 written; delete the old account there to get a new one, or change the address back",
                account.user_name
            ),
        ));
    }
}

/// The account of a user who left, if it was created by hand or by another directory: it isn't changed, and it must not
/// stay open unnoticed.
fn unlinked_leaver(user: &DesiredUser, op: &UserOp) -> Problem {
    let why = match op.reason {
        Reason::Left(leave) => leave.as_str(),
        _ => "not in scope",
    };
    let message = format!("{why}, but the account {} has no externalId of Okta's; deactivate it by hand", op.user_name);
    Problem::new(user.login(), ProblemKind::NotLinked, message)
}

/// The operation that a user needs, if any.
fn op(
    id: &OktaUserId,
    user: &DesiredUser,
    account: Option<&User>,
    former: Option<&User>,
    desired: &Desired,
    policy: &Policy,
) -> Option<UserOp> {
    match (&user.state, account) {
        (DesiredState::Present(attributes), None) => {
            create(id, user, &recreate::carried(attributes, former, desired.on_create_only), Reason::Assigned)
        }
        (DesiredState::Left(Leave::Staged) | DesiredState::Untouched(_), None) => {
            create(id, user, user.prepared.as_deref()?, Reason::Staged)
        }
        (DesiredState::Present(attributes), Some(account)) => {
            let mut later = later(attributes, desired.on_create_only, account);
            let replaces = former.filter(|_| account.link() != Some(id.as_str()));
            let attributes = &recreate::carried(attributes, replaces, desired.on_create_only);
            if takes_over(id, account, &desired.ids) {
                later.platform_role = attributes.platform_role;
                later.role_because.clone_from(&attributes.role_because);
            } else if replaces.is_some() {
                // The mightier role of the user's two accounts.
                later.platform_role = later.platform_role.min(attributes.platform_role);
            }
            let op = bring_in_line(id, later, account, &desired.ids)?;
            let is_alias = op.reason == Reason::SameEmail && user.user_name.as_deref() != Some(&account.user_name);
            Some(if is_alias { UserOp { reason: Reason::Alias, ..op } } else { op })
        }
        (DesiredState::Left(leave), Some(account)) if account.active => {
            let leave = effective(*leave, user, policy);
            (policy.on_leave(leave) == OnLeave::Deactivate).then(|| deactivate(id, leave, account))
        }
        _ => None,
    }
}

/// Whether the account was that of another user of the same address, or of no user with access: its role was given to
/// another person, and isn't handed on.
fn takes_over(id: &OktaUserId, account: &User, ids: &OktaIds) -> bool {
    match account.link() {
        Some(linked) if linked == id.as_str() => false,
        Some(linked) if ids.is_user(linked) => true,
        _ => !account.active || account.former_of(ids).is_some_and(|user| user != *id),
    }
}

/// Makes the account: an inactive one of a user who is staged.
fn create(id: &OktaUserId, user: &DesiredUser, attributes: &Attributes, reason: Reason) -> Option<UserOp> {
    let user_name = user.user_name.clone()?;
    let active = bool_text(reason != Reason::Staged).to_owned();
    let mut changes = vec![
        Change { attribute: Attribute::Active, from: None, to: active },
        Change { attribute: Attribute::PlatformRole, from: None, to: attributes.platform_role.to_string() },
    ];
    let names = [(Attribute::GivenName, &attributes.given_name), (Attribute::FamilyName, &attributes.family_name)];
    for (attribute, name) in names {
        changes.extend(name.clone().map(|to| Change { attribute, from: None, to }));
    }
    changes.push(Change { attribute: Attribute::ExternalId, from: None, to: id.to_string() });
    Some(UserOp {
        action: UserAction::Create,
        user_name,
        okta_id: id.clone(),
        account: None,
        changes,
        reason,
        attributes: Some(attributes.clone()),
        replaces: Vec::new(),
        destroys: None,
    })
}

/// The attributes without those that only a creation sets.
fn later(attributes: &Attributes, only: OnCreateOnly, account: &User) -> Attributes {
    let mut attributes = attributes.clone();
    if only.given_name {
        attributes.given_name = None;
    }
    if only.family_name {
        attributes.family_name = None;
    }
    let keeps_role = only.platform_role || attributes.role_is_null;
    if let (true, Some(role)) = (keeps_role, PlatformRole::parse(&account.platform_role)) {
        (attributes.platform_role, attributes.role_because) = (role, None);
    }
    attributes
}

/// Reactivates, adopts and updates, as far as something differs.
fn bring_in_line(id: &OktaUserId, attributes: Attributes, account: &User, ids: &OktaIds) -> Option<UserOp> {
    let mut changes = Vec::new();
    let mut differ = |attribute, from: Option<&str>, to: &str| {
        if from != Some(to) {
            changes.push(Change { attribute, from: from.map(str::to_owned), to: to.to_owned() });
        }
    };
    differ(Attribute::Active, Some(bool_text(account.active)), "true");
    differ(Attribute::PlatformRole, Some(&account.platform_role), attributes.platform_role.as_str());
    if let Some(name) = &attributes.given_name {
        differ(Attribute::GivenName, Some(&account.given_name), name);
    }
    if let Some(name) = &attributes.family_name {
        differ(Attribute::FamilyName, Some(&account.family_name), name);
    }
    differ(Attribute::ExternalId, account.link(), id.as_str());
    let adopts = changes.last()?.attribute == Attribute::ExternalId;
    let (action, reason) = match (account.active, adopts, account.link()) {
        (false, ..) => (UserAction::Reactivate, Reason::ActiveInOkta),
        (true, true, None) => (UserAction::Adopt, Reason::SameEmail),
        (true, true, Some(id)) if ids.is_user(id) => (UserAction::Adopt, Reason::Relinked),
        (true, true, Some(_)) => (UserAction::Adopt, Reason::OtherDirectory),
        (true, false, _) => (UserAction::Update, Reason::Profile),
    };
    Some(UserOp {
        action,
        user_name: account.user_name.clone(),
        okta_id: id.clone(),
        account: Some(account.id.clone()),
        changes,
        reason,
        attributes: Some(attributes),
        replaces: Vec::new(),
        destroys: None,
    })
}

fn bool_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Leaves one active ADMIN where the plan would take the last ones away: rather one that would be demoted than one
/// that left. Who is ADMIN was noted.
pub(crate) fn keep_the_last_admin(plan: &mut Plan) {
    if !plan.takes_all_admins() || plan.users.iter().any(UserOp::makes_admin) {
        return;
    }
    let admins = &plan.standing.admins;
    let rank = |at: &usize| (plan.users[*at].action == UserAction::Deactivate, &plan.users[*at].user_name);
    let Some(kept) =
        (0..plan.users.len()).filter(|at| plan.users[*at].takes_admin(admins)).min_by(|a, b| rank(a).cmp(&rank(b)))
    else {
        return;
    };
    let op = &mut plan.users[kept];
    plan.warnings.push(format!("{} is the last active ADMIN and stays so", op.user_name));
    if op.action == UserAction::Recreate {
        let op = plan.users.remove(kept);
        plan.leave_out(vec![op]);
        return;
    }
    keep_admin(op);
    if op.action == UserAction::Deactivate || op.changes.is_empty() {
        plan.users.remove(kept);
        plan.standing.unchanged_users += 1;
    }
}

/// Records who has which platform role today: the guards check the losses.
pub(crate) fn note_admins(plan: &mut Plan, platform: &Platform) {
    plan.standing.owner.clone_from(&platform.owner);
    let admins = platform.users.iter().filter(|user| user.active && user.is_admin());
    plan.standing.admins = admins.map(|user| user.id.clone()).collect();
    let is_operator = |user: &&User| user.active && user.platform_role == PlatformRole::Operator.as_str();
    plan.standing.operators = platform.users.iter().filter(is_operator).map(|user| user.id.clone()).collect();
    plan.standing.accounts = census(&platform.users);
}

/// Counts the accounts without an Okta user: created by hand, or linked to another directory. The owner's isn't
/// counted.
fn count_unmatched(plan: &mut Plan, platform: &Platform, matches: &Matches<'_>, desired: &Desired) {
    let wanted = LazyCell::new(|| wanted_names(desired));
    let all = platform.users.iter().zip(&matches.user_of);
    for (user, owner) in all.filter(|(user, _)| Some(&user.id) != platform.owner.as_ref()) {
        if owner.is_some() || wanted.contains(user.user_name.as_str()) {
            continue;
        }
        match user.link() {
            None => plan.standing.local.push(user.user_name.clone()),
            Some(_) if user.former_of(&desired.ids).is_some() => {}
            Some(id) if !desired.ids.is_user(id) => plan.standing.foreign.push(user.user_name.clone()),
            Some(_) => {}
        }
    }
    plan.standing.local.sort();
    plan.standing.foreign.sort();
}
