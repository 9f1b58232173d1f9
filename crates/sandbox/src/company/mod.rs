//! The company in the sandbox: who is in the Okta org, and what the Activepieces platform has already.

mod generated;
pub mod person;
pub mod seeded;
pub mod teams;
pub mod tour;

use serde_json::{Map, Value, json};

use super::{activepieces, okta};

/// The label of the Okta app whose users are in scope.
pub const APP: &str = "Activepieces";

/// Which company is in the sandbox.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Shape {
    /// A small company in which every case of a sync occurs.
    #[default]
    Seeded,
    /// A small company for a tour of what runs do.
    Tour,
    /// A made-up company, the same for the same numbers. Without users: a fresh platform with just its owner, and an
    /// org with the app alone.
    Generated {
        users: usize,
        groups: usize,
        /// Of each group; at most all users.
        members: usize,
        /// The share of users and of groups, between 0 and 1, that have an account or a project already.
        existing: f64,
        /// The share of these, between 0 and 1, that differ from what Okta says.
        drift: f64,
        seed: u64,
    },
}

/// Both sides of a company, whose users came by these imports. `rate_limit` is that of [`okta::Org::new`].
pub fn build(shape: &Shape, imports: okta::Imports, rate_limit: Option<u32>) -> (okta::Org, activepieces::Platform) {
    let seed = match shape {
        Shape::Seeded => seeded::SEED,
        Shape::Tour => tour::SEED,
        Shape::Generated { seed, .. } => *seed,
    };
    let (org, platform) = (okta::Org::new(seed, rate_limit), activepieces::Platform::new(seed));
    org.set_imports(imports);
    match *shape {
        Shape::Seeded => seeded::fill(&org, &platform),
        Shape::Tour => tour::fill(&org, &platform),
        Shape::Generated { users, groups, members, existing, drift, seed } => {
            let numbers = generated::Numbers { users, groups, members, existing, drift };
            generated::Company::new(numbers, seed).fill(&org, &platform);
        }
    }
    (org, platform)
}

/// Embedded accounts, and a project of their own, as a customer's tokens make them (`docs/activepieces.md`).
pub fn embed(platform: &activepieces::Platform, accounts: usize) {
    let account = |n: usize| platform.seed_embedded(&format!("guest{n}@customer.example"), &format!("customer-{n}"));
    let members: Vec<_> = (1..=accounts).map(|n| (account(n), "Editor")).collect();
    if !members.is_empty() {
        platform.seed_project("Customer", Some("customer-project"), &members);
    }
}

/// The text of a config file for a company that is served at these URLs.
pub fn config(shape: &Shape, okta_url: &str, activepieces_url: &str) -> String {
    let rest = match shape {
        Shape::Seeded => sections(seeded::ATTRIBUTES, seeded::SAFETY),
        Shape::Tour => tour::CONFIG.to_owned(),
        Shape::Generated { .. } => sections(generated::ATTRIBUTES, generated::SAFETY),
    };
    format!(
        r#"[okta]
org_url = "{okta_url}"
token_env = "OKTA_API_TOKEN"

[activepieces]
url = "{activepieces_url}"
api_key_env = "ACTIVEPIECES_API_KEY"

[scope]
app = "{APP}"

{rest}"#
    )
}

/// The sections behind `[scope]`, with a rule of its own for each group of a pattern.
fn sections(attributes: &str, safety: &str) -> String {
    format!(
        r#"[attributes]
{attributes}

[[projects]]
match = '^AP (.+)$'
name = "$1"

[safety]
{safety}
"#
    )
}

/// A profile as Okta keeps it: a value that wasn't filled in is `null`, such as a last name of `""`.
fn profile(login: &str, email: Option<&str>, [first, last]: [&str; 2], okta_role: Option<&str>) -> Map<String, Value> {
    let mut profile = Map::new();
    let values = [
        ("login", json!(login)),
        ("email", json!(email)),
        ("firstName", json!(first)),
        ("lastName", json!((!last.is_empty()).then_some(last))),
        ("displayName", json!(format!("{first} {last}").trim_end())),
        ("secondEmail", Value::Null),
        ("mobilePhone", Value::Null),
    ];
    profile.extend(values.map(|(name, value)| (name.to_owned(), value)));
    if let Some(role) = okta_role {
        profile.insert("okta_role".to_owned(), json!(role));
    }
    profile
}

/// An id of Okta's form: the prefix that tells its type, and 17 letters and digits.
fn okta_id(prefix: &str, random: &mut fastrand::Rng) -> String {
    let mut id = prefix.to_owned();
    id.extend((0..17).map(|_| random.alphanumeric()));
    id
}
