//! Asks again, by id, before anything is taken away from anybody: a listing is no snapshot, and may miss who is there.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::OnceCell;

use super::client::Okta;
use super::extra;
use super::resolve::ResolvedScope;
use crate::error::{Error, Kind};
use crate::http::Failure;
use crate::model::id::OktaUserId;
use crate::model::okta::{Group, Org, Status};
use crate::model::packed::PackedUser;

/// What asking for one user found.
struct Found {
    id: OktaUserId,
    /// None if it wasn't asked for.
    user: Option<Asked>,
    /// None if they weren't asked for.
    groups: Option<Vec<Group>>,
}

enum Asked {
    Gone,
    There { user: PackedUser, in_scope: bool },
}

/// Asks for each of `users` by id and puts what is found into the org: who is gone, who is there, and who is in scope after
/// all. For each of `memberships`, and wherever the groups of a user were read anyway, puts the user back into the pushed
/// groups that he is in.
///
/// Whether a deactivated user is in scope isn't asked, since his status alone decides.
pub async fn confirm(
    okta: &Okta,
    scope: &ResolvedScope,
    org: &mut Org,
    users: BTreeSet<OktaUserId>,
    memberships: BTreeSet<OktaUserId>,
) -> Result<(), Error> {
    let all: BTreeSet<OktaUserId> = users.union(&memberships).cloned().collect();
    let searched = Searched::default();
    let found = stream::iter(all).map(async |id| {
        let (asks_user, asks_groups) = (users.contains(&id), memberships.contains(&id));
        let context = format!("asking Okta again about the user {id}");
        ask(okta, scope, &searched, id, asks_user, asks_groups).await.map_err(|error| error.context(context))
    });
    let found: Vec<Found> = found.buffer_unordered(okta.at_once()).try_collect().await?;
    let left = |found: &Found| matches!(&found.user, Some(Asked::There { user, in_scope: false }) if may_be_in_scope(&user.status));
    if found.iter().any(left) {
        scope_still_stands(okta, scope).await?;
    }
    let mut came_to_light = BTreeSet::new();
    for found in found {
        let (id, was_known) = (found.id.clone(), extra::is_evaluated(org, &found.id));
        put(org, scope, found);
        if !was_known && extra::is_evaluated(org, &id) {
            came_to_light.insert(id);
        }
    }
    if !came_to_light.is_empty() {
        Box::pin(extra::read(okta, &scope.needs, scope.app.as_ref(), org, &came_to_light)).await?;
    }
    Ok(())
}

fn put(org: &mut Org, scope: &ResolvedScope, found: Found) {
    let Found { id, user, groups } = found;
    match user {
        Some(Asked::Gone) => {
            org.users.remove(&id);
            org.in_scope.remove(&id);
            org.gone.insert(id);
            return;
        }
        Some(Asked::There { user, in_scope }) => {
            org.gone.remove(&id);
            org.users.insert(id.clone(), user);
            if in_scope {
                org.in_scope.insert(id.clone());
            }
        }
        None => {}
    }
    let Some(groups) = groups else { return };
    for group in &groups {
        if let Some(pushed) = org.pushed.get_mut(&group.id) {
            pushed.members.insert(id.clone());
        }
    }
    if scope.needs.groups && org.in_scope.contains(&id) {
        org.groups_of.insert(id, groups.into_iter().map(Arc::new).collect());
    }
}

fn may_be_in_scope(status: &Status) -> bool {
    *status != Status::Deprovisioned
}

async fn ask(
    okta: &Okta,
    scope: &ResolvedScope,
    searched: &Searched,
    id: OktaUserId,
    asks_user: bool,
    asks_groups: bool,
) -> Result<Found, Error> {
    let mut found = Found { id, user: None, groups: None };
    if asks_groups {
        found.groups = groups_of(okta, &found.id).await?;
    }
    if !asks_user {
        return Ok(found);
    }
    let Some(user) = okta.user(found.id.as_str()).await? else {
        found.user = Some(Asked::Gone);
        return Ok(found);
    };
    if user.id != found.id {
        return Err(Error::new(Kind::Failed, format!("Okta answered with another user, {}", user.id)));
    }
    let may_be = may_be_in_scope(&user.status);
    if may_be && found.groups.is_none() && (scope.needs.groups || !scope.groups.is_empty()) {
        found.groups = groups_of(okta, &found.id).await?;
    }
    let in_scope = may_be && is_in_scope(okta, scope, searched, &found.id, found.groups.as_deref()).await?;
    let (_, user) = user.pack(&scope.needs.attributes);
    found.user = Some(Asked::There { user, in_scope });
    Ok(found)
}

/// The user's groups, or none if he doesn't exist.
async fn groups_of(okta: &Okta, id: &OktaUserId) -> Result<Option<Vec<Group>>, Failure> {
    match okta.user_groups(id).await {
        Ok(groups) => Ok(Some(groups)),
        Err(failure) if failure.is_not_found() => Ok(None),
        Err(failure) => Err(failure),
    }
}

async fn is_in_scope(
    okta: &Okta,
    scope: &ResolvedScope,
    searched: &Searched,
    id: &OktaUserId,
    groups: Option<&[Group]>,
) -> Result<bool, Failure> {
    if scope.everyone {
        return Ok(true);
    }
    let is_scope_group = |group: &Group| scope.groups.iter().any(|wanted| wanted.id == group.id);
    if groups.is_some_and(|groups| groups.iter().any(is_scope_group)) {
        return Ok(true);
    }
    if let Some(app) = &scope.app
        && okta.app_user(&app.id, id).await?.is_some()
    {
        return Ok(true);
    }
    let Some(search) = &scope.search else { return Ok(false) };
    searched.finds(okta, search, id).await
}

/// All whom the scope's search finds, if they had to be asked for.
#[derive(Default)]
struct Searched(OnceCell<BTreeSet<OktaUserId>>);

impl Searched {
    /// Whether the search finds this user. A server that refuses the search once it's narrowed to one user is asked for
    /// all whom it finds, once.
    async fn finds(&self, okta: &Okta, search: &str, id: &OktaUserId) -> Result<bool, Failure> {
        if let Some(all) = self.0.get() {
            return Ok(all.contains(id));
        }
        match okta.users(&format!("({search}) and id eq \"{id}\"")).await {
            Err(failure) if failure.status() == Some(400) => {
                let all = async || Ok(okta.users_as(search, &|_| (), &|user| user.id).await?.into_iter().collect());
                Ok(self.0.get_or_try_init(all).await?.contains(id))
            }
            found => Ok(found?.iter().any(|user| user.id == *id)),
        }
    }
}

/// An app or a group that was deleted during the run would make everybody look unassigned.
async fn scope_still_stands(okta: &Okta, scope: &ResolvedScope) -> Result<(), Error> {
    let vanished = |what: String| Error::new(Kind::Failed, format!("{what} vanished from Okta while it was read"));
    if let Some(app) = &scope.app
        && okta.app(&app.id).await?.is_none()
    {
        return Err(vanished(format!("the app {:?}", app.label)));
    }
    for group in &scope.groups {
        if okta.group(&group.id).await?.is_none() {
            return Err(vanished(format!("the group {:?}", group.name)));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "confirm_tests.rs"]
mod tests;
