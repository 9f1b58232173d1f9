//! How many evaluations a second one core does, for 100,000 users: `cargo bench --bench expression`.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "the numbers are what this program is for")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use oktapieces::expression::{Context, Expression};
use oktapieces::model::okta::{Group, GroupType, Status, User};
use serde_json::{Value as Json, json};

const USERS: u32 = 100_000;
/// At least this long is measured, in whole passes over the users.
const MEASURED: Duration = Duration::from_secs(2);

/// The role expression of the documentation.
const ROLE: &str = "user.okta_role == 'Master' ? 'ADMIN' : user.okta_role == 'op' ? 'OPERATOR' : 'MEMBER'";
/// Groups, patterns, texts and arrays.
const HEAVY: &str = "isMemberOfGroupName('Platform Admins') || isMemberOfGroupNameRegex('(?i).*admin.*') ? 'ADMIN' : \
    user.department matches '[A-Z]{2,4}-[a-zA-Z]+-Sales' && Arrays.contains(user.tags, 'builder') ? 'OPERATOR' : \
    String.stringSwitch(String.toLowerCase(String.substringBefore(user.email, '@') + '.' + user.lastName), 'MEMBER', \
    'ops', 'OPERATOR', 'root', 'ADMIN')";

fn user(at: u32) -> User {
    let role = ["Master", "op", "member", ""][at as usize % 4];
    let department = ["EMEA-North-Sales", "Engineering"][at as usize % 2];
    let Json::Object(profile) = json!({
        "login": format!("user{at}@example.com"), "email": format!("First{at}.Last@Example.com"),
        "firstName": format!("First{at}"), "lastName": "Last", "displayName": format!("First{at} Last"),
        "okta_role": role, "department": department,
        "title": "Engineer", "city": "Berlin", "countryCode": "DE", "employeeNumber": at.to_string(),
        "tags": ["a", "b", "builder"],
    }) else {
        panic!("an object was written")
    };
    User::new(format!("00u{at}").into(), Status::Active, profile)
}

fn groups() -> Vec<Arc<Group>> {
    let names = ["Everyone", "Berlin", "Engineering", "AP Team Sales", "VPN", "Wiki", "All Hands", "Laptop Users"];
    let group = |(at, name): (usize, &&str)| {
        let id = format!("00g{at}").into();
        Arc::new(Group { id, name: (*name).to_owned(), kind: GroupType::OktaGroup })
    };
    names.iter().enumerate().map(group).collect()
}

/// Shows the fastest and the middle pass over all users: others use the machine too.
fn measure(name: &str, source: &str, users: &[User], groups: &[Arc<Group>]) {
    let expression = Expression::parse(source).unwrap();
    let (mut passes, start) = (Vec::new(), Instant::now());
    while start.elapsed() < MEASURED {
        let pass = Instant::now();
        for user in users {
            black_box(expression.evaluate(&Context::new(black_box(user), groups))).unwrap();
        }
        passes.push(pass.elapsed());
    }
    passes.sort();
    let per_second = |pass: Duration| f64::from(USERS) / pass.as_secs_f64();
    let (fastest, middle) = (per_second(passes[0]), per_second(passes[passes.len() / 2]));
    let count = passes.len();
    println!(
        "{name:<6} {fastest:>10.0} evaluations a second in the fastest of {count} passes, {middle:.0} in the middle"
    );
}

fn main() {
    let users: Vec<User> = (0..USERS).map(user).collect();
    let groups = groups();
    measure("role", ROLE, &users, &groups);
    measure("heavy", HEAVY, &users, &groups);
}
