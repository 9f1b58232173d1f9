//! The platform's tables and the values that they share: ids, times, the generator.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::contents::Contents;
use super::settings::Settings;

/// 21 letters and digits, as every row's id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id([u8; 21]);

impl Id {
    pub const LENGTH: usize = 21;

    /// The id with this spelling, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; Self::LENGTH] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes))
    }

    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Microseconds since 1970, as the database stores them; written with milliseconds, as the server answers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(i64);

impl Time {
    pub fn at(time: jiff::Timestamp) -> Self {
        Self(time.as_microsecond())
    }

    /// Whole seconds: all that a cursor of the REST routes keeps (docs/activepieces.md#rest).
    pub fn second(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = jiff::Timestamp::from_microsecond(self.0).unwrap_or_default();
        serializer.collect_str(&format_args!("{time:.3}"))
    }
}

/// The position of a user in [`Database::users`].
pub(super) type UserRow = usize;
/// The position of a project in [`Database::projects`].
pub(super) type ProjectRow = usize;
/// The position of a role in [`Database::roles`].
pub(super) type RoleRow = usize;

/// A person, who is the same on all platforms of a server (docs/activepieces.md#users).
#[derive(Debug)]
pub(super) struct Identity {
    pub email: Arc<str>,
    pub first_name: Box<str>,
    pub last_name: Box<str>,
    /// The identity's user on this platform.
    pub user: Option<UserRow>,
}

/// A row of the table `user`.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of its own")]
pub(super) struct User {
    pub id: Id,
    pub identity: usize,
    pub external_id: Option<Arc<str>>,
    /// Any text: one way of setting it isn't validated (docs/activepieces.md#patch-of-a-user).
    pub platform_role: Cow<'static, str>,
    pub active: bool,
    /// Of another platform of the same server.
    pub elsewhere: bool,
    /// Made by an embedding customer's token (identity provider JWT).
    pub embedded: bool,
    pub deleted: bool,
    pub created: Time,
    pub updated: Time,
    pub personal_project: Option<ProjectRow>,
}

/// A row of the table `project`.
#[derive(Debug)]
pub(super) struct Project {
    pub id: Id,
    pub display_name: Arc<str>,
    pub external_id: Option<Arc<str>>,
    pub team: bool,
    pub owner: UserRow,
    pub deleted: bool,
    pub created: Time,
    pub updated: Time,
    pub metadata: Option<Box<Value>>,
    pub icon: Option<Box<Value>>,
    pub contents: Contents,
    pub members: BTreeMap<UserRow, Member>,
}

/// A row of the table `project_member`.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub id: Id,
    pub role: RoleRow,
    pub created: Time,
    pub updated: Time,
}

/// A row of the table `project_role`.
#[derive(Debug)]
pub(super) struct ProjectRole {
    pub id: Id,
    pub name: String,
    pub custom: bool,
    pub permissions: Vec<String>,
    pub deleted: bool,
    pub created: Time,
    pub updated: Time,
}

/// A row of the table `user_invitation`: an ACCEPTED one (docs/activepieces.md#invitations).
#[derive(Debug)]
pub(super) struct Invitation {
    pub id: Id,
    pub email: Arc<str>,
    pub grant: Grant,
    pub created: Time,
}

/// What an invitation gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    Platform { role: String },
    Project { project: ProjectRow, role: RoleRow },
}

/// The whole state of the server. Rows are in the order of their creation and are never moved.
#[derive(Debug)]
pub(super) struct Database {
    pub settings: Settings,
    pub platform_id: Id,
    pub owner: UserRow,
    pub identities: Vec<Identity>,
    pub users: Vec<User>,
    pub projects: Vec<Project>,
    pub roles: Vec<ProjectRole>,
    pub invitations: Vec<Invitation>,
    pub identity_by_email: BTreeMap<Arc<str>, usize>,
    pub user_by_id: BTreeMap<Id, UserRow>,
    pub user_by_external_id: BTreeMap<Arc<str>, UserRow>,
    pub project_by_id: BTreeMap<Id, ProjectRow>,
    pub project_by_external_id: BTreeMap<Arc<str>, ProjectRow>,
    pub member_by_id: BTreeMap<Id, (ProjectRow, UserRow)>,
    /// The TEAM projects as SCIM lists them: by name, then id (docs/activepieces.md#listing-groups).
    pub teams: BTreeMap<(Arc<str>, Id), ProjectRow>,
    /// External ids of other platforms' projects; some checks look at them too (docs/activepieces.md#put-of-a-group).
    pub external_ids_elsewhere: BTreeSet<String>,
    /// Addresses that got an e-mail: a welcome or an invitation (docs/activepieces.md#mail).
    pub mails: Vec<Arc<str>>,
    pub duplicates: Duplicates,
    random: fastrand::Rng,
    clock: i64,
}

/// How often each kind of request named a new member twice.
#[derive(Debug, Default)]
pub(super) struct Duplicates {
    pub adding: usize,
    pub replacing: usize,
}

impl Duplicates {
    /// Whether this request, which adds a new member twice, fails. On a real server 67 of 80 did
    /// (docs/activepieces.md#creating-a-group and docs/activepieces.md#patch-of-a-group); here the first six of every seven.
    pub fn adding_fails(&mut self) -> bool {
        self.adding += 1;
        !self.adding.is_multiple_of(7)
    }

    /// The same for PUT, where 14 of 40 did (docs/activepieces.md#put-of-a-group); here the first of every three.
    pub fn replacing_fails(&mut self) -> bool {
        self.replacing += 1;
        self.replacing % 3 == 1
    }
}

impl Database {
    /// Empty tables, with the three default roles.
    pub fn new(mut random: fastrand::Rng) -> Self {
        let platform_id = draw_id(&mut random);
        let mut state = Self {
            settings: Settings::default(),
            platform_id,
            owner: 0,
            identities: Vec::new(),
            users: Vec::new(),
            projects: Vec::new(),
            roles: Vec::new(),
            invitations: Vec::new(),
            identity_by_email: BTreeMap::new(),
            user_by_id: BTreeMap::new(),
            user_by_external_id: BTreeMap::new(),
            project_by_id: BTreeMap::new(),
            project_by_external_id: BTreeMap::new(),
            member_by_id: BTreeMap::new(),
            teams: BTreeMap::new(),
            external_ids_elsewhere: BTreeSet::new(),
            mails: Vec::new(),
            duplicates: Duplicates::default(),
            random,
            clock: 0,
        };
        for name in ["Admin", "Editor", "Viewer"] {
            state.add_role(name, false, default_permissions(name));
        }
        state
    }

    pub fn add_role(&mut self, name: &str, custom: bool, permissions: Vec<String>) -> RoleRow {
        let (id, created, name) = (self.next_id(), self.now(), name.to_owned());
        self.roles.push(ProjectRole { id, name, custom, permissions, deleted: false, created, updated: created });
        self.roles.len() - 1
    }

    /// Deletes a role with all memberships that have it, in all projects (docs/activepieces.md#project-roles).
    pub fn delete_role(&mut self, role: RoleRow) {
        self.roles[role].deleted = true;
        let members = self.teams.values().flat_map(|&project| {
            let members = self.projects[project].members.iter();
            members.filter(|(_, member)| member.role == role).map(move |(&user, _)| (project, user))
        });
        for (project, user) in members.collect::<Vec<_>>() {
            self.remove_member(project, user);
        }
        self.invitations.retain(|row| !matches!(row.grant, Grant::Project { role: given, .. } if given == role));
    }

    /// The role with this name, in any case.
    pub fn role_by_name(&self, name: &str) -> Option<RoleRow> {
        self.roles.iter().position(|role| !role.deleted && role.name.eq_ignore_ascii_case(name))
    }

    pub fn next_id(&mut self) -> Id {
        draw_id(&mut self.random)
    }

    /// A chance of `percent` in a hundred, the same for the same seed and calls.
    pub fn chance(&mut self, percent: u8) -> bool {
        self.random.u8(0..100) < percent
    }

    /// The time, later than each time given before.
    pub fn now(&mut self) -> Time {
        self.clock = jiff::Timestamp::now().as_microsecond().max(self.clock + 1);
        Time(self.clock)
    }
}

/// The permissions of a default role.
fn default_permissions(role: &str) -> Vec<String> {
    let read = ["READ_FLOW", "READ_RUN", "READ_FOLDER", "READ_APP_CONNECTION", "READ_PROJECT_MEMBER"];
    let write = ["WRITE_FLOW", "UPDATE_FLOW_STATUS", "WRITE_RUN", "WRITE_FOLDER", "WRITE_APP_CONNECTION"];
    let admin = ["WRITE_PROJECT_MEMBER", "WRITE_INVITATION", "WRITE_PROJECT", "WRITE_PROJECT_RELEASE"];
    let (write, admin) = match role {
        "Admin" => (&write[..], &admin[..]),
        "Editor" => (&write[..], &[][..]),
        _ => (&[][..], &[][..]),
    };
    read.iter().chain(write).chain(admin).map(|&name| name.to_owned()).collect()
}

pub(super) fn draw_id(random: &mut fastrand::Rng) -> Id {
    Id(std::array::from_fn(|_| u8::try_from(random.alphanumeric()).unwrap_or(b'0')))
}
