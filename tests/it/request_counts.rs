//! How many requests a whole run sends, for each kind of scope, against the fewest that could do.

use std::collections::BTreeMap;

use oktapieces_sandbox::company::{APP, Shape};
use oktapieces_sandbox::serve::Traffic;

use crate::support::Stage;

/// So many entities are on a page of Okta.
const PAGE: usize = 100;
const GROUPS: usize = 2;
/// More than a page in each group, and in each scope.
const COMPANY: Shape =
    Shape::Generated { users: 250, groups: GROUPS, members: 120, existing: 0.0, drift: 0.0, seed: 5 };

type Counts = BTreeMap<String, u64>;

/// The requests by route that came after those that were counted before.
fn since(before: &mut Counts, traffic: &Traffic) -> Counts {
    let now = traffic.counts();
    let new = now.iter().map(|(route, all)| (route.clone(), all - before.get(route).unwrap_or(&0)));
    let new = new.filter(|(_, count)| *count > 0).collect();
    *before = now;
    new
}

fn counts<const N: usize>(routes: [(&str, usize); N]) -> Counts {
    routes.into_iter().filter(|(_, count)| *count > 0).map(|(route, count)| (route.to_owned(), count as u64)).collect()
}

fn pages(entities: usize) -> usize {
    entities.div_ceil(PAGE)
}

/// What a run finds in the scope of a company.
struct Found {
    /// Pages of users, of assignments, and of members of both groups.
    users: usize,
    assignments: usize,
    members: usize,
}

/// The fewest requests of a read of Okta: the schema, the groups, what the scope is, and the members that aren't known.
fn of_okta(found: &Found, members: usize) -> Counts {
    counts([
        ("GET /api/v1/meta/schemas/user/default", 1),
        ("GET /api/v1/groups", 1),
        ("GET /api/v1/apps", found.assignments.min(1)),
        ("GET /api/v1/apps/{id}/users", found.assignments),
        ("GET /api/v1/users", found.users),
        ("GET /api/v1/groups/{id}/users", members),
    ])
}

/// The fewest requests of so many reads of the platform.
fn of_reads(reads: usize) -> Counts {
    counts([
        ("GET /api/v1/projects", reads),
        ("GET /api/v1/users", reads),
        ("GET /api/v1/scim/v2/Groups", reads),
        ("GET /api/v1/scim/v2/Users", reads),
    ])
}

/// The fewest requests of a first apply that creates so many users and a project for each group: one tells the platform's
/// id, by which it is locked; it is read before and after. The members of a project are added by one request, and one before
/// it looks who is there.
fn of_creations(users: usize, projects: usize) -> Counts {
    let mut all = of_reads(2);
    *all.entry("GET /api/v1/users".to_owned()).or_default() += 1;
    all.extend(counts([
        ("POST /api/v1/scim/v2/Users", users),
        ("POST /api/v1/scim/v2/Groups", projects),
        ("GET /api/v1/scim/v2/Groups/{id}", projects),
        ("PATCH /api/v1/scim/v2/Groups/{id}", projects),
    ]));
    all
}

/// A first apply, a second one and a plan, each with its requests. The members of groups in the scope are read each time,
/// since they say who is suspended; those of other groups where Okta says that they changed.
async fn holds(scope: &str, found: impl FnOnce(&Stage) -> Found) {
    let stage = Stage::of(COMPANY).await;
    stage.sandbox.org().limit_pages(PAGE);
    stage.configure(&stage.sandbox.config().replace("app = \"Activepieces\"", scope));
    let found = found(&stage);
    let (okta, platform) = (stage.sandbox.okta_traffic(), stage.sandbox.activepieces_traffic());
    let (mut of_okta_before, mut of_platform_before) = (Counts::new(), Counts::new());

    let first = stage.run(&["apply", "--yes"]).await;
    assert_eq!(first.code, 0, "{scope}: {first:#?}");
    let made = stage.sandbox.platform().users().len() - 1;
    assert!(made > PAGE, "{scope}: {made}");
    assert_eq!(since(&mut of_okta_before, okta), of_okta(&found, found.members), "{scope}, first");
    assert_eq!(since(&mut of_platform_before, platform), of_creations(made, GROUPS), "{scope}, first");

    let read_again = if scope.starts_with("groups") { found.members } else { 0 };
    for command in [&["apply", "--yes"][..], &["plan"]] {
        let again = stage.run(command).await;
        assert_eq!(again.code, 0, "{scope}: {again:#?}");
        assert_eq!(since(&mut of_okta_before, okta), of_okta(&found, read_again), "{scope}, {command:?}");
        assert_eq!(since(&mut of_platform_before, platform), of_reads(1), "{scope}, {command:?}");
    }
}

/// The pages of the members of all pushed groups.
fn members(stage: &Stage) -> usize {
    let groups = stage.sandbox.org().groups().into_iter().filter(|group| group.name.starts_with("AP "));
    groups.map(|group| pages(group.members.len())).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_as_the_scope_takes_its_assignments_and_the_groups() {
    let found = |stage: &Stage| Found {
        users: 0,
        assignments: pages(stage.sandbox.org().assigned(APP).len()),
        members: members(stage),
    };
    holds("app = \"Activepieces\"", found).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_as_the_scope_take_their_members() {
    let found = |stage: &Stage| Found { users: 0, assignments: 0, members: members(stage) };
    holds("groups = [\"AP Team 001\", \"AP Team 002\"]", found).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_as_the_scope_takes_the_pages_of_what_it_finds() {
    let found = |stage: &Stage| {
        let users = stage.sandbox.org().users().into_iter();
        let found = users.filter(|user| user.profile.get("okta_role").is_some_and(|role| role == "user")).count();
        Found { users: pages(found), assignments: 0, members: members(stage) }
    };
    holds("search = 'profile.okta_role eq \"user\"'", found).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_as_the_scope_takes_the_pages_of_all_users() {
    let found = |stage: &Stage| Found {
        users: pages(stage.sandbox.org().users().len()),
        assignments: 0,
        members: members(stage),
    };
    holds("everyone = true", found).await;
}
