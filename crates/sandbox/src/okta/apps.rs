//! What belongs to an app: assignments of users and groups, and the groups that it pushes.

use std::collections::BTreeMap;
use std::ops::Bound;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::state::{Org, Tables};

/// The name of the apps that can provision; the built-in ones can't.
pub const PROVISIONING: &str = "scim2headerauth";

#[derive(Debug)]
pub struct AppRow {
    pub label: String,
    pub name: String,
    /// `ACTIVE` or `INACTIVE`.
    pub status: String,
    pub created: Timestamp,
    /// When each user was assigned individually.
    pub users: BTreeMap<String, Timestamp>,
    /// The assigned groups, the one of the highest priority first, and when each was assigned.
    pub groups: Vec<(String, Timestamp)>,
    /// Profiles that users have in the app, where they aren't those of a provisioning app.
    pub profiles: BTreeMap<String, Map<String, Value>>,
    /// What was changed in the mapping from users to the app: by attribute, the expression and the push status.
    pub mapping: BTreeMap<String, (String, String)>,
    /// The pushed groups by the ids of their mappings.
    pub pushes: BTreeMap<String, PushRow>,
}

/// A group that an app pushes.
#[derive(Debug)]
pub struct PushRow {
    pub source: String,
    /// The group on the app's side.
    pub target: String,
    pub created: Timestamp,
}

/// How a user came to an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    pub at: Timestamp,
    /// `USER` for an individual assignment, `GROUP` for one through a group.
    pub scope: &'static str,
}

impl AppRow {
    pub fn new(name: &str, label: &str, users: BTreeMap<String, Timestamp>, created: Timestamp) -> Self {
        let (label, name) = (label.to_owned(), name.to_owned());
        Self {
            label,
            name,
            status: "ACTIVE".to_owned(),
            created,
            users,
            groups: Vec::new(),
            profiles: BTreeMap::new(),
            mapping: BTreeMap::new(),
            pushes: BTreeMap::new(),
        }
    }

    /// The assigned users behind an id; see [`Self::assignments`].
    pub fn assignments_behind<'t>(
        &'t self,
        tables: &'t Tables,
        after: Bound<&str>,
    ) -> Box<dyn Iterator<Item = (&'t str, Assignment)> + 't> {
        if self.groups.is_empty() {
            let individual = self.users.range::<str, _>((after, Bound::Unbounded));
            return Box::new(individual.map(|(user, at)| (user.as_str(), Assignment { at: *at, scope: "USER" })));
        }
        let mut found = self.assignments(tables);
        Box::new(match after {
            Bound::Excluded(id) => {
                found.remove(id);
                found.split_off(id).into_iter()
            }
            _ => found.into_iter(),
        })
    }

    /// A user's assignment, if there is one.
    pub fn assignment(&self, tables: &Tables, user: &str) -> Option<Assignment> {
        if let Some(at) = self.users.get(user) {
            return Some(Assignment { at: *at, scope: "USER" });
        }
        if !self.groups.iter().any(|(group, _)| tables.is_member(group, user)) {
            return None;
        }
        self.assignments(tables).get(user).copied()
    }

    /// All assigned users, by id. Who is assigned both ways is there once, as individually assigned; deactivated users
    /// are never assigned, not even through a group (Okta API: application users).
    pub fn assignments<'t>(&'t self, tables: &'t Tables) -> BTreeMap<&'t str, Assignment> {
        let mut found = BTreeMap::new();
        for (group, at) in &self.groups {
            for user in tables.members(group) {
                if tables.users.get(user).is_some_and(|row| row.status != "DEPROVISIONED") {
                    found.entry(user).or_insert(Assignment { at: *at, scope: "GROUP" });
                }
            }
        }
        found.extend(self.users.iter().map(|(user, at)| (user.as_str(), Assignment { at: *at, scope: "USER" })));
        found
    }
}

impl Tables {
    /// The ids of a group's members, whatever their status; those of `Everyone` are all users.
    pub fn members(&self, group: &str) -> Box<dyn Iterator<Item = &str> + '_> {
        self.members_behind(group, Bound::Unbounded)
    }

    /// The same, behind an id.
    pub fn members_behind(&self, group: &str, after: Bound<&str>) -> Box<dyn Iterator<Item = &str> + '_> {
        let behind = (after, Bound::Unbounded);
        if group == self.everyone {
            return Box::new(self.users.range::<str, _>(behind).map(|(id, _)| id.as_str()));
        }
        match self.groups.get(group) {
            Some(row) => Box::new(row.members.range::<str, _>(behind).map(String::as_str)),
            None => Box::new(std::iter::empty()),
        }
    }

    fn is_member(&self, group: &str, user: &str) -> bool {
        group == self.everyone || self.groups.get(group).is_some_and(|row| row.members.contains(user))
    }
}

impl Org {
    /// Assigns a user to the app of this label; `user.lastUpdated` doesn't move, as in Okta.
    pub fn assign(&self, label: &str, user: &str) {
        let user = user.to_owned();
        let now = self.now();
        self.at_app(label, |row, _| _ = row.users.insert(user, now));
    }

    /// Assigns a user to the app of this label with a profile, as an import from a directory does.
    pub fn import(&self, label: &str, user: &str, profile: Map<String, Value>) {
        self.assign(label, user);
        self.at_app(label, |row, _| drop(row.profiles.insert(user.to_owned(), profile)));
    }

    /// Sets an expression in the mapping from users to the app of this label; `PUSH` or `DONT_PUSH`.
    pub fn set_mapping(&self, label: &str, attribute: &str, expression: &str, push_status: &str) {
        let (attribute, property) = (attribute.to_owned(), (expression.to_owned(), push_status.to_owned()));
        self.at_app(label, |row, _| drop(row.mapping.insert(attribute, property)));
    }

    /// Gives the app of this label a status; its assignments stay.
    pub fn set_app_status(&self, label: &str, status: &str) {
        self.at_app(label, |row, _| status.clone_into(&mut row.status));
    }

    /// Deletes the app of this label with its assignments.
    pub fn delete_app(&self, label: &str) {
        self.write().apps.retain(|_, row| row.label != label);
    }

    /// Takes an individual assignment away; one through a group stays.
    pub fn unassign(&self, label: &str, user: &str) {
        self.at_app(label, |row, _| _ = row.users.remove(user));
    }

    /// Assigns a group to the app of this label, and with it the group's members, now and later. Its priority is the
    /// lowest.
    pub fn assign_group(&self, label: &str, group: &str) {
        let (group, now) = (group.to_owned(), self.now());
        self.at_app(label, |row, _| {
            if row.groups.iter().all(|(assigned, _)| *assigned != group) {
                row.groups.push((group, now));
            }
        });
    }

    /// Takes the assignment of a group away; individual assignments of its members stay.
    pub fn unassign_group(&self, label: &str, group: &str) {
        self.at_app(label, |row, _| row.groups.retain(|(assigned, _)| assigned != group));
    }

    /// Makes the app of this label push a group.
    pub fn push_group(&self, label: &str, group: &str) {
        let (source, now) = (group.to_owned(), self.now());
        self.at_app(label, |row, id| {
            let (mapping, target) = (id("gPm"), id("00g"));
            row.pushes.insert(mapping, PushRow { source, target, created: now });
        });
    }

    /// Changes the app of this label, if there is one. The change gets a maker of ids.
    fn at_app(&self, label: &str, change: impl FnOnce(&mut AppRow, &mut dyn FnMut(&str) -> String)) {
        let mut tables = self.write();
        let Tables { apps, random, .. } = &mut *tables;
        if let Some(row) = apps.values_mut().find(|row| row.label == label) {
            change(row, &mut |prefix| super::state::id(random, prefix));
        }
    }
}
