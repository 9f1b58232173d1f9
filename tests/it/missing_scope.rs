//! An app or a group of `[scope]` that isn't in Okta: no user loses anything for it, and no offboarding waits for it.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::{BTreeMap, BTreeSet};

use oktapieces_sandbox::company::Shape;
use serde_json::Value;

use crate::support::Stage;

const IN_LINE: Shape = Shape::Generated { users: 30, groups: 2, members: 10, existing: 1.0, drift: 0.0, seed: 5 };
const APP: &str = "app = \"Activepieces\"";
const TEAMS: &str = "groups = [\"AP Team 001\", \"AP Team 002\"]";

/// What becomes of each user with an operation, by Okta id.
fn reasons(plan: &Value) -> BTreeMap<String, String> {
    let users = plan["users"].as_array().unwrap().iter();
    let left = |op: &Value| op["reason"]["left"].as_str().unwrap_or("present").to_owned();
    users.map(|op| (op["okta_id"].as_str().unwrap().to_owned(), left(op))).collect()
}

/// The kinds of the problems, and why operations are held.
fn kinds(plan: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let of = |list: &str, kind: fn(&Value) -> &Value| {
        plan[list].as_array().unwrap().iter().map(|one| kind(one).as_str().unwrap().to_owned()).collect()
    };
    (of("problems", |problem| &problem["kind"]), of("held", |held| &held["because"]["kind"]))
}

fn one(kind: &str) -> BTreeSet<String> {
    BTreeSet::from([kind.to_owned()])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_or_a_group_of_the_scope_that_is_gone_stops_no_offboarding_and_takes_nothing_away() {
    for (scope, how) in
        [(APP, "delete the app"), (APP, "name another app"), (TEAMS, "delete the group"), (TEAMS, "rename the group")]
    {
        let stage = Stage::of(IN_LINE).await;
        let (org, platform) = (stage.sandbox.org(), stage.sandbox.platform());
        stage.reconfigure(APP, scope);
        let first = stage.run(&["apply", "--yes"]).await;
        assert_eq!(first.code, 0, "{how}: {first:#?}");
        let people = stage.people();
        let group = org.group_id("AP Team 001").unwrap();
        match how {
            "delete the app" => org.delete_app("Activepieces"),
            "name another app" => stage.reconfigure(APP, "app = \"Activepeices\""),
            "delete the group" => org.delete_group(&group),
            _ => org.rename_group(&group, "Team 1"),
        }
        let left = [("SUSPENDED", "suspended"), ("DEPROVISIONED", "deactivated"), ("", "deleted")];
        let mut expected = BTreeMap::new();
        for ((status, reason), user) in left.into_iter().zip(&people) {
            if status.is_empty() {
                org.delete_user(user);
            } else {
                org.set_status(user, status);
            }
            expected.insert(user.clone(), reason.to_owned());
        }
        let (active, projects) = (people.len(), platform.projects());
        let planned = stage.run(&["plan", "--json"]).await;
        let plan = planned.json();
        assert_eq!(planned.code, 3, "{how}: {planned:#?}");
        assert_eq!(reasons(&plan), expected, "{how}");
        let (problems, held) = kinds(&plan);
        assert!(problems.contains("scope_not_found"), "{how}: {problems:?}");
        assert_eq!(held, one("scope_not_found"), "{how}");
        let text = stage.run(&["plan"]).await.stdout;
        assert!(text.contains("a part of [scope] isn't in Okta") && text.contains("correct [scope]"), "{text}");
        assert_eq!(text.contains("an earlier run found \"Team 1\""), how == "rename the group", "{how}: {text}");
        let applied = stage.run(&["apply", "--yes"]).await;
        assert_eq!(applied.code, 3, "{how}: {applied:#?}");
        let open: BTreeSet<String> = stage.people().into_iter().collect();
        assert_eq!(open.len(), active - 3, "{how}: {applied:#?}");
        assert!(open.is_disjoint(&expected.keys().cloned().collect()), "{how}");
        assert_eq!(platform.projects(), projects, "{how}: members who are out of scope stay");
        let again = stage.run(&["plan", "--json"]).await;
        assert_eq!((again.code, reasons(&again.json()).len()), (3, 0), "{how}: nothing of it is taken for known");
        assert_eq!(stage.run(&["check"]).await.code, 78, "{how}: the config is wrong");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn creations_and_updates_of_the_other_parts_of_the_scope_go_on() {
    let stage = Stage::of(IN_LINE).await;
    let org = stage.sandbox.org();
    stage.reconfigure(APP, TEAMS);
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    org.delete_group(&org.group_id("AP Team 001").unwrap());
    let team = org.group_id("AP Team 002").unwrap();
    let member = org.groups().into_iter().find(|group| group.id == team).unwrap().members.into_iter().next().unwrap();
    org.set_profile(&member, "lastName", "Newname".into());
    let plan = stage.plan().await;
    assert_eq!(reasons(&plan), BTreeMap::from([(member, "present".to_owned())]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_never_worked_is_a_mistake_in_the_config() {
    let shape = Shape::Generated { users: 10, groups: 1, members: 5, existing: 0.0, drift: 0.0, seed: 5 };
    let stage = Stage::of(shape).await;
    stage.reconfigure(APP, "app = \"Activepeices\"");
    for command in [&["plan"][..], &["apply", "--yes"]] {
        let outcome = stage.run(command).await;
        assert_eq!(outcome.code, 78, "{outcome:#?}");
        assert!(outcome.stderr.contains("did you mean \"Activepieces\"?"), "{outcome:#?}");
    }
    stage.reconfigure("Activepeices", "Activepieces");
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    stage.reconfigure(APP, "app = \"Activepeices\"");
    assert_eq!(stage.run(&["plan"]).await.code, 3, "it has worked, and accounts are linked");
    let undone = stage.run(&["undo", "3", "--yes"]).await;
    assert_eq!(undone.code, 78, "an undo has to know who is out of scope: {undone:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_deactivated_is_still_the_scope() {
    let stage = Stage::of(IN_LINE).await;
    let org = stage.sandbox.org();
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    org.set_app_status("Activepieces", "INACTIVE");
    let leaver = stage.people().remove(0);
    org.set_status(&leaver, "SUSPENDED");
    let planned = stage.run(&["plan", "--json"]).await;
    assert_eq!(planned.code, 0, "{planned:#?}");
    assert_eq!(reasons(&planned.json()), BTreeMap::from([(leaver, "suspended".to_owned())]));
    assert!(planned.stderr.contains("is INACTIVE"), "{planned:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_app_that_has_the_mapping_nothing_is_evaluated() {
    let stage = Stage::of(IN_LINE).await;
    let (org, platform) = (stage.sandbox.org(), stage.sandbox.platform());
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    let config = stage.sandbox.config();
    let start = config.find("[attributes]").unwrap();
    let end = start + config[start..].find("\n[").unwrap();
    stage.configure(&format!("{}[attributes]\nfrom_okta = true\n{}", &config[..start], &config[end..]));
    stage.reconfigure(APP, &format!("{APP}\n{TEAMS}"));
    org.delete_app("Activepieces");
    let leaver = stage.people().remove(0);
    org.set_status(&leaver, "SUSPENDED");
    let before = platform.users();
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!(applied.code, 3, "{applied:#?}");
    let closed = before.iter().filter(|user| !platform.users().contains(user)).map(|user| user.external_id.clone());
    assert_eq!(closed.collect::<Vec<_>>(), [Some(leaver)], "{applied:#?}");
}
