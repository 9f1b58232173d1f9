//! Invitations that wait on the platform, by the real binary.

use std::sync::Arc;
use std::time::Duration;

use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::okta::SeedUser;
use oktapieces_sandbox::serve::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::support::{Outcome, Stage};

const NOBODY: Shape = Shape::Generated { users: 0, groups: 0, members: 0, existing: 0.0, drift: 0.0, seed: 3 };
const NAMES: [&str; 3] = ["ada", "bob", "cy"];
const LIST: &str = "GET /api/v1/user-invitations";
const DELETE: &str = "DELETE /api/v1/user-invitations/{id}";

fn mail(name: &str) -> String {
    format!("{name}@example.com")
}

/// A company of three users with accounts, and what the config says of invitations.
async fn company(key: Option<&str>) -> (Stage, Vec<String>) {
    let stage = Stage::of(NOBODY).await;
    let org = stage.sandbox.org();
    let ids = NAMES.map(|name| {
        let profile = json!({"login": mail(name), "email": mail(name), "firstName": name, "lastName": "X"});
        let Value::Object(profile) = profile else { panic!("an object") };
        let id = org.seed_user(SeedUser { id: None, status: "ACTIVE".to_owned(), profile });
        org.assign("Activepieces", &id);
        id
    });
    org.seed_group(None, "AP Sales", "OKTA_GROUP", &ids[..1]);
    stage.reconfigure("platformRole = ", "platformRole = '\"MEMBER\"' # ");
    if let Some(key) = key {
        stage.reconfigure("[safety]", &format!("[safety]\ninvitations = \"{key}\""));
    }
    applies(&stage, 0).await;
    (stage, ids.into())
}

async fn applies(stage: &Stage, code: i32) -> Outcome {
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!(applied.code, code, "{applied:#?}");
    applied
}

fn list(plan: &Value, key: &str) -> Vec<Value> {
    plan[key].as_array().cloned().unwrap_or_default()
}

/// The addresses of the invitations that wait, each with the role.
fn waiting(stage: &Stage) -> Vec<String> {
    let all = stage.sandbox.platform().waiting_invitations();
    all.into_iter().map(|row| format!("{} {}", row.email.replace("@example.com", ""), row.role)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn invitations_are_not_read_unless_the_config_asks_for_them() {
    let (stage, _) = company(None).await;
    stage.sandbox.platform().leave_invitation(&mail("ada"), "ADMIN");
    let plan = stage.run(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(plan.code, 0, "{plan:#?}");
    let traffic = stage.sandbox.activepieces_traffic();
    assert_eq!((traffic.count(LIST), traffic.count("GET /api/v1/project-roles")), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_named_by_role_and_a_new_admin_is_seen_and_it_can_be_accepted() {
    let (stage, _) = company(Some("report")).await;
    let platform = stage.sandbox.platform();
    platform.leave_invitation(&mail("ada"), "ADMIN");
    platform.leave_invitation(&mail("cy"), "MEMBER");
    platform.leave_invitation(&mail("stranger"), "ADMIN");
    let sales = platform.projects()[0].id.clone();
    platform.leave_project_invitation(&mail("bob"), &sales, "Viewer");
    let traffic = stage.sandbox.activepieces_traffic();
    let before = traffic.count(LIST);
    let run = stage.run(&["plan", "--json"]).await;
    assert_eq!(run.code, 3, "{run:#?}");
    assert_eq!(traffic.count(LIST) - before, 2, "one for each type");
    let plan = run.json();
    let problems = list(&plan, "problems");
    let named: Vec<_> = problems.iter().map(|problem| (problem["kind"].clone(), problem["subject"].clone())).collect();
    let kind = json!("waiting_invitation");
    assert_eq!(named, [(kind.clone(), json!(mail("ada"))), (kind, json!(mail("bob")))]);
    let message = |at: usize| problems[at]["message"].as_str().unwrap();
    assert!(message(0).contains("as platform ADMIN waits") && message(0).contains("Okta gives MEMBER"), "{problems:?}");
    assert!(message(1).contains("as Viewer of the project Sales waits"), "{problems:?}");
    assert!(message(1).contains("isn't in group AP Sales"), "{problems:?}");
    assert_eq!(plan["waiting_admins"], json!([mail("ada")]));
    assert_eq!(list(&plan, "invitations"), Vec::<Value>::new());
    let text = stage.run(&["plan"]).await.stdout;
    assert!(
        text.contains("New ADMINs") && text.contains("becomes ADMIN later: an accepted invitation waits"),
        "{text}"
    );
    assert!(text.contains("cy@example.com: an accepted invitation as platform MEMBER waits, as Okta has it"), "{text}");
    applies(&stage, 3).await;
    assert_eq!(waiting(&stage), ["ada ADMIN", "cy MEMBER", "stranger ADMIN", "bob Viewer"]);
    for name in ["ada", "bob"] {
        let accepted = stage.run(&["accept", "waiting_invitation", &mail(name), "--why", "known"]).await;
        assert_eq!(accepted.code, 0, "{accepted:#?}");
    }
    applies(&stage, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_okta_contradicts_are_deleted_and_seen_everywhere() {
    let (stage, ids) = company(Some("revoke")).await;
    let platform = stage.sandbox.platform();
    platform.leave_invitation(&mail("ada"), "ADMIN");
    platform.leave_invitation(&mail("bob"), "MEMBER");
    platform.leave_invitation(&mail("cy"), "MEMBER");
    platform.leave_invitation(&mail("stranger"), "ADMIN");
    stage.sandbox.org().set_status(&ids[1], "SUSPENDED");
    let plan = stage.plan().await;
    let reasons: Vec<_> = list(&plan, "invitations").iter().map(|op| op["reason"].clone()).collect();
    assert_eq!(reasons, [json!("Okta gives MEMBER"), json!("suspended in Okta")]);
    assert_eq!(plan["totals"]["invitations_revoke"], 2);
    assert_eq!(plan["invitations"][0]["grant"], json!({"to": "platform", "role": "ADMIN"}));
    let csv = stage.run(&["plan", "--csv"]).await.stdout;
    let row = r#""invitation","revoke","ada@example.com","","invitation","platform ADMIN","","Okta gives MEMBER""#;
    assert!(csv.contains(row), "{csv}");
    let text = stage.run(&["plan"]).await.stdout;
    let row = text.lines().find(|line| line.contains("- revoke  ada@example.com")).unwrap_or_default();
    assert!(row.contains("as platform ADMIN") && row.ends_with("Okta gives MEMBER"), "{text}");
    assert!(text.contains("invitations 2 to revoke"), "{text}");
    let applied = applies(&stage, 0).await;
    assert!(applied.stdout.contains("of 3 operations"), "{applied:#?}");
    assert_eq!(waiting(&stage), ["cy MEMBER", "stranger ADMIN"]);
    platform.sign_in(&mail("ada"));
    assert_eq!(platform.user(&mail("ada")).unwrap().role, "MEMBER");
    let shown = stage.run(&["show", "5", "--json"]).await.json();
    assert_eq!(shown["invitations"][0]["result"]["outcome"], "done");
    let undone = stage.run(&["undo", "5", "--dry-run"]).await;
    assert!(undone.stdout.contains("the invitation as platform ADMIN stays deleted"), "{undone:#?}");
    let settled = stage.run(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(settled.code, 0, "{settled:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_goes_or_comes_meanwhile_is_no_failure_and_is_seen_by_the_next_run() {
    let (stage, _) = company(Some("revoke")).await;
    let platform = Arc::clone(stage.sandbox.platform());
    platform.leave_invitation(&mail("ada"), "ADMIN");
    let meanwhile = Arc::clone(&platform);
    // The plan lists both types, and the look before the first deletion is the third request.
    stage.sandbox.activepieces_traffic().before(Some("GET"), "/api/v1/user-invitations", 2, move |_, _| {
        meanwhile.leave_invitation(&mail("ada"), "OPERATOR");
    });
    // What is read after the run isn't what was deleted.
    applies(&stage, 0).await;
    assert_eq!(waiting(&stage), ["ada OPERATOR"]);
    assert_eq!(stage.sandbox.activepieces_traffic().count(DELETE), 0);
    applies(&stage, 0).await;
    assert_eq!(waiting(&stage), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_and_a_killed_run_are_made_good() {
    let (stage, _) = company(Some("revoke")).await;
    let traffic = stage.sandbox.activepieces_traffic();
    let fault = |kind| Fault {
        method: Some("DELETE".to_owned()),
        path: "/api/v1/user-invitations/".to_owned(),
        kind,
        after: 0,
        times: 1,
    };
    stage.sandbox.platform().leave_invitation(&mail("ada"), "ADMIN");
    traffic.fault(fault(FaultKind::CutAfter));
    applies(&stage, 0).await;
    assert_eq!(waiting(&stage), Vec::<String>::new());
    assert_eq!(traffic.count(DELETE), 2, "404 says that it is done");
    for name in ["ada", "bob"] {
        stage.sandbox.platform().leave_invitation(&mail(name), "ADMIN");
    }
    let befallen = traffic.befallen();
    traffic.fault(fault(FaultKind::HangAfter(Duration::from_mins(10))));
    let mut child = stage.spawn(&["apply", "--yes", "--parallelism", "1"]);
    while traffic.befallen() == befallen {
        assert!(child.try_wait().unwrap().is_none(), "the run ended first");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    child.kill().await.unwrap();
    traffic.mend();
    assert_eq!(waiting(&stage), ["bob ADMIN"]);
    let next = applies(&stage, 0).await;
    assert!(next.stderr.contains("was cut short with 0 of 2 operations done, 1 failed or under way"), "{next:#?}");
    assert_eq!(waiting(&stage), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_and_a_snapshot_hold_them() {
    let (stage, _) = company(Some("revoke")).await;
    stage.sandbox.platform().leave_invitation(&mail("ada"), "ADMIN");
    let sales = stage.sandbox.platform().projects()[0].id.clone();
    stage.sandbox.platform().leave_project_invitation(&mail("cy"), &sales, "Viewer");
    for flags in [&["--redact"][..], &[]] {
        let exported = stage.run(&[&["export", "snapshot.json"], flags].concat()).await;
        assert_eq!(exported.code, 0, "{exported:#?}");
        let from = stage.run(&["plan", "--from", "snapshot.json", "--json"]).await.json();
        assert_eq!(list(&from, "invitations").len(), 2, "{from:#}");
    }
    let kept = stage.run(&["plan", "--out", "plan.json"]).await;
    assert_eq!(kept.code, 0, "{kept:#?}");
    stage.sandbox.platform().leave_invitation(&mail("bob"), "ADMIN");
    let applied = stage.run(&["apply", "plan.json"]).await;
    assert_eq!(applied.code, 0, "{applied:#?}");
    assert_eq!(waiting(&stage), ["bob ADMIN"], "exactly those of the plan");
}
