//! Made-up companies: the same numbers give the same people.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use crate::activepieces::{self, Platform};
use crate::okta::{Org, SeedUser};

/// `[attributes]`
pub(super) const ATTRIBUTES: &str =
    r#"platformRole = 'user.okta_role == "Master" ? "ADMIN" : user.okta_role == "op" ? "OPERATOR" : "MEMBER"'"#;

pub(super) const SAFETY: &str = r#"max_deactivations = "100%" # whatever was made up is to go through
max_role_downgrades = "100%"
max_role_or_email_changes = "100%"
max_members_removed = "100%""#;

/// How large a company is, as in [`super::Shape::Generated`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Numbers {
    pub users: usize,
    pub groups: usize,
    pub members: usize,
    pub existing: f64,
    pub drift: f64,
}

/// Both sides, before they are put there. Members are places in `people`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Company {
    pub people: Vec<Person>,
    pub teams: Vec<Team>,
}

/// An Okta user, and the account where there is one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Person {
    pub id: String,
    pub email: String,
    pub name: [&'static str; 2],
    pub status: &'static str,
    pub okta_role: Option<&'static str>,
    pub assigned: bool,
    pub account: Option<Account>,
}

/// What an account says that may differ from the Okta user.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Account {
    pub first_name: &'static str,
    pub role: &'static str,
    pub active: bool,
}

/// An Okta group, and the project where there is one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Team {
    pub id: String,
    /// The project's name once it is in line.
    pub name: String,
    pub members: BTreeSet<usize>,
    pub project: Option<Project>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Project {
    pub name: String,
    pub members: BTreeSet<usize>,
}

impl Company {
    pub fn new(numbers: Numbers, seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let mut ids = BTreeSet::new();
        let people: Vec<_> = (0..numbers.users)
            .map(|at| Person::new(at, &numbers, unique("00u", &mut ids, &mut random), &mut random))
            .collect();
        // Without users there are no groups either: a fresh org.
        let groups = if people.is_empty() { 0 } else { numbers.groups };
        let teams = (1..=groups)
            .map(|number| {
                let id = unique("00g", &mut ids, &mut random);
                Team::new(number, id, &numbers, &people, &mut random)
            })
            .collect();
        Self { people, teams }
    }

    /// Fills both servers.
    pub fn fill(&self, org: &Org, platform: &Platform) {
        let mut accounts = BTreeMap::new();
        for (at, person) in self.people.iter().enumerate() {
            org.seed_user(person.okta_user());
            if let Some(account) = person.account() {
                accounts.insert(at, platform.seed_user(account));
            }
        }
        let assigned = self.people.iter().filter(|person| person.assigned).map(|person| person.id.clone());
        org.seed_app(super::APP, &assigned.collect::<Vec<_>>());
        for team in &self.teams {
            let members: Vec<String> = team.members.iter().map(|&at| self.people[at].id.clone()).collect();
            org.seed_group(Some(&team.id), &format!("AP {}", team.name), "OKTA_GROUP", &members);
            if let Some(project) = &team.project {
                let member = |at: &usize| Some((accounts.get(at)?.clone(), project_role(*at)));
                let members: Vec<_> = project.members.iter().filter_map(member).collect();
                platform.seed_project(&project.name, Some(&team.id), &members);
            }
        }
    }
}

impl Person {
    fn new(at: usize, numbers: &Numbers, id: String, random: &mut Rng) -> Self {
        let (email, name) = address(at);
        let status = status(random);
        let okta_role = okta_role(random);
        // Deactivated users are never assigned.
        let assigned = !chance(0.02, random) && status != "DEPROVISIONED";
        let mut person = Self { id, email, name, status, okta_role, assigned, account: None };
        if chance(numbers.existing, random) {
            let mut account = Account { first_name: name[0], role: person.role(), active: person.has_access() };
            if chance(numbers.drift, random) {
                person.drift(&mut account, random);
            }
            person.account = Some(account);
        }
        person
    }

    /// Makes the account differ: a user without access is still active.
    fn drift(&self, account: &mut Account, random: &mut Rng) {
        match random.u8(0..3) {
            _ if !self.has_access() => account.active = true,
            0 => account.active = false,
            1 => account.first_name = "Formerly",
            _ => account.role = if account.role == "MEMBER" { "OPERATOR" } else { "MEMBER" },
        }
    }

    fn has_access(&self) -> bool {
        let live = ["ACTIVE", "PROVISIONED", "PASSWORD_EXPIRED", "LOCKED_OUT", "RECOVERY"];
        self.assigned && live.contains(&self.status)
    }

    /// What [`ATTRIBUTES`] make of the profile.
    fn role(&self) -> &'static str {
        match self.okta_role {
            Some("Master") => "ADMIN",
            Some("op") => "OPERATOR",
            _ => "MEMBER",
        }
    }

    fn okta_user(&self) -> SeedUser {
        SeedUser {
            id: Some(self.id.clone()),
            status: self.status.to_owned(),
            profile: super::profile(&self.email, Some(&self.email), self.name, self.okta_role),
        }
    }

    fn account(&self) -> Option<activepieces::SeedUser> {
        let account = self.account.as_ref()?;
        Some(activepieces::SeedUser {
            email: self.email.clone(),
            first_name: account.first_name.to_owned(),
            last_name: self.name[1].to_owned(),
            external_id: Some(self.id.clone()),
            role: account.role.to_owned(),
            active: account.active,
        })
    }
}

impl Team {
    fn new(number: usize, id: String, numbers: &Numbers, people: &[Person], random: &mut Rng) -> Self {
        let name = format!("Team {number:03}");
        let members = choose(numbers.members, people.len(), random);
        let mut project = None;
        if chance(numbers.existing, random) {
            let with_account = members.iter().copied().filter(|&at| people[at].account.is_some());
            let mut standing = Project { name: name.clone(), members: with_account.collect() };
            if chance(numbers.drift, random) {
                standing.drift(&members, people, random);
            }
            project = Some(standing);
        }
        Self { id, name, members, project }
    }
}

impl Project {
    /// Makes the project differ from its group: an old name, a member missing, or one who isn't in the group.
    fn drift(&mut self, group: &BTreeSet<usize>, people: &[Person], random: &mut Rng) {
        let kind = random.u8(0..3);
        let missing = self.members.iter().copied().find(|&at| people[at].has_access());
        let extra = random.usize(0..people.len());
        let may_join = people[extra].account.is_some() && !group.contains(&extra);
        match (kind, missing) {
            (0, Some(missing)) => _ = self.members.remove(&missing),
            (1, _) if may_join => _ = self.members.insert(extra),
            _ => self.name = format!("Old {}", self.name),
        }
    }
}

/// Most members don't have the role that an addition gives, so that adding them again shows.
fn project_role(at: usize) -> &'static str {
    ["Viewer", "Editor", "Admin"][at % 3]
}

/// An id that isn't there yet.
fn unique(prefix: &str, ids: &mut BTreeSet<String>, random: &mut Rng) -> String {
    loop {
        let id = super::okta_id(prefix, random);
        if ids.insert(id.clone()) {
            return id;
        }
    }
}

/// True with this chance between 0 and 1.
fn chance(share: f64, random: &mut Rng) -> bool {
    random.f64() < share
}

/// Mostly active, and a few of each other kind.
fn status(random: &mut Rng) -> &'static str {
    match random.u8(0..100) {
        0 => "PROVISIONED",
        1 => "PASSWORD_EXPIRED",
        2 => "LOCKED_OUT",
        3 => "RECOVERY",
        4 => "STAGED",
        5 | 6 => "SUSPENDED",
        7 | 8 => "DEPROVISIONED",
        9 => "ACTIVATING",
        _ => "ACTIVE",
    }
}

fn okta_role(random: &mut Rng) -> Option<&'static str> {
    match random.u8(0..100) {
        0 | 1 => Some("Master"),
        2..10 => Some("op"),
        10..60 => Some("user"),
        _ => None,
    }
}

/// Draws `count` different numbers below `total`, by Floyd's method, which needs no more than `count` draws.
fn choose(count: usize, total: usize, random: &mut Rng) -> BTreeSet<usize> {
    let mut chosen = BTreeSet::new();
    for last in total - count.min(total)..total {
        let drawn = random.usize(..=last);
        if !chosen.insert(drawn) {
            chosen.insert(last);
        }
    }
    chosen
}

/// The address and the name of the person at this place: each pair of names once, and then with a number.
fn address(at: usize) -> (String, [&'static str; 2]) {
    // Without a common factor with the number of pairs, so that all of them come before one comes again.
    const STEP: usize = 617;
    let pairs = FIRST_NAMES.len() * LAST_NAMES.len();
    let (round, pair) = (at / pairs, at % pairs * STEP % pairs);
    let name = [FIRST_NAMES[pair / LAST_NAMES.len()], LAST_NAMES[pair % LAST_NAMES.len()]];
    let number = if round == 0 { String::new() } else { (round + 1).to_string() };
    (format!("{}.{}{number}@example.com", name[0].to_lowercase(), name[1].to_lowercase()), name)
}

const FIRST_NAMES: [&str; 40] = [
    "Ada", "Amir", "Anna", "Bela", "Bruno", "Carla", "Chen", "Clara", "Daria", "David", "Elena", "Emil", "Fatima",
    "Felix", "Frida", "Hana", "Hugo", "Ines", "Ivan", "Jana", "Jonas", "Kaito", "Klara", "Leon", "Lina", "Luca",
    "Maja", "Malik", "Nadia", "Noah", "Olga", "Oscar", "Priya", "Rosa", "Samuel", "Sofia", "Tariq", "Vera", "Yuki",
    "Zoe",
];

const LAST_NAMES: [&str; 40] = [
    "Adler", "Ahmadi", "Becker", "Berg", "Bianchi", "Brandt", "Castro", "Costa", "Dahl", "Dubois", "Eriksen",
    "Fischer", "Garcia", "Haas", "Hansen", "Ito", "Jansen", "Kaya", "Keller", "Kovacs", "Kumar", "Larsen", "Lopez",
    "Mayer", "Moreau", "Nagy", "Novak", "Okafor", "Park", "Petrov", "Rossi", "Sato", "Schmidt", "Silva", "Singh",
    "Tanaka", "Vogel", "Weber", "Wang", "Zimmer",
];

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: Numbers = Numbers { users: 5000, groups: 20, members: 50, existing: 0.5, drift: 0.5 };

    fn differs(person: &Person) -> bool {
        let in_line = Account { first_name: person.name[0], role: person.role(), active: person.has_access() };
        person.account.as_ref().is_some_and(|account| *account != in_line)
    }

    #[test]
    fn the_same_seed_gives_the_same_company_and_another_one_another() {
        assert_eq!(Company::new(NUMBERS, 1), Company::new(NUMBERS, 1));
        assert_ne!(Company::new(NUMBERS, 1), Company::new(NUMBERS, 2));
    }

    #[test]
    fn nobody_shares_an_address_or_an_id() {
        let people = Company::new(NUMBERS, 1).people;
        let emails: BTreeSet<_> = people.iter().map(|person| &person.email).collect();
        let ids: BTreeSet<_> = people.iter().map(|person| &person.id).collect();
        assert_eq!((emails.len(), ids.len()), (5000, 5000));
    }

    #[test]
    fn groups_have_as_many_members_as_wanted_or_all() {
        assert!(Company::new(NUMBERS, 1).teams.iter().all(|team| team.members.len() == 50));
        let small = Company::new(Numbers { users: 7, ..NUMBERS }, 1);
        assert!(small.teams.iter().all(|team| team.members.len() == 7));
    }

    #[test]
    fn the_shares_say_what_stands_and_what_differs() {
        let nothing = Company::new(Numbers { existing: 0.0, ..NUMBERS }, 1);
        assert!(nothing.people.iter().all(|person| person.account.is_none()));
        assert!(nothing.teams.iter().all(|team| team.project.is_none()));
        let in_line = Company::new(Numbers { existing: 1.0, drift: 0.0, ..NUMBERS }, 1);
        assert!(in_line.people.iter().all(|person| person.account.is_some() && !differs(person)));
        for team in &in_line.teams {
            let project = Project { name: team.name.clone(), members: team.members.clone() };
            assert_eq!(team.project, Some(project));
        }
        let drifted = Company::new(Numbers { existing: 1.0, drift: 1.0, ..NUMBERS }, 1);
        assert!(drifted.people.iter().all(differs));
        for team in &drifted.teams {
            let project = Project { name: team.name.clone(), members: team.members.clone() };
            assert_ne!(team.project, Some(project));
        }
        let half = Company::new(NUMBERS, 1);
        let accounts = half.people.iter().filter(|person| person.account.is_some()).count();
        assert!((2350..2650).contains(&accounts), "{accounts}");
    }

    #[test]
    fn without_users_there_is_nothing() {
        let company = Company::new(Numbers { users: 0, ..NUMBERS }, 1);
        assert_eq!(company, Company { people: Vec::new(), teams: Vec::new() });
    }
}
