//! Compares the journal of a run with the platform before and after it.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::collections::{BTreeMap, BTreeSet};

use oktapieces_sandbox::activepieces::{ProjectSnapshot, UserSnapshot};
use rusqlite::Connection;
use serde_json::Value;

use crate::state::database;
use crate::support::Stage;

/// A platform as it stood: its users by address, and its projects by id.
#[derive(Debug, PartialEq)]
pub struct Standing {
    users: BTreeMap<String, UserSnapshot>,
    projects: BTreeMap<String, ProjectSnapshot>,
}

/// An operation on file.
#[derive(Debug)]
struct Row {
    kind: String,
    okta_id: String,
    subject: String,
    before: Value,
    after: Value,
    outcome: String,
    /// Whether it's on file that its first request was about to be sent.
    begun: bool,
}

impl Standing {
    pub fn of(stage: &Stage) -> Self {
        let platform = stage.sandbox.platform();
        Self {
            users: platform.users().into_iter().map(|user| (user.email.clone(), user)).collect(),
            projects: platform.projects().into_iter().map(|project| (project.id.clone(), project)).collect(),
        }
    }

    fn linked(&self, group: &str) -> Option<&ProjectSnapshot> {
        self.projects.values().find(|project| project.external_id.as_deref() == Some(group))
    }

    /// The addresses of the members of a group's project.
    fn members(&self, group: &str) -> BTreeSet<&str> {
        let members = self.linked(group).into_iter().flat_map(|project| project.members.keys());
        let mail = |id: &String| self.users.values().find(|user| user.id == *id).map(|user| user.email.as_str());
        members.filter_map(mail).collect()
    }

    /// The kind and the subject, by address or Okta's id, of every operation by which the other became this one.
    fn changes_since(&self, start: &Self) -> BTreeSet<(&'static str, String)> {
        let mut changes = BTreeSet::new();
        let users = self.users.values().filter(|user| start.users.get(&user.email) != Some(user));
        changes.extend(users.map(|user| ("user", user.email.clone())));
        let groups = |standing: &Self| -> BTreeSet<String> {
            standing.projects.values().filter_map(|project| project.external_id.clone()).collect()
        };
        for group in groups(start).union(&groups(self)) {
            let name = |standing: &Self| standing.linked(group).map(|project| project.name.clone());
            if name(start) != name(self) {
                changes.insert(("project", group.clone()));
            }
            let (before, now) = (self.before(start, group), self.members(group));
            if now.difference(&before).next().is_some() {
                changes.insert(("add members", group.clone()));
            }
            if self.linked(group).is_some() && before.difference(&now).next().is_some() {
                changes.insert(("remove members", group.clone()));
            }
        }
        changes
    }

    /// The members that a group's project had at the start, when it may not have been linked.
    fn before<'a>(&self, start: &'a Self, group: &str) -> BTreeSet<&'a str> {
        let id = self.linked(group).or(start.linked(group)).map(|project| project.id.as_str());
        let members = id.and_then(|id| start.projects.get(id)).into_iter().flat_map(|project| project.members.keys());
        let mail = |id: &String| start.users.values().find(|user| user.id == *id).map(|user| user.email.as_str());
        members.filter_map(mail).collect()
    }

    /// Those who were members and still are, with another role.
    fn roles_reset_since(&self, start: &Self) -> Vec<(&str, &str)> {
        let members = self.projects.values().flat_map(|now| now.members.iter().map(move |member| (now, member)));
        let reset = members.filter(|(now, (id, role))| {
            let before = start.projects.get(&now.id).and_then(|before| before.members.get(*id));
            before.is_some_and(|before| before != *role)
        });
        reset.map(|(now, (id, _))| (now.name.as_str(), id.as_str())).collect()
    }

    /// Whether what a row says was to stand does.
    fn has(&self, row: &Row) -> bool {
        let after = |key: &str| row.after[key].as_str();
        match row.kind.as_str() {
            "user" => self.users.get(&row.subject).is_some_and(|user| {
                let values = [
                    ("platformRole", Some(&user.role)),
                    ("givenName", Some(&user.first_name)),
                    ("familyName", Some(&user.last_name)),
                    ("externalId", user.external_id.as_ref()),
                ];
                values.iter().all(|(key, value)| after(key).is_none_or(|wanted| *value == Some(&wanted.to_owned())))
                    && row.after["active"].as_bool().is_none_or(|active| user.active == active)
            }),
            "project" if row.after.is_null() => self.linked(&row.okta_id).is_none(),
            "project" => self
                .linked(&row.okta_id)
                .is_some_and(|project| after("displayName").is_none_or(|name| project.name == name)),
            "add members" => names(&row.after).is_subset(&self.members(&row.okta_id)),
            "remove members" => names(&row.before).is_disjoint(&self.members(&row.okta_id)),
            other => panic!("{other}"),
        }
    }
}

fn names(side: &Value) -> BTreeSet<&str> {
    side["members"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The operations of the last run that may have written.
fn last_run(stage: &Stage) -> Vec<Row> {
    let journal = Connection::open(database(stage)).unwrap();
    let select = "SELECT kind, okta_id, subject, before, after, outcome, begun IS NOT NULL FROM operations \
                  WHERE run = (SELECT max(id) FROM runs)";
    let mut statement = journal.prepare(select).unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        let side = |text: Option<String>| text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
        Ok(Row {
            kind: row.get(0)?,
            okta_id: row.get(1)?,
            subject: row.get(2)?,
            before: side(row.get(3)?),
            after: side(row.get(4)?),
            outcome: row.get(5)?,
            begun: row.get(6)?,
        })
    };
    statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Nothing that the last run did is missing in the journal, nothing is in it as done that doesn't stand, and no member lost
/// a project role. Gives how much the run changed.
pub fn nothing_is_lost(stage: &Stage, start: &Standing, what: &str) -> usize {
    let (rows, now) = (last_run(stage), Standing::of(stage));
    let begun: BTreeSet<(&str, &str)> = rows
        .iter()
        .filter(|row| row.begun)
        .map(|row| (row.kind.as_str(), if row.kind == "user" { row.subject.as_str() } else { row.okta_id.as_str() }))
        .collect();
    let changes = now.changes_since(start);
    for (kind, subject) in &changes {
        assert!(begun.contains(&(kind, subject.as_str())), "{what}: {kind} {subject} is in no row of {rows:#?}");
    }
    let reset = now.roles_reset_since(start);
    assert!(reset.is_empty(), "{what}: {reset:?}");
    for row in rows.iter().filter(|row| row.outcome == "done") {
        assert!(now.has(row), "{what}: {row:?} doesn't stand");
    }
    changes.len()
}
