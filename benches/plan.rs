//! How long planning takes and how much memory it needs, of a million users with five million memberships: `cargo bench
//! --bench plan`. One core does it all.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "the numbers are what this program is for")]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Instant;

use jiff::Timestamp;
use oktapieces::expression::Expression;
use oktapieces::mapping::attributes::{self, Mapped, Mapping, Source};
use oktapieces::model::activepieces::{self, Platform, Project};
use oktapieces::model::desired;
use oktapieces::model::id::{AccountId, OktaGroupId, OktaUserId};
use oktapieces::model::okta::{Group, GroupType, Status, User};
use oktapieces::model::org::{Org, PushedGroup, Target};
use oktapieces::output::document::Document;
use oktapieces::output::layout::Layout;
use oktapieces::output::plan_text;
use oktapieces::output::walk::{Input, Key, Walk, draw};
use oktapieces::plan::{Comparison, Doubts, Plan, Policy, fingerprint};
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use serde_json::{Value as Json, json};

const USERS: u32 = 1_000_000;
const GROUPS: u32 = 1_000;
/// Each group has this many members, so that users are in five groups.
const MEMBERS: u32 = 5_000;
/// Every so many-th user has left the scope since the last run.
const LEFT: u32 = 100;
/// The role expression of the documentation.
const ROLE: &str = "user.okta_role == 'Master' ? 'ADMIN' : user.okta_role == 'op' ? 'OPERATOR' : 'MEMBER'";

fn okta_id(at: u32) -> OktaUserId {
    format!("00u{at:017}").into()
}

/// Another order of the same numbers: accounts are listed and named in no order that Okta's users have.
fn scattered(at: u32) -> u32 {
    u32::try_from(u64::from(at) * 386_093 % u64::from(USERS)).unwrap()
}

fn account_id(at: u32) -> AccountId {
    format!("{:021}", scattered(at)).into()
}

fn group_id(at: u32) -> OktaGroupId {
    format!("00g{at:017}").into()
}

/// What asking for somebody by id finds who left: he's there, and out of scope.
fn ask(org: &mut Org, mapping: &Mapping, doubts: &Doubts) {
    let kept = mapping.needs().attributes;
    let found = (0..USERS).filter(|at| left(*at)).map(|at| user(at).pack(&kept));
    org.users.extend(found.filter(|(id, _)| doubts.users.contains(id)));
}

/// The users of a group: every so many-th one, beginning anywhere.
fn members(group: u32) -> impl Iterator<Item = u32> {
    (0..MEMBERS).map(move |at| (group * 37 + at * (USERS / MEMBERS)) % USERS)
}

fn user(at: u32) -> User {
    let role = ["Master", "op", "member", ""][at as usize % 4];
    let Json::Object(profile) = json!({
        "login": format!("user{at}@example.com"), "email": format!("user{at}@example.com"),
        "firstName": format!("First{at}"), "lastName": "Last", "displayName": format!("First{at} Last"),
        "okta_role": role, "department": "Engineering", "title": "Engineer", "city": "Berlin", "countryCode": "DE",
        "employeeNumber": at.to_string(), "mobilePhone": null, "secondEmail": null, "tags": ["a", "b", "builder"],
    }) else {
        panic!("an object was written")
    };
    User::new(okta_id(at), Status::Active, profile)
}

fn left(at: u32) -> bool {
    at % LEFT == LEFT / 2
}

fn org(mapping: &Mapping) -> Org {
    let kept = mapping.needs().attributes;
    let stay = (0..USERS).filter(|at| !left(*at));
    let mut org = Org { users: stay.map(|at| user(at).pack(&kept)).collect(), ..Org::default() };
    org.in_scope = org.users.keys().cloned().collect();
    for at in 0..GROUPS {
        let group = Group { id: group_id(at), name: format!("Group {at}"), kind: GroupType::OktaGroup };
        let members = members(at).map(okta_id).collect();
        let sources = vec![desired::Source::of(group.id.clone())];
        org.targets.push(Target { name: group.name.clone(), is_named: false, sources });
        org.pushed.insert(group.id.clone(), PushedGroup { group, members });
    }
    org
}

/// Every so many-th user has an account; of every hundredth the name has changed.
fn platform(step: u32) -> Platform {
    let account = |at: u32| activepieces::User {
        id: account_id(at),
        external_id: Some(okta_id(at).as_str().into()),
        user_name: format!("user{at}@example.com"),
        given_name: if at.is_multiple_of(100) { "Other".to_owned() } else { format!("First{at}") },
        family_name: "Last".to_owned(),
        active: true,
        platform_role: ["ADMIN", "OPERATOR", "MEMBER", "MEMBER"][at as usize % 4].into(),
        created: Some(Timestamp::UNIX_EPOCH),
    };
    let project = |at: u32| Project {
        id: format!("{at:021}").into(),
        external_id: Some(group_id(at).to_string()),
        display_name: format!("Group {at}"),
        members: members(at).filter(|at| at.is_multiple_of(step)).map(account_id).collect(),
    };
    let mut users: Vec<_> = (0..USERS).map(scattered).filter(|at| at.is_multiple_of(step)).map(account).collect();
    // As they are sorted when they are read.
    users.sort_unstable_by(|a, b| a.external_id.cmp(&b.external_id));
    Platform { users, projects: (0..GROUPS).map(project).collect(), owner: Some(account_id(0)), ..Platform::default() }
}

fn mapping(role: &str) -> Mapping {
    let mapped = |source: &str| Mapped {
        expression: Expression::parse(source).unwrap(),
        source: Source::Default,
        on_create_only: false,
    };
    Mapping {
        user_name: mapped("user.email"),
        given_name: mapped("user.firstName"),
        family_name: mapped("user.lastName"),
        email: mapped("user.email"),
        display_name: mapped("user.displayName"),
        platform_role: Some(mapped(role)),
        project_roles: Vec::new(),
        closing: BTreeSet::new(),
        prepares: false,
        aliases: None,
    }
}

/// The memory of this process in MB, by this name in its status; where there is no such file, it isn't known.
fn memory(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? / 1024.0)
}

/// Does it, and shows how long it took and how much more memory there is in use than before.
fn measured<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (before, start) = (memory("VmRSS"), Instant::now());
    let result = work();
    let took = start.elapsed();
    let grown =
        memory("VmRSS").zip(before).map_or_else(String::new, |(now, before)| format!("{:>8.0} MB", now - before));
    println!("{what:<40} {:>8.2} s {grown}", took.as_secs_f64());
    result
}

fn measure(what: &str, role: &str, step: u32) {
    println!("{what}: {role}");
    let mapping = mapping(role);
    let mut org = measured("the org", || org(&mapping));
    let platform = measured("the platform", || platform(step));
    let now = Timestamp::UNIX_EPOCH;
    let start = Instant::now();
    let mut desired = measured("desired", || attributes::desired(&org, &mapping, now));
    let doubts = measured("doubts about users", || {
        Doubts::of_users(black_box(&desired), black_box(&platform), &BTreeSet::new())
    });
    let before = start.elapsed();
    ask(&mut org, &mapping, &doubts);
    assert_eq!(doubts.users.len(), (USERS / LEFT) as usize);
    let start = Instant::now();
    let doubted = doubts.users.union(&doubts.memberships).cloned();
    measured("mapping whom was asked for", || attributes::renew(&mut desired, &org, &mapping, now, doubted));
    drop(org);
    let comparison =
        measured("matching", || Comparison::of(black_box(&desired), black_box(&platform), &Policy::default()));
    let doubts = measured("doubts", || comparison.doubts(&BTreeSet::new()));
    assert!(doubts.is_empty(), "{} and {}", doubts.users.len(), doubts.memberships.len());
    let plan = measured("difference", || comparison.plan(&Policy::default()));
    drop(comparison);
    println!("{:<40} {:>8.2} s", "planning", (before + start.elapsed()).as_secs_f64());
    let hash = measured("hash", || fingerprint::of_plan(&plan));
    let document = Document::of_plan(&plan, &hash, ("okta", "activepieces"));
    let text = measured("text", || plan_text::render(&document, Layout::default()));
    println!("{:<40} {:>8.2} s", "planning and showing", (before + start.elapsed()).as_secs_f64());
    black_box(text);
    walk(&document);
    let added: usize = plan.projects.iter().map(|op| op.add.len()).sum();
    println!("{} operations for users, {added} members to add, {} problems", plan.users.len(), plan.problems.len());
}

/// Walks through the plan, as `plan --interactive` does.
fn walk(document: &Document<'_>) {
    let guard = |_: &Plan| Vec::new();
    let mut buffer = Buffer::empty(Rect::new(0, 0, 120, 40));
    let mut walk = measured("opening the plan to walk through", || Walk::new(*document, &guard, None));
    walk.take(Input::Resize(120, 40));
    measured("a thousand rows down, each drawn", || {
        for _ in 0..1000 {
            walk.take(Input::Key(Key::Down));
            buffer.reset();
            draw::draw(&walk, &mut buffer, true);
        }
    });
    measured("one change left out", || walk.take(Input::Key(Key::Char(' '))));
    measured("one letter of a search", || "/7".chars().for_each(|c| drop(walk.take(Input::Key(Key::Char(c))))));
    black_box(buffer);
}

fn main() {
    measure("a hundredth has changed", ROLE, 1);
    measure("half is missing", ROLE, 2);
    if let Some(peak) = memory("VmHWM") {
        println!("{:<40} {peak:>19.0} MB", "most memory at a time");
    }
}
