//! The life cycle of accounts and projects, by the real binary.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use oktapieces_sandbox::Options;
use oktapieces_sandbox::activepieces::{Contents, Generation, Smtp, UserSnapshot};
use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::okta::SeedUser;
use oktapieces_sandbox::serve::{Fault, FaultKind};
use serde_json::Value;

use crate::support::{Outcome, Stage};

const APP: &str = "Activepieces";

/// Every user has an account, and no account needs a change.
const IN_LINE: Shape = Shape::Generated { users: 30, groups: 2, members: 12, existing: 1.0, drift: 0.0, seed: 5 };

/// In line by a first apply, with these keys under `[lifecycle]`.
async fn synced(lifecycle: &str) -> Stage {
    let stage = Stage::with(Options { company: IN_LINE, rate_limit: Some(100_000), ..Options::default() }).await;
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    stage.reconfigure("[safety]", &format!("[lifecycle]\n{lifecycle}\n[safety]"));
    stage
}

/// The Okta ids of the users with an active account who aren't ADMIN, sorted.
fn people(stage: &Stage) -> Vec<String> {
    let users = stage.sandbox.platform().users().into_iter();
    let mut people: Vec<String> =
        users.filter(|user| user.active && user.role == "MEMBER").filter_map(|user| user.external_id).collect();
    people.sort();
    people
}

fn is_active(stage: &Stage, user: &str) -> bool {
    let users = stage.sandbox.platform().users();
    users.iter().any(|account| account.active && account.external_id.as_deref() == Some(user))
}

async fn apply(stage: &Stage) -> Outcome {
    stage.run(&["apply", "--yes"]).await
}

/// The texts of a list of the plan.
fn texts(plan: &Value, list: &str) -> String {
    plan[list].to_string()
}

/// What `explain` says that the next apply does for the user.
async fn explained(stage: &Stage, user: &str) -> Value {
    let told = stage.run(&["explain", "--json", user]).await;
    assert_eq!(told.code, 0, "{told:#?}");
    told.json()["next_apply"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_status_closes_accounts_where_the_config_says_so_and_the_user_comes_back() {
    let statuses = ["STAGED", "PROVISIONED", "RECOVERY", "PASSWORD_EXPIRED", "LOCKED_OUT"];
    let keys = ["staged", "provisioned", "recovery", "password_expired", "locked_out"];
    let closing: Vec<String> = keys.iter().map(|key| format!("{key} = \"deactivate\"")).collect();
    let stage = synced("").await;
    let users = people(&stage);
    for (user, status) in users.iter().zip(statuses) {
        stage.sandbox.org().set_status(user, status);
    }
    let kept = apply(&stage).await;
    assert!(kept.code == 0 && users.iter().all(|user| is_active(&stage, user)), "{kept:#?}");
    stage.reconfigure("[lifecycle]\n", &format!("[lifecycle]\n{}\n", closing.join("\n")));
    let plan = stage.run(&["plan", "--csv"]).await;
    for told in ["staged in Okta", "not yet activated in Okta", "in recovery in Okta", "locked out in Okta"] {
        assert!(plan.stdout.contains(told), "{plan:#?}");
    }
    let closed = apply(&stage).await;
    assert_eq!((closed.code, users.iter().filter(|user| !is_active(&stage, user)).count()), (0, 5), "{closed:#?}");
    for user in &users[..5] {
        stage.sandbox.org().set_status(user, "ACTIVE");
    }
    let back = apply(&stage).await;
    assert!(back.code == 0 && users.iter().all(|user| is_active(&stage, user)), "{back:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grace_is_that_of_the_reason_and_goes_by_oktas_clock() {
    let stage =
        synced("locked_out = \"deactivate\"\ngrace = { locked_out = \"1d\", suspended = \"7d\", unassigned = \"2d\" }")
            .await;
    let users = people(&stage);
    let (locked, suspended, unassigned) = (&users[0], &users[1], &users[2]);
    stage.sandbox.org().set_status(locked, "LOCKED_OUT");
    stage.sandbox.org().set_status(suspended, "SUSPENDED");
    stage.sandbox.org().unassign(APP, unassigned);
    let standing = |stage: &Stage| [locked, suspended, unassigned].map(|user| is_active(stage, user));
    for (hours, expected) in
        [(0, [true; 3]), (23, [true; 3]), (2, [false, true, true]), (24, [false, true, false]), (7 * 24, [false; 3])]
    {
        stage.sandbox.org().shift_clock(hours * 3600);
        let plan = stage.plan().await;
        let applied = apply(&stage).await;
        assert_eq!((applied.code, standing(&stage)), (0, expected), "after {hours} h more: {applied:#?}");
        if expected[0] {
            assert!(texts(&plan, "held").contains("\"leave\":\"locked_out\""), "{plan}");
            assert!(applied.stdout.contains("locked out in Okta, first seen"), "{applied:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_reason_of_a_grace_is_shown_in_the_config() {
    let stage = synced("grace = { fired = \"1d\", suspended = 7 }").await;
    let refused = stage.run(&["plan"]).await;
    assert_eq!(refused.code, 78, "{refused:#?}");
    assert!(
        refused.stderr.contains("`fired` is not a reason") && refused.stderr.contains("locked_out"),
        "{refused:#?}"
    );
}

/// The project of the group that has this id, as name and members.
fn project_of(stage: &Stage, group: &str) -> (String, usize) {
    let projects = stage.sandbox.platform().projects();
    let found = projects.into_iter().find(|project| project.external_id.as_deref() == Some(group)).unwrap();
    (found.name, found.members.len())
}

/// How many members of that project have an active account.
fn active_members(stage: &Stage, group: &str) -> usize {
    let platform = stage.sandbox.platform();
    let active: Vec<String> = platform.users().into_iter().filter(|user| user.active).map(|user| user.id).collect();
    let project =
        platform.projects().into_iter().find(|project| project.external_id.as_deref() == Some(group)).unwrap();
    project.members.keys().filter(|id| active.contains(id)).count()
}

/// The newest run that did as many operations or more.
async fn last_with(stage: &Stage, done: u64) -> String {
    let runs = crate::state::history(stage).await;
    runs.iter().find(|run| run["done"].as_u64() >= Some(done)).unwrap()["id"].to_string()
}

async fn archiving() -> Stage {
    let stage = synced("").await;
    stage.reconfigure("[safety]", "[projects_policy]\narchive = true\ndelete_unpushed = true\n[safety]");
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn the_project_of_a_deleted_group_is_archived_once_and_an_undo_brings_it_back() {
    let stage = archiving().await;
    let org = stage.sandbox.org();
    let group = org.group_id("AP Team 001").unwrap();
    let (before, with_access) = (project_of(&stage, &group), active_members(&stage, &group));
    org.delete_group(&group);
    let shown = stage.run(&["plan"]).await;
    assert!(shown.stdout.contains("- archive") && shown.stdout.contains("all in it stays"), "{shown:#?}");
    assert!(shown.total().contains("projects 1 to archive"), "{shown:#?}");
    let csv = stage.run(&["plan", "--csv"]).await;
    let name = format!("Archived: {}", before.0);
    assert!(
        csv.stdout.contains(&format!("\"archive\",\"\",\"{name}\",\"displayName\",\"{}\",\"{name}\"", before.0)),
        "{csv:#?}"
    );
    let plan = stage.plan().await;
    assert_eq!(plan["totals"]["projects_archive"], 1);
    let hash = plan["hash"].as_str().unwrap();
    let applied = stage.run(&["apply", "--yes", "--approve", hash]).await;
    assert_eq!((applied.code, project_of(&stage, &group)), (0, (name.clone(), 0)), "{applied:#?}");
    let again = apply(&stage).await;
    assert!(again.code == 0 && again.total().starts_with("No changes"), "{again:#?}");
    let undone = stage.run(&["undo", &last_with(&stage, 1).await, "--yes"]).await;
    assert_eq!(project_of(&stage, &group), (before.0, with_access), "{undone:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_made_again_gets_its_archived_project_with_name_and_members() {
    let stage = archiving().await;
    let org = stage.sandbox.org();
    let group = org.group_id("AP Team 001").unwrap();
    let (before, with_access) = (project_of(&stage, &group), active_members(&stage, &group));
    let id = stage.sandbox.platform().projects();
    let id = id.into_iter().find(|project| project.external_id.as_ref() == Some(&group)).unwrap().id;
    let members = org.groups().into_iter().find(|found| found.id == group).unwrap().members;
    org.delete_group(&group);
    let hash = stage.plan().await["hash"].as_str().unwrap().to_owned();
    assert_eq!(stage.run(&["apply", "--yes", "--approve", &hash]).await.code, 0);
    let again = org.seed_group(None, "AP Team 001", "OKTA_GROUP", &members.into_iter().collect::<Vec<_>>());
    let applied = apply(&stage).await;
    assert_eq!((applied.code, project_of(&stage, &again)), (0, (before.0, with_access)), "{applied:#?}");
    assert!(applied.stdout.contains("the group was made again"), "{applied:#?}");
    let projects = stage.sandbox.platform().projects();
    assert!(projects.iter().any(|project| project.id == id && project.external_id.as_ref() == Some(&again)));
    // A group of the same name and other members doesn't.
    org.delete_group(&again);
    let hash = stage.plan().await["hash"].as_str().unwrap().to_owned();
    assert_eq!(stage.run(&["apply", "--yes", "--approve", &hash]).await.code, 0);
    let stranger = people(&stage).into_iter().next_back().unwrap();
    org.seed_group(None, "AP Team 001", "OKTA_GROUP", &[stranger]);
    let plan = stage.plan().await;
    assert!(texts(&plan, "problems").contains("group_made_again"), "{plan}");
    assert_eq!(plan["projects"].as_array().unwrap().len(), 0, "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_was_cut_short_is_done_by_the_next_run() {
    let stage = archiving().await;
    let org = stage.sandbox.org();
    let group = org.group_id("AP Team 002").unwrap();
    org.delete_group(&group);
    let before = project_of(&stage, &group);
    let hash = stage.plan().await["hash"].as_str().unwrap().to_owned();
    stage.killed(&["apply", "--yes", "--approve", &hash], ("PATCH", "/Groups/"), 0).await;
    assert_eq!(project_of(&stage, &group), (format!("Archived: {}", before.0), before.1), "the name alone");
    let hash = stage.plan().await["hash"].as_str().unwrap().to_owned();
    let rest = stage.run(&["apply", "--yes", "--approve", &hash]).await;
    assert_eq!((rest.code, project_of(&stage, &group).1), (0, 0), "{rest:#?}");
}

/// The role of the account of this user in the project of the group, if it is a member.
fn role_in(stage: &Stage, group: &str, user: &str) -> Option<String> {
    let account = stage.sandbox.platform().users();
    let account = account.into_iter().find(|account| account.external_id.as_deref() == Some(user)).unwrap().id;
    let projects = stage.sandbox.platform().projects();
    let project = projects.into_iter().find(|project| project.external_id.as_deref() == Some(group)).unwrap();
    project.members.get(&account).cloned()
}

/// A stage where memberships go with access, a member of the first group, and the group.
async fn removing() -> (Stage, String, String) {
    let stage = synced("remove_memberships_on_deactivate = true").await;
    let org = stage.sandbox.org();
    let group = org.group_id("AP Team 001").unwrap();
    let members = org.groups().into_iter().find(|found| found.id == group).unwrap().members;
    let user = people(&stage).into_iter().find(|user| members.contains(user)).unwrap();
    let platform = stage.sandbox.platform();
    let account = platform.users().into_iter().find(|account| account.external_id.as_ref() == Some(&user)).unwrap().id;
    let project = platform.projects().into_iter().find(|project| project.external_id.as_ref() == Some(&group)).unwrap();
    platform.set_project_role(&project.id, &account, "Viewer");
    (stage, user, group)
}

#[tokio::test(flavor = "multi_thread")]
async fn memberships_go_with_access_and_come_back_with_their_roles() {
    let (stage, user, group) = removing().await;
    let org = stage.sandbox.org();
    org.set_status(&user, "SUSPENDED");
    let shown = stage.run(&["plan"]).await;
    assert!(shown.stdout.contains("(project role Viewer goes): suspended in Okta"), "{shown:#?}");
    let left = apply(&stage).await;
    assert_eq!((left.code, is_active(&stage, &user), role_in(&stage, &group, &user)), (0, false, None), "{left:#?}");
    assert!(apply(&stage).await.total().starts_with("No changes"));
    org.set_status(&user, "ACTIVE");
    let plan = stage.plan().await;
    assert!(texts(&plan, "projects").contains("the project role before the deactivation"), "{plan}");
    let told = explained(&stage, &user).await;
    assert!(told["memberships"].to_string().contains("the project role before the deactivation"), "{told}");
    let back = apply(&stage).await;
    let role = role_in(&stage, &group, &user);
    assert_eq!((back.code, is_active(&stage, &user), role.as_deref()), (0, true, Some("Viewer")), "{back:#?}");
    assert!(apply(&stage).await.total().starts_with("No changes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_after_a_removal_has_recorded_the_role() {
    let (stage, user, group) = removing().await;
    stage.sandbox.org().set_status(&user, "SUSPENDED");
    stage.killed(&["apply", "--yes"], ("PATCH", "/Groups/"), 0).await;
    assert_eq!(role_in(&stage, &group, &user), None, "the server has done it");
    assert_eq!(apply(&stage).await.code, 0);
    stage.sandbox.org().set_status(&user, "ACTIVE");
    let back = apply(&stage).await;
    assert_eq!((back.code, role_in(&stage, &group, &user).as_deref()), (0, Some("Viewer")), "{back:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_of_a_deactivation_gives_memberships_and_roles_back() {
    let (stage, user, group) = removing().await;
    stage.sandbox.org().unassign(APP, &user);
    assert_eq!(apply(&stage).await.code, 0);
    assert_eq!(role_in(&stage, &group, &user), None);
    stage.sandbox.org().assign(APP, &user);
    // Members who have no access today don't come back, which is a problem.
    let undone = stage.run(&["undo", &last_with(&stage, 1).await, "--yes"]).await;
    assert_eq!(role_in(&stage, &group, &user).as_deref(), Some("Viewer"), "{undone:#?}");
    assert!(is_active(&stage, &user) && apply(&stage).await.total().starts_with("No changes"));
}

/// A user of this status who is assigned to the app; gives the id.
fn hired(stage: &Stage, name: &str, status: &str) -> String {
    let mail = format!("{name}@example.com");
    let profile = serde_json::json!({"login": mail, "email": mail, "firstName": name, "lastName": "New"});
    let profile = profile.as_object().cloned().unwrap();
    let id = Some(format!("00u{name:A>17}"));
    let id = stage.sandbox.org().seed_user(SeedUser { id, status: status.to_owned(), profile });
    stage.sandbox.org().assign(APP, &id);
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_of_a_staged_user_is_inactive_until_the_user_is_active() {
    for generation in [Generation::Current, Generation::A] {
        let options = Options { company: IN_LINE, rate_limit: Some(100_000), generation, ..Options::default() };
        let stage = Stage::with(options).await;
        stage.sandbox.platform().configure(|settings| settings.smtp = Smtp::Working);
        assert_eq!(apply(&stage).await.code, 0);
        let user = hired(&stage, "grace", "STAGED");
        assert!(apply(&stage).await.total().starts_with("No changes"));
        stage.reconfigure("[safety]", "[lifecycle]\ncreate = \"inactive\"\n[safety]");
        let shown = stage.run(&["plan"]).await;
        assert!(shown.stdout.contains("inactive") && shown.stdout.contains("staged in Okta"), "{shown:#?}");
        let note = "1 new account is inactive for now; the welcome e-mails are sent all the same.";
        assert!(shown.stdout.contains(note), "{shown:#?}");
        assert!(stage.run(&["plan", "--csv"]).await.stdout.contains("\"active\",\"\",\"false\",\"staged in Okta"));
        let mails = stage.sandbox.platform().mails().len();
        let made = apply(&stage).await;
        let account = stage.sandbox.platform().user("grace@example.com").unwrap();
        assert_eq!((made.code, account.active, account.external_id.as_ref()), (0, false, Some(&user)), "{made:#?}");
        assert_eq!(stage.sandbox.platform().mails().len(), mails + 1);
        assert!(apply(&stage).await.total().starts_with("No changes"));
        stage.sandbox.org().set_status(&user, "ACTIVE");
        let active = apply(&stage).await;
        assert!(active.code == 0 && is_active(&stage, &user), "{active:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_staged_user_is_explained_by_all_that_expressions_ask_for() {
    let stage = synced("create = \"inactive\"").await;
    let user = hired(&stage, "grace", "STAGED");
    stage.sandbox.org().seed_named_app("active_directory", "Example AD");
    stage.sandbox.org().import("Example AD", &user, serde_json::Map::new());
    let config = stage.sandbox.config();
    let start = config.find("platformRole").unwrap();
    let end = start + config[start..].find('\n').unwrap();
    stage.reconfigure(&config[start..end], "platformRole = \"hasDirectoryUser() ? 'OPERATOR' : 'MEMBER'\"");
    let (plan, told) = (stage.plan().await, explained(&stage, &user).await);
    let planned = plan["users"].as_array().unwrap().iter().find(|op| op["okta_id"] == *user).unwrap();
    assert_eq!(planned["attributes"]["platformRole"], "OPERATOR");
    assert_eq!(told["operation"], *planned);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_account_whose_answer_is_lost_is_inactive_and_one() {
    let stage = synced("create = \"inactive\"").await;
    let user = hired(&stage, "grace", "STAGED");
    let (method, path) = (Some("POST".to_owned()), "/api/v1/scim/v2/Users".to_owned());
    stage.sandbox.activepieces_traffic().fault(Fault { method, path, kind: FaultKind::CutAfter, after: 0, times: 1 });
    let made = apply(&stage).await;
    let accounts = stage.sandbox.platform().users();
    let found: Vec<_> = accounts.into_iter().filter(|account| account.external_id.as_ref() == Some(&user)).collect();
    assert_eq!((made.code, found.len(), found[0].active), (0, 1, false), "{made:#?}");
}

const DAY: i64 = 24 * 3600;

fn is_there(stage: &Stage, user: &str) -> bool {
    stage.sandbox.platform().users().iter().any(|account| account.external_id.as_deref() == Some(user))
}

/// A stage where two users left 91 days ago, whose accounts each apply since has found inactive.
async fn dormant() -> (Stage, Vec<String>) {
    let stage = synced("").await;
    // The company has inactive accounts of its own.
    let platform = stage.sandbox.platform();
    for account in platform.users().into_iter().filter(|account| !account.active) {
        platform.delete_user(&account.email);
    }
    stage.reconfigure("[lifecycle]\n", "[lifecycle]\ndelete_inactive_after = \"90d\"\n");
    let users = people(&stage)[..2].to_vec();
    for user in &users {
        stage.sandbox.org().unassign(APP, user);
    }
    let email =
        stage.sandbox.platform().users().into_iter().find(|account| account.external_id.as_ref() == Some(&users[0]));
    let contents = Contents { flows: 3, connections: 2, tables: 1, ..Contents::default() };
    stage.sandbox.platform().fill_personal_project(&email.unwrap().email, contents);
    for _ in 0..2 {
        assert_eq!(apply(&stage).await.code, 0);
    }
    assert!(users.iter().all(|user| !is_active(&stage, user)));
    (stage, users)
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_were_inactive_for_long_are_deleted_with_their_exact_number() {
    let (stage, users) = dormant().await;
    stage.sandbox.org().shift_clock(89 * DAY);
    assert!(apply(&stage).await.total().starts_with("No changes"));
    stage.sandbox.org().shift_clock(2 * DAY);
    let shown = stage.run(&["plan"]).await;
    for told in [
        "Accounts to delete for good",
        "with the personal project: 3 flows, 2 connections, 1 table",
        "unassigned in Okta, inactive since",
        "can't be undone",
        "--allow-account-deletions 2 allows exactly this",
    ] {
        assert!(shown.stdout.contains(told), "{told}: {shown:#?}");
    }
    assert!(shown.total().contains("2 to delete"), "{shown:#?}");
    assert_eq!(stage.plan().await["totals"]["delete"], 2);
    assert!(stage.run(&["plan", "--csv"]).await.stdout.contains("\"user\",\"delete\""));
    for flags in [vec![], vec!["--allow-account-deletions", "1"]] {
        let refused = stage.run(&[vec!["apply", "--yes"], flags].concat()).await;
        assert_eq!((refused.code, users.iter().all(|user| is_there(&stage, user))), (5, true), "{refused:#?}");
    }
    let deleted = stage.run(&["apply", "--yes", "--allow-account-deletions", "2"]).await;
    assert_eq!((deleted.code, users.iter().any(|user| is_there(&stage, user))), (0, false), "{deleted:#?}");
    assert!(deleted.stderr.contains("what it did can't be undone"), "{deleted:#?}");
    let undone = stage.run(&["undo", &last_with(&stage, 2).await, "--yes"]).await;
    assert!(undone.stdout.contains("was deleted, which can't be undone"), "{undone:#?}");
    assert!(apply(&stage).await.total().starts_with("No changes"));
    // Who comes back gets a new account.
    stage.sandbox.org().assign(APP, &users[0]);
    assert_eq!((apply(&stage).await.code, is_active(&stage, &users[0])), (0, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_time_is_not_known_or_began_again_stays() {
    let (stage, users) = dormant().await;
    stage.sandbox.org().shift_clock(80 * DAY);
    let account =
        stage.sandbox.platform().users().into_iter().find(|account| account.external_id.as_ref() == Some(&users[0]));
    stage.sandbox.platform().set_active(&account.unwrap().id, true);
    assert_eq!(apply(&stage).await.code, 0, "it is closed again");
    stage.sandbox.org().assign(APP, &users[1]);
    stage.sandbox.org().shift_clock(20 * DAY);
    let plan = stage.plan().await;
    assert_eq!((&plan["totals"]["delete"], &plan["totals"]["reactivate"]), (&0.into(), &1.into()), "{plan}");
    // Without the state file no run knows since when.
    stage.sandbox.org().unassign(APP, &users[1]);
    stage.sandbox.org().shift_clock(200 * DAY);
    assert_eq!(stage.plan().await["totals"]["delete"], 1);
    std::fs::remove_dir_all(crate::state::database(&stage).parent().unwrap()).unwrap();
    assert_eq!(stage.plan().await["totals"]["delete"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_whose_answers_are_lost_is_done_and_one_that_changed_meanwhile_is_not() {
    let (stage, users) = dormant().await;
    stage.sandbox.org().shift_clock(91 * DAY);
    let platform = std::sync::Arc::clone(stage.sandbox.platform());
    let is_due = |account: &UserSnapshot| account.external_id.as_ref().is_some_and(|user| users.contains(user));
    let mut due: Vec<UserSnapshot> = platform.users().into_iter().filter(is_due).collect();
    due.sort_by(|a, b| a.email.cmp(&b.email));
    let users: Vec<String> = due.iter().filter_map(|account| account.external_id.clone()).collect();
    let other = due[1].id.clone();
    let traffic = stage.sandbox.activepieces_traffic();
    let (method, path) = (Some("DELETE".to_owned()), "/api/v1/users/".to_owned());
    traffic.fault(Fault { method, path, kind: FaultKind::CutAfter, after: 0, times: 2 });
    let opened = (std::sync::Arc::clone(&platform), other);
    traffic.before(Some("DELETE"), "/api/v1/users/", 0, move |_, _| opened.0.set_role(&opened.1, "ADMIN"));
    let deleted = stage.run(&["apply", "--yes", "--allow-account-deletions", "2", "--parallelism", "1"]).await;
    assert_eq!((is_there(&stage, &users[0]), is_there(&stage, &users[1])), (false, true), "{deleted:#?}");
    assert!(deleted.code == 3 && deleted.stdout.contains("changed meanwhile"), "{deleted:#?}");
}
