//! Restores accounts as they were before the run.

use super::{Accounts, Trace, Undone};
use crate::model::PlatformRole;
use crate::model::activepieces::{Contents, User, moved_link};
use crate::model::desired::Attributes;
use crate::model::problem::{Problem, ProblemKind};
use crate::plan::op::{Attribute, Change, Fate, Plan, Reason, Replaced, UserAction, UserOp};
use crate::plan::step::Step;

/// Adds an operation for each account that the run changed.
pub fn undo(plan: &mut Plan, undone: Undone<'_>, accounts: &Accounts<'_>) {
    let (mut created, mut prepared) = (0, 0);
    for made in &undone.plan.users {
        if made.action == UserAction::Recreate {
            recreation(plan, undone, made, accounts);
            continue;
        }
        match (undone.trace)(Step::User(made)) {
            Trace::None => {}
            _ if made.is_deletion() => {
                if accounts.of_op(made).is_none() {
                    let name = &made.user_name;
                    plan.warnings.push(format!("the account {name} was deleted, which can't be undone"));
                }
            }
            Trace::Blurred => undone.blurred(plan, Step::User(made)),
            Trace::Done | Trace::Perhaps => {
                let Some(account) = accounts.of_op(made) else {
                    undone.changed(plan, Step::User(made), "the account is gone");
                    continue;
                };
                prepared += usize::from(made.makes_inactive() && !account.active);
                let Some(back) = changes(made, account, undone, accounts, plan) else { continue };
                if back.is_empty() {
                    continue;
                }
                created += usize::from(made.action == UserAction::Create);
                match op(back, made, account, undone.run) {
                    Ok(op) => plan.users.push(op),
                    Err(problem) => plan.problems.push(problem),
                }
            }
        }
    }
    if prepared > 0 {
        plan.warnings.push(format!(
            "accounts can't be deleted: the {prepared} that run {} made for users who are staged stay inactive",
            undone.run
        ));
    }
    if created > 0 {
        plan.warnings.push(format!(
            "accounts can't be deleted: the {created} that run {} made are deactivated, and their welcome e-mails are out",
            undone.run
        ));
    }
}

/// Gives the user the old account back, and leaves the new one in its place, which is the same operation the other way round. An
/// account that went to another user stays theirs.
fn recreation(plan: &mut Plan, undone: Undone<'_>, made: &UserOp, accounts: &Accounts<'_>) {
    if made.steps().all(|step| (undone.trace)(step) == Trace::None) {
        return;
    }
    if let Some(step) = made.steps().find(|step| (undone.trace)(*step) == Trace::Blurred) {
        return undone.blurred(plan, step);
    }
    let id = &made.okta_id;
    let old = match made.replaces.as_slice() {
        [left] if !matches!(left.fate, Fate::TakenOver { .. }) => accounts.by_id.get(&left.account).copied(),
        _ => None,
    };
    let Some(old) =
        old.filter(|old| old.link().is_some_and(|link| link == id.as_str() || link == moved_link(id, &old.id)))
    else {
        let why = "the old account is gone or another user's, so that the new one stays";
        plan.warnings.push(format!("{}: {why}", made.user_name));
        return;
    };
    if let Some(why) = accounts.no_access(id.as_str()) {
        let message = format!("the account {} stays as it is: {why}", old.user_name);
        plan.problems.push(Problem::new(&made.user_name, ProblemKind::ChangedSince, message));
        return;
    }
    let change = |attribute, from: &str, to: &str| Change { attribute, from: Some(from.to_owned()), to: to.to_owned() };
    let mut changes = Vec::new();
    changes.extend((!old.active).then(|| change(Attribute::Active, "false", "true")));
    let link = old.link().unwrap_or_default();
    changes.extend((link != id.as_str()).then(|| change(Attribute::ExternalId, link, id.as_str())));
    if changes.is_empty() {
        return;
    }
    let new = accounts.by_external_id.get(id.as_str()).copied().filter(|new| new.id != old.id);
    let left = |new: &User| Replaced {
        account: new.id.clone(),
        user_name: new.user_name.clone(),
        link: id.to_string(),
        fate: if new.active { Fate::Close } else { Fate::Closed },
        copies: Vec::new(),
        personal: Contents::default(),
    };
    let platform_role = PlatformRole::parse(&old.platform_role).unwrap_or_default();
    plan.users.push(UserOp {
        action: if new.is_some() { UserAction::Recreate } else { UserAction::Adopt },
        user_name: old.user_name.clone(),
        okta_id: id.clone(),
        account: Some(old.id.clone()),
        changes,
        reason: Reason::Undo(undone.run),
        attributes: Some(Attributes { platform_role, ..Attributes::default() }),
        replaces: new.map(left).into_iter().collect(),
        destroys: None,
    });
}

/// The changes that bring back the values of before, of those that are still as the run left them; none where the account
/// isn't that of the run's user any more.
fn changes(
    made: &UserOp,
    account: &User,
    undone: Undone<'_>,
    accounts: &Accounts<'_>,
    plan: &mut Plan,
) -> Option<Vec<Change>> {
    let link = standing(account, Attribute::ExternalId);
    if link != Some(made.okta_id.as_str()) {
        let relinked = made.changes.iter().find(|change| change.attribute == Attribute::ExternalId);
        if relinked.is_none_or(|change| link != change.from.as_deref()) {
            let what = format!("the account is linked to {:?} now", link.unwrap_or_default());
            undone.changed(plan, Step::User(made), &what);
        }
        return None;
    }
    let creation = made.action == UserAction::Create;
    // Of what a creation made, only the access can be taken away.
    let concerned = made.changes.iter().filter(|change| !creation || change.attribute == Attribute::Active);
    let mut back = Vec::new();
    for change in concerned {
        let before = if creation { Some("false") } else { change.from.as_deref() };
        let standing = standing(account, change.attribute);
        if standing == before {
            continue;
        }
        if standing != Some(&change.to) {
            let what = format!("{} is {:?} now", change.attribute.as_str(), standing.unwrap_or_default());
            undone.changed(plan, Step::User(made), &what);
            continue;
        }
        match reversal(change, before, accounts) {
            Ok(change) => match refused(&change, made, account, accounts) {
                None => back.push(change),
                Some(why) => plan.problems.push(Problem::new(&made.user_name, ProblemKind::ChangedSince, why)),
            },
            Err(why) => plan.warnings.push(format!("{}: {why}", made.user_name)),
        }
    }
    Some(back)
}

/// Why a change that gives something isn't made: its user has no access in Okta today.
fn refused(change: &Change, made: &UserOp, account: &User, accounts: &Accounts<'_>) -> Option<String> {
    let of_user = || accounts.no_access(made.okta_id.as_str());
    match change.attribute {
        Attribute::Active if change.to == "true" => of_user().map(|why| format!("the account stays inactive: {why}")),
        Attribute::PlatformRole if PlatformRole::parse(&change.to) < PlatformRole::parse(&account.platform_role) => {
            of_user().map(|why| format!("the role stays {}: {why}", account.platform_role))
        }
        Attribute::ExternalId if accounts.is_okta_user(&change.to) => accounts
            .no_access(&change.to)
            .map(|why| format!("the account stays linked to {}: {} is {why}", made.okta_id, change.to)),
        _ => None,
    }
}

/// One change the other way round, or why that can't be.
fn reversal(change: &Change, before: Option<&str>, accounts: &Accounts<'_>) -> Result<Change, String> {
    let attribute = change.attribute;
    let Some(before) = before else {
        return Err(format!("{} can't be cleared and stays {:?}", attribute.as_str(), change.to));
    };
    if attribute == Attribute::PlatformRole && PlatformRole::parse(before).is_none() {
        return Err(format!("the role {before:?} of before is none that can be given"));
    }
    if let Some(holder) = accounts.by_external_id.get(before).filter(|_| attribute == Attribute::ExternalId) {
        return Err(format!("the externalId {before} of before is that of {} now", holder.user_name));
    }
    Ok(Change { attribute, from: Some(change.to.clone()), to: before.to_owned() })
}

/// What the account has; none where that is nothing. An externalId of `""` is none, as everywhere.
fn standing(account: &User, attribute: Attribute) -> Option<&str> {
    Some(attribute.of(account)).filter(|value| attribute != Attribute::ExternalId || !value.is_empty())
}

fn op(changes: Vec<Change>, made: &UserOp, account: &User, run: u32) -> Result<UserOp, Problem> {
    let to = |attribute| changes.iter().find(|change| change.attribute == attribute).map(|change| change.to.clone());
    let action = match (to(Attribute::Active).as_deref(), to(Attribute::ExternalId)) {
        (Some("false"), _) => UserAction::Deactivate,
        (Some(_), _) => UserAction::Reactivate,
        (None, Some(_)) => UserAction::Adopt,
        (None, None) => UserAction::Update,
    };
    let okta_id = to(Attribute::ExternalId)
        .or_else(|| account.external_id.as_deref().filter(|id| !id.is_empty()).map(str::to_owned));
    let role = to(Attribute::PlatformRole).unwrap_or_else(|| account.platform_role.to_string());
    // A deactivation on its own keeps all other values, whatever they are.
    let attributes = if action == UserAction::Deactivate && changes.len() == 1 {
        None
    } else {
        let Some(platform_role) = PlatformRole::parse(&role) else {
            let message = format!("the role {role:?} isn't a valid role");
            return Err(Problem::new(&made.user_name, ProblemKind::InvalidRole, message));
        };
        let (given_name, family_name) = (to(Attribute::GivenName), to(Attribute::FamilyName));
        Some(Attributes { given_name, family_name, platform_role, ..Attributes::default() })
    };
    Ok(UserOp {
        action,
        user_name: account.user_name.clone(),
        okta_id: okta_id.map_or_else(|| made.okta_id.clone(), Into::into),
        account: Some(account.id.clone()),
        changes,
        reason: Reason::Undo(run),
        attributes,
        replaces: Vec::new(),
        destroys: None,
    })
}
