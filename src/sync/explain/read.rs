//! Reads what decides about one user, and plans for this user alone.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::activepieces::lookup::{self, Account, FoundMembers};
use crate::activepieces::wire::RestProject;
use crate::activepieces::{self, Activepieces, LOOKUPS_AT_ONCE};
use crate::error::Result;
use crate::http::Failure;
use crate::mapping::attributes::{self, Mapping};
use crate::model::PlatformRole;
use crate::model::activepieces::{EmbeddedUser, KnownRoles, Platform, Project, StandingRoles, User};
use crate::model::desired::Desired;
use crate::model::id::{AccountId, OktaGroupId, OktaIds, OktaUserId, ProjectId};
use crate::model::org::{Org, Target};
use crate::okta::lookup::few::Few;
use crate::okta::lookup::find;
use crate::plan::diff::links::looks_like_an_id;
use crate::plan::hold::doubt::{self, Disagreement};
use crate::plan::hold::{accepted, held};
use crate::plan::past::Sizes;
use crate::plan::{Comparison, Past, Plan, Policy};
use crate::sync::recreations;
use crate::sync::session::{Session, remind};

/// How often users are added who are linked to the accounts of those before.
const ROUNDS: usize = 3;

/// What both servers say of a user, and of others who claim the same account.
pub(super) struct Seen<'a> {
    pub few: Few<'a>,
    pub mapping: &'a Mapping,
    pub now: Timestamp,
    pub desired: Desired,
    /// The accounts and projects that matter for these users, as a plan has them.
    pub platform: Platform,
    /// Project roles, also where the config doesn't manage them.
    pub roles: BTreeMap<(ProjectId, AccountId), String>,
    /// Whether the projects of other groups were looked for: the server tells them for linked MEMBERs alone.
    pub all_projects: bool,
    pub plan: Plan,
}

/// What a plan knows besides both servers.
pub(super) struct Knows {
    pub past: Past,
    pub owed_roles: BTreeMap<OktaGroupId, BTreeSet<OktaUserId>>,
}

/// Reads the user of this id, and plans.
pub(super) async fn read<'a>(
    session: &'a Session,
    id: &OktaUserId,
    mapping: &'a Mapping,
    mut few: Few<'a>,
    knows: Knows,
) -> Result<Seen<'a>> {
    remind(&mut few.org, &knows.past, &knows.owed_roles);
    few.add(BTreeSet::from([id.clone()])).await?;
    let now = session.okta.http().server_time().unwrap_or_else(Timestamp::now);
    claimants(session, id, &mut few).await?;
    let accounts = accounts(session, &mut few, mapping, now).await?;
    let found = projects(&session.activepieces, id, &mut few, &accounts).await?;
    let (projects, all_projects) = (found.projects, found.all);
    let members = members(&session.activepieces, projects.keys()).await?;
    let roles = roles_of(&members);
    let desired = attributes::desired(&few.org, mapping, now);
    let platform = platform(session, accounts, &projects, &members).await?;
    let mut seen = Seen { few, mapping, now, desired, platform, roles, all_projects, plan: Plan::default() };
    seen.plan = plan(&seen, &session.settings.policy, &knows.past);
    recreations::look(&session.activepieces, &mut seen.plan).await;
    Ok(seen)
}

/// Adds other users of the same e-mail address or login.
async fn claimants(session: &Session, id: &OktaUserId, few: &mut Few<'_>) -> Result<()> {
    let login = few.org.users.get(id).map(|user| user.unpack(id).login().to_owned());
    let email = few.told.get(id).and_then(|told| told.email.clone());
    let addresses = [login.as_deref(), email.as_deref()];
    let addresses: BTreeSet<&str> = addresses.into_iter().flatten().filter(|text| text.contains('@')).collect();
    let others = find::of_address(&session.okta, &addresses).await?;
    few.add(others.into_iter().map(|user| user.id).collect()).await
}

/// The accounts of these users, by externalId and by address.
#[derive(Default)]
struct Accounts {
    users: BTreeMap<AccountId, User>,
    embedded: Vec<EmbeddedUser>,
    asked: BTreeSet<String>,
}

impl Accounts {
    fn add(&mut self, account: Account) {
        match account {
            Account::Of(user) => drop(self.users.insert(user.id.clone(), user)),
            Account::Embedded(embedded) => self.embedded.push(embedded),
        }
    }

    async fn look(&mut self, activepieces: &Activepieces, desired: &Desired) -> Result<()> {
        for (id, user) in &desired.users {
            if self.asked.insert(id.to_string()) {
                lookup::linked(activepieces, id.as_str()).await?.into_iter().for_each(|account| self.add(account));
            }
            for name in user.user_name.iter().chain(&user.aliases) {
                if self.is_new(name) {
                    self.asked.insert(name.clone());
                    let named = lookup::named(activepieces, name).await?;
                    self.users.extend(named.map(|user| (user.id.clone(), user)));
                }
            }
        }
        Ok(())
    }

    /// Whether the account of this address isn't known.
    fn is_new(&self, name: &str) -> bool {
        !self.asked.contains(name) && self.users.values().all(|user| user.user_name != name)
    }
}

/// Finds the accounts, and adds the users that they are linked to.
async fn accounts(session: &Session, few: &mut Few<'_>, mapping: &Mapping, now: Timestamp) -> Result<Accounts> {
    let mut accounts = Accounts::default();
    for _ in 0..ROUNDS {
        let desired = attributes::desired(&few.org, mapping, now);
        accounts.look(&session.activepieces, &desired).await?;
        let owners = accounts.users.values().filter_map(|user| user.okta_id(&desired.ids));
        let owners: BTreeSet<OktaUserId> = owners.filter(|id| !desired.users.contains_key(id)).collect();
        if owners.is_empty() {
            break;
        }
        few.add(owners).await?;
    }
    Ok(accounts)
}

/// The projects that may matter for a user.
struct FoundProjects {
    projects: BTreeMap<ProjectId, RestProject>,
    /// Whether every project is among them that the user is a member of.
    all: bool,
}

/// The projects of the user's groups, and those that the user is a member of as far as the server tells.
async fn projects(
    activepieces: &Activepieces,
    id: &OktaUserId,
    few: &mut Few<'_>,
    accounts: &Accounts,
) -> Result<FoundProjects> {
    let mut projects = BTreeMap::new();
    let targets: Vec<Target> =
        few.org.targets.iter().filter(|target| is_member(target, &few.org, id)).cloned().collect();
    let found = stream::iter(targets).map(async |target| of_target(activepieces, &target).await);
    let of_groups: std::result::Result<Vec<Vec<RestProject>>, Failure> =
        found.buffered(LOOKUPS_AT_ONCE).try_collect().await;
    projects.extend(of_groups?.into_iter().flatten().map(|project| (project.id.clone(), project)));
    let linked = accounts.users.values().find(|user| user.link() == Some(id.as_str()));
    let all = linked.map_or(accounts.users.is_empty(), |user| user.platform_role == PlatformRole::Member.as_str());
    if let Some(linked) = linked.filter(|_| all) {
        let reached = activepieces.projects_reached(linked.link().unwrap_or_default()).await?.data;
        projects.extend(reached.into_iter().filter(RestProject::is_team).map(|project| (project.id.clone(), project)));
    }
    let ids = OktaIds::default();
    let links = projects.values().filter_map(|project| ids.project_link(project.external_id.as_deref()?));
    let groups: Vec<OktaGroupId> = links.map(|link| OktaGroupId::from(link.group)).collect();
    few.add_groups(groups).await?;
    Ok(FoundProjects { projects, all })
}

fn is_member(target: &Target, org: &Org, id: &OktaUserId) -> bool {
    let groups = target.sources.iter().filter_map(|source| org.pushed.get(&source.group));
    groups.into_iter().any(|pushed| pushed.members.contains(id))
}

/// The projects that may be the one of a target: by its groups, and by the name or id that the config has.
async fn of_target(activepieces: &Activepieces, target: &Target) -> std::result::Result<Vec<RestProject>, Failure> {
    let mut found = Vec::new();
    for source in &target.sources {
        found.extend(activepieces.project_by_external_id(&source.link).await?);
    }
    if found.is_empty() || target.is_named {
        found.extend(activepieces.projects_named(&target.name).await?);
    }
    let is_found = found.iter().any(|project| project.display_name == target.name);
    if target.is_named && !is_found && looks_like_an_id(&target.name) {
        let id = ProjectId::from(target.name.as_str());
        if let Some(named) = activepieces.group(&id).await? {
            let of_name = activepieces.projects_named(&named.display_name).await?;
            found.extend(of_name.into_iter().filter(|project| project.id == id));
        }
    }
    Ok(found)
}

/// The members of projects.
async fn members<'p>(
    activepieces: &Activepieces,
    projects: impl Iterator<Item = &'p ProjectId>,
) -> Result<BTreeMap<ProjectId, FoundMembers>> {
    let ids: Vec<ProjectId> = projects.cloned().collect();
    let reads = stream::iter(ids).map(async |id| Ok((id.clone(), lookup::members(activepieces, &id).await?)));
    reads.buffered(LOOKUPS_AT_ONCE).try_collect().await
}

fn roles_of(members: &BTreeMap<ProjectId, FoundMembers>) -> BTreeMap<(ProjectId, AccountId), String> {
    let all = members.iter().flat_map(|(project, found)| found.members.iter().map(move |member| (project, member)));
    all.filter_map(|(project, (account, role))| Some(((project.clone(), account.clone()), role.clone()?))).collect()
}

/// The part of the platform that decides about these users. Without any project the platform doesn't show its owner, and is
/// read whole.
async fn platform(
    session: &Session,
    accounts: Accounts,
    projects: &BTreeMap<ProjectId, RestProject>,
    members: &BTreeMap<ProjectId, FoundMembers>,
) -> Result<Platform> {
    let activepieces = &session.activepieces;
    let manages_roles = session.settings.mapping.manages_roles();
    let first = activepieces.a_team_project().await?.data;
    let Some(owner) = first.into_iter().find(RestProject::is_team).map(|project| project.owner_id) else {
        return activepieces::read_with_roles(activepieces, manages_roles).await;
    };
    let mut users = accounts.users;
    if !users.contains_key(&owner) {
        // Another ADMIN: the last one keeps the role.
        users.extend(lookup::by_id(activepieces, &owner).await?.map(|user| (owner.clone(), user)));
    }
    let project = |project: &RestProject| Project {
        id: project.id.clone(),
        external_id: project.external_id.clone(),
        display_name: project.display_name.clone(),
        members: members
            .get(&project.id)
            .into_iter()
            .flat_map(|found| &found.members)
            .map(|(id, _)| id.clone())
            .collect(),
    };
    let roles = if manages_roles { known_roles(activepieces, members).await? } else { StandingRoles::Unread };
    Ok(Platform {
        projects: projects.values().map(project).collect(),
        users: users.into_values().collect(),
        owner: Some(owner),
        embedded: accounts.embedded,
        roles,
        ..Platform::default()
    })
}

/// The project roles of the members that were read.
async fn known_roles(
    activepieces: &Activepieces,
    members: &BTreeMap<ProjectId, FoundMembers>,
) -> Result<StandingRoles> {
    if members.values().any(|found| !found.tells_roles) {
        return Ok(StandingRoles::Off);
    }
    let names = activepieces.project_roles().await?.into_iter().map(|role| role.name);
    let mut known = KnownRoles { names: names.collect(), ..KnownRoles::default() };
    for (project, found) in members {
        let place = |role: &Option<String>| known.names.iter().position(|name| Some(name) == role.as_ref());
        let of = found.members.iter().filter_map(|(account, role)| Some((account.clone(), place(role)?))).collect();
        known.of.insert(project.clone(), of);
    }
    Ok(StandingRoles::Known(known))
}

/// The plan for these users alone: the limits and the trust in the read count everyone, and are left out.
fn plan(seen: &Seen<'_>, policy: &Policy, past: &Past) -> Plan {
    let comparison = Comparison::of(&seen.desired, &seen.platform, policy);
    let mut plan = comparison.plan(policy);
    doubt::hold(&mut plan, &Disagreement { scope: seen.few.undecided(), ..Disagreement::default() });
    let run = held::Run { sizes: &Sizes::default(), now: seen.now, trust_source: true };
    held::settle(&mut plan, past, &run, policy);
    for op in &mut plan.projects {
        let Some(project) = &op.project else { continue };
        for removal in &mut op.remove {
            removal.role = seen.roles.get(&(project.clone(), removal.account.clone())).cloned();
        }
    }
    accepted::settle(&mut plan, &policy.accepted, TimeZone::UTC.to_datetime(seen.now).date());
    plan
}
