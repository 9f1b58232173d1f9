//! Groups whose memberships haven't changed aren't read again, and that changes nothing but the number of requests.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::BTreeSet;

use oktapieces::sandbox::company::Shape;
use serde_json::Value;

use crate::support::Stage;

const MEMBERS: &str = "GET /api/v1/groups/{id}/users";

async fn company(seed: u64) -> Stage {
    let shape = Shape::Generated { users: 60, groups: 6, members: 12, existing: 0.7, drift: 0.3, seed };
    let stage = Stage::of(shape).await;
    stage.reconfigure("platformRole = ", "platformRole = \"isMemberOfGroupName('none') ? 'ADMIN' : 'MEMBER'\" # ");
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

fn members(stage: &Stage, group: &str) -> Vec<String> {
    let select = "SELECT members FROM known_groups WHERE id = ?1";
    let members: String = database(stage).query_row(select, [group], |row| row.get(0)).unwrap();
    members.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_reads_lists_alone_and_full_reads_all_again() {
    let stage =
        Stage::of(Shape::Generated { users: 60, groups: 6, members: 12, existing: 1.0, drift: 0.0, seed: 1 }).await;
    // Where only some are in scope, groups with the accounts of others are read again: they may have been deleted.
    stage.reconfigure("app = \"Activepieces\"", "everyone = true");
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
async fn a_plan_is_the_same_with_and_without_what_is_known_whatever_happens_meanwhile() {
    for seed in 1..=4 {
        let stage = company(seed).await;
        plan(&stage, &[]).await;
        let ids = ids(&stage);
        let mut random = fastrand::Rng::with_seed(seed);
        for round in 0..8 {
            for _ in 0..random.usize(0..4) {
                change(&stage, &ids, &mut random);
            }
            let (known, few) = plan(&stage, &[]).await;
            let (full, all) = plan(&stage, &["--full"]).await;
            assert!(known == full, "seed {seed}, round {round}");
            assert!(few <= all + 6, "{few} {all}");
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
    match random.u8(0..6) {
        0 => org.add_member(group, user),
        1 => org.remove_member(group, user),
        2 => org.set_status(user, "SUSPENDED"),
        3 => org.set_status(user, "DEPROVISIONED"),
        4 => org.set_status(user, "ACTIVE"),
        _ => org.delete_user(user),
    }
}
