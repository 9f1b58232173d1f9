//! Plan, apply and plan again, by the real binary against the sandbox.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use oktapieces_sandbox::Options;
use oktapieces_sandbox::activepieces::Generation;
use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::serve::{Fault, FaultKind};
use serde_json::Value;

use crate::state::until;
use crate::support::{Stage, operations};

const APPLIED: [i32; 2] = [0, 3];

/// Plans, applies, and sees that the next plan is empty.
async fn converges(stage: &Stage) -> Value {
    let plan = stage.plan().await;
    let applied = stage.run(&["apply", "--yes"]).await;
    assert!(APPLIED.contains(&applied.code), "{applied:#?}");
    assert!(applied.stdout.contains(&format!("Applied {0} of {0} operations.", written(&plan))), "{applied:#?}");
    let again = stage.run(&["plan", "--detailed-exitcode"]).await;
    assert!(APPLIED.contains(&again.code), "{again:#?}");
    assert!(again.total().starts_with("No changes: "), "{again:#?}");
    plan
}

/// How many outcomes an apply of the plan has: a project's own change, its additions and its removals are one each.
fn written(plan: &Value) -> usize {
    let parts = |project: &Value| {
        usize::from(project["action"] != "members")
            + usize::from(!project["add"].as_array().unwrap().is_empty())
            + usize::from(!project["remove"].as_array().unwrap().is_empty())
    };
    plan["users"].as_array().unwrap().len() + plan["projects"].as_array().unwrap().iter().map(parts).sum::<usize>()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seeded_company_converges_and_has_every_kind_of_change() {
    let stage = Stage::seeded().await;
    let plan = converges(&stage).await;
    for total in plan["totals"].as_object().unwrap() {
        // These are there only where the config asks for them, and no group of the company was made again.
        let none = [
            "delete",
            "recreate",
            "projects_archive",
            "projects_delete",
            "projects_relink",
            "project_roles",
            "invitations_revoke",
        ];
        let is_none = none.contains(&total.0.as_str());
        assert_eq!(total.1.as_u64() > Some(0), !is_none, "{total:?}");
    }
    let kinds: BTreeSet<&str> =
        plan["problems"].as_array().unwrap().iter().map(|problem| problem["kind"].as_str().unwrap()).collect();
    let all = [
        "ambiguous_project",
        "claimed_twice",
        "email_changed",
        "expression_failed",
        "invalid_attribute",
        "invalid_role",
        "project_name_twice",
        "two_accounts",
    ];
    assert_eq!(kinds, BTreeSet::from(all));
}

#[tokio::test(flavor = "multi_thread")]
async fn made_up_companies_of_several_seeds_and_drifts_converge() {
    let shapes =
        [(60, 5, 10, 0.5, 0.1, 1), (80, 8, 20, 1.0, 1.0, 2), (50, 3, 50, 0.0, 0.0, 3), (120, 10, 15, 0.8, 0.5, 4)];
    for (users, groups, members, existing, drift, seed) in shapes {
        let stage = Stage::of(Shape::Generated { users, groups, members, existing, drift, seed }).await;
        let plan = converges(&stage).await;
        assert!(operations(&plan) > 0, "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_writes_nothing_and_is_the_same_each_time() {
    let stage = Stage::seeded().await;
    let before = (stage.sandbox.platform().users(), stage.sandbox.platform().projects());
    let (first, second) = (stage.run(&["plan"]).await, stage.run(&["plan"]).await);
    assert_eq!(stage.scrubbed(&first.stdout), stage.scrubbed(&second.stdout));
    assert_eq!(before, (stage.sandbox.platform().users(), stage.sandbox.platform().projects()));
    let counts = stage.sandbox.activepieces_traffic().counts();
    assert!(counts.keys().all(|route| route.starts_with("GET ")), "{counts:?}");
    let counts = stage.sandbox.okta_traffic().counts();
    assert!(counts.keys().all(|route| route.starts_with("GET ")), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_does_exactly_what_the_plan_said() {
    let stage = Stage::seeded().await;
    let plan = stage.plan().await;
    stage.run(&["apply", "--yes"]).await;
    let platform = stage.sandbox.platform();
    for op in plan["users"].as_array().unwrap() {
        let user = platform.user(op["user_name"].as_str().unwrap()).unwrap();
        let standing = BTreeMap::from([
            ("active", user.active.to_string()),
            ("platformRole", user.role.clone()),
            ("givenName", user.first_name.clone()),
            ("familyName", user.last_name.clone()),
            ("externalId", user.external_id.clone().unwrap_or_default()),
        ]);
        for change in op["changes"].as_array().unwrap() {
            assert_eq!(standing[change["attribute"].as_str().unwrap()], change["to"].as_str().unwrap(), "{op}");
        }
    }
    let created: Vec<String> = plan["users"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|op| op["action"] == "create")
        .map(|op| op["user_name"].as_str().unwrap().to_owned())
        .collect();
    let mut mails = platform.mails();
    mails.sort();
    assert_eq!(mails, created, "one welcome e-mail for each creation");
}

#[tokio::test(flavor = "multi_thread")]
async fn project_roles_and_members_by_hand_survive() {
    let stage = Stage::seeded().await;
    let roles = |stage: &Stage| -> BTreeMap<(String, String), String> {
        let users: BTreeMap<String, String> =
            stage.sandbox.platform().users().into_iter().map(|user| (user.id, user.email)).collect();
        let projects = stage.sandbox.platform().projects().into_iter();
        projects
            .flat_map(|project| {
                let name = project.external_id.clone().unwrap_or(project.id.clone());
                project
                    .members
                    .into_iter()
                    .map(|(id, role)| ((name.clone(), users[&id].clone()), role))
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    let before = roles(&stage);
    assert!(before.values().any(|role| role == "Viewer"));
    let plan = stage.plan().await;
    stage.run(&["apply", "--yes"]).await;
    let after = roles(&stage);
    let removed: BTreeSet<&str> = plan["projects"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|project| project["remove"].as_array().unwrap())
        .map(|gone| gone["user_name"].as_str().unwrap())
        .collect();
    for ((project, user), role) in &before {
        let still = after.get(&(project.clone(), user.clone()));
        // A project that was adopted has another name now; its members are looked up by role alone below.
        if project.starts_with("00g") && !removed.contains(user.as_str()) {
            assert_eq!(still, Some(role), "{user} in {project}");
        }
    }
    assert_eq!(
        before.values().filter(|role| *role == "Viewer").count(),
        after.values().filter(|role| *role == "Viewer").count()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_detailed_exit_code_tells_changes_from_none() {
    let stage =
        Stage::of(Shape::Generated { users: 20, groups: 2, members: 5, existing: 0.5, drift: 0.5, seed: 9 }).await;
    assert_eq!(stage.run(&["plan"]).await.code, 0);
    assert_eq!(stage.run(&["plan", "--detailed-exitcode"]).await.code, 2);
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    assert_eq!(stage.run(&["plan", "--detailed-exitcode"]).await.code, 0);
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0, "a second apply has nothing to do");
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_have_an_exit_code_of_their_own() {
    let stage = Stage::seeded().await;
    assert_eq!(stage.run(&["plan"]).await.code, 3);
    assert_eq!(stage.run(&["plan", "--detailed-exitcode"]).await.code, 2);
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 3);
    assert_eq!(stage.run(&["plan", "--detailed-exitcode"]).await.code, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_deactivations_are_refused_before_the_first_write() {
    let stage = Stage::seeded().await;
    stage.reconfigure("max_deactivations = \"50%\"", "max_deactivations = 1");
    let plan = stage.plan().await;
    assert_eq!(plan["refusals"][0]["flag"], "--allow-deactivations 6");
    for arguments in [&["apply", "--yes"][..], &["apply", "--yes", "--allow-deactivations", "3"]] {
        let refused = stage.run(arguments).await;
        assert_eq!(refused.code, 5, "{refused:#?}");
        assert!(refused.stderr.contains("--allow-deactivations 6"), "{refused:#?}");
    }
    let counts = stage.sandbox.activepieces_traffic().counts();
    assert!(counts.keys().all(|route| route.starts_with("GET ")), "{counts:?}");
    assert_eq!(stage.run(&["apply", "--yes", "--allow-deactivations", "6"]).await.code, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_an_apply_wants_yes() {
    let stage = Stage::seeded().await;
    let refused = stage.run(&["apply"]).await;
    assert_eq!(refused.code, 64);
    assert!(refused.stderr.contains("--yes"), "{refused:#?}");
    assert_eq!(stage.sandbox.activepieces_traffic().total(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_generation_of_the_server_converges_and_embedded_accounts_are_left_alone() {
    for (version, generation) in Generation::NAMED {
        let stage = Stage::with(Options { generation, embedded: 3, ..Options::default() }).await;
        let platform = stage.sandbox.platform();
        let embedded = || {
            let users = platform.users().into_iter().filter(|user| user.email.ends_with("@customer.example"));
            let projects = platform.projects().into_iter().filter(|project| project.name == "Customer");
            (users.collect::<Vec<_>>(), projects.collect::<Vec<_>>())
        };
        let before = embedded();
        assert_eq!((before.0.len(), before.1[0].members.len()), (3, 3));
        let plan = converges(&stage).await;
        assert_eq!(embedded(), before, "{version}");
        let hidden = plan["standing"]["embedded"].as_array().map_or(0, Vec::len);
        assert_eq!(hidden, if generation == Generation::HidesEmbedded { 3 } else { 0 }, "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_in_scope_with_the_address_of_an_embedded_account_is_a_problem_and_the_rest_goes_on() {
    let company = Shape::Generated { users: 6, groups: 1, members: 6, existing: 0.0, drift: 0.0, seed: 5 };
    let stage = Stage::with(Options { company, generation: Generation::HidesEmbedded, ..Options::default() }).await;
    let address = stage.plan().await["users"][0]["user_name"].as_str().unwrap().to_owned();
    stage.sandbox.platform().seed_embedded(&address, "customer-1");
    let before = stage.sandbox.platform().user(&address);
    let applied = stage.run(&["apply", "--yes", "--all"]).await;
    assert_eq!(applied.code, 3, "{applied:#?}");
    assert!(applied.stdout.contains(&format!("1 account is embedded and left alone: {address}.")), "{applied:#?}");
    let plan = stage.plan().await;
    assert_eq!((operations(&plan), plan["problems"].as_array().unwrap().len()), (0, 1), "{plan}");
    assert_eq!(plan["problems"][0]["kind"], "embedded_account");
    assert_eq!(stage.sandbox.platform().user(&address), before);
    assert_eq!(stage.sandbox.platform().projects()[0].members.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_the_generation_and_what_the_plan_of_the_platform_lacks() {
    let company = Shape::Generated { users: 3, groups: 0, members: 0, existing: 1.0, drift: 0.0, seed: 5 };
    for (generation, said) in [
        (Generation::A, "answers as 0.79 to 0.83"),
        (Generation::Current, "answers as 0.85 or newer"),
        (Generation::HidesEmbedded, "SCIM hides 2 embedded accounts"),
    ] {
        let stage = Stage::with(Options { company, generation, embedded: 2, ..Options::default() }).await;
        stage.sandbox.platform().configure(|settings| settings.project_roles_enabled = false);
        let checked = stage.run(&["check"]).await;
        assert_eq!(checked.code, 0, "{checked:#?}");
        assert!(checked.stdout.contains(said) && checked.stdout.contains("has no project roles"), "{checked:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_scope_finds_its_users() {
    let stage =
        Stage::of(Shape::Generated { users: 40, groups: 3, members: 10, existing: 0.0, drift: 0.0, seed: 5 }).await;
    let creations = async |scope: &str| {
        stage.configure(&stage.sandbox.config().replace("app = \"Activepieces\"", scope));
        stage.plan().await["totals"]["create"].as_u64().unwrap()
    };
    let app = creations("app = \"Activepieces\"").await;
    let everyone = creations("everyone = true").await;
    let group = creations("groups = [\"AP Team 001\"]").await;
    let two = creations("groups = [\"AP Team 001\", \"AP Team 002\"]").await;
    let search = creations("search = 'profile.okta_role eq \"user\"'").await;
    assert!(
        group > 0 && group <= 10 && two >= group && app > group && everyone >= app,
        "{group} {two} {app} {everyone}"
    );
    assert!(search > 0 && search < everyone, "{search}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_missing_in_a_listing_is_read_again_and_stays() {
    let stage =
        Stage::of(Shape::Generated { users: 30, groups: 1, members: 10, existing: 1.0, drift: 0.0, seed: 6 }).await;
    let org = stage.sandbox.org();
    assert_eq!(operations(&stage.plan().await), 0);
    // A suspension, a deletion, a deactivation and a lost assignment, each told apart.
    let group = org.group_id("AP Team 001").unwrap();
    let members = stage.people();
    org.set_status(&members[0], "SUSPENDED");
    org.set_status(&members[1], "DEPROVISIONED");
    org.unassign("Activepieces", &members[2]);
    org.delete_user(&members[3]);
    let plan = stage.plan().await;
    let reasons: BTreeMap<&str, &str> = plan["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|op| (op["okta_id"].as_str().unwrap(), op["reason"]["left"].as_str().unwrap()))
        .collect();
    let expected = ["suspended", "deactivated", "unassigned", "deleted"];
    assert_eq!(reasons, members.iter().map(String::as_str).zip(expected).collect());
    assert!(!group.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expression_may_ask_for_groups() {
    let stage =
        Stage::of(Shape::Generated { users: 30, groups: 2, members: 8, existing: 0.0, drift: 0.0, seed: 7 }).await;
    let text = stage.sandbox.config();
    let role = text.lines().find(|line| line.starts_with("platformRole")).unwrap();
    stage.configure(
        &text.replace(role, "platformRole = 'isMemberOfGroupName(\"AP Team 001\") ? \"OPERATOR\" : \"MEMBER\"'"),
    );
    let plan = stage.plan().await;
    let operators =
        plan["users"].as_array().unwrap().iter().filter(|op| op["attributes"]["platformRole"] == "OPERATOR").count();
    let in_project = plan["projects"].as_array().unwrap().iter().find(|op| op["name"] == "Team 001").unwrap();
    assert_eq!(operators, in_project["add"].as_array().unwrap().len());
    assert!(operators > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_is_shown_and_applied_exactly() {
    let stage =
        Stage::of(Shape::Generated { users: 30, groups: 3, members: 8, existing: 0.5, drift: 0.5, seed: 8 }).await;
    let planned = stage.run(&["plan", "--out", "plan.json"]).await;
    assert_eq!(stage.run(&["show", "plan.json"]).await.stdout, planned.stdout);
    // After the plan a new user comes, and one that it would create goes.
    let plan = stage.run(&["show", "plan.json", "--json"]).await.json();
    let created = plan["users"].as_array().unwrap().iter().find(|op| op["action"] == "create").unwrap().clone();
    let gone = created["okta_id"].as_str().unwrap();
    stage.sandbox.org().set_status(gone, "SUSPENDED");
    let profile = serde_json::json!({"login": "late@example.com", "email": "late@example.com", "firstName": "L", "lastName": "L"});
    let Value::Object(profile) = profile else { panic!() };
    let late = oktapieces_sandbox::okta::SeedUser { id: None, status: "ACTIVE".to_owned(), profile };
    let late = stage.sandbox.org().seed_user(late);
    stage.sandbox.org().assign("Activepieces", &late);
    let applied = stage.run(&["apply", "plan.json"]).await;
    assert_eq!(applied.code, 3, "{applied:#?}");
    let name = created["user_name"].as_str().unwrap();
    assert!(applied.stdout.contains(&format!("{name}: create  changed since the plan was made")), "{applied:#?}");
    let platform = stage.sandbox.platform();
    assert!(platform.user(name).is_none() && platform.user("late@example.com").is_none());
    let left = stage.plan().await;
    assert_eq!(left["totals"]["create"], 1, "the late one alone: {left}");
    assert_eq!(operations(&left), 1);
    let nothing = stage.run(&["apply", "plan.json"]).await;
    assert_eq!(nothing.code, 5, "{nothing:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_of_another_org_or_of_no_form_is_refused() {
    let stage =
        Stage::of(Shape::Generated { users: 10, groups: 1, members: 3, existing: 0.0, drift: 0.0, seed: 8 }).await;
    stage.run(&["plan", "--out", "plan.json"]).await;
    let path = stage.folder().join("plan.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&stage.sandbox.okta_token()) && !text.contains(stage.sandbox.api_key()));
    std::fs::write(&path, text.replace(&stage.sandbox.okta_url(), "https://other.okta.com")).unwrap();
    assert_eq!(stage.run(&["apply", "plan.json"]).await.code, 5);
    std::fs::write(&path, text.replace("\"format_version\": 1", "\"format_version\": 9")).unwrap();
    assert_eq!(stage.run(&["apply", "plan.json"]).await.code, 78);
    std::fs::write(&path, "{}").unwrap();
    assert_eq!(stage.run(&["show", "plan.json"]).await.code, 78);
    assert_eq!(stage.run(&["show", "none.json"]).await.code, 78);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_org_that_answers_with_nobody_deactivates_nobody() {
    let stage =
        Stage::of(Shape::Generated { users: 10, groups: 1, members: 3, existing: 1.0, drift: 0.0, seed: 8 }).await;
    for user in stage.sandbox.platform().users().into_iter().filter_map(|user| user.external_id) {
        stage.sandbox.org().unassign("Activepieces", &user);
    }
    let refused = stage.run(&["apply", "--yes"]).await;
    assert_eq!(refused.code, 5, "{refused:#?}");
    assert!(refused.stderr.contains("--allow-empty-scope"), "{refused:#?}");
    assert!(stage.sandbox.platform().users().iter().filter(|user| user.active).count() > 1);
    assert_eq!(stage.run(&["apply", "--yes", "--allow-empty-scope"]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivation_does_not_wait_for_a_slow_project() {
    let company = Shape::Generated { users: 30, groups: 1, members: 10, existing: 1.0, drift: 0.0, seed: 6 };
    let stage = Stage::of(company).await;
    let (org, platform) = (stage.sandbox.org(), stage.sandbox.platform());
    let (group, project) = (org.group_id("AP Team 001").unwrap(), platform.projects().remove(0));
    let (inside, outside): (Vec<_>, Vec<_>) = platform
        .users()
        .into_iter()
        .filter(|user| user.active && user.external_id.is_some())
        .partition(|user| project.members.contains_key(&user.id));
    org.set_status(inside[0].external_id.as_deref().unwrap(), "SUSPENDED");
    org.add_member(&group, outside[0].external_id.as_deref().unwrap());
    platform.hold_writes();
    let mut apply = stage.spawn(&["apply", "--yes"]);
    until(async || platform.held_writes() > 0 && !platform.user(&inside[0].email).unwrap().active).await;
    platform.release_writes();
    assert_eq!(apply.wait().await.unwrap().code(), Some(0));
    assert!(platform.projects()[0].members.contains_key(&outside[0].id));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_admin_stays_where_nobody_came_to_be_one() {
    let stage =
        Stage::of(Shape::Generated { users: 8, groups: 1, members: 3, existing: 1.0, drift: 0.0, seed: 6 }).await;
    let (org, platform) = (stage.sandbox.org(), stage.sandbox.platform());
    let (owner, people): (Vec<_>, Vec<_>) = platform.users().into_iter().partition(|user| user.external_id.is_none());
    let people: Vec<_> = people.into_iter().filter(|user| user.active).collect();
    let role = |at: usize, role: &str| {
        org.set_profile(people[at].external_id.as_deref().unwrap(), "okta_role", role.into());
    };
    let stands = |at: usize| platform.user(&people[at].email).unwrap().role;
    (0..people.len()).for_each(|at| role(at, "user"));
    role(0, "Master");
    let users = format!("{}/api/v1/scim/v2/Users", stage.sandbox.activepieces_url());
    let demoted = serde_json::json!({
        "schemas": [], "userName": owner[0].email, "active": true,
        "urn:ietf:params:scim:schemas:activepieces:1.0:CustomUserAttributes": { "platformRole": "MEMBER" },
    });
    let put = reqwest::Client::new().put(format!("{users}/{}", owner[0].id)).json(&demoted);
    assert_eq!(put.bearer_auth(stage.sandbox.api_key()).send().await.unwrap().status(), 200);
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    assert_eq!((stands(0), stands(1)), ("ADMIN".to_owned(), "MEMBER".to_owned()));

    role(0, "user");
    role(1, "Master");
    let path = format!("/api/v1/scim/v2/Users/{}", people[1].id);
    let fault =
        Fault { method: Some("PATCH".to_owned()), path, kind: FaultKind::Error500, after: 0, times: usize::MAX };
    stage.sandbox.activepieces_traffic().fault(fault);
    let failed = stage.run(&["apply", "--yes"]).await;
    assert_eq!(failed.code, 3, "{failed:#?}");
    assert!(failed.stdout.contains("this is the last ADMIN and no other was created"), "{failed:#?}");
    assert_eq!((stands(0), stands(1)), ("ADMIN".to_owned(), "MEMBER".to_owned()));
    stage.sandbox.activepieces_traffic().mend();
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    assert_eq!((stands(0), stands(1)), ("MEMBER".to_owned(), "ADMIN".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_no_expression_gives_is_left_as_it_stands() {
    let stage = Stage::seeded().await;
    let text = std::fs::read_to_string(stage.folder().join("config.toml")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("platformRole")).collect();
    assert!(lines.len() < text.lines().count());
    stage.configure(&lines.join("\n"));
    let plan = stage.plan().await;
    let roles =
        |op: &Value| op["changes"].as_array().unwrap().iter().any(|change| change["attribute"] == "platformRole");
    let users = plan["users"].as_array().unwrap();
    assert!(users.iter().filter(|op| op["action"] != "create").all(|op| !roles(op)), "{users:#?}");
    let created: Vec<&Value> = users.iter().filter(|op| op["action"] == "create").collect();
    assert!(!created.is_empty() && created.iter().all(|op| op["attributes"]["platformRole"] == "MEMBER"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_grew_since_the_list_is_not_deleted() {
    let stage =
        Stage::of(Shape::Generated { users: 8, groups: 2, members: 3, existing: 1.0, drift: 0.0, seed: 6 }).await;
    stage.reconfigure("'^AP (.+)$'", "'^AP (Team 001)$'");
    stage.reconfigure("[safety]", "[projects_policy]\ndelete_unpushed = true\n\n[safety]");
    stage.delete_groups_but("Team 001");
    let platform = stage.sandbox.platform();
    let doomed = platform.projects().into_iter().find(|project| project.name != "Team 001").unwrap();
    let traffic = stage.sandbox.activepieces_traffic();
    let (path, kind) = (format!("/api/v1/scim/v2/Groups/{}", doomed.id), FaultKind::Hang(Duration::from_millis(500)));
    traffic.fault(Fault { method: Some("GET".to_owned()), path, kind, after: 0, times: 1 });
    let deleting = ["apply", "--yes", "--allow-project-deletions", "1"];
    let mut apply = stage.spawn(&deleting);
    until(async || traffic.befallen() > 0).await;
    platform.seed_flows(&doomed.id, 3);
    assert_eq!(apply.wait().await.unwrap().code(), Some(3));
    assert_eq!(platform.projects().len(), 2);
    let deleted = stage.run(&deleting).await;
    assert_eq!((deleted.code, platform.projects().len()), (0, 1), "{deleted:#?}");
    assert!(deleted.stdout.contains("destroys 3 flows"), "{deleted:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_says_what_it_was_made_from_and_what_of_it_changed() {
    let stage =
        Stage::of(Shape::Generated { users: 8, groups: 1, members: 3, existing: 0.5, drift: 0.5, seed: 6 }).await;
    let kept = async || {
        assert!(APPLIED.contains(&stage.run(&["plan", "--out", "plan.json"]).await.code));
        let text = std::fs::read_to_string(stage.folder().join("plan.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["made_from"].clone()
    };
    let applied = async || {
        let applied = stage.run(&["apply", "plan.json"]).await;
        let told = applied.stderr.lines().find_map(|line| line.strip_prefix("Since this plan was made, "));
        told.map(|told| told.split(" changed").next().unwrap().to_owned())
    };
    let first = kept().await;
    assert_eq!(first, kept().await, "the same sides and config have the same names");
    assert_eq!(applied().await, None);
    let second = kept().await;
    assert_eq!((&first["okta"], &first["config"]), (&second["okta"], &second["config"]));
    assert_ne!(first["activepieces"], second["activepieces"]);
    let person = stage.sandbox.platform().users().into_iter().find_map(|user| user.external_id).unwrap();
    stage.sandbox.org().set_profile(&person, "lastName", "Other".into());
    assert_eq!(applied().await.as_deref(), Some("Okta"));
    stage.reconfigure("[safety]", "# a remark\n[safety]");
    assert_eq!(applied().await.as_deref(), Some("Okta and the config"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_whose_group_is_renamed_deleted_or_doubled_stops_no_offboarding() {
    for how in ["renamed", "deleted", "doubled", "named emptily"] {
        let stage =
            Stage::of(Shape::Generated { users: 12, groups: 2, members: 6, existing: 1.0, drift: 0.0, seed: 6 }).await;
        let (org, platform) = (stage.sandbox.org(), stage.sandbox.platform());
        assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
        let rule = if how == "named emptily" {
            "match = '^AP (x?)'\nname = '$1'"
        } else {
            "group = 'AP Team 001'\nname = 'Team 001'"
        };
        let text = std::fs::read_to_string(stage.folder().join("config.toml")).unwrap();
        let projects = text.find("[[projects]]").unwrap();
        let end = text[projects..].find("\n\n").map_or(text.len(), |at| projects + at);
        let without = format!("{}[[projects]]\n{rule}{}", &text[..projects], &text[end..]);
        stage.configure(&without.replace("[safety]", "[projects_policy]\ndelete_unpushed = true\n\n[safety]"));
        let group = org.group_id("AP Team 001").unwrap();
        match how {
            "renamed" => org.rename_group(&group, "AP Engineering"),
            "deleted" => org.delete_group(&group),
            "doubled" => drop(org.seed_group(None, "AP Team 001", "APP_GROUP", &[])),
            _ => {}
        }
        let before = platform.projects();
        let leaver = platform.users().into_iter().find(|user| user.active && user.role == "MEMBER").unwrap();
        org.set_status(leaver.external_id.as_deref().unwrap(), "SUSPENDED");
        let applied = stage.run(&["apply", "--yes", "--allow-deactivations", "1"]).await;
        assert_eq!(applied.code, 3, "{how}: {applied:#?}");
        assert!(!platform.user(&leaver.email).unwrap().active, "{how}: {applied:#?}");
        assert!(platform.projects() == before, "{how}: {applied:#?}");
        assert!(applied.stdout.contains("the project stays as it is"), "{how}: {applied:#?}");
        assert_eq!(applied.stdout.contains("is called \"AP Engineering\" now"), how == "renamed", "{applied:#?}");
    }
}
