//! Reads all that a sync needs of an org, or fails: a read that wasn't completed never becomes a plan.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::try_join;

use super::client::Okta;
use super::extra;
use super::resolve::{Resolved, ResolvedScope, resolve};
use super::users::EVERYBODY;
use crate::error::Error;
use crate::expression::Needs;
use crate::http::Failure;
use crate::mapping::projects::ProjectRule;
use crate::model::id::{OktaGroupId, OktaUserId};
use crate::model::okta::{Group, Org, Profile, PushedGroup, Scope, Status, User};

/// How many requests of one kind are asked for side by side: fewer than may be in flight, so that a listing whose pages
/// can only be read one after another never waits for its turn.
pub(super) const SIDE_BY_SIDE: usize = super::client::PARALLELISM - 4;
/// About as many users as one request of a group's members can bring.
const MEMBERS_PER_REQUEST: usize = 1000;

/// What a read found.
#[derive(Clone, Debug)]
pub struct Reading {
    pub org: Org,
    /// The scope with its names found, for [`super::confirm()`].
    pub scope: ResolvedScope,
    /// How many of the requests were only needed because expressions ask for something.
    pub asked_by_expressions: u64,
    /// Lower-case, no full stop.
    pub warnings: Vec<String>,
}

/// Something that a read does; several go on side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Finding the app and the groups that the config names.
    Names,
    AppUsers,
    SearchedUsers,
    AllUsers,
    /// Members of groups; counts groups.
    Members,
    /// The groups of each user; counts requests.
    GroupsOfUsers,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub step: Step,
    pub done: usize,
    /// Where it can be known.
    pub total: Option<usize>,
}

/// Called as the read goes on, from any task.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Reads the users in scope and the members of the groups that the rules push.
///
/// Users with any status are read. Members of pushed groups who are out of scope appear as ids only. What
/// `needs` names is read of each user in scope who can sign in, and of nobody else.
pub async fn read(
    okta: &Okta,
    scope: &Scope,
    rules: &[ProjectRule],
    needs: &Needs,
    on_progress: OnProgress<'_>,
) -> Result<Reading, Error> {
    on_progress(Progress { step: Step::Names, done: 0, total: None });
    let resolved = resolve(okta, scope, rules, needs).await?;
    let reader = Reader { okta, on_progress };
    let (app, searched, all, members) = try_join!(
        reader.app_users(&resolved.scope),
        reader.searched(&resolved.scope),
        reader.everybody(&resolved.scope),
        reader.members(&resolved),
    )?;
    let mut org = Org::default();
    org.extra.group_objects = resolved.group_objects;
    if needs.app_user && resolved.scope.app.is_some() {
        let profiles = app.iter().map(|(user, profile)| (user.id.clone(), profile.clone())).collect();
        org.extra.profiles.insert("appuser".to_owned(), profiles);
    }
    for user in app.into_iter().map(|(user, _)| user).chain(searched).chain(all) {
        take_in(&mut org, user);
    }
    let mut known = BTreeMap::new();
    for (group, ids, users) in members {
        for user in users {
            take_in(&mut org, user);
        }
        known.insert(group, ids);
    }
    for (group, project_name) in resolved.pushed {
        let members = known.get(&group.id).cloned().unwrap_or_default();
        org.pushed.insert(group.id.clone(), PushedGroup { group, project_name, members });
    }
    let requests = okta.http().requests();
    if needs.groups {
        reader.groups_of(&mut org, &resolved.groups, &known).await?;
    }
    let of = extra::evaluated(&org);
    let mut warnings = resolved.warnings;
    warnings.extend(Box::pin(extra::read(okta, needs, resolved.scope.app.as_ref(), &mut org, &of)).await?);
    let asked_by_expressions = okta.http().requests() - requests;
    if org.in_scope.is_empty() {
        warnings.push("the scope holds no user".to_owned());
    }
    Ok(Reading { org, scope: resolved.scope, asked_by_expressions, warnings })
}

/// Reads one user, by id or login, and what the expressions need of him; none if there is no such user. He counts as in
/// scope.
pub async fn read_user(okta: &Okta, login: &str, scope: &Scope, needs: &Needs) -> Result<Option<Reading>, Error> {
    let Some(user) = okta.user(login).await? else { return Ok(None) };
    let app = scope.app.clone().filter(|_| needs.app_user || needs.app);
    let resolved =
        resolve(okta, &Scope { app, ..Scope::default() }, &[], &Needs { groups: false, ..needs.clone() }).await?;
    let requests = okta.http().requests();
    let mut org = Org::default();
    org.extra.group_objects = resolved.group_objects;
    if needs.groups {
        org.groups_of.insert(user.id.clone(), okta.user_groups(&user.id).await?);
    }
    let of = BTreeSet::from([user.id.clone()]);
    take_in(&mut org, user);
    let warnings = Box::pin(extra::read(okta, needs, resolved.scope.app.as_ref(), &mut org, &of)).await?;
    let asked_by_expressions = okta.http().requests() - requests;
    Ok(Some(Reading { org, scope: resolved.scope, asked_by_expressions, warnings }))
}

fn take_in(org: &mut Org, user: User) {
    org.in_scope.insert(user.id.clone());
    org.users.insert(user.id.clone(), user);
}

/// A group, the ids of all its members, and the members themselves if the group is in scope.
type Members = (OktaGroupId, BTreeSet<OktaUserId>, Vec<User>);

struct Reader<'a> {
    okta: &'a Okta,
    on_progress: OnProgress<'a>,
}

impl Reader<'_> {
    fn count(&self, step: Step) -> impl Fn(usize) + Send + Sync {
        let on_progress = self.on_progress;
        move |done| on_progress(Progress { step, done, total: None })
    }

    /// The users of the app, each with the profile that they have there.
    async fn app_users(&self, scope: &ResolvedScope) -> Result<Vec<(User, Profile)>, Error> {
        let Some(app) = &scope.app else { return Ok(Vec::new()) };
        let failed = |failure: Failure| Error::from(failure).context("reading who is assigned to the Okta app");
        let assigned = self.okta.app_users_with(&app.id, &self.count(Step::AppUsers)).await.map_err(failed)?;
        // Okta forgot `expand` on later pages until release 2026.07.3.
        let users = stream::iter(assigned).map(async |assigned| match assigned.embedded.user {
            Some(user) if user.id == assigned.id => Ok(Some((user, assigned.profile))),
            _ => Ok(self.okta.user(assigned.id.as_str()).await?.map(|user| (user, assigned.profile))),
        });
        let users: Vec<Option<_>> = users.buffer_unordered(SIDE_BY_SIDE).try_collect().await.map_err(failed)?;
        Ok(users.into_iter().flatten().collect())
    }

    async fn searched(&self, scope: &ResolvedScope) -> Result<Vec<User>, Error> {
        let Some(search) = &scope.search else { return Ok(Vec::new()) };
        let users = self.okta.users_side_by_side(search, &self.count(Step::SearchedUsers)).await;
        users.map_err(|failure| Error::from(failure).context("reading the users that [scope] search finds"))
    }

    async fn everybody(&self, scope: &ResolvedScope) -> Result<Vec<User>, Error> {
        if !scope.everyone {
            return Ok(Vec::new());
        }
        let users = self.okta.users_side_by_side(EVERYBODY, &self.count(Step::AllUsers)).await;
        users.map_err(|failure| Error::from(failure).context("reading all users of the Okta org"))
    }

    /// The members of all groups in scope and all pushed ones, each group read once.
    async fn members(&self, resolved: &Resolved) -> Result<Vec<Members>, Error> {
        let in_scope: BTreeMap<_, _> = resolved.scope.groups.iter().map(|group| (&group.id, group)).collect();
        let mut wanted = in_scope.clone();
        wanted.extend(resolved.pushed.iter().map(|(group, _)| (&group.id, group)));
        // Owned, since a future over borrowed groups couldn't move between threads.
        let owned: Vec<Group> = wanted.into_values().cloned().collect();
        let total = owned.len();
        let reads = stream::iter(owned).map(async |group| {
            let failed = |failure| members_failed(failure, &group);
            if in_scope.contains_key(&group.id) {
                let users = self.okta.group_members(&group.id).await.map_err(failed)?;
                return Ok((group.id.clone(), users.iter().map(|user| user.id.clone()).collect(), users));
            }
            Ok((group.id.clone(), self.okta.group_member_ids(&group.id).await.map_err(failed)?, Vec::new()))
        });
        self.gather(reads.buffer_unordered(SIDE_BY_SIDE), Step::Members, total).await
    }

    /// Collects and reports each.
    async fn gather<T>(
        &self,
        stream: impl stream::Stream<Item = Result<T, Error>>,
        step: Step,
        total: usize,
    ) -> Result<Vec<T>, Error> {
        let mut done = 0;
        let counted = stream.inspect(|_| {
            done += 1;
            (self.on_progress)(Progress { step, done, total: Some(total) });
        });
        counted.try_collect().await
    }

    /// Fills in the groups of the users in scope who can sign in, by whichever way takes fewer requests.
    async fn groups_of(
        &self,
        org: &mut Org,
        groups: &[Group],
        known: &BTreeMap<OktaGroupId, BTreeSet<OktaUserId>>,
    ) -> Result<(), Error> {
        let users: Vec<OktaUserId> = org
            .in_scope
            .iter()
            .filter(|id| org.users.get(id).is_some_and(|user| signs_in(&user.status)))
            .cloned()
            .collect();
        let unknown: Vec<Group> = groups.iter().filter(|group| !known.contains_key(&group.id)).cloned().collect();
        if unknown.len() + users.len() / MEMBERS_PER_REQUEST < users.len() {
            return self.groups_by_group(org, groups, known, unknown).await;
        }
        let total = users.len();
        let reads = stream::iter(users).map(async |user| match self.okta.user_groups(&user).await {
            Ok(groups) => Ok((user, Some(groups))),
            Err(failure) if failure.is_not_found() => Ok((user, None)),
            Err(failure) => Err(Error::from(failure).context("reading the groups of an Okta user")),
        });
        for (user, groups) in self.gather(reads.buffer_unordered(SIDE_BY_SIDE), Step::GroupsOfUsers, total).await? {
            if let Some(groups) = groups {
                org.groups_of.insert(user, groups);
            } else {
                // Deleted since he was listed: whoever has his account asks for him by id.
                org.users.remove(&user);
                org.in_scope.remove(&user);
            }
        }
        Ok(())
    }

    async fn groups_by_group(
        &self,
        org: &mut Org,
        groups: &[Group],
        known: &BTreeMap<OktaGroupId, BTreeSet<OktaUserId>>,
        unknown: Vec<Group>,
    ) -> Result<(), Error> {
        let total = unknown.len();
        let reads = stream::iter(unknown).map(async |group| {
            let ids = self.okta.group_member_ids(&group.id).await.map_err(|failure| members_failed(failure, &group))?;
            Ok((group.id.clone(), ids))
        });
        let read: BTreeMap<_, _> =
            self.gather(reads.buffer_unordered(SIDE_BY_SIDE), Step::GroupsOfUsers, total).await?.into_iter().collect();
        let Org { users, in_scope, groups_of, .. } = org;
        let wanted =
            |id: &&OktaUserId| in_scope.contains(id) && users.get(id).is_some_and(|user| signs_in(&user.status));
        for user in users.keys().filter(wanted) {
            groups_of.insert(user.clone(), Vec::new());
        }
        for group in groups {
            let members = known.get(&group.id).or_else(|| read.get(&group.id));
            for member in members.into_iter().flatten() {
                if let Some(of_member) = groups_of.get_mut(member) {
                    of_member.push(group.clone());
                }
            }
        }
        Ok(())
    }
}

fn members_failed(failure: Failure, group: &Group) -> Error {
    Error::from(failure).context(format!("reading the members of the Okta group {:?}", group.name))
}

/// Whether anything is ever made from the user's attributes.
pub(super) fn signs_in(status: &Status) -> bool {
    !matches!(status, Status::Staged | Status::Suspended | Status::Deprovisioned)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
