//! Applies one user operation. A write sends only what it changes, and only while the account still has the plan's values.

use tokio::time::sleep;

use super::adapt::{Write, Writer};
use super::report::Outcome;
use super::retry::{is_conflict, pauses};
use crate::activepieces::wire::{
    CUSTOM_SCHEMA_ROLE, Email, Name, RoleBody, USER_SCHEMA, UserAccess, UserBody, UserOperation, UserValue,
};
use crate::http::Failure;
use crate::model::PlatformRole;
use crate::model::activepieces::{User, moved_link};
use crate::model::id::AccountId;
use crate::plan::op::{Attribute, Change, UserOp};

/// Does the operation and gives the account's id, or the outcome where it isn't done.
pub async fn write(writer: Writer<'_>, op: &UserOp) -> Result<AccountId, Outcome> {
    match &op.account {
        None => create(writer, op).await,
        Some(id) if op.is_deletion() => delete(writer, op, id).await.map(|()| id.clone()),
        Some(id) => update(writer, op, id).await.map(|()| id.clone()),
    }
}

/// Creates the account. After a lost answer it looks the address up, and completes an account that this run created,
/// perhaps in part (docs/activepieces.md#creating-a-user). It leaves an account that another client created meanwhile to
/// the next plan, since this plan never showed it.
async fn create(writer: Writer<'_>, op: &UserOp) -> Result<AccountId, Outcome> {
    let (mut pauses, mut is_lost) = (pauses(), false);
    loop {
        let failure = match writer.learn(Write::CreateUser, writer.activepieces.create_user(&creation(op))).await {
            Ok(user) => return complete(writer, op, user.into()).await,
            Err(failure) if failure.is_lost_answer() || is_conflict(&failure) => failure,
            Err(failure) => return Err(writer.failed(&failure)),
        };
        is_lost |= failure.is_lost_answer();
        if let Some(user) = by_address(writer, op).await? {
            let is_linked = user.link() == Some(op.okta_id.as_str());
            if is_linked && failure.status() == Some(500) {
                // The server makes the account first and sends the e-mail then (docs/activepieces.md#creating-a-user).
                writer.contact.mail_failed();
            }
            return match is_lost && (is_linked || is_half_made(writer, &user).await?) {
                true => complete(writer, op, user).await,
                false if is_linked && outstanding(&op.changes, &user).is_ok_and(|left| left.is_empty()) => Ok(user.id),
                false => Err(appeared(&user)),
            };
        }
        if is_conflict(&failure) {
            return Err(holder(writer, op).await.map_or_else(|| writer.failed(&failure), Outcome::Failed));
        }
        let Some(pause) = pauses.next() else { return Err(writer.failed(&failure)) };
        sleep(pause).await;
    }
}

/// Brings an account in line that this run has just made: the server keeps the old names of an address that it has seen
/// before (docs/activepieces.md#creating-a-user), and may have been cut off before the role and the externalId were set.
async fn complete(writer: Writer<'_>, op: &UserOp, user: User) -> Result<AccountId, Outcome> {
    let differs = |change: &&Change| change.attribute.of(&user) != change.to;
    let left: Vec<&Change> = op.changes.iter().filter(differs).filter(|change| is_shown(&user, change)).collect();
    if left.is_empty() {
        return Ok(user.id);
    }
    match send(writer, op, &user, &left).await {
        Ok(kept) => verified(&kept).map(|()| user.id),
        // An answer that was lost once more: what is missing is for the next plan.
        Err(failure) => Err(writer.failed(&failure)),
    }
}

/// The account of this address. One whose address can't be asked for, since it has a quote in it (docs/activepieces.md#listing-users), is
/// found by its externalId.
async fn by_address(writer: Writer<'_>, op: &UserOp) -> Result<Option<User>, Outcome> {
    let look = async || {
        if let Some(user) = writer.activepieces.user_by_name(&op.user_name).await? {
            return Ok(Some(user));
        }
        let linked = writer.activepieces.rest_user_by_external_id(op.okta_id.as_str()).await?;
        match linked.filter(|user| user.email == op.user_name) {
            Some(user) => writer.activepieces.user(&user.id).await,
            None => Ok(None),
        }
    };
    Ok(writer.see(look()).await?.map(User::from))
}

/// Whether the account is as a creation leaves it that was cut off in the middle: active, MEMBER, without an externalId
/// (docs/activepieces.md#creating-a-user).
async fn is_half_made(writer: Writer<'_>, user: &User) -> Result<bool, Outcome> {
    if !user.active || user.link().is_some() {
        return Ok(false);
    }
    let role = if user.platform_role.is_empty() {
        let shown = writer.see(writer.activepieces.rest_user(&user.id)).await?;
        shown.map(|user| user.platform_role).unwrap_or_default()
    } else {
        user.platform_role.to_string()
    };
    Ok(role == PlatformRole::Member.as_str())
}

fn appeared(user: &User) -> Outcome {
    let linked = user.link().map(|id| format!(", linked to {id}")).unwrap_or_default();
    Outcome::Stale(format!("an account of this address appeared since the plan was made{linked}"))
}

/// Who else holds the externalId, where that is why a creation failed.
async fn holder(writer: Writer<'_>, op: &UserOp) -> Option<String> {
    let holder = writer.activepieces.rest_user_by_external_id(op.okta_id.as_str()).await.ok()??;
    if holder.email == op.user_name {
        return None;
    }
    Some(format!("the account {} holds the externalId {}", holder.email, op.okta_id))
}

/// Sets what the operation changes. Each try begins with a look at the account: what has its new value needs no write, and a
/// value that is neither the old nor the new one was set by another client since and is left alone.
async fn update(writer: Writer<'_>, op: &UserOp, id: &AccountId) -> Result<(), Outcome> {
    let mut pauses = pauses();
    let mut refused = None;
    loop {
        let user = look(writer, op, id).await?;
        is_still_theirs(op, &user)?;
        let left = outstanding(&op.changes, &user)?;
        if left.is_empty() {
            return Ok(());
        }
        if let Some(failure) = refused {
            return Err(writer.failed(&failure));
        }
        let failure = match send(writer, op, &user, &left).await {
            Ok(kept) => return verified(&kept),
            Err(failure) if failure.is_lost_answer() || is_conflict(&failure) => failure,
            Err(failure) => return Err(writer.failed(&failure)),
        };
        if is_conflict(&failure) {
            refused = Some(failure);
            continue;
        }
        let Some(pause) = pauses.next() else { return Err(writer.failed(&failure)) };
        sleep(pause).await;
    }
}

/// Deletes the account for good, if it is still the inactive one of the user and isn't ADMIN. The server deletes the personal project with
/// the first request and often fails it then (500, 23503), so that it is sent again after another look
/// (docs/activepieces.md#deleted-accounts). What counts is that the account is gone.
async fn delete(writer: Writer<'_>, op: &UserOp, id: &AccountId) -> Result<(), Outcome> {
    let mut pauses = pauses();
    loop {
        let Some(user) = writer.see(writer.activepieces.user(id)).await?.map(User::from) else { return Ok(()) };
        let shown = writer.see(writer.activepieces.rest_user(id)).await?;
        let role = shown.map_or_else(|| user.platform_role.to_string(), |user| user.platform_role);
        if user.active || user.link() != Some(op.okta_id.as_str()) || role == PlatformRole::Admin.as_str() {
            let why = "changed meanwhile: the account is active, ADMIN or another user's now";
            return Err(Outcome::Stale(why.to_owned()));
        }
        let failure = match writer.send(writer.activepieces.delete_user(id)).await {
            Ok(()) => None,
            Err(failure) if failure.is_lost_answer() || failure.code() == Some("23503") => Some(failure),
            Err(failure) => return Err(writer.failed(&failure)),
        };
        if writer.see(writer.activepieces.user(id)).await?.is_none() {
            return Ok(());
        }
        match (pauses.next(), failure) {
            (Some(pause), _) => sleep(pause).await,
            (None, Some(failure)) => return Err(writer.failed(&failure)),
            (None, None) => {
                return Err(Outcome::Kept(
                    "the server answered that the account is deleted, and it is there".to_owned(),
                ));
            }
        }
    }
}

/// The account as it is now. Servers before 0.84 show its role only over REST (docs/activepieces.md#generations).
async fn look(writer: Writer<'_>, op: &UserOp, id: &AccountId) -> Result<User, Outcome> {
    let gone = || Outcome::Stale("the account is gone since the plan was made".to_owned());
    let changes_role = op.role_change().is_some();
    if changes_role && writer.activepieces.hides_roles() {
        return writer.see(writer.activepieces.rest_user(id)).await?.map(User::from).ok_or_else(gone);
    }
    writer.see(writer.activepieces.user(id)).await?.map(User::from).ok_or_else(gone)
}

/// Whether the account still belongs to the operation's user.
fn is_still_theirs(op: &UserOp, user: &User) -> Result<(), Outcome> {
    let is_linked_by_it = op.changes.iter().any(|change| change.attribute == Attribute::ExternalId);
    match user.link() {
        Some(link) if link == op.okta_id.as_str() || link == moved_link(&op.okta_id, &user.id) => Ok(()),
        _ if is_linked_by_it => Ok(()),
        Some(id) => Err(Outcome::Stale(format!("the account was linked to {id} since the plan was made"))),
        None => Err(Outcome::Stale("the account isn't linked to the user any more".to_owned())),
    }
}

/// The changes that are still to be written; the outcome where a value is neither the old one nor the new one.
fn outstanding<'c>(changes: impl IntoIterator<Item = &'c Change>, user: &User) -> Result<Vec<&'c Change>, Outcome> {
    let mut left = Vec::new();
    let mut others = Vec::new();
    for change in changes.into_iter().filter(|change| is_shown(user, change)) {
        let (name, now) = (change.attribute.as_str(), change.attribute.of(user));
        if now == change.to {
            continue;
        }
        if now == change.from.as_deref().unwrap_or_default() {
            left.push(change);
        } else {
            others.push(format!("{name} is {now:?} now, not {:?}", change.from.as_deref().unwrap_or_default()));
        }
    }
    if others.is_empty() { Ok(left) } else { Err(Outcome::Stale(format!("changed meanwhile: {}", others.join(", ")))) }
}

/// Writes these changes to an account that was read just before, and gives those that the server answers otherwise.
///
/// A PATCH touches nothing else. Servers before 0.84 don't set names and roles by it (docs/activepieces.md#generations); their PUT
/// sets what it holds and activates an account where `active` isn't false, so that it repeats the value just read.
async fn send(writer: Writer<'_>, op: &UserOp, user: &User, left: &[&Change]) -> Result<Vec<String>, Failure> {
    let hides_role = user.platform_role.is_empty() || writer.activepieces.hides_roles();
    let operations = if hides_role { access_alone(left) } else { Some(additions(left)) };
    let now = match operations {
        Some(operations) => Some(patched(writer, &user.id, operations).await?),
        None => None,
    };
    let kept = |user: &User| -> Vec<String> {
        let differs = |change: &&&Change| is_shown(user, change) && change.attribute.of(user) != change.to;
        let told = |change: &&Change| format!("{} {:?}", change.attribute.as_str(), change.attribute.of(user));
        left.iter().filter(differs).map(told).collect()
    };
    if let Some(now) = &now {
        let kept = kept(now);
        // The answer is the newest read of the account, so that it decides whether a PUT may follow.
        if kept.is_empty() || outstanding(left.iter().copied(), now).is_err() || is_still_theirs(op, now).is_err() {
            return Ok(kept);
        }
    }
    let now = now.unwrap_or_else(|| user.clone());
    let body = replacement(&now, left);
    let put = writer.activepieces.put_user(&user.id, &body);
    Ok(kept(&writer.learn(Write::PutUser, put).await?.into()))
}

async fn patched(writer: Writer<'_>, id: &AccountId, operations: Vec<UserOperation<'_>>) -> Result<User, Failure> {
    let patch = writer.activepieces.patch_user(id, operations);
    Ok(writer.learn(Write::PatchUser, patch).await?.into())
}

/// One operation for each attribute, which the server applies together (docs/activepieces.md#patch-of-a-user).
fn additions<'c>(changes: &[&'c Change]) -> Vec<UserOperation<'c>> {
    let addition = |change: &&'c Change| {
        let (path, value) = match change.attribute {
            Attribute::Active => ("active", UserValue::Flag(change.to == "true")),
            Attribute::PlatformRole => (CUSTOM_SCHEMA_ROLE, UserValue::Text(&change.to)),
            Attribute::GivenName => ("name.givenName", UserValue::Text(&change.to)),
            Attribute::FamilyName => ("name.familyName", UserValue::Text(&change.to)),
            Attribute::ExternalId => ("externalId", UserValue::Text(&change.to)),
        };
        UserOperation::Add { path, value }
    };
    changes.iter().map(addition).collect()
}

/// The PATCH that every version knows, where nothing but access and link changes.
fn access_alone<'c>(changes: &[&'c Change]) -> Option<Vec<UserOperation<'c>>> {
    let mut access = UserAccess::default();
    for change in changes {
        match change.attribute {
            Attribute::Active => access.active = Some(change.to == "true"),
            Attribute::ExternalId => access.external_id = Some(&change.to),
            Attribute::PlatformRole | Attribute::GivenName | Attribute::FamilyName => return None,
        }
    }
    Some(vec![UserOperation::Replace { value: access }])
}

/// The body of a PUT that sets these changes and leaves all else as it was read.
fn replacement<'c>(user: &'c User, changes: &[&'c Change]) -> UserBody<'c> {
    let to = |attribute| changes.iter().find(|change| change.attribute == attribute).map(|change| change.to.as_str());
    let (given_name, family_name) = (to(Attribute::GivenName), to(Attribute::FamilyName));
    let names = given_name
        .or(family_name)
        .is_some()
        .then(|| Name { given_name: given_name.map(str::to_owned), family_name: family_name.map(str::to_owned) });
    UserBody {
        schemas: [USER_SCHEMA],
        user_name: &user.user_name,
        external_id: to(Attribute::ExternalId),
        name: names,
        emails: None,
        display_name: None,
        active: to(Attribute::Active).map_or(user.active, |active| active == "true"),
        custom: to(Attribute::PlatformRole)
            .and_then(PlatformRole::parse)
            .map(|platform_role| RoleBody { platform_role }),
    }
}

/// The body of a POST.
fn creation(op: &UserOp) -> UserBody<'_> {
    let attributes = op.attributes.as_ref();
    UserBody {
        schemas: [USER_SCHEMA],
        user_name: &op.user_name,
        external_id: Some(op.okta_id.as_str()),
        name: attributes.map(|attributes| Name {
            given_name: attributes.given_name.clone(),
            family_name: attributes.family_name.clone(),
        }),
        emails: attributes.and_then(|a| a.email.as_deref()).map(|value| [Email { value, primary: true }]),
        display_name: attributes.and_then(|a| a.display_name.as_deref()),
        active: !op.makes_inactive(),
        custom: attributes.map(|attributes| RoleBody { platform_role: attributes.platform_role }),
    }
}

fn verified(kept: &[String]) -> Result<(), Outcome> {
    if kept.is_empty() {
        return Ok(());
    }
    Err(Outcome::Kept(format!("the server returned 200 but still has {}", kept.join(", "))))
}

/// Whether the account as it was read tells the attribute's value: a role is empty where the server doesn't send it.
fn is_shown(user: &User, change: &Change) -> bool {
    change.attribute != Attribute::PlatformRole || !user.platform_role.is_empty()
}
