//! Undone runs, by the real binary.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::{BTreeMap, BTreeSet};

use oktapieces_sandbox::Options;
use oktapieces_sandbox::activepieces::Generation;
use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::okta::SeedUser;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::state::{COMPANY, database, history};
use crate::support::{Stage, run};

/// A project's name and the ids of its members.
type NamedMembers = (String, BTreeSet<String>);

/// What an undo answers for: each account by its address, and each project by its id.
fn standing(stage: &Stage) -> (BTreeMap<String, [String; 4]>, BTreeMap<String, NamedMembers>) {
    let platform = stage.sandbox.platform();
    let users = platform.users().into_iter();
    let users = users.map(|user| (user.email, [user.first_name, user.last_name, user.role, user.active.to_string()]));
    let projects = platform.projects().into_iter();
    let projects = projects.map(|project| (project.id, (project.name, project.members.into_keys().collect())));
    (users.collect(), projects.collect())
}

/// Gives all users that a run deactivated their access in Okta back, also those who were deleted there.
fn welcome_back(stage: &Stage, made: &Value) {
    let org = stage.sandbox.org();
    for op in made["plan"]["users"].as_array().unwrap().iter().filter(|op| op["action"] == "deactivate") {
        let (id, mail) = (op["okta_id"].as_str().unwrap(), op["user_name"].as_str().unwrap());
        if org.users().iter().all(|user| user.id != id) {
            let profile = json!({"login": mail, "email": mail, "firstName": "Back", "lastName": "Again"});
            let Value::Object(profile) = profile else { panic!("an object") };
            org.seed_user(SeedUser { id: Some(id.to_owned()), status: "ACTIVE".to_owned(), profile });
        }
        org.set_status(id, "ACTIVE");
        org.assign("Activepieces", id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_brings_back_what_was_and_an_undo_of_that_what_the_run_made() {
    let of = async |generation| {
        Stage::with(Options { company: COMPANY, generation, embedded: 3, ..Options::default() }).await
    };
    for (stage, limit) in [
        (of(Generation::Current).await, "\"100%\""),
        (of(Generation::A).await, "\"100%\""),
        (of(Generation::HidesEmbedded).await, "\"100%\""),
        (Stage::seeded().await, "\"50%\""),
    ] {
        let before = standing(&stage);
        stage.run(&["apply", "--yes"]).await;
        let applied = standing(&stage);
        let made = stage.run(&["show", "1", "--json"]).await.json();
        welcome_back(&stage, &made);
        let totals = |name: &str| made["plan"]["totals"][name].as_u64().unwrap();
        let creations = totals("create");
        let deactivations = (creations + totals("reactivate")).to_string();
        stage.reconfigure(&format!("max_deactivations = {limit}"), "max_deactivations = 1");
        let refused = stage.run(&["undo", "1", "--yes"]).await;
        assert_eq!(refused.code, 5, "guarded like any plan: {refused:#?}");
        assert!(refused.stderr.contains(&format!("--allow-deactivations {deactivations}")), "{refused:#?}");
        let look = ["undo", "1", "--dry-run", "--json", "--allow-deactivations", &deactivations];
        let plan = stage.run(&look).await.json();
        assert!(plan["users"].as_array().unwrap().iter().all(|op| op["reason"]["undo"] == 1), "{plan}");
        assert_eq!(plan["totals"]["deactivate"].to_string(), deactivations);
        assert_eq!(standing(&stage), applied, "neither of them wrote");
        let undone = stage.run(&["undo", "1", "--yes", "--allow-deactivations", &deactivations]).await;
        // An account isn't linked back to a user who has no access today.
        let problems: Vec<&str> =
            plan["problems"].as_array().unwrap().iter().map(|problem| problem["message"].as_str().unwrap()).collect();
        assert!(problems.iter().all(|problem| problem.contains("stays linked to")), "{problems:?}");
        // A problem leaves nothing undone that was planned.
        let (code, outcome) = (if problems.is_empty() { 0 } else { 3 }, "done");
        assert_eq!(undone.code, code, "{undone:#?}");
        assert!(
            undone.stdout.contains("undo of run 1") && undone.stdout.contains("accounts can't be deleted"),
            "{undone:#?}"
        );
        let restored = standing(&stage);
        let (new, old): (Vec<_>, Vec<_>) = restored.0.into_iter().partition(|(mail, _)| !before.0.contains_key(mail));
        assert_eq!(old.into_iter().collect::<BTreeMap<_, _>>(), before.0);
        assert_eq!(new.len() as u64, creations);
        assert!(new.iter().all(|(_, user)| user[3] == "false"), "{new:?}");
        let (new, old): (Vec<_>, Vec<_>) = restored.1.into_iter().partition(|(id, _)| !before.1.contains_key(id));
        assert_eq!(old.into_iter().collect::<BTreeMap<_, _>>(), before.1);
        assert!(new.iter().all(|(_, (_, members))| members.is_empty()), "{new:?}");
        let runs = history(&stage).await;
        assert_eq!((&runs[0]["command"], &runs[0]["outcome"]), (&"undo 1".into(), &outcome.into()));
        assert!(stage.run(&["undo", "1", "--yes"]).await.total().starts_with("No changes: "), "once is enough");
        let deactivations = totals("deactivate").to_string();
        let redo = ["undo", &runs[0]["id"].to_string(), "--yes", "--allow-deactivations", &deactivations];
        let redone = stage.run(&redo).await;
        assert_eq!(redone.code, 0, "{redone:#?}");
        assert_eq!(standing(&stage), applied, "the undo of the undo");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_of_a_killed_run_takes_back_what_it_did_and_no_later_runs_work() {
    let stage = Stage::of(COMPANY).await;
    let before = standing(&stage);
    stage.killed(&["apply", "--yes"], ("POST", "/Users"), 4).await;
    let undone = stage.run(&["undo", "1", "--yes"]).await;
    assert_eq!(undone.code, 0, "{undone:#?}");
    let (users, projects) = standing(&stage);
    assert!(before.0.iter().all(|(mail, user)| users[mail] == *user));
    assert!(users.iter().all(|(mail, user)| before.0.contains_key(mail) || user[3] == "false"));
    assert!(before.1.iter().all(|(id, project)| projects[id] == *project));
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    let applied = standing(&stage);
    let late = stage.run(&["undo", "1", "--yes", "--json"]).await;
    assert_eq!(late.json()["done"], late.json()["operations"], "{late:#?}");
    let blurred = late.json()["plan"]["problems"].as_array().unwrap().len();
    let kept = Connection::open(database(&stage)).unwrap();
    let begun: usize = kept
        .query_row("SELECT count(*) FROM operations WHERE run = 1 AND outcome = 'begun'", [], |row| row.get(0))
        .unwrap();
    assert!(begun == 1 && blurred <= begun, "only of what was under way it can't be told whose work it is: {late:#?}");
    assert_ne!(standing(&stage), applied, "what run 1 did and run 3 did not touch again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_a_run_is_named_and_left_alone() {
    let stage = Stage::of(COMPANY).await;
    stage.run(&["apply", "--yes"]).await;
    let plan = stage.run(&["show", "1", "--json"]).await.json();
    let renamed = plan["plan"]["users"].as_array().unwrap().iter().find(|op| {
        op["action"] == "update"
            && op["changes"].as_array().unwrap().iter().any(|change| change["attribute"] == "givenName")
    });
    let (name, id) = (renamed.unwrap()["user_name"].as_str().unwrap(), renamed.unwrap()["okta_id"].as_str().unwrap());
    stage.sandbox.org().set_profile(id, "firstName", "Later".into());
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    let undone = stage.run(&["undo", "1", "--yes"]).await;
    assert_eq!(undone.code, 3, "{undone:#?}");
    assert!(undone.stdout.contains("givenName is \"Later\" now, which isn't as run 1 left it"), "{undone:#?}");
    assert_eq!(stage.sandbox.platform().user(name).unwrap().first_name, "Later");
    assert_eq!(stage.run(&["undo", "9", "--yes"]).await.code, 64);
    stage.run(&["plan"]).await;
    let empty = stage.run(&["undo", "5", "--yes"]).await;
    assert!(empty.code == 64 && empty.stderr.contains("wrote nothing"), "{empty:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_an_inactive_member_becomes_one_again() {
    let company = Shape::Generated { users: 30, groups: 1, members: 10, existing: 1.0, drift: 0.0, seed: 6 };
    let stage = Stage::of(company).await;
    let (org, platform) = (stage.sandbox.org(), stage.sandbox.platform());
    let (group, project) = (org.group_id("AP Team 001").unwrap(), platform.projects().remove(0));
    let account = project.members.keys().next().unwrap();
    let user = platform.users().into_iter().find(|user| user.id == *account).unwrap();
    let okta_id = user.external_id.unwrap();
    org.set_status(&okta_id, "SUSPENDED");
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    org.set_status(&okta_id, "ACTIVE");
    org.remove_member(&group, &okta_id);
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    let stands = || {
        let member = platform.projects().remove(0).members.contains_key(account);
        (platform.user(&user.email).unwrap().active, member)
    };
    assert_eq!(stands(), (true, false));
    let undone = stage.run(&["undo", "2", "--yes"]).await;
    // A server passes inactive users over when members are added, so that the deactivation has to wait.
    assert_eq!((undone.code, stands()), (0, (false, true)), "{undone:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_asks_okta_who_has_access_today() {
    let stage = Stage::of(COMPANY).await;
    stage.run(&["apply", "--yes"]).await;
    let left: Vec<String> = {
        let made = stage.run(&["show", "1", "--json"]).await.json();
        let ops = made["plan"]["users"].as_array().unwrap().clone();
        let left = ops.into_iter().filter(|op| op["action"] == "deactivate");
        left.map(|op| op["user_name"].as_str().unwrap().to_owned()).collect()
    };
    assert!(!left.is_empty());
    let undone = stage.run(&["undo", "1", "--yes", "--allow-deactivations", "1000"]).await;
    assert_eq!(undone.code, 3, "{undone:#?}");
    for name in &left {
        assert!(!stage.sandbox.platform().user(name).unwrap().active, "{name} has no access in Okta");
        assert!(
            undone.stdout.lines().any(|line| line.contains(name) && line.contains("stays inactive")),
            "{undone:#?}"
        );
    }
    let key = [("ACTIVEPIECES_API_KEY", stage.sandbox.api_key())];
    let blind = run(stage.folder(), &key, &["undo", "1", "--yes"]).await;
    assert!(blind.code == 78 && blind.stderr.contains("OKTA_API_TOKEN"), "{blind:#?}");
}
