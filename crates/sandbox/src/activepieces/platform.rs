//! A platform from outside: how it is filled, switched and looked at without any request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::contents::Contents;
use super::settings::Settings;
use super::state::{Database, Grant, Invitation, ProjectRow, UserRow, draw_id};
use super::user_table::{UserChange, normal_email};
use super::work::Work;

/// A user to start with.
#[derive(Clone, Debug)]
pub struct SeedUser {
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub external_id: Option<String>,
    /// `ADMIN`, `OPERATOR` or `MEMBER`.
    pub role: String,
    pub active: bool,
}

/// The current state of a user on the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSnapshot {
    pub id: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub external_id: Option<String>,
    pub role: String,
    pub active: bool,
}

/// The current state of a TEAM project on the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectSnapshot {
    pub id: String,
    pub name: String,
    pub external_id: Option<String>,
    /// The names of the project roles, by user id.
    pub members: BTreeMap<String, String>,
}

/// An accepted invitation that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationSnapshot {
    pub id: String,
    pub email: String,
    /// The id of the project that it is to; none for the platform.
    pub project: Option<String>,
    /// The platform role, or the name of the project role.
    pub role: String,
}

/// The state of one platform; all methods take `&self`.
#[derive(Debug)]
pub struct Platform {
    api_key: String,
    admin_token: String,
    state: Mutex<Database>,
    pub(super) work: Work,
    /// Whether writes wait between their checks and their effect, and how many do.
    hold: watch::Sender<bool>,
    held: AtomicUsize,
}

impl Platform {
    /// The address of the owner of every platform.
    pub const OWNER_EMAIL: &str = "owner@example.com";

    /// A fresh platform with just its owner, `owner@example.com`. The seed makes ids the same for the same calls,
    /// but for the platform's own: two servers of one seed are two platforms.
    pub fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let api_key = format!("sk-{}", text(&mut random, 64));
        let admin_token = format!("eyJhbGciOiJIUzI1NiJ9.{}.{}", text(&mut random, 40), text(&mut random, 43));
        let mut state = Database::new(random);
        state.platform_id = draw_id(&mut fastrand::Rng::new());
        let identity = state.identity(Self::OWNER_EMAIL, "Platform", "Owner");
        state.owner = state.insert_user(identity);
        state.users[state.owner].platform_role = "ADMIN".into();
        Self {
            api_key,
            admin_token,
            state: Mutex::new(state),
            work: Work::default(),
            hold: watch::Sender::new(false),
            held: AtomicUsize::new(0),
        }
    }

    /// Makes requests cost what they cost on a real server with this many CPUs (docs/activepieces.md#throughput); with none they cost
    /// nothing.
    #[must_use]
    pub fn with_cpus(self, cpus: Option<usize>) -> Self {
        Self { work: Work::on(cpus), ..self }
    }

    /// The key that its routes accept, `sk-…`.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The session token of the owner, as a browser has it: good for discovery and REST, not for `/Users` and `/Groups`
    /// (docs/activepieces.md#authentication).
    pub fn admin_token(&self) -> &str {
        &self.admin_token
    }

    /// Changes how the platform is set up.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.state().settings);
    }

    /// How the platform is set up.
    pub fn settings(&self) -> Settings {
        self.state().settings.clone()
    }

    /// Puts a user there without any request; gives the id. An address that is there already stays as it is, and an
    /// external id that is taken isn't set.
    pub fn seed_user(&self, user: SeedUser) -> String {
        let mut state = self.state();
        let email = normal_email(&user.email);
        if let Some(row) = state.user_by_email(&email) {
            return state.users[row].id.to_string();
        }
        let identity = state.identity(&email, &user.first_name, &user.last_name);
        let row = state.insert_user(identity);
        let free = user.external_id.filter(|id| !state.user_by_external_id.contains_key(id.as_str()));
        let change = UserChange { active: Some(user.active), external_id: free, platform_role: Some(user.role) };
        // Neither the owner nor a taken external id, so that nothing can be refused.
        drop(state.update_user(row, change));
        state.users[row].id.to_string()
    }

    /// Puts an account there as an embedding customer's token makes it: an active MEMBER with the customer's own id as
    /// externalId; gives the id. An address that is there already stays as it is.
    pub fn seed_embedded(&self, email: &str, customers_id: &str) -> String {
        let id = self.seed_user(SeedUser {
            email: email.to_owned(),
            first_name: "Embedded".to_owned(),
            last_name: "User".to_owned(),
            external_id: Some(customers_id.to_owned()),
            role: "MEMBER".to_owned(),
            active: true,
        });
        let mut state = self.state();
        if let Some(row) = state.user(&id).filter(|&row| state.users[row].external_id.as_deref() == Some(customers_id))
        {
            state.users[row].embedded = true;
        }
        id
    }

    /// Puts a user there who is on another platform of the same server; gives the id.
    pub fn seed_user_elsewhere(&self, email: &str, first_name: &str, last_name: &str) -> String {
        let mut state = self.state();
        let identity = state.identity(&normal_email(email), first_name, last_name);
        let row = state.insert_user_elsewhere(identity);
        state.users[row].id.to_string()
    }

    /// Puts a TEAM project there with its members and their project roles (`Admin`, `Editor`, `Viewer`, or one added);
    /// gives the id. Unknown users, unknown roles and an external id that is taken are left out.
    pub fn seed_project(&self, name: &str, external_id: Option<&str>, members: &[(String, &str)]) -> String {
        let mut state = self.state();
        let free = external_id.filter(|id| !state.project_by_external_id.contains_key(*id));
        let owner = state.owner;
        let project = state.insert_project(name, free, owner, true);
        for (user, role) in members {
            if let (Some(user), Some(role)) = (state.user(user), state.role_by_name(role)) {
                state.upsert_member(project, user, role);
            }
        }
        state.projects[project].id.to_string()
    }

    /// Builds `flows` flows in the project of this id.
    pub fn seed_flows(&self, project: &str, flows: u64) {
        let mut state = self.state();
        if let Some(row) = state.project(project) {
            state.projects[row].contents.flows = flows;
        }
    }

    /// Fills the project of this id.
    pub fn fill_project(&self, project: &str, contents: Contents) {
        let mut state = self.state();
        if let Some(row) = state.project(project) {
            state.projects[row].contents = contents;
        }
    }

    /// Fills the personal project of the user with this address.
    pub fn fill_personal_project(&self, email: &str, contents: Contents) {
        let mut state = self.state();
        let project = state.user_by_email(email).and_then(|row| state.users[row].personal_project);
        if let Some(row) = project {
            state.projects[row].contents = contents;
        }
    }

    /// Leaves an ACCEPTED invitation to the platform waiting for this address; gives its id.
    pub fn leave_invitation(&self, email: &str, role: &str) -> String {
        let grant = Grant::Platform { role: role.to_owned() };
        self.state().insert_invitation(&normal_email(email), grant).to_string()
    }

    /// Leaves an ACCEPTED invitation to a project waiting for this address; gives its id, and nothing for an unknown
    /// project or role.
    pub fn leave_project_invitation(&self, email: &str, project: &str, role: &str) -> Option<String> {
        let mut state = self.state();
        let grant = Grant::Project { project: state.project(project)?, role: state.role_by_name(role)? };
        Some(state.insert_invitation(&normal_email(email), grant).to_string())
    }

    /// The ids of the waiting invitations, oldest first.
    pub fn invitations(&self) -> Vec<String> {
        self.state().invitations.iter().map(|row| row.id.to_string()).collect()
    }

    /// The waiting invitations, oldest first.
    pub fn waiting_invitations(&self) -> Vec<InvitationSnapshot> {
        let state = self.state();
        let snapshot = |row: &Invitation| {
            let (project, role) = match &row.grant {
                Grant::Platform { role } => (None, role.clone()),
                Grant::Project { project, role } => {
                    (Some(state.projects[*project].id.to_string()), state.roles[*role].name.clone())
                }
            };
            InvitationSnapshot { id: row.id.to_string(), email: row.email.to_string(), project, role }
        };
        state.invitations.iter().map(snapshot).collect()
    }

    /// The person with this address signs in, which applies the invitations that wait (docs/activepieces.md#invitations).
    pub fn sign_in(&self, email: &str) {
        // What is refused changes nothing.
        drop(self.state().use_invitations(&normal_email(email)));
    }

    /// Puts a project with this external id on another platform of the same server.
    pub fn seed_project_elsewhere(&self, external_id: &str) {
        self.state().external_ids_elsewhere.insert(external_id.to_owned());
    }

    /// Adds a project role of the admins' own.
    pub fn add_project_role(&self, name: &str) {
        self.state().add_role(name, true, Vec::new());
    }

    /// Deletes the user with this address, as an admin does who also clears the personal project away.
    pub fn delete_user(&self, email: &str) {
        let mut state = self.state();
        if let Some(row) = state.user_by_email(&normal_email(email)) {
            if let Some(project) = state.users[row].personal_project {
                state.delete_project(project);
            }
            state.delete_user(row);
        }
    }

    /// Deletes the project of this id.
    pub fn delete_project(&self, id: &str) {
        let mut state = self.state();
        if let Some(row) = state.project(id) {
            state.delete_project(row);
        }
    }

    /// Opens or closes the account of this id, as an admin does; the owner's stays open.
    pub fn set_active(&self, id: &str, active: bool) {
        self.change_user(id, UserChange { active: Some(active), ..UserChange::default() });
    }

    /// Gives the account of this id a platform role, as an admin does.
    pub fn set_role(&self, id: &str, role: &str) {
        self.change_user(id, UserChange { platform_role: Some(role.to_owned()), ..UserChange::default() });
    }

    fn change_user(&self, id: &str, change: UserChange) {
        let mut state = self.state();
        if let Some(row) = state.user(id) {
            let roles_stay = std::mem::take(&mut state.settings.roles_stay);
            // What is refused changes nothing.
            drop(state.update_user(row, change));
            state.settings.roles_stay = roles_stay;
        }
    }

    /// Renames the project of this id, as an admin does.
    pub fn rename_project(&self, id: &str, name: &str) {
        let mut state = self.state();
        if let Some(row) = state.project(id) {
            drop(state.update_project(row, Some(name), None));
        }
    }

    /// Gives a member of a project a project role, as an admin does. A user who isn't a member becomes one.
    pub fn set_project_role(&self, project: &str, user: &str, role: &str) {
        let mut state = self.state();
        if let (Some(project), Some(user), Some(role)) =
            (state.project(project), state.user(user), state.role_by_name(role))
        {
            state.upsert_member(project, user, role);
        }
    }

    /// All users of the platform, the owner included, oldest first.
    pub fn users(&self) -> Vec<UserSnapshot> {
        let state = self.state();
        let mut users: Vec<_> = state.users_newest_first().map(|(row, _)| user_snapshot(&state, row)).collect();
        users.reverse();
        users
    }

    /// The user with this address.
    pub fn user(&self, email: &str) -> Option<UserSnapshot> {
        let state = self.state();
        state.user_by_email(&normal_email(email)).map(|row| user_snapshot(&state, row))
    }

    /// All TEAM projects, by name and then id.
    pub fn projects(&self) -> Vec<ProjectSnapshot> {
        let state = self.state();
        state.teams.values().map(|&row| project_snapshot(&state, row)).collect()
    }

    /// The addresses that got an e-mail, a welcome or an invitation, in order.
    pub fn mails(&self) -> Vec<String> {
        self.state().mails.iter().map(ToString::to_string).collect()
    }

    /// The tables. A request that panicked left them as they are.
    pub(super) fn state(&self) -> MutexGuard<'_, Database> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets no write come to its effect until [`Platform::release_writes`]: those that were checked by then race with
    /// each other, as simultaneous requests do on a real server.
    pub fn hold_writes(&self) {
        self.hold.send_replace(true);
    }

    /// How many writes were checked and wait for their effect.
    pub fn held_writes(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// Lets the writes that wait come to their effect.
    pub fn release_writes(&self) {
        self.hold.send_replace(false);
    }

    /// What passes between a write's checks and its effect.
    pub(super) async fn write_window(&self) {
        let mut hold = self.hold.subscribe();
        if *hold.borrow_and_update() {
            let _held = Held::count(&self.held);
            // The sender lives as long as the platform, so that there is nothing to fail.
            drop(hold.wait_for(|hold| !hold).await);
        }
        let window = self.state().settings.write_window;
        if !window.is_zero() {
            tokio::time::sleep(window).await;
        }
    }
}

/// A write that waits; one whose client went away is no longer counted.
struct Held<'a>(&'a AtomicUsize);

impl<'a> Held<'a> {
    fn count(held: &'a AtomicUsize) -> Self {
        held.fetch_add(1, Ordering::SeqCst);
        Self(held)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn text(random: &mut fastrand::Rng, length: usize) -> String {
    (0..length).map(|_| random.alphanumeric()).collect()
}

fn user_snapshot(state: &Database, row: UserRow) -> UserSnapshot {
    let (user, identity) = (&state.users[row], state.identity_of(row));
    UserSnapshot {
        id: user.id.to_string(),
        email: identity.email.to_string(),
        first_name: identity.first_name.to_string(),
        last_name: identity.last_name.to_string(),
        external_id: user.external_id.as_deref().map(str::to_owned),
        role: user.platform_role.to_string(),
        active: user.active,
    }
}

fn project_snapshot(state: &Database, row: ProjectRow) -> ProjectSnapshot {
    let project = &state.projects[row];
    let members = project.members.iter();
    ProjectSnapshot {
        id: project.id.to_string(),
        name: project.display_name.to_string(),
        external_id: project.external_id.as_deref().map(str::to_owned),
        members: members
            .map(|(&user, member)| (state.users[user].id.to_string(), state.roles[member.role].name.clone()))
            .collect(),
    }
}
