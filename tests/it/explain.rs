//! `explain`: one user from few requests, groups and projects whole.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use oktapieces_sandbox::company::Shape;
use serde_json::{Value, json};

use crate::support::{Outcome, Stage};

/// A company of this size, in which the accounts of all users are there.
fn company(users: usize, groups: usize) -> Shape {
    Shape::Generated { users, groups, members: 12, existing: 1.0, drift: 0.0, seed: 11 }
}

async fn explained(stage: &Stage, arguments: &[&str]) -> Value {
    let outcome = stage.run(&[&["explain", "--json"], arguments].concat()).await;
    assert_eq!(outcome.code, 0, "{arguments:?}: {outcome:#?}");
    outcome.json()
}

fn requests(stage: &Stage) -> u64 {
    stage.sandbox.okta_traffic().total() + stage.sandbox.activepieces_traffic().total()
}

/// The login of a user in a group, whose account is a MEMBER's.
fn member(stage: &Stage) -> String {
    let (org, users) = (stage.sandbox.org(), stage.sandbox.platform().users());
    let groups = org.groups();
    let group = groups.iter().find(|group| group.name == "AP Team 001").unwrap();
    let is_member = |id: &String| {
        let linked = users.iter().find(|user| user.external_id.as_ref() == Some(id));
        linked.is_some_and(|user| user.active && user.role == "MEMBER")
    };
    let in_one = |id: &&String| groups.iter().filter(|group| group.members.contains(*id)).count() <= 2;
    let id = group.members.iter().filter(in_one).find(|id| is_member(id)).unwrap();
    let user = org.users().into_iter().find(|user| user.id == *id).unwrap();
    user.profile["login"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_takes_the_same_requests_in_a_company_of_any_size() {
    let mut counts = Vec::new();
    for (users, groups) in [(40, 2), (900, 25)] {
        let stage = Stage::of(company(users, groups)).await;
        stage.sandbox.org().limit_pages(20);
        let applied = stage.run(&["apply", "--yes", "--allow-new-admins", "99"]).await;
        assert!([0, 3, 5].contains(&applied.code), "{applied:#?}");
        let login = member(&stage);
        let before = requests(&stage);
        let answer = explained(&stage, &[&login]).await;
        assert_eq!(answer["user"]["login"], *login);
        assert_eq!(answer["requests"], requests(&stage) - before, "it counts its own");
        let projects = answer["projects"].as_array().unwrap().len();
        assert!(projects >= 1, "{answer}");
        // Two requests for each project: the project and its members.
        counts.push(requests(&stage) - before - 2 * projects as u64);
        let routes = stage.sandbox.okta_traffic().counts();
        assert!(routes.keys().all(|route| route.starts_with("GET ")), "{routes:?}");
    }
    assert_eq!(counts[0], counts[1], "{counts:?}");
    assert!(counts[0] < 20, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_next_apply_would_do_for_each_user_is_what_the_plan_says() {
    let stage = Stage::seeded().await;
    let plan = stage.plan().await;
    let logins: Vec<String> = stage
        .sandbox
        .org()
        .users()
        .into_iter()
        .map(|user| user.profile["login"].as_str().unwrap().to_owned())
        .collect();
    assert!(logins.len() > 50);
    for login in logins {
        let answer = explained(&stage, &[&login]).await;
        let next = &answer["next_apply"];
        let id = answer["user"]["id"].clone();
        let of_plan = plan["users"].as_array().unwrap().iter().find(|op| op["okta_id"] == id);
        assert_eq!(next["operation"], of_plan.cloned().unwrap_or(Value::Null), "{login}: {next}");
        let user_name = answer["accounts"].as_array().unwrap().iter().find(|account| account["is_the_users"] == true);
        let user_name = user_name.map(|account| account["user_name"].clone());
        let own = |problem: &&Value| problem["subject"] == *login || Some(&problem["subject"]) == user_name.as_ref();
        let kinds = |problems: &Value| -> Vec<Value> {
            problems.as_array().unwrap().iter().filter(own).map(|problem| problem["kind"].clone()).collect()
        };
        assert_eq!(kinds(&next["problems"]), kinds(&plan["problems"]), "{login}: {next}");
        let not_looked_at = answer["not_looked_at"].to_string();
        let looked_at_all =
            ["projects of other groups", "links a group"].iter().all(|what| !not_looked_at.contains(what));
        for (list, action) in [("add", "add"), ("remove", "remove")] {
            let planned: Vec<Value> = plan["projects"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|op| op[list].as_array().unwrap().iter().any(|member| member["okta_id"] == id))
                .map(|op| op["name"].clone())
                .collect();
            let told: Vec<Value> = next["memberships"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|membership| membership["action"] == action)
                .map(|membership| membership["project"].clone())
                .collect();
            assert!(told.iter().all(|project| planned.contains(project)), "{login}: {told:?} {planned:?}");
            assert!(!looked_at_all || told.len() == planned.len(), "{login}: {told:?} {planned:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_found_by_login_id_and_address_and_a_typo_is_answered_with_near_names() {
    let stage = Stage::seeded().await;
    let id = stage.sandbox.org().user_id("mia.mayer@example.com").unwrap();
    for named in ["mia.mayer@example.com", "MIA.Mayer@example.com", &id] {
        assert_eq!(explained(&stage, &[named]).await["user"]["id"], *id, "{named}");
    }
    // The address of an account that its user doesn't have any more.
    assert_eq!(explained(&stage, &["yara.old@example.com"]).await["user"]["login"], "yara.young@example.com");
    let typo = stage.run(&["explain", "dan.dron@example.com"]).await;
    assert_eq!(typo.code, 1, "{typo:#?}");
    assert!(typo.stderr.contains("did you mean \"dan.dorn@example.com\""), "{typo:#?}");
    let me = stage.run(&["explain", "me"]).await;
    assert_eq!((me.code, me.stdout.as_str()), (1, ""), "{me:#?}");
    for wrong in [&["explain"][..], &["explain", ""], &["explain", "a", "--group", "b"]] {
        assert_eq!(stage.run(wrong).await.code, 64, "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_explained_by_the_parts_of_its_expression() {
    let stage = Stage::seeded().await;
    let answer = explained(&stage, &["ines.imhof@example.com"]).await;
    let attributes = answer["attributes"].as_array().unwrap();
    let role = attributes.iter().find(|attribute| attribute["attribute"] == "platformRole").unwrap();
    assert_eq!((&role["value"], &role["current"]), (&json!("MEMBER"), &json!("ADMIN")));
    assert!(role["place"].as_str().unwrap().starts_with("config.toml:"), "{role}");
    let part = json!({"part": "user.okta_role == \"Master\"", "gives": "false"});
    assert!(role["parts"].as_array().unwrap().contains(&part), "{role}");
    let text = stage.run(&["explain", "ines.imhof@example.com"]).await.stdout;
    for said in [
        "in scope      yes: assigned to the app \"Activepieces\"",
        "user.okta_role == \"Master\" → false",
        "~ update role ADMIN → MEMBER (differs from Okta: okta_role = \"user\")",
        "AP Sales → project Sales (config.toml:",
        "+ add to project Sales",
        "the limits of [safety]",
    ] {
        assert!(text.contains(said), "{said}:\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_are_left_alone_say_why() {
    let stage = Stage::seeded().await;
    let says = async |login: &str, said: &str| {
        let text = stage.run(&["explain", login]).await.stdout;
        assert!(text.contains(said), "{said}:\n{text}");
    };
    says("alma.arndt@example.com", "left alone: nothing follows from the status \"STAGED\"").await;
    says("rolf.reuter@example.com", "platformRole gives \"boss\"").await;
    says("zita.zeller@example.com", "accounts that Okta doesn't know are never changed").await;
    says("paul.protected@example.com", "is protected and stays ADMIN").await;
    says("vera.vogt@example.com", "in scope      no: not assigned to the app \"Activepieces\"").await;
    says("ulla.unger@example.com", "claimed_twice").await;
    says("xenia.xaver@example.com", "- deactivate active → inactive (unassigned in Okta)").await;
    says("finn.falk@example.com", "project_name_twice").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_earlier_runs_did_is_told_by_the_okta_id() {
    let stage = Stage::seeded().await;
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!(applied.code, 3, "{applied:#?}");
    let answer = explained(&stage, &["hugo.hahn@example.com"]).await;
    let runs = answer["runs"].as_array().unwrap();
    let update = runs.iter().find(|past| past["kind"] == "user").unwrap();
    assert_eq!((&update["action"], &update["outcome"]), (&json!("update"), &json!("done")));
    assert_eq!(update["changes"][0]["to"], "OPERATOR");
    let joined = runs.iter().filter(|past| past["kind"] == "membership");
    let joined: Vec<_> = joined.map(|past| (past["action"].clone(), past["project"].clone())).collect();
    assert!(joined.contains(&(json!("add"), json!("Engineering"))), "{runs:?}");
    assert!(joined.contains(&(json!("remove"), json!("Sales"))), "{runs:?}");
    assert_eq!(answer["next_apply"]["operation"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_names_its_rule_its_project_and_who_does_not_get_in() {
    let stage = Stage::seeded().await;
    let group = explained(&stage, &["--group", "AP Finance"]).await;
    assert_eq!(
        (&group["project_name"], &group["project"], &group["members"]),
        (&json!("Finance"), &Value::Null, &json!(8))
    );
    let added: Vec<&str> =
        group["entrants"]["to_add"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(added, ["ada.adler@example.com", "ben.brook@example.com", "cara.cole@example.com"]);
    let not = group["entrants"]["not"].as_object().unwrap();
    let reasons: Vec<(&str, usize)> =
        not.iter().map(|(why, names)| (why.as_str(), names.as_array().unwrap().len())).collect();
    let expected = ["deactivated in Okta", "has problems", "not in scope", "status \"STAGED\"", "suspended in Okta"];
    assert_eq!(reasons, expected.map(|why| (why, 1)));
    assert_eq!(not["not in scope"], json!(["vera.vogt@example.com"]));
    let text = stage.run(&["explain", "--group", "AP Finance"]).await.stdout;
    for said in ["match = \"^AP (.+)$\"", "Finance, not there yet", "3 the next apply adds: ada.adler@example.com"] {
        assert!(text.contains(said), "{said}:\n{text}");
    }
    fails(&stage.run(&["explain", "--group", "AP Finanz"]).await, "did you mean \"AP Finance\"");
    fails(&stage.run(&["explain", "--group", "AP Research"]).await, "2 groups in Okta are named \"AP Research\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_names_its_group_and_who_is_in_it_without_okta() {
    let stage = Stage::seeded().await;
    let project = explained(&stage, &["--project", "Engineering"]).await;
    assert_eq!(
        (&project["group_name"], &project["operation"]["action"]),
        (&json!("AP Engineering"), &json!("members"))
    );
    let members = project["members"].as_array().unwrap();
    let of = |name: &str| members.iter().find(|member| member["user_name"] == *name).unwrap();
    let zita = of("zita.zeller@example.com");
    assert_eq!((&zita["not_in_okta"], &zita["projects"][0]["reason"]["kind"]), (&json!(true), &json!("not_in_okta")));
    assert_eq!(of("finn.falk@example.com")["projects"][0]["role"], "Viewer");
    assert_eq!(of("otto.ohm@example.com")["projects"][0]["reason"]["kind"], "not_in_group");
    let text = stage.run(&["explain", "--project", "Engineering"]).await.stdout;
    let (known, unknown) = text.split_once("Members that Okta doesn't know").unwrap();
    assert!(known.contains("otto.ohm@example.com") && !known.contains("zita.zeller@example.com"), "{text}");
    assert!(unknown.contains("zita.zeller@example.com") && unknown.contains("~ members"), "{text}");
    fails(&stage.run(&["explain", "--project", "Enginering"]).await, "did you mean \"Engineering\"");
    fails(&stage.run(&["explain", "--project", "Support"]).await, "2 projects are named \"Support\"");
}

fn fails(outcome: &Outcome, why: &str) {
    assert!(outcome.code == 1 && outcome.stderr.contains(why), "{why}: {outcome:#?}");
}
