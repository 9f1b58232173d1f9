//! What a sync needs of some users, read by id: their groups, their side of the scope, and the groups that rules push them by.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::Error;
use crate::expression::Needs;
use crate::http::Failure;
use crate::mapping::projects::{Answers, ProjectRule, Selected, find_group, select};
use crate::mapping::roles::RoleRule;
use crate::model::Members;
use crate::model::desired::{MissingPart, RuleFault};
use crate::model::id::{OktaGroupId, OktaIds, OktaUserId};
use crate::model::okta::{Group, Profile};
use crate::model::org::{Org, PushedGroup, RoleGroup, Scope};
use crate::okta::api::client::Okta;
use crate::okta::api::wire::{App, AppUser, WholeUser};
use crate::okta::read::extra;
use crate::okta::read::resolve::{answers_about_groups, find_app};
use crate::okta::recheck::search::Search;

/// Some users of an org, and the part of the org that decides about them.
#[derive(Debug)]
pub struct Few<'a> {
    okta: &'a Okta,
    scope: &'a Scope,
    rules: &'a [ProjectRule],
    needs: Needs,
    app: Option<App>,
    search: Option<Search>,
    /// What rules ask about groups.
    answers: Answers,
    /// Every group that was read, whether users are in it or not.
    groups: BTreeMap<OktaGroupId, Group>,
    /// Names and ids that were looked for.
    asked: BTreeSet<String>,
    /// Users who were read by id or login already, and whose groups weren't.
    found: BTreeMap<OktaUserId, WholeUser>,
    pub told: BTreeMap<OktaUserId, Told>,
    /// What was read, as a sync has it; the members of groups are these users alone.
    pub org: Org,
    /// Lower-case, no full stop.
    pub warnings: Vec<String>,
}

/// What Okta says of one user besides the profile.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The parts of the scope, each with whether the user is in it; none where that isn't known.
    pub scope: Vec<(String, Option<bool>)>,
    pub assignment: Option<Assignment>,
    /// The groups of the user; none where nothing asks for them.
    pub groups: Option<Vec<Group>>,
    /// E-mail address, as the profile has it.
    pub email: Option<String>,
}

/// A user's assignment to the app of the scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    pub status: String,
    /// Whether it comes from a group.
    pub by_group: bool,
    /// None for a status that isn't known.
    pub is_in_force: Option<bool>,
}

impl<'a> Few<'a> {
    /// Finds the app of the scope; no user is read yet.
    pub async fn new(okta: &'a Okta, scope: &'a Scope, rules: &'a [ProjectRule], needs: Needs) -> Result<Self, Error> {
        let mut org = Org { evaluates_staged: needs.staged, ..Org::default() };
        let app = find_app(okta, scope.app.as_deref()).await?.unwrap_or_else(|fault| {
            org.missing_scope.push(MissingPart { wanted: scope.app.clone().unwrap_or_default(), fault });
            None
        });
        let answers = Box::pin(answers_about_groups(okta, app.as_ref(), rules, &BTreeMap::new())).await?;
        if needs.app_user && app.is_some() {
            org.extra.profiles.insert("appuser".to_owned(), BTreeMap::new());
        }
        let search = scope.search.as_deref().and_then(Search::parse);
        let (groups, asked, told) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        let (found, warnings) = (BTreeMap::new(), Vec::new());
        Ok(Self { okta, scope, rules, needs, app, search, answers, groups, asked, found, told, org, warnings })
    }

    /// The app of the scope.
    pub fn app(&self) -> Option<&App> {
        self.app.as_ref()
    }

    /// Whether anything depends on the groups of users.
    fn asks_for_groups(&self) -> bool {
        !self.scope.groups.is_empty() || !self.rules.is_empty() || self.needs.groups || self.needs.group_objects
    }

    /// Keeps a user who was read by id or login, so that [`Self::add`] doesn't read them again.
    pub fn keep(&mut self, found: WholeUser) {
        self.found.insert(found.user.id.clone(), found);
    }

    /// Reads users by id; those that were read are left out.
    pub async fn add(&mut self, ids: BTreeSet<OktaUserId>) -> Result<(), Error> {
        let new: BTreeSet<_> = ids.into_iter().filter(|id| !self.is_read(id)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let unread = new.iter().filter(|id| !self.found.contains_key(*id)).cloned().collect();
        let mut found = self.okta.users_by_id(&unread).await.map_err(failed)?;
        found.extend(new.iter().filter_map(|id| Some((id.clone(), Some(self.found.remove(id)?)))));
        for (id, found) in found {
            match found {
                Some(found) => self.add_user(found).await?,
                None => drop(self.org.gone.insert(id)),
            }
        }
        self.look_for_groups().await?;
        self.put_groups();
        let of: BTreeSet<_> = new.into_iter().filter(|id| extra::is_evaluated(&self.org, id)).collect();
        if !of.is_empty() {
            let read = Box::pin(extra::read(self.okta, &self.needs, self.app.as_ref(), &mut self.org, &of)).await?;
            self.warnings.extend(read);
        }
        Ok(())
    }

    fn is_read(&self, id: &OktaUserId) -> bool {
        self.org.users.contains_key(id) || self.org.gone.contains(id)
    }

    async fn add_user(&mut self, found: WholeUser) -> Result<(), Error> {
        let id = found.user.id.clone();
        let mut told = Told { email: text(&found.user.profile, "email"), ..Told::default() };
        if self.asks_for_groups() {
            told.groups = Some(self.groups_of(&id).await?);
        }
        let assigned = match &self.app {
            Some(app) => self.okta.app_user(&app.id, &id).await.map_err(failed)?.filter(|assigned| assigned.id == id),
            None => None,
        };
        self.add_sides(&found, &mut told, assigned.as_ref()).await?;
        self.put_scope(&id, &mut told, assigned);
        let (id, user) = found.user.pack(&self.needs.attributes);
        self.org.users.insert(id.clone(), user);
        self.told.insert(id, told);
        Ok(())
    }

    async fn groups_of(&mut self, id: &OktaUserId) -> Result<Vec<Group>, Error> {
        let whole = match self.okta.whole_groups_of(id).await {
            Err(failure) if failure.is_not_found() => Vec::new(),
            found => found.map_err(failed)?,
        };
        let mut groups = Vec::new();
        for whole in whole {
            if self.needs.group_objects {
                self.org.extra.group_objects.insert(whole.group.id.clone(), whole.object);
            }
            groups.push(Group::from(whole.group));
        }
        self.groups.extend(groups.iter().map(|group| (group.id.clone(), group.clone())));
        if self.needs.groups {
            self.org.groups_of.insert(id.clone(), groups.iter().cloned().map(Arc::new).collect());
        }
        Ok(groups)
    }

    /// The parts of the scope but its groups, whose names are found later.
    async fn add_sides(&self, found: &WholeUser, told: &mut Told, assigned: Option<&AppUser>) -> Result<(), Error> {
        if self.scope.everyone {
            told.scope.push(("everyone".to_owned(), Some(true)));
        }
        if let Some(search) = &self.scope.search {
            let finds = match self.search.as_ref().and_then(|parsed| parsed.finds(&found.object)) {
                Some(finds) => Some(finds),
                None => self.is_indexed(search, &found.user.id).await?.then_some(true),
            };
            told.scope.push(("found by the search".to_owned(), finds));
        }
        if let Some(app) = &self.app {
            told.assignment = assigned.map(|assigned| Assignment {
                status: assigned.status.clone(),
                by_group: assigned.scope.as_deref() == Some("GROUP"),
                is_in_force: assigned.is_in_force(),
            });
            let within = assigned.map_or(Some(false), AppUser::is_in_force);
            told.scope.push((format!("assigned to the app {:?}", app.label), within));
        }
        Ok(())
    }

    /// Whether the index of a search finds the user. One that it misses isn't known to be outside.
    async fn is_indexed(&self, search: &str, id: &OktaUserId) -> Result<bool, Error> {
        match self.okta.found_among(search, std::slice::from_ref(id)).await {
            Ok(found) => Ok(found.contains(id)),
            // A search that is refused once it is narrowed.
            Err(failure) if failure.status() == Some(400) => Ok(false),
            Err(failure) => Err(failed(failure)),
        }
    }

    /// Notes an assignment whose status isn't known, and the profile in the app.
    fn put_scope(&mut self, id: &OktaUserId, told: &mut Told, assigned: Option<AppUser>) {
        let Some(assigned) = assigned else { return };
        if let (Some(Assignment { is_in_force: None, status, .. }), true) =
            (&told.assignment, told.scope.iter().all(|(_, within)| *within != Some(true)))
        {
            self.org.unsure.insert(id.clone(), status.clone());
        }
        if let Some(profiles) = self.org.extra.profiles.get_mut("appuser")
            && assigned.is_in_force() != Some(false)
        {
            profiles.insert(id.clone(), assigned.profile);
        }
    }

    /// Reads groups by id that aren't known yet, such as those that projects are linked to.
    pub async fn add_groups(&mut self, ids: impl IntoIterator<Item = OktaGroupId>) -> Result<(), Error> {
        for id in ids {
            if !self.groups.contains_key(&id) && self.asked.insert(id.to_string()) {
                let found = self.okta.group(&id).await.map_err(failed)?;
                self.groups.extend(found.map(|group| (group.id.clone(), group)));
            }
        }
        self.look_for_groups().await?;
        self.put_groups();
        Ok(())
    }

    /// Looks for the groups that the config names and that decide about these users, and for others of the same names.
    async fn look_for_groups(&mut self) -> Result<(), Error> {
        let ids = OktaIds::default();
        let wanted = self.wanted().into_iter().filter(|wanted| !self.asked.contains(wanted));
        let (by_id, by_name): (Vec<String>, Vec<String>) = wanted.partition(|wanted| ids.is_group(wanted));
        for id in by_id {
            let id = OktaGroupId::from(id);
            self.asked.insert(id.to_string());
            if !self.groups.contains_key(&id) {
                let found = self.okta.group(&id).await.map_err(failed)?;
                self.groups.extend(found.map(|group| (group.id.clone(), group)));
            }
        }
        if by_name.is_empty() {
            return Ok(());
        }
        let names: BTreeSet<&str> = by_name.iter().map(String::as_str).collect();
        for whole in self.okta.groups_named(&names).await.map_err(failed)? {
            let group = Group::from(whole.group);
            if names.contains(group.name.as_str()) {
                self.groups.entry(group.id.clone()).or_insert(group);
            }
        }
        self.asked.extend(by_name);
        Ok(())
    }

    /// The names and ids of these groups, and of those that make a project together with them.
    fn wanted(&self) -> BTreeSet<String> {
        let mut wanted: BTreeSet<String> = self.scope.groups.iter().cloned().collect();
        for group in self.groups.values() {
            for rule in self.rules.iter().filter(|rule| rule.may_take(group)) {
                wanted.insert(group.name.clone());
                let with_it = self.rules.iter().filter(|other| rule.shares_project(other)).chain([rule]);
                for rule in with_it {
                    wanted.extend(rule.selector.names().iter().cloned());
                    wanted.extend(rule.roles.as_deref().into_iter().flat_map(RoleRule::groups).cloned());
                }
            }
        }
        wanted
    }

    /// Puts what is known of groups into the org.
    fn put_groups(&mut self) {
        let groups: Vec<Group> = self.groups.values().cloned().collect();
        self.org.groups = groups.iter().map(|group| (group.id.clone(), group.name.clone())).collect();
        self.put_groups_of_scope(&groups);
        let Selected { pushed, targets, mut unresolved } = select(self.rules, &groups, &self.answers);
        // Groups that rules name and that none of these users is in weren't looked for.
        unresolved.retain(|rule| match rule.fault {
            RuleFault::NoSuchGroup { .. } => self.asked.contains(&rule.wanted),
            _ => true,
        });
        self.org.unresolved = unresolved;
        let sources = targets.iter().flat_map(|target| &target.sources);
        let role_rules = sources.filter_map(|source| self.rules[source.rule].roles.as_deref());
        let of_roles: BTreeSet<String> = role_rules.flat_map(RoleRule::groups).cloned().collect();
        self.org.targets = targets;
        self.org.pushed.clear();
        for group in pushed {
            let members = self.members(&group.id);
            self.org.pushed.insert(group.id.clone(), PushedGroup { group, members });
        }
        for wanted in of_roles {
            match find_group(&wanted, &groups) {
                Ok(group) => {
                    let members = self.members(&group.id);
                    let found = RoleGroup { id: group.id.clone(), name: group.name.clone(), members };
                    self.org.missing_role_groups.remove(&wanted);
                    self.org.role_groups.insert(wanted, found);
                }
                Err(fault) => drop(self.org.missing_role_groups.insert(wanted, fault)),
            }
        }
    }

    /// Which of these users are in a group.
    fn members(&self, group: &OktaGroupId) -> Members<OktaUserId> {
        let is_in = |told: &Told| told.groups.iter().flatten().any(|own| own.id == *group);
        self.told.iter().filter(|(_, told)| is_in(told)).map(|(id, _)| id.clone()).collect()
    }

    /// Which users are in scope, by its groups too.
    fn put_groups_of_scope(&mut self, groups: &[Group]) {
        let is_group = |part: &MissingPart| self.scope.groups.contains(&part.wanted);
        self.org.missing_scope.retain(|part| !is_group(part));
        let mut within: Vec<(&Group, Members<OktaUserId>)> = Vec::new();
        for wanted in &self.scope.groups {
            match find_group(wanted, groups) {
                Ok(group) => within.push((group, self.members(&group.id))),
                Err(fault) => {
                    let fault = format!("[scope] groups: {}", fault.told(wanted));
                    self.org.missing_scope.push(MissingPart { wanted: wanted.clone(), fault });
                }
            }
        }
        for (id, told) in &mut self.told {
            told.scope.retain(|(what, _)| !what.starts_with(IN_GROUP));
            for (group, members) in &within {
                told.scope.push((format!("{IN_GROUP}{:?}", group.name), Some(members.contains(id))));
            }
            let is_in = told.scope.iter().any(|(_, within)| *within == Some(true));
            if is_in {
                self.org.unsure.remove(id);
            }
            if is_in || self.org.unsure.contains_key(id) {
                self.org.in_scope.insert(id.clone());
            }
        }
    }

    /// Users who may be in scope or not: Okta's answers don't tell.
    pub fn undecided(&self) -> BTreeSet<OktaUserId> {
        let untold = |told: &Told| told.scope.iter().any(|(_, within)| within.is_none());
        let users = self.told.iter().filter(|(id, told)| untold(told) && !self.org.in_scope.contains(*id));
        users.map(|(id, _)| id.clone()).collect()
    }
}

/// How the parts of a scope begin that are groups.
const IN_GROUP: &str = "member of the group ";

fn text(profile: &Profile, attribute: &str) -> Option<String> {
    profile.get(attribute).and_then(serde_json::Value::as_str).map(str::to_owned)
}

fn failed(failure: Failure) -> Error {
    Error::from(failure).context("asking Okta about the user")
}
