//! A small company whose runs show one of each: an adoption, a changed address, a status with a grace, a waiting invitation, project roles,
//! a project of several groups, an archived project, and what an admin changes by hand.

use std::collections::BTreeMap;

use super::person::{Person, email, group_id, okta, user_id};
use super::seeded::{seed_account, seed_user};
use crate::activepieces::Platform;
use crate::okta::Org;

pub const SEED: u64 = 11;

/// The sections behind `[scope]`.
pub const CONFIG: &str = r#"[attributes]
platformRole = 'user.okta_role == "Master" ? "ADMIN" : user.okta_role == "op" ? "OPERATOR" : "MEMBER"'

# One project for two groups, with project roles by group.
[[projects]]
groups = ["Sales EMEA", "Sales US"]
project = "Sales"
role = "Viewer"
roles = { Admin = "Sales Leads" }

[[projects]]
match = '^AP (.+)$'
name = "$1"

[projects_policy]
archive = true

[lifecycle]
locked_out = "deactivate"
grace = { locked_out = "7d" }
email_change = "recreate"

[safety]
invitations = "revoke"
max_deactivations = "50%" # a company of ten
"#;

fn people() -> Vec<Person> {
    vec![
        okta("Ada Adler", "ACTIVE").okta_role("Master").active(),
        okta("Ben Brook", "ACTIVE").okta_role("op"),
        okta("Cara Cole", "ACTIVE").unlinked(), // Invited by hand.
        okta("Dan Dorn", "ACTIVE").active().account_email("dan.old@example.com"),
        okta("Eva Ernst", "SUSPENDED").active(),
        okta("Finn Falk", "LOCKED_OUT").active(),
        okta("Gia Graf", "ACTIVE").active().account_name("Gia Gross"),
        okta("Hal Horn", "ACTIVE"), // An invitation that waits makes him ADMIN.
        okta("Ida Ihle", "ACTIVE").active(),
        okta("Jon Jung", "ACTIVE").active(),
    ]
}

/// Name and members of each group.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Sales EMEA", &["Cara Cole", "Dan Dorn", "Gia Graf"]),
    ("Sales US", &["Gia Graf", "Ida Ihle"]),
    ("Sales Leads", &["Gia Graf"]),
    ("AP Support", &["Ben Brook", "Jon Jung"]),
];

/// Fills both servers.
pub fn fill(org: &Org, platform: &Platform) {
    let (mut assigned, mut accounts) = (Vec::new(), BTreeMap::new());
    for person in &people() {
        assigned.extend(seed_user(org, person));
        accounts.extend(seed_account(platform, person));
    }
    org.seed_app(super::APP, &assigned);
    for (name, members) in GROUPS {
        let members: Vec<String> = members.iter().map(|name| user_id(name)).collect();
        org.seed_group(Some(&group_id("OKTA_GROUP", name)), name, "OKTA_GROUP", &members);
    }
    let member = |name: &str| Some((accounts.get(&email(name))?.clone(), "Editor"));
    let members = |names: &[&str]| names.iter().filter_map(|name| member(name)).collect::<Vec<_>>();
    platform.seed_project("Sales", None, &members(&["Gia Graf", "Ida Ihle"]));
    // Its group was deleted in Okta.
    let gone = group_id("OKTA_GROUP", "AP Events");
    platform.seed_project("Events", Some(&gone), &members(&["Ida Ihle", "Jon Jung"]));
    platform.leave_invitation(&email("Hal Horn"), "ADMIN");
}

/// What an admin changes by hand after an apply.
pub fn change_by_hand(platform: &Platform) {
    if let Some(user) = platform.user(&email("Jon Jung")) {
        platform.set_role(&user.id, "ADMIN");
    }
    if let Some(user) = platform.user(&email("Ida Ihle")) {
        platform.set_active(&user.id, false);
    }
}
