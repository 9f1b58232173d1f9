//! `drift`, and the mark in a plan: what an admin changed on the platform is told from what changed in Okta.

#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use oktapieces_sandbox::activepieces::SeedUser;
use oktapieces_sandbox::company::Shape;
use serde_json::{Value, json};

use crate::support::{Stage, operations};

/// The small company after an apply, without the accounts and groups that stay problems.
async fn in_line() -> Stage {
    let company = Shape::Generated { users: 30, groups: 2, members: 8, existing: 1.0, drift: 0.0, seed: 7 };
    let stage = Stage::of(company).await;
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!(applied.code, 0, "{applied:#?}");
    stage
}

async fn drift(stage: &Stage) -> (i32, Value) {
    let drift = stage.run(&["drift", "--json"]).await;
    (drift.code, drift.json())
}

/// Users of the org with an active account that is MEMBER.
fn members(stage: &Stage) -> Vec<(String, String, String)> {
    let users = stage.sandbox.platform().users().into_iter();
    let linked = users.filter(|user| user.active && user.role == "MEMBER" && user.external_id.is_some());
    linked.map(|user| (user.external_id.unwrap(), user.id, user.email)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_drift_before_a_run_and_right_after_an_apply() {
    let stage = Stage::seeded().await;
    let (code, first) = drift(&stage).await;
    assert_eq!((code, &first["since_run"]), (0, &Value::Null), "{first}");
    assert_eq!(first["users"], json!([]), "{first}");
    stage.run(&["apply", "--yes"]).await;
    let after = stage.run(&["drift"]).await;
    assert_eq!(after.code, 0, "{after:#?}");
    assert!(after.stdout.ends_with("No drift: nothing was changed in Activepieces since run 2.\n"), "{after:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_admin_changed_is_told_from_what_changed_in_okta() {
    let stage = in_line().await;
    let people = members(&stage);
    let [raised, closed, renamed, both, ..] = &people[..] else { panic!("{people:?}") };
    let (org, platform) = (stage.sandbox.org(), stage.sandbox.platform());
    platform.set_role(&raised.1, "ADMIN");
    platform.set_active(&closed.1, false);
    org.set_profile(&renamed.0, "firstName", "Anders".into());
    org.set_profile(&both.0, "okta_role", "op".into());
    platform.set_role(&both.1, "ADMIN");
    let plan = stage.plan().await;
    assert_eq!(operations(&plan), 4, "{plan}");
    let mut changed = [raised.0.clone(), closed.0.clone()];
    changed.sort();
    assert_eq!(plan["drift"]["users"], json!(changed), "{plan}");
    let text = stage.run(&["plan"]).await.stdout;
    let marked: Vec<&str> = text.lines().filter(|line| line.contains("changed on the platform since run")).collect();
    assert!(marked.len() == 2 && marked.iter().any(|line| line.contains(&raised.2)), "{text}");
    let (code, found) = drift(&stage).await;
    assert_eq!((code, found["users"].as_array().unwrap().len()), (2, 2), "{found}");
    let told = stage.run(&["drift"]).await;
    assert!(told.stdout.contains("role is ADMIN; MEMBER by Okta"), "{told:#?}");
    assert!(told.stdout.contains("was deactivated; has access in Okta"), "{told:#?}");
    // It stays drift until an apply, however often it is looked at.
    assert_eq!(drift(&stage).await.0, 2);
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    assert_eq!(drift(&stage).await.0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_and_names_of_projects_that_an_admin_changed_are_drift() {
    let stage = in_line().await;
    let (org, platform) = (stage.sandbox.org(), stage.sandbox.platform());
    let project = platform.projects().into_iter().find(|project| project.external_id.is_some()).unwrap();
    let group = project.external_id.clone().unwrap();
    let outside = members(&stage).into_iter().find(|(_, account, _)| !project.members.contains_key(account));
    let (_, account, address) = outside.unwrap();
    platform.set_project_role(&project.id, &account, "Editor");
    platform.rename_project(&project.id, "By hand");
    let users = platform.users().into_iter();
    let left = users.filter(|user| project.members.contains_key(&user.id)).find_map(|user| user.external_id);
    org.remove_member(&group, &left.unwrap());
    let (code, found) = drift(&stage).await;
    assert_eq!(code, 2, "{found}");
    let of_project = &found["drift"]["projects"][&group];
    assert_eq!(of_project["renamed"], true, "{found}");
    assert_eq!(of_project["members"].as_array().map(Vec::len), Some(1), "{found}");
    let told = stage.run(&["drift"]).await.stdout;
    assert!(told.contains(&format!("renamed, {address} added")), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_whom_okta_does_not_know_is_named_in_every_plan() {
    let stage = in_line().await;
    let [email, first_name, last_name, role] = ["zita@elsewhere.example", "Zita", "Zeller", "ADMIN"].map(str::to_owned);
    let zita = SeedUser { email, first_name, last_name, external_id: None, role, active: true };
    let local = stage.sandbox.platform().seed_user(zita);
    let plan = stage.run(&["plan"]).await;
    assert!(plan.stdout.contains("zita@elsewhere.example is ADMIN here and no user of Okta's"), "{plan:#?}");
    assert_eq!(plan.code, 0, "{plan:#?}");
    stage.sandbox.platform().set_role(&local, "MEMBER");
    assert!(!stage.run(&["plan"]).await.stdout.contains("zita@"));
    stage.sandbox.platform().set_role(&local, "ADMIN");
    let (code, found) = drift(&stage).await;
    assert_eq!((code, &found["drift"]["new_unknown_admins"]), (2, &json!(["zita@elsewhere.example"])), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_undo_changed_is_no_drift() {
    let stage = in_line().await;
    let (id, ..) = members(&stage).remove(0);
    stage.sandbox.org().set_profile(&id, "firstName", "Anders".into());
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    assert_eq!(stage.run(&["undo", "2", "--yes"]).await.code, 0);
    let plan = stage.plan().await;
    assert_eq!((operations(&plan), &plan["drift"]), (1, &Value::Null), "{plan}");
}
