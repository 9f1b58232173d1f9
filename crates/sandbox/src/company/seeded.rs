//! A small company in which every case of a sync occurs, as tables: the people here, the groups and projects in
//! [`super::teams`].

use std::collections::BTreeMap;

use super::person::{Person, email, gone, group_id, local, names, okta, user_id};
use super::teams::{GROUPS, PROJECTS};
use crate::activepieces::{self, Platform};
use crate::okta::{Org, SeedUser};

pub const SEED: u64 = 7;

/// `[attributes]`: the display name fails for people without a last name, and there is no role `boss`.
pub const ATTRIBUTES: &str = r#"displayName = 'user.firstName + " " + user.lastName'
platformRole = 'user.okta_role == "Master" ? "ADMIN" : user.okta_role == "op" ? "OPERATOR" : user.okta_role == "boss" ? user.okta_role : "MEMBER"'"#;

/// So small a company has more leavers than the 10 % that are allowed by default.
pub const SAFETY: &str = r#"max_deactivations = "50%" # many leavers, so that each case is there
max_role_downgrades = "50%"
protect = ["paul.protected@example.com"]"#;

/// All people of the company.
pub fn people() -> Vec<Person> {
    [with_access(), without_access(), left_alone(), drifted(), relinked(), problems(), others()].concat()
}

/// Statuses of people who have access: created, reactivated, or brought in line.
fn with_access() -> Vec<Person> {
    vec![
        okta("Ada Adler", "ACTIVE").okta_role("op"), // Absent: created.
        okta("Ben Brook", "ACTIVE").inactive(),      // Reactivated.
        okta("Cara Cole", "ACTIVE").active(),        // Nothing to do.
        okta("Dan Dorn", "PROVISIONED"),
        okta("Eva Ernst", "PROVISIONED").inactive(),
        okta("Finn Falk", "PROVISIONED").active(),
        okta("Gia Graf", "PASSWORD_EXPIRED"),
        okta("Hal Horn", "PASSWORD_EXPIRED").inactive(),
        okta("Ida Ihle", "PASSWORD_EXPIRED").active(),
        okta("Jon Jung", "LOCKED_OUT"),
        okta("Kim Kern", "LOCKED_OUT").inactive(),
        okta("Lea Lang", "LOCKED_OUT").okta_role("op").active(),
        okta("Max Mohn", "RECOVERY"),
        okta("Nora Nagel", "RECOVERY").inactive().account_name("Nora Neumann"), // Reactivated and updated.
        okta("Otto Ohm", "RECOVERY").active(),
    ]
}

/// Statuses of people who have none: their accounts are deactivated, and nothing is created.
fn without_access() -> Vec<Person> {
    vec![
        okta("Pia Pohl", "SUSPENDED"),
        okta("Quin Quast", "SUSPENDED").inactive(),
        okta("Rita Rau", "SUSPENDED").active(),    // Deactivated.
        okta("Ruth Roth", "SUSPENDED").unlinked(), // Made by hand: nothing is taken from it, and she is named.
        okta("Sam Seidel", "DEPROVISIONED"),
        okta("Tia Thoma", "DEPROVISIONED").inactive(),
        okta("Udo Ulrich", "DEPROVISIONED").active(), // Deactivated.
        okta("Vera Vogt", "ACTIVE").unassigned(),
        okta("Wim Wolf", "ACTIVE").unassigned().inactive(),
        okta("Xenia Xaver", "ACTIVE").unassigned().active(), // Out of scope: deactivated.
        gone("Yann Yilmaz"),                                 // Gone from Okta: deactivated.
        gone("Zoe Zahn").account_inactive(),                 // Gone from Okta, inactive already.
    ]
}

/// Statuses that nothing follows from, be it one that isn't known here.
fn left_alone() -> Vec<Person> {
    vec![
        okta("Alma Arndt", "STAGED"),
        okta("Bela Bosch", "STAGED").inactive(),
        okta("Clio Conrad", "STAGED").active(),
        okta("Dora Decker", "ACTIVATING"),
        okta("Emil Engel", "ACTIVATING").inactive(),
        okta("Flora Frank", "ACTIVATING").active(),
    ]
}

/// Accounts that differ from what Okta says.
fn drifted() -> Vec<Person> {
    vec![
        okta("Gina Gruber", "ACTIVE").active().account_name("Gina Gross"), // Married.
        okta("Hugo Hahn", "ACTIVE").okta_role("op").active().account_role("MEMBER"), // Promoted.
        okta("Ines Imhof", "ACTIVE").okta_role("user").active().account_role("ADMIN"), // Demoted.
        okta("Jana Jahn", "ACTIVE").okta_role("Master").active(),          // An ADMIN in line.
        okta("Kai Klein", "ACTIVE").okta_role("Master").inactive().account_role("MEMBER").account_name("Kay Klein"),
    ]
}

/// Accounts that go over to an Okta user, found by the address.
fn relinked() -> Vec<Person> {
    vec![
        okta("Lotte Lenz", "ACTIVE").unlinked(),
        okta("Mia Mayer", "ACTIVE").email(Some("Mia.Mayer@Example.com")).unlinked(), // Okta keeps the capitals.
        okta("Nils Noll", "ACTIVE").active().external_id("emp-4711"),                // Came from another directory.
        okta("Olga Orth", "ACTIVE").active().linked_to("Olga Orth until 2024"),      // Hired again, the old user gone.
        // Hired again, the old user deactivated.
        okta("Paula Preis", "ACTIVE").active().linked_to("Paula Pabst"),
        okta("Paula Pabst", "DEPROVISIONED").email(Some(&email("Paula Preis"))),
    ]
}

/// People who are left alone, since it isn't clear what to do. Each is named.
fn problems() -> Vec<Person> {
    vec![
        okta("Rolf Reuter", "ACTIVE").okta_role("boss").unlinked(), // The mapping gives a role that there isn't.
        okta("Tove", "ACTIVE").active(),                            // No last name: the display name can't be made.
        okta("Sina Sauer", "ACTIVE").email(None),                   // No address.
        okta("Tom Tietz", "ACTIVE").email(Some("tom.tietz")),       // No address either.
        // Two users of one address, with an account.
        okta("Ulla Unger", "ACTIVE").unlinked(),
        okta("Ulla Contractor", "ACTIVE").email(Some(&email("Ulla Unger"))),
        // Two users of one address, without an account.
        okta("Vito Voss", "ACTIVE"),
        okta("Vito Contractor", "PROVISIONED").email(Some(&email("Vito Voss"))),
        // An account that a suspended user has, and another user has the address now.
        okta("Wanda Weiss", "SUSPENDED").active(),
        okta("Wanda Contractor", "ACTIVE").email(Some(&email("Wanda Weiss"))),
        // Two accounts of one user: one linked, one of the new address.
        okta("Xara Xander", "ACTIVE").active().account_email("xara.old@example.com"),
        local("Xara Xander"),
        // The address changed; the role is brought in line all the same.
        okta("Yara Young", "ACTIVE")
            .okta_role("op")
            .active()
            .account_email("yara.old@example.com")
            .account_role("MEMBER"),
    ]
}

/// Accounts that are protected, and those that Okta doesn't answer for.
fn others() -> Vec<Person> {
    vec![
        okta("Platform Owner", "SUSPENDED").email(Some(OWNER)), // Stays, as the platform's owner.
        okta("Paul Protected", "ACTIVE").active().account_role("ADMIN"), // Stays ADMIN, as the config says.
        local("Zita Zeller"),                                   // Local: never touched.
        local("Anton Apel").account_inactive(),
        local("Berta Busch").external_id("emp-0815"), // Of another directory: never touched.
    ]
}

/// The address of the owner of a fresh platform.
const OWNER: &str = "owner@example.com";

/// Fills both servers.
pub fn fill(org: &Org, platform: &Platform) {
    let people = people();
    let mut assigned = Vec::new();
    let mut accounts = BTreeMap::new();
    for person in &people {
        assigned.extend(seed_user(org, person));
        if let Some((email, id)) = seed_account(platform, person) {
            accounts.insert(email, id);
        }
    }
    org.seed_app(super::APP, &assigned);
    for (kind, name, members) in GROUPS {
        let members: Vec<String> = members.iter().map(|name| user_id(name)).collect();
        org.seed_group(Some(&group_id(kind, name)), name, kind, &members);
    }
    for (name, group, members) in PROJECTS {
        let external_id = group.map(|name| group_id("OKTA_GROUP", name));
        let members: Vec<_> =
            members.iter().filter_map(|(name, role)| Some((accounts.get(&email(name))?.clone(), *role))).collect();
        platform.seed_project(name, external_id.as_deref(), &members);
    }
}

/// Gives the id where the user is assigned to the app, as a deactivated one never is.
pub(super) fn seed_user(org: &Org, person: &Person) -> Option<String> {
    let user = person.okta.as_ref()?;
    let login = email(person.name);
    let id = org.seed_user(SeedUser {
        id: Some(user_id(person.name)),
        status: user.status.to_owned(),
        profile: super::profile(&login, user.email.as_deref(), names(person.name), user.okta_role),
    });
    (user.assigned && user.status != "DEPROVISIONED").then_some(id)
}

/// Gives the address and the id of the account.
pub(super) fn seed_account(platform: &Platform, person: &Person) -> Option<(String, String)> {
    let account = person.account.as_ref()?;
    let [first_name, last_name] = names(account.name).map(str::to_owned);
    let id = platform.seed_user(activepieces::SeedUser {
        email: account.email.clone(),
        first_name,
        last_name,
        external_id: account.external_id.clone(),
        role: account.role.to_owned(),
        active: account.active,
    });
    Some((account.email.clone(), id))
}
