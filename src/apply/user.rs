//! One operation on one user.

use super::adapt::{Server, Write};
use super::report::Outcome;
use super::retry::survive;
use crate::activepieces::Activepieces;
use crate::activepieces::wire::{Email, Name, RoleBody, ScimUser, USER_SCHEMA, UserBody};
use crate::http::Failure;
use crate::model::activepieces::User;
use crate::model::id::AccountId;
use crate::plan::op::{Attribute, UserAction, UserOp};

/// Does the operation and gives the account's id, or the outcome where it isn't done.
pub async fn write(server: Server<'_>, op: &UserOp) -> Result<AccountId, Outcome> {
    match &op.account {
        None => create(server, op).await,
        Some(id) => put(server, op, id).await.map(|()| id.clone()),
    }
}

/// Creates the account. After a lost answer, or a 409, the user name is looked up: what stands there, perhaps half made
/// (contract section 3.1), is brought in line instead of being made again. So is what the server made otherwise than it
/// was asked to: it keeps the old names of an address that it has seen before.
async fn create(server: Server<'_>, op: &UserOp) -> Result<AccountId, Outcome> {
    let send = async || server.learn(Write::CreateUser, server.activepieces.create_user(&body(op))).await;
    let look = async || standing(server.activepieces, op).await;
    let user = match survive(send, look).await {
        Ok(user) => user,
        Err(why) => return Err(holder(server.activepieces, op).await.unwrap_or(why).into()),
    };
    let linked = user.external_id.as_deref().filter(|id| !id.is_empty());
    if let Some(other) = linked.filter(|id| *id != op.okta_id.as_str()) {
        return Err(format!("an account of this name appeared meanwhile, linked to {other}").into());
    }
    let id = user.id.clone();
    if !differences(op, user).is_empty() {
        put(server, op, &id).await?;
    }
    Ok(id)
}

/// The account of this name. One whose name can't be asked for, since it has a quote in it (contract section 3.3), is
/// found by its externalId.
async fn standing(activepieces: &Activepieces, op: &UserOp) -> Result<Option<ScimUser>, Failure> {
    if let Some(user) = activepieces.user_by_name(&op.user_name).await? {
        return Ok(Some(user));
    }
    let linked = activepieces.rest_user_by_external_id(op.okta_id.as_str()).await?;
    match linked.filter(|user| user.email == op.user_name) {
        Some(user) => activepieces.user(&user.id).await,
        None => Ok(None),
    }
}

/// Who else holds the externalId, where that is why a creation failed.
async fn holder(activepieces: &Activepieces, op: &UserOp) -> Option<String> {
    let holder = activepieces.rest_user_by_external_id(op.okta_id.as_str()).await.ok()??;
    if holder.email == op.user_name {
        return None;
    }
    Some(format!("the account {} holds the externalId {}", holder.email, op.okta_id))
}

/// Sets what the operation says, and believes only what the server answers.
async fn put(server: Server<'_>, op: &UserOp, id: &AccountId) -> Result<(), Outcome> {
    let send = async || {
        let user = server.learn(Write::PutUser, server.activepieces.put_user(id, &body(op))).await?;
        Ok(differences(op, user))
    };
    let look = async || {
        let standing = server.activepieces.user(id).await?.map(|user| differences(op, user));
        Ok(standing.filter(Vec::is_empty))
    };
    verified(&survive(send, look).await?)
}

fn verified(differences: &[String]) -> Result<(), Outcome> {
    if differences.is_empty() {
        return Ok(());
    }
    Err(Outcome::Kept(format!("the server answered well and kept {}", differences.join(", "))))
}

/// What stands otherwise than the operation says: `givenName "Ada"`.
fn differences(op: &UserOp, user: ScimUser) -> Vec<String> {
    let shows_role = user.custom.is_some();
    let user = User::from(user);
    let standing = |attribute| match attribute {
        Attribute::Active => {
            if user.active {
                "true"
            } else {
                "false"
            }
        }
        Attribute::PlatformRole => &user.platform_role,
        Attribute::GivenName => user.given_name.as_str(),
        Attribute::FamilyName => user.family_name.as_str(),
        Attribute::ExternalId => user.external_id.as_deref().unwrap_or_default(),
    };
    op.changes
        .iter()
        // Servers before 0.84 take the role and don't send it (contract section 9); the next plan shows it.
        .filter(|change| change.attribute != Attribute::PlatformRole || shows_role)
        .filter(|change| standing(change.attribute) != change.to)
        .map(|change| format!("{} {:?}", change.attribute.as_str(), standing(change.attribute)))
        .collect()
}

/// The body of POST and PUT. A deactivation without attributes names nothing but `active`, and the externalId where it's
/// new.
fn body(op: &UserOp) -> UserBody<'_> {
    let attributes = op.attributes.as_ref();
    let links = op.changes.iter().any(|change| change.attribute == Attribute::ExternalId);
    UserBody {
        schemas: [USER_SCHEMA],
        user_name: &op.user_name,
        external_id: (attributes.is_some() || links).then_some(&op.okta_id),
        name: attributes.map(|attributes| Name {
            given_name: attributes.given_name.clone(),
            family_name: attributes.family_name.clone(),
        }),
        emails: attributes.and_then(|a| a.email.as_deref()).map(|value| [Email { value, primary: true }]),
        display_name: attributes.and_then(|a| a.display_name.as_deref()),
        active: op.action != UserAction::Deactivate,
        custom: attributes.map(|attributes| RoleBody { platform_role: attributes.platform_role }),
    }
}
