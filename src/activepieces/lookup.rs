//! Single accounts and projects, found by id, address or name.

use super::client::Activepieces;
use crate::error::{Error, Result};
use crate::http::Failure;
use crate::model::activepieces::{EmbeddedUser, User};
use crate::model::id::{AccountId, ProjectId};

/// An account that was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    Of(User),
    /// SCIM doesn't show it.
    Embedded(EmbeddedUser),
}

/// The members of a project, each with the project role where the server tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundMembers {
    pub members: Vec<(AccountId, Option<String>)>,
    /// Whether the server tells project roles.
    pub tells_roles: bool,
}

/// The account with this externalId. REST finds it, and SCIM says whether it can be synced.
pub async fn linked(activepieces: &Activepieces, external_id: &str) -> Result<Option<Account>> {
    let found = activepieces.rest_user_by_external_id(external_id).await.map_err(failed)?;
    let Some(rest) = found else { return Ok(None) };
    Ok(Some(match activepieces.user(&rest.id).await.map_err(failed)? {
        None => Account::Embedded(EmbeddedUser { id: rest.id, user_name: rest.email }),
        Some(scim) => Account::Of(User { platform_role: rest.platform_role.into(), ..scim.into() }),
    }))
}

/// The account with this address. An embedded one isn't found by it, nor is an address with a quotation mark in it
/// (docs/activepieces.md#listing-users).
pub async fn named(activepieces: &Activepieces, user_name: &str) -> Result<Option<User>> {
    if user_name.contains('"') {
        return Ok(None);
    }
    let found = activepieces.user_by_name(user_name).await.map_err(failed)?;
    let Some(mut user) = found.map(User::from) else { return Ok(None) };
    if user.platform_role.is_empty() {
        let rest = activepieces.rest_user(&user.id).await.map_err(failed)?;
        user.platform_role = rest.map(|rest| rest.platform_role.into()).unwrap_or_default();
    }
    Ok(Some(user))
}

/// The account of this id, by REST.
pub async fn by_id(activepieces: &Activepieces, id: &AccountId) -> Result<Option<User>> {
    Ok(activepieces.rest_user(id).await.map_err(failed)?.map(User::from))
}

/// The members of a project, inactive ones included.
pub async fn members(activepieces: &Activepieces, project: &ProjectId) -> Result<FoundMembers> {
    let failed = |failure: Failure| Error::from(failure).context("reading the members of an Activepieces project");
    if let Some(members) = activepieces.project_members(project).await.map_err(failed)? {
        let members = members.into_iter().map(|member| (member.user_id, Some(member.role))).collect();
        return Ok(FoundMembers { members, tells_roles: true });
    }
    let group = activepieces.group(project).await.map_err(failed)?;
    let members = group.into_iter().flat_map(|group| group.members).map(|member| (member.value, None)).collect();
    Ok(FoundMembers { members, tells_roles: false })
}

fn failed(failure: Failure) -> Error {
    Error::from(failure).context("looking for the account in Activepieces")
}
