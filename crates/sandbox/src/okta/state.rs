//! The tables of the org, and what changes them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::access::Access;
use super::apps::{AppRow, PROVISIONING};
use super::creation::Imports;
use super::limits::{Granted, Limits};
use super::page::Query;

/// A user to start with.
#[derive(Clone, Debug)]
pub struct SeedUser {
    /// `00u` and 17 letters and digits; made up where none is given.
    pub id: Option<String>,
    /// Okta's spelling, `ACTIVE`; any text, since the set is open.
    pub status: String,
    pub profile: Map<String, Value>,
}

/// The state of one org; all methods take `&self`.
#[derive(Debug)]
pub struct Org {
    tables: RwLock<Tables>,
    limits: Mutex<Limits>,
    in_flight: AtomicUsize,
    refused: AtomicUsize,
    largest_page: AtomicUsize,
    token: String,
    access: Mutex<Access>,
    misses: Mutex<Vec<Miss>>,
}

/// A listing that can miss an existing user: a listing is no snapshot, and a search asks an index that is behind
/// (Okta API: list all users). What is asked for by its own id is never missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Of users, by any search or filter.
    Users,
    /// Of the users of an app.
    AppUsers,
    /// Of the members of the group of this id.
    Members(String),
}

/// A user that a listing misses.
#[derive(Clone, Debug)]
struct Miss {
    listing: Listing,
    user: String,
    /// How many requests still miss the user.
    times: usize,
}

/// A user as the org has them.
#[derive(Clone, Debug, PartialEq)]
pub struct UserSnapshot {
    pub id: String,
    pub status: String,
    pub profile: Map<String, Value>,
}

/// A group as the org has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSnapshot {
    pub id: String,
    pub name: String,
    pub members: BTreeSet<String>,
}

#[derive(Debug)]
pub struct Tables {
    pub users: BTreeMap<String, UserRow>,
    /// How the users that are put there came into the org.
    pub(super) imports: Imports,
    /// Ids by lower-cased login.
    pub logins: BTreeMap<String, String>,
    /// Ids in the order of creation; see [`creation_key`].
    pub by_creation: BTreeMap<String, String>,
    pub groups: BTreeMap<String, GroupRow>,
    /// The groups of each user but `Everyone`.
    pub groups_of: BTreeMap<String, BTreeSet<String>>,
    pub apps: BTreeMap<String, AppRow>,
    /// Linked objects by their primary names: each associated user with the primary one.
    pub linked: BTreeMap<String, BTreeMap<String, String>>,
    pub everyone: String,
    pub(super) random: fastrand::Rng,
}

#[derive(Debug)]
pub struct UserRow {
    pub status: String,
    pub created: Timestamp,
    pub last_updated: Timestamp,
    pub status_changed: Timestamp,
    pub profile: Map<String, Value>,
    /// What all listings show of it, once it was asked for.
    pub(super) shown: OnceLock<Box<str>>,
}

#[derive(Debug)]
pub struct GroupRow {
    pub name: String,
    pub kind: String,
    pub created: Timestamp,
    pub last_updated: Timestamp,
    pub last_membership_updated: Timestamp,
    /// Of `Everyone` none are kept: all users are its members.
    pub members: BTreeSet<String>,
    /// Attributes of the profile that an org adds.
    pub profile: Map<String, Value>,
}

/// When the initial entities of the org were created: a day ago, so that a change shows in the times, whose unit is the
/// second.
fn yesterday() -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(24)
}

/// What users are sorted by when they are sorted by creation: the second, then the id.
pub fn creation_key(created: Timestamp, id: &str) -> String {
    format!("{:012}{id}", created.as_second())
}

/// An id of Okta's form.
pub(super) fn id(random: &mut fastrand::Rng, prefix: &str) -> String {
    let made = std::iter::repeat_with(|| random.alphanumeric()).take(20 - prefix.len());
    prefix.chars().chain(made).collect()
}

impl Tables {
    fn id(&mut self, prefix: &str) -> String {
        id(&mut self.random, prefix)
    }

    /// Since when the org is there.
    pub(super) fn created(&self) -> Timestamp {
        self.groups.get(&self.everyone).map_or(Timestamp::UNIX_EPOCH, |everyone| everyone.created)
    }
}

impl Org {
    /// An empty org with its own user type, schemas, the group `Everyone` and Okta's built-in apps. The seed makes ids
    /// the same for the same calls. `rate_limit` is the number of requests a minute in each bucket; without it those of
    /// a workforce org.
    pub fn new(seed: u64, rate_limit: Option<u32>) -> Self {
        let mut tables = Tables {
            users: BTreeMap::new(),
            imports: Imports::default(),
            logins: BTreeMap::new(),
            by_creation: BTreeMap::new(),
            groups: BTreeMap::new(),
            groups_of: BTreeMap::new(),
            apps: BTreeMap::new(),
            linked: BTreeMap::new(),
            everyone: String::new(),
            random: fastrand::Rng::with_seed(seed),
        };
        let token = format!("00{}", tables.id("")).chars().cycle().take(42).collect();
        let org = Self {
            tables: RwLock::new(tables),
            limits: Mutex::new(Limits::new(rate_limit)),
            in_flight: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            largest_page: AtomicUsize::new(usize::MAX),
            token,
            access: Mutex::default(),
            misses: Mutex::default(),
        };
        let everyone = org.seed_group(None, "Everyone", "BUILT_IN", &[]);
        org.write().everyone = everyone;
        for (name, label) in [("saasure", "Okta Admin Console"), ("okta_enduser", "Okta Dashboard")] {
            org.add_app(name, label, &[]);
        }
        org
    }

    /// The token that its routes accept.
    pub fn token(&self) -> String {
        self.token.clone()
    }

    /// Changes what the org knows of service apps and their tokens, and gives what is asked of it.
    pub fn access<T>(&self, change: impl FnOnce(&mut Access) -> T) -> T {
        change(&mut self.access.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// The org's own time, as its answers and its rows tell it.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_second(self.access(|access| access.now())).unwrap_or_default()
    }

    /// Moves the org's clock by this many seconds, forward or back.
    pub fn shift_clock(&self, seconds: i64) {
        self.access(|access| access.ahead += seconds);
    }

    /// Lets a listing miss a user in so many requests that would show them; `usize::MAX` until [`Org::see_all`].
    pub fn miss(&self, listing: Listing, user: &str, times: usize) {
        self.misses().push(Miss { listing, user: user.to_owned(), times });
    }

    /// Ends all misses.
    pub fn see_all(&self) {
        self.misses().clear();
    }

    /// The users that a request for this listing misses. It counts as one of the requests that miss them.
    pub(super) fn missed(&self, listing: &Listing) -> BTreeSet<String> {
        let mut all = self.misses();
        let mut missed = BTreeSet::new();
        for miss in all.iter_mut().filter(|miss| miss.listing == *listing && miss.times > 0) {
            miss.times -= 1;
            missed.insert(miss.user.clone());
        }
        missed
    }

    fn misses(&self) -> std::sync::MutexGuard<'_, Vec<Miss>> {
        self.misses.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// All users of the org, deactivated ones too, by id.
    pub fn users(&self) -> Vec<UserSnapshot> {
        let snapshot = |(id, row): (&String, &UserRow)| UserSnapshot {
            id: id.clone(),
            status: row.status.clone(),
            profile: row.profile.clone(),
        };
        self.read().users.iter().map(snapshot).collect()
    }

    /// All groups of the org but `Everyone`, by id.
    pub fn groups(&self) -> Vec<GroupSnapshot> {
        let tables = self.read();
        let groups = tables.groups.iter().filter(|(id, _)| **id != tables.everyone);
        let snapshot = |(id, row): (&String, &GroupRow)| GroupSnapshot {
            id: id.clone(),
            name: row.name.clone(),
            members: row.members.clone(),
        };
        groups.map(snapshot).collect()
    }

    /// The ids of the users who are assigned to the app of this label, in whatever way.
    pub fn assigned(&self, label: &str) -> BTreeSet<String> {
        let tables = self.read();
        let app = tables.apps.values().find(|row| row.label == label);
        app.map(|row| row.assignments(&tables).into_keys().map(str::to_owned).collect()).unwrap_or_default()
    }

    /// How the users came into the org that are put there from now on.
    pub fn set_imports(&self, imports: Imports) {
        self.write().imports = imports;
    }

    /// Puts a user there, also into `Everyone`; gives the id.
    pub fn seed_user(&self, user: SeedUser) -> String {
        let now = yesterday();
        let mut tables = self.write();
        let id = user.id.unwrap_or_else(|| tables.id("00u"));
        if let Some(login) = user.profile.get("login").and_then(Value::as_str) {
            tables.logins.insert(login.to_lowercase(), id.clone());
        }
        let created = tables.imports.created(tables.users.len(), now);
        tables.by_creation.insert(creation_key(created, &id), id.clone());
        let row = UserRow {
            status: user.status,
            created,
            last_updated: now,
            status_changed: now,
            profile: user.profile,
            shown: OnceLock::new(),
        };
        tables.users.insert(id.clone(), row);
        id
    }

    /// Puts a group there (`OKTA_GROUP`, `APP_GROUP` or `BUILT_IN`) with members of any status; gives the id.
    pub fn seed_group(&self, id: Option<&str>, name: &str, kind: &str, members: &[String]) -> String {
        let now = yesterday();
        let mut tables = self.write();
        let id = id.map_or_else(|| tables.id("00g"), str::to_owned);
        for member in members {
            tables.groups_of.entry(member.clone()).or_default().insert(id.clone());
        }
        let row = GroupRow {
            name: name.to_owned(),
            kind: kind.to_owned(),
            created: now,
            last_updated: now,
            last_membership_updated: now,
            members: members.iter().cloned().collect(),
            profile: Map::new(),
        };
        tables.groups.insert(id.clone(), row);
        id
    }

    /// Puts a provisioning app there, with its profile mapping and schema, and assigns these users (deactivated users
    /// are never assigned); gives the id.
    pub fn seed_app(&self, label: &str, users: &[String]) -> String {
        self.add_app(PROVISIONING, label, users)
    }

    /// Puts an app of this name there, such as a directory's `active_directory`; gives the id.
    pub fn seed_named_app(&self, name: &str, label: &str) -> String {
        self.add_app(name, label, &[])
    }

    /// Defines a linked object of this primary name; its associated name is made of it.
    pub fn define_linked_object(&self, primary: &str) {
        self.write().linked.entry(primary.to_owned()).or_default();
    }

    /// Links a user to the one who is primary to him.
    pub fn link(&self, primary: &str, user: &str, to: &str) {
        self.write().linked.entry(primary.to_owned()).or_default().insert(user.to_owned(), to.to_owned());
    }

    fn add_app(&self, name: &str, label: &str, users: &[String]) -> String {
        let now = yesterday();
        let mut tables = self.write();
        let id = tables.id("0oa");
        let active = |user: &&String| tables.users.get(*user).is_some_and(|row| row.status != "DEPROVISIONED");
        let users = users.iter().filter(active).map(|user| (user.clone(), now)).collect();
        tables.apps.insert(id.clone(), AppRow::new(name, label, users, now));
        id
    }

    /// Moves a user to a status. Deactivation takes all app assignments away.
    pub fn set_status(&self, user: &str, status: &str) {
        let now = self.now();
        let mut tables = self.write();
        if let Some(row) = tables.users.get_mut(user) {
            status.clone_into(&mut row.status);
            (row.last_updated, row.status_changed) = (now, now);
            row.shown = OnceLock::new();
        }
        if status == "DEPROVISIONED" {
            tables.apps.values_mut().for_each(|app| _ = app.users.remove(user));
        }
    }

    /// Sets a profile attribute.
    pub fn set_profile(&self, user: &str, attribute: &str, value: Value) {
        let now = self.now();
        let mut tables = self.write();
        if let Some(row) = tables.users.get_mut(user) {
            row.profile.insert(attribute.to_owned(), value);
            row.last_updated = now;
            row.shown = OnceLock::new();
        }
    }

    /// Deletes a user for good.
    pub fn delete_user(&self, user: &str) {
        let mut tables = self.write();
        if let Some(row) = tables.users.remove(user) {
            tables.by_creation.remove(&creation_key(row.created, user));
        }
        tables.logins.retain(|_, id| id != user);
        tables.apps.values_mut().for_each(|app| _ = app.users.remove(user));
        for group in tables.groups_of.remove(user).unwrap_or_default() {
            if let Some(row) = tables.groups.get_mut(&group) {
                row.members.remove(user);
            }
        }
    }

    /// Deletes a group for good. It pushes nothing any more, and no user is assigned through it.
    pub fn delete_group(&self, group: &str) {
        let mut tables = self.write();
        for user in tables.groups.remove(group).map(|row| row.members).unwrap_or_default() {
            if let Some(groups) = tables.groups_of.get_mut(&user) {
                groups.remove(group);
            }
        }
        for app in tables.apps.values_mut() {
            app.groups.retain(|(assigned, _)| assigned != group);
            app.pushes.retain(|_, push| push.source != group);
        }
    }

    pub fn rename_group(&self, group: &str, name: &str) {
        let now = self.now();
        if let Some(row) = self.write().groups.get_mut(group) {
            name.clone_into(&mut row.name);
            row.last_updated = now;
        }
    }

    /// Sets an attribute of a group's profile that the org has added.
    pub fn set_group_profile(&self, group: &str, attribute: &str, value: Value) {
        let now = self.now();
        if let Some(row) = self.write().groups.get_mut(group) {
            row.profile.insert(attribute.to_owned(), value);
            row.last_updated = now;
        }
    }

    pub fn add_member(&self, group: &str, user: &str) {
        let now = self.now();
        let mut tables = self.write();
        tables.groups_of.entry(user.to_owned()).or_default().insert(group.to_owned());
        if let Some(row) = tables.groups.get_mut(group) {
            row.members.insert(user.to_owned());
            row.last_membership_updated = now;
        }
    }

    pub fn remove_member(&self, group: &str, user: &str) {
        let now = self.now();
        let mut tables = self.write();
        if let Some(groups) = tables.groups_of.get_mut(user) {
            groups.remove(group);
        }
        if let Some(row) = tables.groups.get_mut(group) {
            row.members.remove(user);
            row.last_membership_updated = now;
        }
    }

    /// The id of the user with this login.
    pub fn user_id(&self, login: &str) -> Option<String> {
        self.read().logins.get(&login.to_lowercase()).cloned()
    }

    /// The id of the group with this name.
    pub fn group_id(&self, name: &str) -> Option<String> {
        self.read().groups.iter().find(|(_, row)| row.name == name).map(|(id, _)| id.clone())
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn take(&self, path: &[&str], now: i64) -> Granted {
        self.limits.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take(path, now)
    }

    /// Limits a page of a listing with cursors to this many entities, whatever the request asks for.
    pub fn limit_pages(&self, most: usize) {
        self.largest_page.store(most, Ordering::SeqCst);
    }

    /// Lets a query ask for no more than that.
    pub(super) fn shorten(&self, query: &mut Query) {
        let most = self.largest_page.load(Ordering::SeqCst);
        let asked = query.get("limit").map_or(Ok(usize::MAX), |limit| limit.parse());
        if most < usize::MAX && !query.contains_key("q") && asked.is_ok_and(|asked| asked > most) {
            query.insert("limit".to_owned(), most.to_string());
        }
    }

    /// How many requests were answered with 429 so far.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    pub(super) fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts a request in; the guard counts it out.
    pub(super) fn enter(&self) -> InFlight<'_> {
        InFlight { org: self, number: self.in_flight.fetch_add(1, Ordering::SeqCst) + 1 }
    }
}

/// A request in flight.
pub(super) struct InFlight<'a> {
    org: &'a Org,
    /// How many there are with it.
    pub number: usize,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.org.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}
