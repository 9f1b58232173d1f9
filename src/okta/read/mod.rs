//! Reads everything that a sync needs of an org, or fails: an incomplete read never becomes a plan.

pub mod extra;
pub mod known;
mod people;
pub mod resolve;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::try_join;

use crate::error::{Error, Kind, Topic};
use crate::expression::Needs;
use crate::http::Failure;
use crate::mapping::projects::ProjectRule;
use crate::model::Members;
use crate::model::desired::RuleFault;
use crate::model::id::{OktaGroupId, OktaUserId};
use crate::model::known::{KnownGroups, KnownOrg};
use crate::model::okta::{Group, Profile, User};
use crate::model::org::{Org, PushedGroup, RoleGroup, Scope};
use crate::model::packed::{KeptAttributes, PackedUser};
use crate::okta::api::client::Okta;
use crate::okta::api::search_chains::SearchResult;
use crate::okta::api::users::EVERYBODY;
use crate::okta::api::wire::{App, AppUser};
use crate::okta::read::known::{Known, Unread};
use crate::okta::read::resolve::{NamedApp, Resolved, ResolvedScope, resolve};

/// About as many users as one request of a group's members can bring.
const MEMBERS_PER_REQUEST: usize = 1000;

/// What a read found.
#[derive(Clone, Debug)]
pub struct Reading {
    pub org: Org,
    /// The scope with its names found, for `okta::confirm`.
    pub scope: ResolvedScope,
    /// What the next run may reuse, if this one is completed.
    pub known: KnownOrg,
    /// Groups whose members are known from an earlier run.
    pub unread: Unread,
    /// How many of the requests were only needed because expressions ask for something.
    pub asked_by_expressions: u64,
    /// Lower-case, no full stop.
    pub warnings: Vec<String>,
}

impl Reading {
    /// The error for the parts of the scope that weren't found, and for the rules that push nothing: all wrong names at once.
    pub fn scope_fault(&self) -> Option<Error> {
        let Org { missing_scope, unresolved, .. } = &self.org;
        if missing_scope.is_empty() {
            return None;
        }
        let rules = unresolved.iter().map(|rule| {
            let place = rule.location.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
            format!("[[projects]] {place}{}", rule.fault.told(&rule.wanted))
        });
        let faults: Vec<String> = missing_scope.iter().map(|part| part.fault.clone()).chain(rules).collect();
        Some(Error::new(Kind::Config, faults.join("\n")).about(Topic::UnknownName))
    }

    /// The reading, if the whole scope was found.
    pub fn of_whole_scope(self) -> Result<Self, Error> {
        self.scope_fault().map_or(Ok(self), Err)
    }
}

/// A step of a read; several run in parallel.
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
/// `needs` names is read of each user in scope who can sign in, and of no other user. A group that is `known` isn't read again
/// while Okta says that its memberships haven't changed.
pub async fn read(
    okta: &Okta,
    scope: &Scope,
    rules: &[ProjectRule],
    needs: &Needs,
    known: &KnownOrg,
    on_progress: OnProgress<'_>,
) -> Result<Reading, Error> {
    on_progress(Progress { step: Step::Names, done: 0, total: None });
    let reader = Reader { okta, on_progress };
    let named_app = NamedApp::new(okta, scope);
    let named = Box::pin(async {
        let resolved = resolve(&named_app, scope, rules, needs, &known.groups).await?;
        let members = reader.members(&resolved).await?;
        Ok((resolved, members))
    });
    // The longest chain of pages waits only for the app's id.
    let assigned = Box::pin(reader.app_users(&named_app, needs));
    // These two need no lookup.
    let (search, everyone) = (scope.search.as_deref(), scope.everyone.then_some(EVERYBODY));
    let searched = reader.found(search, Step::SearchedUsers, needs, known);
    let everybody = reader.found(everyone, Step::AllUsers, needs, known);
    let (app, (resolved, members), mut searched, everybody) = try_join!(assigned, named, searched, everybody)?;
    let assigned = app.iter().filter(|assigned| assigned.is_in_force != Some(false)).count();
    let parts = parts(&resolved.scope, assigned, searched.users.len(), &members);
    let mut org = Org { users: everybody.users, parts, evaluates_staged: needs.staged, ..Org::default() };
    org.users.append(&mut searched.users);
    let begun = [(search, searched.beginnings), (everyone, everybody.beginnings)].into_iter();
    let begun = begun.filter_map(|(search, beginnings)| Some((search?.to_owned(), beginnings)));
    if needs.app_user && resolved.scope.app.is_some() {
        org.extra.profiles.insert("appuser".to_owned(), BTreeMap::new());
    }
    let ended = add_assigned(&mut org, app);
    let mut read = BTreeMap::new();
    for Read { group, members, users } in members {
        for (id, _) in &users {
            drop(org.unsure.remove(id));
        }
        org.users.extend(users);
        read.extend(members.map(|members| (group, members)));
    }
    org.in_scope = org.users.keys().cloned().collect();
    add_pushed(&mut org, &resolved, &read);
    add_role_groups(&mut org, &resolved, &read);
    org.groups = resolved.groups.iter().map(|group| (group.id.clone(), group.name.clone())).collect();
    org.unresolved.clone_from(&resolved.unresolved);
    org.missing_scope.clone_from(&resolved.missing_scope);
    let requests = okta.http().requests();
    if needs.groups {
        reader.groups_of(&mut org, &resolved, &mut read).await?;
    }
    org.extra.group_objects = resolved.group_objects;
    let of = extra::evaluated(&org);
    let mut warnings = resolved.warnings;
    warnings.extend(ended_assignments(resolved.scope.app.as_ref(), &ended));
    warnings.extend(Box::pin(extra::read(okta, needs, resolved.scope.app.as_ref(), &mut org, &of)).await?);
    let asked_by_expressions = okta.http().requests() - requests;
    warnings.extend(incomplete(&org));
    warnings.extend(without_members(&org, &needs.named_groups));
    warnings.extend(out_of_scope(&org));
    if org.in_scope.is_empty() && org.missing_scope.is_empty() {
        warnings.push("the scope holds no user; if it should, check that the service app or the token's user still has its admin role".to_owned());
    }
    let (groups, unread) = resolved.known.after(resolved.groups, &read);
    let known = KnownOrg { groups, beginnings: begun.collect() };
    Ok(Reading { org, scope: resolved.scope, known, unread, asked_by_expressions, warnings })
}

/// Adds who is assigned to the app; gives how many assignments aren't in force, by status.
fn add_assigned(org: &mut Org, app: Vec<Assigned>) -> BTreeMap<String, usize> {
    let mut ended: BTreeMap<String, usize> = BTreeMap::new();
    for Assigned { id, user, profile, status, is_in_force } in app {
        if is_in_force == Some(false) {
            *ended.entry(status).or_default() += 1;
            continue;
        }
        if is_in_force.is_none() && !org.users.contains_key(&id) {
            org.unsure.insert(id.clone(), status);
        }
        if let (Some(profile), Some(profiles)) = (profile, org.extra.profiles.get_mut("appuser")) {
            profiles.insert(id.clone(), profile);
        }
        org.users.extend(user.map(|user| (id, user)));
    }
    ended
}

/// Adds the groups that are pushed, and their projects, as far as no group was deleted meanwhile.
fn add_pushed(org: &mut Org, resolved: &Resolved<'_>, read: &BTreeMap<OktaGroupId, Members<OktaUserId>>) {
    org.targets.clone_from(&resolved.targets);
    let mut deleted = Vec::new();
    for group in &resolved.pushed {
        if let Some(members) = read.get(&group.id).cloned() {
            org.pushed.insert(group.id.clone(), PushedGroup { group: group.clone(), members });
        } else {
            deleted.push(&group.id);
        }
    }
    for group in deleted {
        org.vanish(group);
    }
}

/// Adds the groups that decide about project roles. One that was deleted meanwhile is missing.
fn add_role_groups(org: &mut Org, resolved: &Resolved<'_>, read: &BTreeMap<OktaGroupId, Members<OktaUserId>>) {
    for (wanted, found) in &resolved.role_groups {
        let group = found.as_ref().map_err(Clone::clone).and_then(|group| {
            let members = read.get(&group.id).cloned().ok_or(RuleFault::NoSuchGroup { nearest: Vec::new() })?;
            Ok(RoleGroup { id: group.id.clone(), name: group.name.clone(), members })
        });
        match group {
            Ok(group) => drop(org.role_groups.insert(wanted.clone(), group)),
            Err(fault) => drop(org.missing_role_groups.insert(wanted.clone(), fault)),
        }
    }
}

/// A warning about assignments that aren't in force.
fn ended_assignments(app: Option<&App>, ended: &BTreeMap<String, usize>) -> Option<String> {
    let app = app.filter(|_| !ended.is_empty())?;
    let statuses: Vec<String> = ended.iter().map(|(status, count)| format!("{count} {status}")).collect();
    let (label, statuses) = (&app.label, statuses.join(", "));
    Some(format!("assignments to the app {label:?} that aren't in force count as none: {statuses}"))
}

/// Up to so many groups are named by a warning each.
const MOST_WARNINGS: usize = 10;

/// Warnings about users that came without a status or a profile.
fn incomplete(org: &Org) -> impl Iterator<Item = String> + '_ {
    let incomplete = org.users.iter().filter(|(_, user)| user.status.is_missing());
    incomplete.map(|(id, _)| {
        format!("the Okta user {id} came without a status or a profile and is left as they are; look at them in Okta")
    })
}

/// Warnings about groups that expressions name and no user in scope is a member of, as after a rename in Okta: the condition is
/// false for all of them.
fn without_members<'a>(org: &Org, named: &'a BTreeSet<String>) -> impl Iterator<Item = String> + use<'a> {
    let mut absent: BTreeSet<&str> = named.iter().map(String::as_str).filter(|_| !org.in_scope.is_empty()).collect();
    for group in org.groups_of.values().flatten() {
        if absent.is_empty() {
            break;
        }
        absent.remove(group.name.as_str());
        absent.remove(group.id.as_str());
    }
    absent.into_iter().map(|group| {
        format!("no user in scope is a member of the group {group:?}, which an expression asks for; correct the expression if the group was renamed or deleted")
    })
}

/// Warnings about pushed groups with members who aren't in scope, and so don't become members of the projects; none where a part
/// of the scope isn't found, of which they may be.
fn out_of_scope(org: &Org) -> Vec<String> {
    if !org.missing_scope.is_empty() {
        return Vec::new();
    }
    let missing = |pushed: &PushedGroup| pushed.members.iter().filter(|id| !org.in_scope.contains(*id)).count();
    let groups = org.pushed.values().map(|pushed| (missing(pushed), pushed)).filter(|(missing, _)| *missing > 0);
    let mut groups: Vec<_> = groups.collect();
    groups.sort_by(|(_, one), (_, other)| one.group.name.cmp(&other.group.name));
    let mut warnings: Vec<String> = groups
        .into_iter()
        .map(|(missing, pushed)| {
            let (all, name) = (pushed.members.len(), &pushed.group.name);
            format!("{missing} of {all} members of the group {name:?} aren't in scope, and aren't added to its project")
        })
        .collect();
    let more = warnings.len().saturating_sub(MOST_WARNINGS);
    if more > 0 {
        warnings.truncate(MOST_WARNINGS);
        warnings.push(format!("{more} more pushed groups have members who aren't in scope"));
    }
    warnings
}

/// How many users each part of the scope named. The whole org is no part of anything.
fn parts(scope: &ResolvedScope, assigned: usize, found: usize, members: &[Read]) -> BTreeMap<String, usize> {
    let app = scope.app.iter().map(|app| (format!("users assigned to the app {}", app.label), assigned));
    let search = scope.search.iter().map(|_| ("users found by the search".to_owned(), found));
    let groups = scope.groups.iter().filter_map(|group| {
        let read = members.iter().find(|read| read.group == group.id)?;
        Some((format!("members of the group {}", group.name), read.members.as_ref()?.len()))
    });
    app.chain(search).chain(groups).collect()
}

/// Reads one user, by id or login, and what the expressions need of the user; none if there is no such user. The user counts as
/// in scope.
pub async fn read_user(okta: &Okta, login: &str, scope: &Scope, needs: &Needs) -> Result<Option<Reading>, Error> {
    let Some(user) = okta.user(login).await? else { return Ok(None) };
    let app = scope.app.clone().filter(|_| needs.app_user || needs.app);
    let (scope, needs_no_groups) = (Scope { app, ..Scope::default() }, Needs { groups: false, ..needs.clone() });
    let nothing = KnownGroups::new();
    let resolved = resolve(&NamedApp::new(okta, &scope), &scope, &[], &needs_no_groups, &nothing).await?;
    let requests = okta.http().requests();
    let mut org = Org { missing_scope: resolved.missing_scope, evaluates_staged: needs.staged, ..Org::default() };
    org.extra.group_objects = resolved.group_objects;
    if needs.groups {
        let groups = okta.user_groups(&user.id).await?.into_iter().map(Arc::new).collect();
        org.groups_of.insert(user.id.clone(), groups);
    }
    let of = BTreeSet::from([user.id.clone()]);
    let (id, user) = user.pack(&needs.attributes);
    org.in_scope.insert(id.clone());
    org.users.insert(id, user);
    let warnings = Box::pin(extra::read(okta, needs, resolved.scope.app.as_ref(), &mut org, &of)).await?;
    let asked_by_expressions = okta.http().requests() - requests;
    let (known, unread) = (KnownOrg::default(), Unread::new());
    Reading { org, scope: resolved.scope, known, unread, asked_by_expressions, warnings }.of_whole_scope().map(Some)
}

/// A group that was read.
struct Read {
    group: OktaGroupId,
    /// The ids of all its members; none if it was deleted since it was listed.
    members: Option<Members<OktaUserId>>,
    /// The members themselves if the group is in scope.
    users: Vec<(OktaUserId, PackedUser)>,
}

/// A user who is assigned to the app.
#[derive(Clone)]
struct Assigned {
    id: OktaUserId,
    /// None if Okta didn't embed the user, or if the user was deleted.
    user: Option<PackedUser>,
    /// The user's profile in the app, if it's asked for.
    profile: Option<Profile>,
    status: String,
    is_in_force: Option<bool>,
}

struct Reader<'a> {
    okta: &'a Okta,
    on_progress: OnProgress<'a>,
}

impl Reader<'_> {
    fn count(&self, step: Step) -> impl Fn(usize) + Send + Sync {
        let on_progress = self.on_progress;
        move |done| on_progress(Progress { step, done, total: None })
    }

    /// Who is assigned to the app. If its name is wrong, that is for [`resolve`] to say.
    async fn app_users(&self, app: &NamedApp<'_>, needs: &Needs) -> Result<Vec<Assigned>, Error> {
        let Ok(Some(app)) = app.find().await? else { return Ok(Vec::new()) };
        let kept = self.okta.kept(&needs.attributes);
        let what = || format!("users of the app {}, {}, {kept:?}", app.id, needs.app_user);
        let assigned = self.okta.shared(what, self.assignments(&app, needs.app_user, &kept)).await;
        assigned.map_err(|failure| Error::from(failure).context("reading who is assigned to the Okta app"))
    }

    async fn assignments(&self, app: &App, profiles: bool, kept: &KeptAttributes) -> Result<Vec<Assigned>, Failure> {
        let keep = |assigned: AppUser| {
            let is_in_force = assigned.is_in_force();
            let user = assigned.embedded.user.filter(|user| user.id == assigned.id).map(|user| user.pack(kept).1);
            let profile = profiles.then_some(assigned.profile);
            Assigned { id: assigned.id, user, profile, status: assigned.status, is_in_force }
        };
        let assigned = self.okta.app_users_as(&app.id, &self.count(Step::AppUsers), &keep).await?;
        // Later pages may lose `expand` (`docs/okta.md#links-lose-parameters`).
        let is_done = |assigned: &Assigned| assigned.user.is_some() || assigned.is_in_force == Some(false);
        let (mut whole, bare): (Vec<_>, Vec<_>) = assigned.into_iter().partition(is_done);
        let asked = stream::iter(bare).map(async |bare| {
            let user = self.okta.in_parallel(self.okta.user(bare.id.as_str())).await?.map(|user| user.pack(kept).1);
            Ok(Assigned { user, ..bare })
        });
        let asked: Vec<Assigned> = asked.buffer_unordered(self.okta.at_once()).try_collect().await?;
        whole.extend(asked.into_iter().filter(|assigned| assigned.user.is_some()));
        Ok(whole)
    }

    /// All users that a search finds; none without a search.
    async fn found(
        &self,
        search: Option<&str>,
        step: Step,
        needs: &Needs,
        known: &KnownOrg,
    ) -> Result<SearchResult, Error> {
        let Some(search) = search else { return Ok(SearchResult::default()) };
        let beginnings = known.beginnings.get(search).map(Vec::as_slice).unwrap_or_default();
        let kept = self.okta.kept(&needs.attributes);
        let count = self.count(step);
        let found = self.okta.users_side_by_side(search, beginnings, &kept, &count);
        let found = self.okta.shared(|| format!("users by {search}, {kept:?}"), found).await;
        let what =
            if step == Step::AllUsers { "all users of the Okta org" } else { "the users that [scope] search finds" };
        found.map_err(|failure| Error::from(failure).context(format!("reading {what}")))
    }

    /// The members of all groups in scope and all pushed ones, each group read once.
    async fn members(&self, resolved: &Resolved<'_>) -> Result<Vec<Read>, Error> {
        let in_scope: BTreeMap<_, _> = resolved.scope.groups.iter().map(|group| (&group.id, group)).collect();
        let mut wanted = in_scope.clone();
        wanted.extend(resolved.pushed.iter().map(|group| (&group.id, group)));
        let of_roles = resolved.role_groups.values().filter_map(|found| found.as_ref().ok());
        wanted.extend(of_roles.map(|group| (&group.id, group)));
        // Owned, since a future over borrowed groups couldn't move between threads.
        let owned: Vec<Group> = wanted.into_values().cloned().collect();
        let total = owned.len();
        let kept = &self.okta.kept(&resolved.scope.needs.attributes);
        let reads = stream::iter(owned).map(async |group| {
            if !in_scope.contains_key(&group.id) {
                let members = self.member_ids(&group, &resolved.known).await?;
                return Ok(Read { group: group.id, members, users: Vec::new() });
            }
            let keep = |user: User| user.pack(kept);
            let users = self.okta.in_parallel(self.okta.group_members_as(&group.id, &keep));
            let users = self.okta.shared(|| format!("members of {}, {kept:?}", group.id), users).await;
            let users = users.map_err(|failure| scope_group_failed(failure, &group))?;
            let members = Some(users.iter().map(|(id, _)| id.clone()).collect());
            Ok(Read { group: group.id, members, users })
        });
        self.gather(reads.buffer_unordered(self.okta.at_once()), Step::Members, total).await
    }

    /// The ids of a group's members, read or known; none if the group was deleted since it was listed.
    async fn member_ids(&self, group: &Group, known: &Known<'_>) -> Result<Option<Members<OktaUserId>>, Error> {
        if let Some(members) = known.members(&group.id) {
            return Ok(Some(members.clone()));
        }
        match self.okta.in_parallel(self.okta.group_member_ids(&group.id)).await {
            Ok(members) => Ok(Some(members)),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(members_failed(failure, group)),
        }
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

    /// Fills in the groups of the users in scope who can sign in, by whichever way takes fewer requests. What is read of
    /// groups for it is added to `read`.
    async fn groups_of(
        &self,
        org: &mut Org,
        resolved: &Resolved<'_>,
        read: &mut BTreeMap<OktaGroupId, Members<OktaUserId>>,
    ) -> Result<(), Error> {
        let Resolved { groups, known, .. } = resolved;
        let users: Vec<OktaUserId> = org
            .in_scope
            .iter()
            .filter(|id| org.users.get(id).is_some_and(|user| org.evaluates(&user.status)))
            .cloned()
            .collect();
        // All users are in `Everyone`, so it needn't be read.
        let is_missing = |group: &&Group| !group.is_everyone() && !read.contains_key(&group.id);
        let missing: Vec<Group> = groups.iter().filter(is_missing).cloned().collect();
        let unknown = missing.iter().filter(|group| known.members(&group.id).is_none()).count();
        if unknown + users.len() / MEMBERS_PER_REQUEST < users.len() {
            return self.groups_by_group(org, resolved, read, missing).await;
        }
        let total = users.len();
        let shared: BTreeSet<Arc<Group>> = groups.iter().cloned().map(Arc::new).collect();
        let share = |group: Group| shared.get(&group).cloned().unwrap_or_else(|| Arc::new(group));
        let reads = stream::iter(users).map(async |user| match self.groups_of_user(&user).await {
            Ok(groups) => Ok((user, Some(groups.into_iter().map(share).collect()))),
            Err(failure) if failure.is_not_found() => Ok((user, None)),
            Err(failure) => Err(Error::from(failure).context("reading the groups of an Okta user")),
        });
        for (user, groups) in
            self.gather(reads.buffer_unordered(self.okta.at_once()), Step::GroupsOfUsers, total).await?
        {
            if let Some(groups) = groups {
                org.groups_of.insert(user, groups);
            } else {
                // Deleted since the listing: the confirmation asks by id if there is an account.
                org.users.remove(&user);
                org.in_scope.remove(&user);
            }
        }
        Ok(())
    }

    async fn groups_of_user(&self, user: &OktaUserId) -> Result<Vec<Group>, Failure> {
        self.okta.shared(|| format!("groups of {user}"), self.okta.user_groups(user)).await
    }

    async fn groups_by_group(
        &self,
        org: &mut Org,
        resolved: &Resolved<'_>,
        read: &mut BTreeMap<OktaGroupId, Members<OktaUserId>>,
        missing: Vec<Group>,
    ) -> Result<(), Error> {
        let total = missing.len();
        let reads = stream::iter(missing)
            .map(async |group| Ok((group.id.clone(), self.member_ids(&group, &resolved.known).await?)));
        let found = self.gather(reads.buffer_unordered(self.okta.at_once()), Step::GroupsOfUsers, total).await?;
        // A group that was deleted meanwhile has no members.
        read.extend(found.into_iter().filter_map(|(group, members)| Some((group, members?))));
        let wanted = |id: &&OktaUserId| extra::is_evaluated(org, id);
        let wanted: Vec<OktaUserId> = org.users.keys().filter(wanted).cloned().collect();
        let groups_of = &mut org.groups_of;
        groups_of.extend(wanted.into_iter().map(|user| (user, Vec::new())));
        for group in &resolved.groups {
            let members = read.get(&group.id);
            let group = Arc::new(group.clone());
            if group.is_everyone() {
                for of_member in groups_of.values_mut() {
                    of_member.push(Arc::clone(&group));
                }
                continue;
            }
            for member in members.into_iter().flatten() {
                if let Some(of_member) = groups_of.get_mut(member) {
                    of_member.push(Arc::clone(&group));
                }
            }
        }
        Ok(())
    }
}

pub(crate) fn members_failed(failure: Failure, group: &Group) -> Error {
    Error::from(failure).context(format!("reading the members of the Okta group {:?}", group.name))
}

/// A scope without one of its groups is never planned from.
fn scope_group_failed(failure: Failure, group: &Group) -> Error {
    if !failure.is_not_found() {
        return members_failed(failure, group);
    }
    let message = format!("the Okta group {:?}, which is in scope, was deleted while it was read", group.name);
    Error::new(Kind::Failed, message).hint("run it again; nothing was planned or changed")
}

#[cfg(test)]
mod tests;
