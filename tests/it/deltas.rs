//! Groups whose memberships haven't changed aren't read again, and that changes nothing but the number of requests.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::{BTreeMap, BTreeSet};

use oktapieces_sandbox::Options;
use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::okta::SeedUser;
use serde_json::Value;

use crate::support::Stage;

const MEMBERS: &str = "GET /api/v1/groups/{id}/users";
const USERS: &str = "GET /api/v1/users";

/// The group whose members are ADMIN; it isn't pushed.
const ADMINS: &str = "Role Admins";
/// The scope of a new sandbox.
const APP: &str = "app = \"Activepieces\"";
/// All kinds of scopes.
const SCOPES: [&str; 4] =
    [APP, "groups = [\"Role Admins\", \"Half\"]", "search = \"status eq \\\"ACTIVE\\\"\"", "everyone = true"];

/// A company with roles by a group, and a group that holds every second user.
async fn company(seed: u64) -> Stage {
    of(Shape::Generated { users: 60, groups: 6, members: 12, existing: 0.7, drift: 0.3, seed }).await
}

async fn of(company: Shape) -> Stage {
    // So many runs as there are here would come up against the limits of a real org.
    let stage = Stage::with(Options { company, rate_limit: Some(1_000_000), ..Options::default() }).await;
    let role = format!("platformRole = \"isMemberOfGroupName('{ADMINS}') ? 'ADMIN' : 'MEMBER'\" # ");
    stage.reconfigure("platformRole = ", &role);
    let mut people: Vec<String> =
        stage.sandbox.platform().users().into_iter().filter_map(|user| user.external_id).collect();
    people.sort();
    let org = stage.sandbox.org();
    org.seed_group(None, ADMINS, "OKTA_GROUP", &people[..5]);
    org.seed_group(None, "Half", "OKTA_GROUP", &people.into_iter().step_by(2).collect::<Vec<_>>());
    stage
}

/// The plan as JSON, and how many requests for members of groups it took.
async fn plan(stage: &Stage, arguments: &[&str]) -> (Value, u64) {
    let before = stage.sandbox.okta_traffic().count(MEMBERS);
    let run = stage.run(&[&["plan", "--json"], arguments].concat()).await;
    (run.json(), stage.sandbox.okta_traffic().count(MEMBERS) - before)
}

fn database(stage: &Stage) -> rusqlite::Connection {
    let folder = stage.folder().join(".local/state/oktapieces");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let path = files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "db")).unwrap();
    rusqlite::Connection::open(path).unwrap()
}

/// The groups that are known, and their members.
struct Ids {
    groups: Vec<String>,
    users: Vec<String>,
}

fn ids(stage: &Stage) -> Ids {
    let connection = database(stage);
    let mut statement = connection.prepare("SELECT id FROM known_groups ORDER BY id").unwrap();
    let groups: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let users: BTreeSet<String> = groups.iter().flat_map(|group| members(stage, group)).collect();
    Ids { groups, users: users.into_iter().collect() }
}

/// Makes something else known of the members of a group.
fn tamper(stage: &Stage, group: &str, change: impl FnOnce(&mut Vec<String>)) {
    let mut members = members(stage, group);
    change(&mut members);
    let update = "UPDATE known_groups SET members = ?1 WHERE id = ?2";
    assert_eq!(database(stage).execute(update, [members.join(" "), group.to_owned()]).unwrap(), 1);
}

fn members(stage: &Stage, group: &str) -> Vec<String> {
    let select = "SELECT members FROM known_groups WHERE id = ?1";
    let members: String = database(stage).query_row(select, [group], |row| row.get(0)).unwrap();
    members.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_reads_lists_alone_and_full_reads_all_again() {
    let stage =
        Stage::of(Shape::Generated { users: 60, groups: 6, members: 12, existing: 1.0, drift: 0.0, seed: 1 }).await;
    let (first, all) = plan(&stage, &[]).await;
    assert!(all >= 6, "{all}");
    assert_eq!(plan(&stage, &[]).await, (first.clone(), 0));
    assert_eq!(plan(&stage, &["--full"]).await, (first.clone(), all));
    let known: usize = database(&stage).query_row("SELECT count(*) FROM known_groups", [], |row| row.get(0)).unwrap();
    assert_eq!(known as u64, all);

    let Ids { groups, users } = ids(&stage);
    let org = stage.sandbox.org();
    org.add_member(&groups[0], users.iter().find(|user| !members(&stage, &groups[0]).contains(*user)).unwrap());
    let (_, one) = plan(&stage, &[]).await;
    assert_eq!(one, 1, "only the group that changed");
    let (_, again) = plan(&stage, &[]).await;
    assert_eq!(again, 1, "a change of this very moment may not be the last one");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_can_be_deleted_or_damaged_at_any_time() {
    let stage = company(2).await;
    let (first, all) = plan(&stage, &[]).await;
    for damage in
        ["DELETE FROM known_groups", "UPDATE known_groups SET read = 'soon'", "UPDATE known_groups SET updated = ''"]
    {
        database(&stage).execute(damage, []).unwrap();
        let (again, read) = plan(&stage, &[]).await;
        assert!(again == first, "{damage}");
        assert!(read > 0 && read <= all, "{damage}: {read}");
        plan(&stage, &["--full"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_read_of_everyone_begins_changes_nothing_that_it_finds() {
    let users = 6_100;
    let stage = Stage::of(Shape::Generated { users, groups: 2, members: 3, existing: 0.1, drift: 0.0, seed: 4 }).await;
    stage.reconfigure(APP, SCOPES[3]);
    let first = plan(&stage, &[]).await.0;
    let select = "SELECT value FROM kept WHERE name = 'beginnings'";
    let kept: String = database(&stage).query_row(select, [], |row| row.get(0)).unwrap();
    let beginnings: BTreeMap<String, Vec<String>> = serde_json::from_str(&kept).unwrap();
    assert_eq!(beginnings["status pr"].len(), 1, "31 pages, twenty to a chain: {kept}");
    let before = stage.sandbox.okta_traffic().count(USERS);
    assert!(plan(&stage, &[]).await.0 == first);
    let again = stage.sandbox.okta_traffic().count(USERS) - before;
    assert!((32..=35).contains(&again), "31 pages, the newest users, and what is read twice: {again}");
    for wrong in ["soon", "{\"status pr\": [\"soon\"]}", "{\"status pr\": [\"2999-01-01T00:00:00Z\"]}"] {
        database(&stage).execute("UPDATE kept SET value = ?1 WHERE name = 'beginnings'", [wrong]).unwrap();
        assert!(plan(&stage, &[]).await.0 == first, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_apply_writes_was_read_and_not_only_known() {
    for wrong in ["00unobody", ""] {
        let stage = company(3).await;
        stage.run(&["apply", "--yes"]).await;
        let before = (stage.sandbox.platform().users(), stage.sandbox.platform().projects());
        database(&stage).execute("UPDATE known_groups SET members = ?1", [wrong]).unwrap();
        let again = stage.run(&["apply", "--yes"]).await;
        assert!(again.stdout.contains("No changes: "), "{wrong:?}: {again:#?}");
        assert!(before == (stage.sandbox.platform().users(), stage.sandbox.platform().projects()), "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_out_of_scope_and_leavers_make_no_group_be_read_again() {
    let shape = Shape::Generated { users: 300, groups: 6, members: 90, existing: 1.0, drift: 0.0, seed: 1 };
    let stage = Stage::of(shape).await;
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    let users: Vec<String> = ids(&stage).users;
    for user in &users[..10] {
        stage.sandbox.org().set_status(user, "DEPROVISIONED");
    }
    for user in &users[10..20] {
        stage.sandbox.org().unassign("Activepieces", user);
    }
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    let inactive = stage.sandbox.platform().users().iter().filter(|user| !user.active).count();
    assert!(inactive >= 20, "{inactive}");
    let (filters, asked) = ("GET /api/v1/users", "GET /api/v1/users/{id}");
    let traffic = || [filters, asked].map(|route| stage.sandbox.okta_traffic().count(route));
    for arguments in [&["plan"][..], &["apply", "--yes"]] {
        let (before, read) = (traffic(), stage.sandbox.okta_traffic().count(MEMBERS));
        let run = stage.run(arguments).await;
        assert!(run.total().starts_with("No changes: "), "{run:#?}");
        assert_eq!(stage.sandbox.okta_traffic().count(MEMBERS), read, "{arguments:?}");
        let after = traffic();
        assert!((1..=3).contains(&(after[0] - before[0])), "{before:?} {after:?}");
        assert_eq!(after[1], before[1], "no user is asked for alone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_deleted_is_no_member_whatever_is_known() {
    let stage = of(Shape::Generated { users: 200, groups: 2, members: 120, existing: 1.0, drift: 0.0, seed: 2 }).await;
    // The accounts of leavers are inactive, so that nothing else would look for them.
    let org = stage.sandbox.org();
    let accounts = stage.sandbox.platform().users().into_iter().filter(|user| user.active);
    let twins: Vec<String> = accounts.filter_map(|user| user.external_id).take(10).collect();
    org.seed_group(None, "AP Twin", "OKTA_GROUP", &twins);
    org.seed_group(None, "AP Other Twin", "OKTA_GROUP", &twins);
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    org.set_status(&twins[0], "DEPROVISIONED");
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    org.delete_user(&twins[0]);
    let (known, _) = plan(&stage, &[]).await;
    assert!(known == plan(&stage, &["--full"]).await.0);
    assert!(known["projects"].as_array().unwrap().len() >= 2, "gone from both: {}", known["projects"]);

    let projects = stage.sandbox.platform().projects();
    let groups: Vec<String> = projects.into_iter().filter_map(|project| project.external_id).collect();
    let members: Vec<String> = groups.iter().map(|group| members(&stage, group)).max_by_key(Vec::len).unwrap();
    for user in &members[..80] {
        stage.sandbox.org().set_status(user, "DEPROVISIONED");
    }
    assert_eq!(stage.run(&["apply", "--yes", "--trust-source"]).await.code, 0);
    members[..80].iter().for_each(|user| stage.sandbox.org().delete_user(user));
    let (known, read) = plan(&stage, &[]).await;
    assert!(read < 4, "{read}");
    let (full, _) = plan(&stage, &["--full"]).await;
    assert!(known == full);
    assert!(full["shrunk"].to_string().contains("AP "), "the guard sees it: {}", full["shrunk"]);
}

/// The role of each account, by its address.
fn roles(stage: &Stage) -> Vec<(String, String)> {
    stage.sandbox.platform().users().into_iter().map(|user| (user.email, user.role)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_is_written_that_follows_from_what_was_only_known() {
    let stage = of(Shape::Generated { users: 60, groups: 3, members: 20, existing: 1.0, drift: 0.0, seed: 4 }).await;
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    let (org, before) = (stage.sandbox.org(), roles(&stage));
    let admins = org.group_id(ADMINS).unwrap();
    let plain = |count| {
        let others = stage.sandbox.platform().users().into_iter().filter(|user| user.active && user.role == "MEMBER");
        others.filter_map(|user| user.external_id).take(count).collect::<Vec<_>>()
    };
    // One user with another change, one who only seems to be an ADMIN, and so many that groups are read instead.
    org.set_profile(&plain(1)[0], "firstName", "Renamed".into());
    for count in [1, 2, 40] {
        tamper(&stage, &admins, |members| members.extend(plain(count)));
        let role = |op: &Value| op["changes"].to_string().contains("ADMIN");
        let known = plan(&stage, &[]).await.0["users"].as_array().unwrap().iter().filter(|op| role(op)).count();
        assert_eq!(known, 0, "a plan asks for their own groups too");
        let applied = stage.run(&["apply", "--yes"]).await;
        assert_eq!((applied.code, roles(&stage) == before), (0, true), "{applied:#?}");
    }
    assert!(stage.sandbox.platform().users().iter().any(|user| user.first_name == "Renamed"));
    // A new account.
    let new = SeedUser {
        id: None,
        status: "ACTIVE".to_owned(),
        profile: [("login", "new@example.com"), ("email", "new@example.com"), ("firstName", "New")]
            .map(|(name, text)| (name.to_owned(), text.into()))
            .into_iter()
            .collect(),
    };
    let new = org.seed_user(new);
    org.assign("Activepieces", &new);
    tamper(&stage, &admins, |members| members.push(new));
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    assert_eq!(stage.sandbox.platform().user("new@example.com").unwrap().role, "MEMBER");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_group_that_is_read_again_brings_to_light_is_read_too() {
    let stage = of(Shape::Generated { users: 60, groups: 0, members: 0, existing: 1.0, drift: 0.0, seed: 5 }).await;
    let people = stage.people();
    let org = stage.sandbox.org();
    let barred = org.seed_group(None, "AP Barred", "OKTA_GROUP", &people[..3]);
    let other = org.seed_group(None, "AP Other", "OKTA_GROUP", &people[3..6]);
    stage.reconfigure(
        &format!("isMemberOfGroupName('{ADMINS}') ? 'ADMIN'"),
        "isMemberOfGroupName('AP Barred') ? 'nothing'",
    );
    // Before they were barred, they were members.
    let text = std::fs::read_to_string(stage.folder().join("config.toml")).unwrap();
    stage.reconfigure("'AP Barred'", "'nobody'");
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    stage.configure(&text);
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 3, "who is barred is a problem");
    let before = stage.sandbox.platform().projects();
    // One user seems to be in both groups, and another in none. Once the first group is read, no user is barred who seems
    // to be in the other.
    tamper(&stage, &barred, |members| members[0].clone_from(&people[10]));
    tamper(&stage, &other, |members| members.push(people[10].clone()));
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 3);
    assert!(stage.sandbox.platform().projects() == before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_the_same_with_and_without_what_is_known_whatever_happens_meanwhile() {
    for (scope, seed) in SCOPES.into_iter().zip(1..) {
        let stage = company(seed).await;
        stage.reconfigure(APP, scope);
        plan(&stage, &[]).await;
        let mut ids = ids(&stage);
        ids.groups.extend(stage.sandbox.org().group_id(ADMINS));
        let mut random = fastrand::Rng::with_seed(seed);
        for round in 0..9 {
            for _ in 0..random.usize(0..4) {
                change(&stage, &ids, &mut random);
            }
            let known = stage.run(&["plan", "--json"]).await.stdout;
            let full = stage.run(&["plan", "--json", "--full"]).await.stdout;
            assert!(known == full, "{scope}, round {round}");
            database(&stage).execute("DELETE FROM known_groups", []).unwrap();
            assert!(known == stage.run(&["plan", "--json"]).await.stdout, "{scope}, round {round}: nothing is known");
            if round % 3 == 2 {
                stage.run(&["apply", "--yes", "--allow-deactivations", "60"]).await;
            }
        }
    }
}

/// Something happens in the org.
fn change(stage: &Stage, Ids { groups, users }: &Ids, random: &mut fastrand::Rng) {
    let (user, group) = (&users[random.usize(0..users.len())], &groups[random.usize(0..groups.len())]);
    let org = stage.sandbox.org();
    match random.u8(0..12) {
        0 => org.add_member(group, user),
        1 => org.remove_member(group, user),
        2 => org.set_status(user, "SUSPENDED"),
        3 => org.set_status(user, "DEPROVISIONED"),
        4 => org.set_status(user, "ACTIVE"),
        5 => org.set_profile(user, "firstName", format!("Name {}", random.u8(..)).into()),
        6 => org.unassign("Activepieces", user),
        7 => org.assign("Activepieces", user),
        8 => org.rename_group(group, &format!("AP Team {}", random.u8(..))),
        9 => {
            org.seed_group(None, &format!("AP New {}", random.u8(..)), "OKTA_GROUP", &users[..random.usize(..9)]);
        }
        10 => {
            // Made again under another id.
            org.rename_group(group, "Old");
            org.seed_group(None, &format!("AP Again {}", random.u8(..)), "OKTA_GROUP", &users[..9]);
        }
        _ => org.delete_user(user),
    }
}
