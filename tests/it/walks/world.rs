//! The company of a walk: who is who on both sides, and how events change it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use oktapieces_sandbox::Options;
use oktapieces_sandbox::activepieces::{
    Generation, InvitationSnapshot, Platform, ProjectSnapshot, SeedUser as SeedAccount, UserSnapshot as Account,
};
use oktapieces_sandbox::company::{APP, Shape};
use oktapieces_sandbox::okta::{self, Org, SeedUser, UserSnapshot as User};
use serde_json::{Value, json};

use super::event::{
    ADMINS, Event, G, Hand, Invitations, LEADS, Listing, Name, P, ProjectRoles, Projects, Roles, Scope, Setup,
};
use crate::support::Stage;

/// The group whose members are in scope where the scope is one of groups.
const STAFF: &str = "Staff";
/// What the groups are called at first.
const GROUPS: [&str; 4] = ["AP Eng", "AP Ops", "Admins", "Leads"];
/// Ids of another system, which Okta's could be taken for at a glance.
pub const FOREIGN: [&str; 4] = ["0gK3xQ", "00gcust", "cust-1", "00u-0815"];

/// A person, who may be several users of Okta one after the other.
#[derive(Clone, Debug)]
pub struct Person {
    /// The present or last user's id.
    pub user: String,
    pub address: String,
    hires: usize,
    names: usize,
}

/// What a second admin has to know to do something.
#[derive(Clone, Debug)]
pub struct Names {
    addresses: Vec<String>,
    /// The ids of the groups, present or last.
    groups: Vec<String>,
}

/// What the platform holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    pub accounts: BTreeMap<String, Account>,
    pub projects: BTreeMap<String, ProjectSnapshot>,
    /// Invitations that wait.
    pub invitations: BTreeMap<String, InvitationSnapshot>,
}

/// One thing that stands on the platform: the id of an account or a project, and what of it.
pub type Key = (String, String);

impl Standing {
    pub fn of(platform: &Platform) -> Self {
        Self {
            accounts: platform.users().into_iter().map(|user| (user.id.clone(), user)).collect(),
            projects: platform.projects().into_iter().map(|project| (project.id.clone(), project)).collect(),
            invitations: platform.waiting_invitations().into_iter().map(|row| (row.id.clone(), row)).collect(),
        }
    }

    /// Everything one by one.
    pub fn facts(&self) -> BTreeMap<Key, String> {
        let mut facts = BTreeMap::new();
        let mut fact = |id: &str, what: &str, value: &str| {
            facts.insert((id.to_owned(), what.to_owned()), value.to_owned());
        };
        for (id, account) in &self.accounts {
            fact(id, "active", &account.active.to_string());
            fact(id, "platformRole", &account.role);
            fact(id, "givenName", &account.first_name);
            fact(id, "familyName", &account.last_name);
            fact(id, "externalId", account.external_id.as_deref().unwrap_or_default());
        }
        for (id, project) in &self.projects {
            fact(id, "name", &project.name);
            fact(id, "externalId", project.external_id.as_deref().unwrap_or_default());
            for (member, role) in &project.members {
                fact(id, member, role);
            }
        }
        for (id, row) in &self.invitations {
            fact(id, "invitation", &row.role);
        }
        facts
    }

    pub fn by_address(&self, address: &str) -> Option<&Account> {
        self.accounts.values().find(|account| account.email == address)
    }
}

/// What differs between two standings; none where a thing is gone.
pub fn changes(before: &Standing, after: &Standing) -> BTreeMap<Key, Option<String>> {
    let (before, after) = (before.facts(), after.facts());
    let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
    let changed = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
    changed.map(|key| (key.clone(), after.get(key).cloned())).collect()
}

/// What a second admin did during a run, and the request that came next.
#[derive(Clone, Debug)]
pub struct Interference {
    pub changes: BTreeMap<Key, Option<String>>,
    pub method: String,
    pub path: String,
}

/// What Okta says now.
#[derive(Clone, Debug)]
pub struct Truth {
    pub users: BTreeMap<String, User>,
    /// Name and members by id.
    pub groups: BTreeMap<String, (String, BTreeSet<String>)>,
    pub in_scope: BTreeSet<String>,
    /// Whether the config closes the accounts of users who are locked out.
    pub close_locked: bool,
}

pub struct World {
    pub setup: Setup,
    pub stage: Stage,
    pub people: Vec<Person>,
    groups: Vec<String>,
    renamed: usize,
    pub interferences: Arc<Mutex<Vec<Interference>>>,
    /// What waits for the next run that writes.
    middle: Vec<(&'static str, usize, Hand)>,
    pub lost: Option<usize>,
    /// Whether the config names each group's project for the other one.
    swapped: bool,
    /// Whether the config compares what is true or false with a text.
    pub mistaken: bool,
    /// Kind and subject of the problems that the config accepts.
    pub accepted: BTreeSet<(String, String)>,
}

fn profile(person: &Person, number: usize) -> serde_json::Map<String, Value> {
    let login = format!("p{number}.{}@login.example.com", person.hires);
    let profile = json!({
        "login": login, "email": person.address, "firstName": format!("First{number}v{}", person.names),
        "lastName": format!("Last{number}"), "displayName": format!("Person {number}"),
        "okta_role": "user", "department": "IT", "isManager": number == 0
    });
    profile.as_object().cloned().unwrap_or_default()
}

impl World {
    pub async fn new(setup: Setup) -> Self {
        let company = Shape::Generated { users: 0, groups: 0, members: 0, existing: 0.0, drift: 0.0, seed: 1 };
        let options = Options { company, rate_limit: Some(1_000_000), ..Options::default() };
        let stage = Stage::with(options).await;
        let org = Arc::clone(stage.sandbox.org());
        if setup.old_server {
            stage.sandbox.platform().configure(|settings| settings.generation = Generation::A);
        }
        let mut world = Self {
            people: Vec::new(),
            groups: Vec::new(),
            renamed: 0,
            interferences: Arc::default(),
            middle: Vec::new(),
            lost: None,
            swapped: false,
            mistaken: false,
            accepted: BTreeSet::new(),
            setup,
            stage,
        };
        org.seed_group(None, STAFF, "OKTA_GROUP", &[]);
        world.groups = GROUPS.iter().map(|name| org.seed_group(None, name, "OKTA_GROUP", &[])).collect();
        for number in 0..world.setup.people {
            let address = format!("p{number}@example.com");
            world.people.push(Person { user: String::new(), address, hires: 0, names: 0 });
            world.hire(number);
            org.add_member(&world.groups[number % 2], &world.people[number].user);
        }
        org.add_member(&world.groups[0], &world.people[1].user);
        org.add_member(&world.groups[ADMINS], &world.people[0].user);
        org.add_member(&world.groups[LEADS], &world.people[1].user);
        org.set_profile(&world.people[0].user, "okta_role", "Master".into());
        world.stage.configure(&world.config());
        world
    }

    fn config(&self) -> String {
        let setup = &self.setup;
        let scope = match setup.scope {
            Scope::App => format!("app = \"{APP}\""),
            Scope::Groups => format!("groups = [\"{STAFF}\"]"),
            Scope::Search => "search = 'profile.department eq \"IT\"'".to_owned(),
            Scope::Everyone => "everyone = true".to_owned(),
        };
        let role = match setup.roles {
            _ if self.mistaken => "platformRole = 'user.isManager == \"true\" ? \"ADMIN\" : \"MEMBER\"'".to_owned(),
            Roles::None => String::new(),
            Roles::Profile => {
                "platformRole = 'user.okta_role == \"Master\" ? \"ADMIN\" : user.okta_role == \"op\" ? \"OPERATOR\" : \"MEMBER\"'".to_owned()
            }
            Roles::Group => "platformRole = \"isMemberOfGroupName('Admins') ? 'ADMIN' : 'MEMBER'\"".to_owned(),
        };
        let projects = project_rules(setup, self.swapped);
        let accepted = |(kind, who): &(String, String)| {
            format!("[[accepted]]\nkind = \"{kind}\"\nwho = \"{who}\"\nwhy = \"it is known\"\n")
        };
        let accepted: String = self.accepted.iter().map(accepted).collect();
        let statuses = format!(
            "{}create = \"{}\"\nlocked_out = \"{}\"\ngrace = {{ suspended = \"{}h\", deactivated = \"{}h\" }}\nemail_change = \"{}\"",
            if setup.delete_inactive { "delete_inactive_after = \"2d\"\n" } else { "" },
            if setup.prepare { "inactive" } else { "active" },
            if setup.close_locked { "deactivate" } else { "keep" },
            setup.stated_hours,
            setup.stated_hours,
            if setup.recreate { "recreate" } else { "report" }
        );
        let invitations = match setup.invitations {
            Invitations::Ignore => "ignore",
            Invitations::Report => "report",
            Invitations::Revoke => "revoke",
        };
        let kept = |keep: bool| if keep { "keep" } else { "deactivate" };
        format!(
            "[okta]\norg_url = \"{}\"\ntoken_env = \"OKTA_API_TOKEN\"\n\
             [activepieces]\nurl = \"{}\"\napi_key_env = \"ACTIVEPIECES_API_KEY\"\n\
             [scope]\n{scope}\n[attributes]\n{role}\n{projects}\n\
             [projects_policy]\ndelete_unpushed = {}\narchive = {}\n\
             [lifecycle]\n{statuses}\nremove_memberships_on_deactivate = {}\nsuspended = \"{}\"\nunassigned = \"{}\"\ndeleted = \"{}\"\ndeactivate_after_runs = {}\ndeactivate_after = \"{}h\"\n\
             [safety]\nmax_deactivations = \"100%\"\nprotect = [{}]\ninvitations = \"{invitations}\"\n{accepted}",
            self.stage.sandbox.okta_url(),
            self.stage.sandbox.activepieces_url(),
            setup.delete_unpushed,
            setup.archive,
            setup.remove_memberships,
            kept(setup.keep_suspended),
            kept(setup.keep_unassigned),
            kept(setup.keep_deleted),
            setup.grace_runs,
            setup.grace_hours,
            if setup.protect { "\"p0@example.com\"" } else { "" },
        )
    }

    pub fn org(&self) -> Arc<Org> {
        Arc::clone(self.stage.sandbox.org())
    }

    pub fn platform(&self) -> Arc<Platform> {
        Arc::clone(self.stage.sandbox.platform())
    }

    fn person(&self, number: P) -> &Person {
        &self.people[number % self.people.len()]
    }

    fn names(&self) -> Names {
        Names {
            addresses: self.people.iter().map(|person| person.address.clone()).collect(),
            groups: self.groups.clone(),
        }
    }

    fn user_of(&self, number: P) -> Option<User> {
        let id = self.person(number).user.clone();
        self.org().users().into_iter().find(|user| user.id == id)
    }

    /// Puts a new user there for a person, in scope.
    fn hire(&mut self, number: P) {
        let org = self.org();
        let at = number % self.people.len();
        self.people[at].hires += 1;
        let profile = profile(&self.people[at], at);
        self.people[at].user = org.seed_user(SeedUser { id: None, status: "ACTIVE".to_owned(), profile });
        self.assign(at, true);
    }

    fn assign(&self, number: P, assigned: bool) {
        let (org, id) = (self.org(), &self.person(number).user);
        match self.setup.scope {
            Scope::App if assigned => org.assign(APP, id),
            Scope::App => org.unassign(APP, id),
            Scope::Groups => {
                let staff = org.group_id(STAFF).unwrap_or_default();
                if assigned { org.add_member(&staff, id) } else { org.remove_member(&staff, id) }
            }
            Scope::Search => {
                org.set_profile(id, "department", if assigned { "IT" } else { "Former" }.into());
            }
            Scope::Everyone => {}
        }
    }

    pub fn truth(&self) -> Truth {
        let org = self.org();
        let users: BTreeMap<String, User> = org.users().into_iter().map(|user| (user.id.clone(), user)).collect();
        let groups = org.groups().into_iter().map(|group| (group.id, (group.name, group.members)));
        let groups: BTreeMap<String, (String, BTreeSet<String>)> = groups.collect();
        let in_scope = match self.setup.scope {
            Scope::App => org.assigned(APP),
            Scope::Groups => {
                groups.values().filter(|(name, _)| name == STAFF).flat_map(|(_, members)| members.clone()).collect()
            }
            Scope::Search => {
                users.values().filter(|user| user.profile["department"] == "IT").map(|user| user.id.clone()).collect()
            }
            Scope::Everyone => users.keys().cloned().collect(),
        };
        Truth { users, groups, in_scope, close_locked: self.setup.close_locked }
    }

    /// What happens outside of runs.
    #[expect(clippy::too_many_lines, reason = "an arm for each event")]
    pub fn happen(&mut self, event: &Event) {
        let org = self.org();
        match *event {
            Event::Hire(p) => {
                if self.user_of(p).is_none_or(|user| user.status == "DEPROVISIONED") {
                    self.hire(p);
                }
            }
            Event::Rename(p) => {
                let at = p % self.people.len();
                self.people[at].names += 1;
                let name = format!("First{at}v{}", self.people[at].names);
                org.set_profile(&self.people[at].user, "firstName", name.into());
            }
            Event::Status(p, status) => {
                // A change of status alone doesn't reactivate a deactivated user; a person who is hired again is a new user.
                if self.user_of(p).is_some_and(|user| user.status != "DEPROVISIONED") {
                    org.set_status(&self.person(p).user, status);
                }
            }
            Event::Delete(p) => org.delete_user(&self.person(p).user),
            Event::Assign(p) => {
                if self.user_of(p).is_some_and(|user| user.status != "DEPROVISIONED") {
                    self.assign(p, true);
                }
            }
            Event::Unassign(p) => self.assign(p, false),
            Event::Join(p, g) => {
                if self.user_of(p).is_some() {
                    org.add_member(&self.groups[g], &self.person(p).user);
                }
            }
            Event::Quit(p, g) => org.remove_member(&self.groups[g], &self.person(p).user),
            Event::Address(p) => {
                let at = p % self.people.len();
                self.renamed += 1;
                self.people[at].address = format!("p{at}.{}@example.com", self.renamed);
                let address = self.people[at].address.clone();
                org.set_profile(&self.people[at].user, "email", address.into());
            }
            Event::Swap(one, other) => {
                let (one, other) = (one % self.people.len(), other % self.people.len());
                let (mine, theirs) = (self.people[one].address.clone(), self.people[other].address.clone());
                (self.people[one].address, self.people[other].address) = (theirs.clone(), mine.clone());
                org.set_profile(&self.people[one].user, "email", theirs.into());
                org.set_profile(&self.people[other].user, "email", mine.into());
            }
            Event::Twin(p, status) => {
                let at = p % self.people.len();
                let mine = self.people[at].user.clone();
                self.hire(at);
                org.set_status(&self.people[at].user, status);
                self.people[at].user = mine;
            }
            Event::Profile(p, role) => org.set_profile(&self.person(p).user, "okta_role", role.in_profile().into()),
            Event::NameGroup(g, name) => {
                let name = match name {
                    Name::First => GROUPS[g].to_owned(),
                    Name::Taken => format!("{} 2", GROUPS[g]),
                    Name::Untaken => format!("Former {}", GROUPS[g]),
                    Name::Empty => "AP".to_owned(),
                };
                org.rename_group(&self.groups[g], &name);
            }
            Event::DeleteGroup(g) => org.delete_group(&self.groups[g]),
            Event::RemakeGroup(g) => {
                let groups = org.groups();
                let old = groups.into_iter().find(|group| group.id == self.groups[g]);
                let (name, members) =
                    old.map_or((GROUPS[g].to_owned(), BTreeSet::new()), |group| (group.name, group.members));
                org.delete_group(&self.groups[g]);
                let members: Vec<String> = members.into_iter().collect();
                self.groups[g] = org.seed_group(None, &name, "OKTA_GROUP", &members);
            }
            Event::DoubleGroup(g) => {
                let name = org.groups().into_iter().find(|group| group.id == self.groups[g]).map(|group| group.name);
                org.seed_group(None, &name.unwrap_or_else(|| GROUPS[g].to_owned()), "APP_GROUP", &[]);
            }
            Event::Foreign => {
                let platform = self.platform();
                for (number, foreign) in FOREIGN.into_iter().enumerate() {
                    let email = format!("foreign{number}@example.com");
                    let account = platform.seed_user(SeedAccount {
                        email,
                        first_name: "Foreign".into(),
                        last_name: number.to_string(),
                        external_id: Some(foreign.to_owned()),
                        role: "MEMBER".into(),
                        active: true,
                    });
                    platform.seed_project(&format!("Customer {number}"), Some(foreign), &[(account, "Viewer")]);
                }
            }
            Event::Hand(hand) => by_hand(&self.platform(), hand, &self.names()),
            Event::Miss(p, listing, times) => {
                let id = &self.person(p).user;
                let listing = match listing {
                    Listing::Users => okta::Listing::Users,
                    Listing::AppUsers => okta::Listing::AppUsers,
                    Listing::Members(g) => {
                        // The group has to look changed, or its members aren't read.
                        let groups = org.groups();
                        let group = groups.into_iter().find(|group| group.id == self.groups[g]);
                        if let Some(member) = group.and_then(|group| group.members.into_iter().next()) {
                            org.add_member(&self.groups[g], &member);
                        }
                        okta::Listing::Members(self.groups[g].clone())
                    }
                };
                org.miss(listing, id, times);
            }
            Event::SeeAll => org.see_all(),
            Event::Middle(write, after, hand) => self.middle.push((write, after, hand)),
            Event::Lose(after) => self.lost = Some(after),
            Event::RolesStay(stay) => self.platform().configure(|settings| settings.roles_stay = stay),
            Event::Mistake(mistaken) => self.mistake(mistaken),
            Event::SwapProjects => {
                self.swapped = !self.swapped;
                self.stage.configure(&self.config());
            }
            Event::Clock(hours) => org.shift_clock(hours * 3600),
            Event::Plan
            | Event::Apply
            | Event::ApplyRefused
            | Event::Save
            | Event::Accept
            | Event::ApplySaved
            | Event::Adopt
            | Event::Undo(_)
            | Event::Kill(_) => unreachable!("a run"),
        }
    }

    fn mistake(&mut self, mistaken: bool) {
        self.mistaken = mistaken;
        self.stage.configure(&self.config());
    }

    /// Accepts the problems of a plan.
    pub fn accept(&mut self, plan: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let problems = plan["problems"].as_array().into_iter().flatten();
        self.accepted.extend(problems.map(|problem| (text(&problem["kind"]), text(&problem["subject"]))));
        self.stage.configure(&self.config());
    }

    /// Takes back what waits for the next run.
    pub fn clear(&mut self) {
        self.middle.clear();
        self.mistake(false);
        self.lost = None;
        self.platform().configure(|settings| settings.roles_stay = false);
    }

    /// Lets what waits for the next run happen in it.
    pub fn arm(&mut self) {
        let (traffic, names) = (Arc::clone(self.stage.sandbox.activepieces_traffic()), self.names());
        for (method, after, hand) in self.middle.drain(..) {
            let (platform, names) = (Arc::clone(self.stage.sandbox.platform()), names.clone());
            let seen = Arc::clone(&self.interferences);
            traffic.before(Some(method), "/api/v1/", after, move |method, path| {
                let before = Standing::of(&platform);
                by_hand(&platform, hand, &names);
                let changes = changes(&before, &Standing::of(&platform));
                let (method, path) = (method.to_owned(), path.to_owned());
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(Interference { changes, method, path });
            });
        }
    }
}

/// What a second admin does.
#[expect(clippy::too_many_lines, reason = "an arm for each thing")]
fn by_hand(platform: &Platform, hand: Hand, names: &Names) {
    let standing = Standing::of(platform);
    let address = |p: P| names.addresses[p % names.addresses.len()].as_str();
    let account = |p: P| standing.by_address(address(p)).map(|account| account.id.as_str());
    let project = |g: G| {
        let of = |project: &&ProjectSnapshot| project.external_id.as_ref() == Some(&names.groups[g]);
        standing.projects.values().find(of).map(|project| project.id.as_str())
    };
    match hand {
        Hand::Invite(p, role) => {
            if account(p).is_none() {
                platform.seed_user(SeedAccount {
                    email: address(p).to_owned(),
                    first_name: "Invited".into(),
                    last_name: p.to_string(),
                    external_id: None,
                    role: role.as_str().into(),
                    active: true,
                });
            }
        }
        Hand::LeaveInvitation(p, role) => drop(platform.leave_invitation(address(p), role.as_str())),
        Hand::LeaveProjectInvitation(p, g, role) => {
            if let Some(project) = project(g) {
                platform.leave_project_invitation(address(p), project, role);
            }
        }
        Hand::SignIn(p) => platform.sign_in(address(p)),
        Hand::Close(p) => {
            if let Some(id) = account(p) {
                platform.set_active(id, false);
            }
        }
        Hand::Reopen(p) => {
            if let Some(id) = account(p) {
                platform.set_active(id, true);
            }
        }
        Hand::Role(p, role) => {
            if let Some(id) = account(p) {
                platform.set_role(id, role.as_str());
            }
        }
        Hand::ProjectRole(p, g, role) => {
            if let (Some(account), Some(project)) = (account(p), project(g))
                && standing.projects[project].members.contains_key(account)
            {
                platform.set_project_role(project, account, role);
            }
        }
        Hand::RenameProject(g) => {
            if let Some(id) = project(g) {
                platform.rename_project(id, &format!("By hand {g}"));
            }
        }
        Hand::DeleteProject(g) => {
            if let Some(id) = project(g) {
                platform.delete_project(id);
            }
        }
        Hand::MakeProject(g, p) => {
            let name = GROUPS[g];
            let members: Vec<(String, &str)> = account(p).map(|id| (id.to_owned(), "Admin")).into_iter().collect();
            if standing.projects.values().all(|project| project.name != name) {
                platform.seed_project(name, None, &members);
            }
        }
        Hand::Owner(role) => {
            if let Some(owner) = standing.by_address(Platform::OWNER_EMAIL) {
                platform.set_role(&owner.id, role.as_str());
            }
        }
    }
}

/// The rules of the projects.
fn project_rules(setup: &Setup, is_swapped: bool) -> String {
    let of_members = match setup.project_roles {
        ProjectRoles::None => "",
        ProjectRoles::Fixed => "role = \"Viewer\"",
        ProjectRoles::OnAdd => "role = \"viewer\"\nroles_managed = \"on_add\"",
        ProjectRoles::ByGroup => "roles = { Admin = \"Leads\" }\nrole = \"Viewer\"",
        ProjectRoles::ByExpression => "role = 'isMemberOfGroupName(\"Leads\") ? \"Admin\" : \"Viewer\"'",
    };
    match setup.projects {
        Projects::None => String::new(),
        Projects::ByName => {
            format!("[[projects]]\ngroup = \"AP Eng\"\n{of_members}\n[[projects]]\ngroup = \"AP Ops\"\n{of_members}")
        }
        Projects::Together => {
            format!("[[projects]]\ngroups = [\"AP Eng\", \"AP Ops\"]\nproject = \"Team\"\n{of_members}")
        }
        Projects::Named => {
            let names = if is_swapped { ["Two", "One"] } else { ["One", "Two"] };
            let entry = |(group, project): (&str, &str)| {
                format!("[[projects]]\ngroup = \"{group}\"\nproject = \"{project}\"\n{of_members}\n")
            };
            GROUPS.into_iter().zip(names).map(entry).collect()
        }
        Projects::ByPattern => format!("[[projects]]\nmatch = '^AP ?(.*)$'\nname = \"$1\"\n{of_members}"),
    }
}
