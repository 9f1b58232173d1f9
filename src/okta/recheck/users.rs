//! Confirms absences by id before any removal, because listings are not snapshots (`docs/okta.md#a-listing-is-no-snapshot`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::error::{Error, Kind};
use crate::http::Failure;
use crate::model::id::{OktaGroupId, OktaUserId};
use crate::model::okta::{Group, Status};
use crate::model::org::Org;
use crate::okta::api::client::Okta;
use crate::okta::api::users::IDS;
use crate::okta::api::wire::{App, AppUser, WholeUser};
use crate::okta::read::extra;
use crate::okta::read::resolve::ResolvedScope;
use crate::okta::recheck::search::Search;

/// Up to so many users are asked about one by one. If more left the app or the groups of the scope, a second listing is asked
/// for all of them, and the users themselves for a sample.
const FEW: usize = 50;
/// How many users a sample has.
const SAMPLE: usize = 20;

/// What asking again found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmed {
    /// Users who may be in scope or not: Okta's answers disagree.
    pub undecided: BTreeSet<OktaUserId>,
    /// The groups of users, by the users' own listings of them.
    pub own_groups: BTreeMap<OktaUserId, BTreeSet<OktaGroupId>>,
    /// Users that a snapshot has no answer about.
    pub not_recorded: BTreeSet<OktaUserId>,
}

/// Groups that users say they are in; none for users who don't exist.
type OwnGroups = BTreeMap<OktaUserId, Option<Vec<Group>>>;

/// What messages call a user.
type Named<'a> = &'a (dyn Fn(&OktaUserId) -> String + Send + Sync);

/// Asks for each of `users` by id and puts what is found into the org: who is gone, who is there, and who is in scope after
/// all. For each of `memberships`, and wherever the groups of a user were read anyway, puts the user back into the pushed
/// groups that they are in.
///
/// Whether a deactivated user is in scope isn't asked, since only the status decides; nor is it asked of any user where a part
/// of the scope wasn't found, since it can't be answered.
pub async fn confirm(
    okta: &Okta,
    scope: &ResolvedScope,
    org: &mut Org,
    users: BTreeSet<OktaUserId>,
    memberships: BTreeSet<OktaUserId>,
) -> Result<Confirmed, Error> {
    let failed = |failure: Failure| Error::from(failure).context("asking Okta again about users");
    let found = okta.users_by_id(&users).await.map_err(failed)?;
    if let Some(other) = found.iter().find(|(id, found)| found.as_ref().is_some_and(|found| found.user.id != **id)) {
        return Err(Error::new(Kind::Failed, format!("Okta answered with another user than {}", other.0)));
    }
    let mut not_recorded: BTreeSet<OktaUserId> = users.iter().filter(|id| !found.contains_key(*id)).cloned().collect();
    let mut own = OwnGroups::new();
    let named = |id: &OktaUserId| named(org, &found, id);
    not_recorded.extend(own_groups(okta, &mut own, memberships, &named).await?);
    let may_be_in_scope = |found: &&WholeUser| !scope.is_incomplete && found.user.status != Status::Deprovisioned;
    let alive: Vec<&WholeUser> = found.values().flatten().filter(may_be_in_scope).collect();
    let Sides { within, mut undecided, unsure, outside, not_recorded: untold } =
        sides(okta, scope, &alive, &mut own, &named).await?;
    undecided.extend(users.iter().filter(|id| not_recorded.contains(*id)).cloned());
    not_recorded.extend(untold);
    if outside {
        scope_still_stands(okta, scope).await?;
    }
    if scope.needs.groups {
        let untold = own_groups(okta, &mut own, within.clone(), &named).await?;
        // Without them expressions would see a user without groups.
        if let Some(id) = untold.first() {
            let error = format!("the groups of {}, which expressions ask for, aren't in the snapshot", named(id));
            return Err(Error::new(Kind::Failed, error).hint("export a new snapshot with this config"));
        }
    }
    org.unsure.extend(unsure);
    let mut came_to_light = BTreeSet::new();
    for (id, found) in found {
        let was_known = extra::is_evaluated(org, &id);
        put(org, scope, &id, found, within.contains(&id));
        if !was_known && extra::is_evaluated(org, &id) {
            came_to_light.insert(id);
        }
    }
    let mut own_ids = BTreeMap::new();
    for (id, groups) in own {
        let Some(groups) = groups else { continue };
        own_ids.insert(id.clone(), groups.iter().map(|group| group.id.clone()).collect());
        put_groups(org, scope, id, groups);
    }
    if !came_to_light.is_empty() {
        Box::pin(extra::read(okta, &scope.needs, scope.app.as_ref(), org, &came_to_light)).await?;
    }
    Ok(Confirmed { undecided, own_groups: own_ids, not_recorded })
}

fn put(org: &mut Org, scope: &ResolvedScope, id: &OktaUserId, found: Option<WholeUser>, in_scope: bool) {
    let Some(found) = found else {
        org.users.remove(id);
        org.in_scope.remove(id);
        org.gone.insert(id.clone());
        return;
    };
    org.gone.remove(id);
    let (id, user) = found.user.pack(&scope.needs.attributes);
    if in_scope {
        org.in_scope.insert(id.clone());
    }
    org.users.insert(id, user);
}

fn put_groups(org: &mut Org, scope: &ResolvedScope, id: OktaUserId, groups: Vec<Group>) {
    for group in &groups {
        if let Some(pushed) = org.pushed.get_mut(&group.id) {
            pushed.members.insert(id.clone());
        }
    }
    for of_roles in org.role_groups.values_mut().filter(|of_roles| groups.iter().any(|group| group.id == of_roles.id)) {
        of_roles.members.insert(id.clone());
    }
    if scope.needs.groups && org.in_scope.contains(&id) {
        let mut groups = groups;
        // They are in the order of their ids, which expressions can see.
        groups.sort_by(|one, other| one.id.cmp(&other.id));
        org.groups_of.insert(id, groups.into_iter().map(Arc::new).collect());
    }
}

/// Asks users which groups they are in, unless they were asked before. Returns the users that a snapshot has no answer about.
async fn own_groups(
    okta: &Okta,
    own: &mut OwnGroups,
    users: BTreeSet<OktaUserId>,
    named: Named<'_>,
) -> Result<BTreeSet<OktaUserId>, Error> {
    let users: Vec<OktaUserId> = users.into_iter().filter(|id| !own.contains_key(id)).collect();
    let reads = stream::iter(users).map(async |id| match okta.user_groups(&id).await {
        Ok(groups) => Ok((id, Some(Some(groups)))),
        Err(failure) if failure.is_not_found() => Ok((id, Some(None))),
        Err(failure) if failure.is_not_recorded() => Ok((id, None)),
        Err(failure) => Err(about(failure, &named(&id))),
    });
    let mut not_recorded = BTreeSet::new();
    for (id, groups) in reads.buffer_unordered(okta.at_once()).try_collect::<Vec<_>>().await? {
        match groups {
            Some(groups) => drop(own.insert(id, groups)),
            None => drop(not_recorded.insert(id)),
        }
    }
    Ok(not_recorded)
}

/// The user's login, as far as it is known, and the id.
fn named(org: &Org, found: &BTreeMap<OktaUserId, Option<WholeUser>>, id: &OktaUserId) -> String {
    let login = match found.get(id) {
        Some(Some(whole)) => Some(whole.user.login().to_owned()),
        _ => org.users.get(id).map(|packed| packed.unpack(id).login().to_owned()),
    };
    login.map_or_else(|| format!("the user {id}"), |login| format!("{login} ({id})"))
}

fn about(failure: Failure, user: &str) -> Error {
    Error::from(failure).context(format!("asking Okta again about {user}"))
}

/// On which side of the scope users are.
struct Sides {
    within: BTreeSet<OktaUserId>,
    undecided: BTreeSet<OktaUserId>,
    /// Users who are in scope only by an assignment with an unknown status.
    unsure: BTreeMap<OktaUserId, String>,
    /// Whether any user is certainly out of scope.
    outside: bool,
    /// Users that a snapshot has no answer about.
    not_recorded: BTreeSet<OktaUserId>,
}

/// Users that are in scope, and users that aren't decided yet.
struct Open {
    within: BTreeSet<OktaUserId>,
    left: BTreeSet<OktaUserId>,
    undecided: BTreeSet<OktaUserId>,
    unsure: BTreeMap<OktaUserId, String>,
    not_recorded: BTreeSet<OktaUserId>,
}

impl Open {
    /// Leaves users undecided that a snapshot has no answer about.
    fn lacks(&mut self, users: BTreeSet<OktaUserId>) {
        self.undecided.extend(users.iter().cloned());
        self.not_recorded.extend(users);
    }

    fn finds(&mut self, found: impl IntoIterator<Item = OktaUserId>) {
        for id in found {
            if self.left.remove(&id) {
                self.within.insert(id);
            }
        }
    }

    /// Takes an assignment for what its status says: the user, if they are in scope by it.
    fn takes(&mut self, assigned: AppUser) -> Option<OktaUserId> {
        let is_in_force = assigned.is_in_force();
        if is_in_force.is_none() && self.left.contains(&assigned.id) {
            self.unsure.insert(assigned.id.clone(), assigned.status);
        }
        (is_in_force != Some(false)).then_some(assigned.id)
    }

    /// Takes the answers of a sample: if one of them contradicts the listings, the rest stays undecided.
    fn sampled(&mut self, sample: &BTreeSet<OktaUserId>, found: BTreeSet<OktaUserId>) {
        if !found.is_empty() {
            self.undecided.extend(self.left.difference(sample).cloned());
        }
        self.finds(found);
    }
}

/// Asks which of the users are in scope, of the parts of it that cost the least first.
async fn sides(
    okta: &Okta,
    scope: &ResolvedScope,
    alive: &[&WholeUser],
    own: &mut OwnGroups,
    named: Named<'_>,
) -> Result<Sides, Error> {
    let left = alive.iter().map(|found| found.user.id.clone()).collect();
    let mut open = Open {
        within: BTreeSet::new(),
        left,
        undecided: BTreeSet::new(),
        unsure: BTreeMap::new(),
        not_recorded: BTreeSet::new(),
    };
    if scope.everyone {
        open.finds(open.left.clone());
    }
    if let Some(search) = &scope.search {
        searched(okta, search, alive, &mut open).await?;
    }
    if !scope.groups.is_empty() {
        in_groups(okta, &scope.groups, &mut open, own, named).await?;
    }
    if let Some(app) = &scope.app {
        assigned(okta, app, &mut open, named).await?;
    }
    let Open { within, left, mut undecided, unsure, mut not_recorded } = open;
    undecided.retain(|id| left.contains(id));
    not_recorded.retain(|id| left.contains(id));
    Ok(Sides { within, outside: left.len() > undecided.len(), undecided, unsure, not_recorded })
}

/// The search, evaluated here. Where that can't be done, its index is asked: who it finds is in scope, and of the others
/// nothing is known.
async fn searched(okta: &Okta, search: &str, alive: &[&WholeUser], open: &mut Open) -> Result<(), Error> {
    let parsed = Search::parse(search);
    let mut untold = Vec::new();
    for found in alive {
        let id = found.user.id.clone();
        match parsed.as_ref().and_then(|parsed| parsed.finds(&found.object)) {
            Some(true) => open.finds([id]),
            Some(false) => {}
            None => untold.push(id),
        }
    }
    for ids in untold.chunks(IDS) {
        match okta.found_among(search, ids).await {
            Ok(found) => open.finds(found),
            // A search that is refused once it is narrowed.
            Err(failure) if failure.status() == Some(400) => {}
            Err(failure) if failure.is_not_recorded() => open.lacks(ids.iter().cloned().collect()),
            Err(failure) => return Err(Error::from(failure).context("asking Okta's search again")),
        }
    }
    open.undecided.extend(untold.into_iter().filter(|id| open.left.contains(id)));
    Ok(())
}

/// The groups of the scope, by the users' own listings of their groups.
async fn in_groups(
    okta: &Okta,
    groups: &[Group],
    open: &mut Open,
    own: &mut OwnGroups,
    named: Named<'_>,
) -> Result<(), Error> {
    let is_many = open.left.len() > FEW;
    if is_many {
        let failed = |failure: Failure| Error::from(failure).context("reading the groups in scope again");
        for group in groups {
            open.finds(okta.group_member_ids(&group.id).await.map_err(failed)?.iter().cloned());
        }
    }
    let asked = if is_many { sample(&open.left) } else { open.left.clone() };
    let untold = own_groups(okta, own, asked.clone(), named).await?;
    open.lacks(untold);
    let is_scope_group = |group: &Group| groups.iter().any(|wanted| wanted.id == group.id);
    let is_member = |id: &&OktaUserId| own.get(*id).is_some_and(|own| own.iter().flatten().any(is_scope_group));
    let found: BTreeSet<OktaUserId> = open.left.iter().filter(is_member).cloned().collect();
    open.sampled(&asked, found);
    Ok(())
}

/// The app of the scope, by the users' own assignments.
async fn assigned(okta: &Okta, app: &App, open: &mut Open, named: Named<'_>) -> Result<(), Error> {
    let is_many = open.left.len() > FEW;
    if is_many {
        let failed = |failure: Failure| Error::from(failure).context("reading who is assigned to the Okta app again");
        let again = match okta.app_profiles(&app.id).await {
            Err(failure) if failure.is_not_recorded() => {
                open.lacks(open.left.clone());
                return Ok(());
            }
            again => again.map_err(failed)?,
        };
        let found: Vec<_> = again.into_iter().filter_map(|assigned| open.takes(assigned)).collect();
        open.finds(found);
    }
    let asked = if is_many { sample(&open.left) } else { open.left.clone() };
    let reads = stream::iter(asked.clone()).map(async |id| match okta.app_user(&app.id, &id).await {
        Ok(assigned) => Ok(Ok(assigned.filter(|assigned| assigned.id == id))),
        Err(failure) if failure.is_not_recorded() => Ok(Err(id)),
        Err(failure) => Err(about(failure, &named(&id))),
    });
    let answers: Vec<_> = reads.buffer_unordered(okta.at_once()).try_collect().await?;
    open.lacks(answers.iter().filter_map(|answer| answer.as_ref().err()).cloned().collect());
    let found = answers.into_iter().flatten().flatten().filter_map(|assigned| open.takes(assigned)).collect();
    open.sampled(&asked, found);
    Ok(())
}

/// Some of them, from first to last.
fn sample(of: &BTreeSet<OktaUserId>) -> BTreeSet<OktaUserId> {
    of.iter().step_by((of.len() / SAMPLE).max(1)).take(SAMPLE).cloned().collect()
}

/// An app or a group that was deleted during the run would make all users look unassigned.
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
#[path = "users_tests.rs"]
mod tests;
