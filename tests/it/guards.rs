//! Guards, deferred operations and the checks after a write, by the real binary.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::BTreeSet;

use oktapieces_sandbox::Options;
use oktapieces_sandbox::activepieces::{Contents, Generation};
use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::serve::{Fault, FaultKind};
use serde_json::Value;

use crate::state::history;
use crate::support::Stage;

/// Every user has an account, and no account needs a change.
const IN_LINE: Shape = Shape::Generated { users: 40, groups: 3, members: 25, existing: 1.0, drift: 0.0, seed: 5 };
/// The limits of its config, which let everything through.
const ANY_DEACTIVATIONS: &str = "max_deactivations = \"100%\"";
const APP: &str = "Activepieces";

/// In line, and known to be so.
async fn synced() -> Stage {
    // So many runs as there are here would come up against the limits of a real org.
    let stage = Stage::with(Options { company: IN_LINE, rate_limit: Some(100_000), ..Options::default() }).await;
    let first = stage.run(&["apply", "--yes"]).await;
    assert_eq!(first.code, 0, "{first:#?}");
    stage
}

/// The Okta ids of the people with an active account, sorted by address.
fn people(stage: &Stage) -> Vec<String> {
    let mut users = stage.sandbox.platform().users();
    users.sort_by(|a, b| a.email.cmp(&b.email));
    users.into_iter().filter(|user| user.active).filter_map(|user| user.external_id).collect()
}

fn active(stage: &Stage) -> usize {
    stage.sandbox.platform().users().iter().filter(|user| user.active).count()
}

fn unassign(stage: &Stage, users: &[String]) {
    for user in users {
        stage.sandbox.org().unassign(APP, user);
    }
}

/// Requests that write, so far.
fn writes(stage: &Stage) -> u64 {
    let counts = stage.sandbox.activepieces_traffic().counts();
    counts.iter().filter(|(route, _)| !route.starts_with("GET ")).map(|(_, count)| count).sum()
}

fn held(plan: &Value) -> BTreeSet<String> {
    let held = plan["held"].as_array().unwrap();
    held.iter().map(|held| held["because"]["kind"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_counts_no_embedded_account_in_any_generation() {
    let company = Shape::Generated { users: 10, groups: 1, members: 5, existing: 1.0, drift: 0.0, seed: 5 };
    for (version, generation) in Generation::NAMED {
        let stage = Stage::with(Options { company, generation, embedded: 30, ..Options::default() }).await;
        stage.reconfigure(ANY_DEACTIVATIONS, "max_deactivations = \"10%\"");
        let mut people = people(&stage);
        people.retain(|id| id.starts_with("00u"));
        unassign(&stage, &people[..2]);
        let refused = stage.run(&["apply", "--yes"]).await;
        assert_eq!((refused.code, writes(&stage)), (5, 0), "{version}: {refused:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_over_a_limit_is_approved_by_its_hash_and_no_other_is() {
    let stage = synced().await;
    stage.reconfigure("max_role_or_email_changes = \"100%\"", "max_role_or_email_changes = 2");
    let wrong_for = |count: usize| {
        for user in &people(&stage)[..count] {
            stage.sandbox.org().set_profile(user, "okta_role", "op".into());
        }
    };
    let before = writes(&stage);
    for user in people(&stage) {
        stage.sandbox.org().set_profile(&user, "okta_role", "user".into());
    }
    stage.run(&["apply", "--yes", "--approve", stage.plan().await["hash"].as_str().unwrap()]).await;
    wrong_for(3);
    let in_line = writes(&stage);
    assert!(in_line > before, "at least one account had another role");
    let (plan, shown) = (stage.plan().await, stage.run(&["plan"]).await);
    let hash = plan["hash"].as_str().unwrap().to_owned();
    assert_eq!((plan["refusals"][0]["guard"].as_str(), hash.len()), (Some("max_role_or_email_changes"), 12));
    assert!(shown.stdout.contains(&format!(" · plan {hash}\n")), "{shown:#?}");
    assert!(shown.stdout.contains(&format!("--approve {hash} allows exactly this")), "{shown:#?}");
    let refused = stage.run(&["apply", "--yes"]).await;
    assert_eq!(refused.code, 5, "{refused:#?}");
    assert!(refused.stderr.contains(&format!("--approve {hash}")), "{refused:#?}");
    wrong_for(4);
    let another = stage.run(&["apply", "--yes", "--approve", &hash]).await;
    let new = stage.plan().await["hash"].as_str().unwrap().to_owned();
    assert_eq!(another.code, 5, "{another:#?}");
    assert!(another.stderr.contains(&hash) && another.stderr.contains(&new) && hash != new, "{another:#?}");
    assert_eq!(writes(&stage), in_line, "nothing is written before the guards");
    assert_eq!(stage.run(&["apply", "--yes", "--approve", &new]).await.code, 0);
    assert_eq!(writes(&stage), in_line + 4);
    assert_eq!(stage.run(&["apply", "--yes", "--approve", &new]).await.code, 5, "once");
    assert!(stage.run(&["plan"]).await.total().starts_with("No changes: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_is_approved_by_its_hash_and_refused_if_it_was_changed() {
    let stage = synced().await;
    stage.reconfigure(ANY_DEACTIVATIONS, "max_deactivations = 1");
    unassign(&stage, &people(&stage)[..2]);
    stage.run(&["plan", "--out", "plan.json"]).await;
    let path = stage.folder().join("plan.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let hash = serde_json::from_str::<Value>(&text).unwrap()["hash"].as_str().unwrap().to_owned();
    assert!(stage.run(&["show", "plan.json"]).await.stdout.contains(&hash));
    std::fs::write(&path, text.replace("\"reason\"", "\"Reason\"").replace("unassigned", "deleted")).unwrap();
    assert_eq!(stage.run(&["apply", "plan.json", "--approve", &hash]).await.code, 78);
    std::fs::write(&path, text.replace("unassigned", "deleted")).unwrap();
    let changed = stage.run(&["apply", "plan.json", "--approve", &hash]).await;
    assert_eq!(changed.code, 78, "{changed:#?}");
    std::fs::write(&path, &text).unwrap();
    assert_eq!(stage.run(&["apply", "plan.json"]).await.code, 5);
    // One of the two comes back: what was approved was more than what is left.
    stage.sandbox.org().assign(APP, &people(&stage)[0]);
    let before = active(&stage);
    let partly = stage.run(&["apply", "plan.json", "--approve", &hash]).await;
    assert_eq!((partly.code, before - active(&stage)), (3, 1), "{partly:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_creations_are_refused_once_a_run_brought_the_platform_in_line() {
    let company = Shape::Generated { users: 60, groups: 3, members: 20, existing: 0.0, drift: 0.0, seed: 5 };
    let stage = Stage::of(company).await;
    stage.reconfigure("app = \"Activepieces\"", "groups = [\"AP Team 001\"]");
    let first = stage.run(&["apply", "--yes"]).await;
    assert_eq!(first.code, 0, "the first run may create all accounts: {first:#?}");
    stage.reconfigure("groups = [\"AP Team 001\"]", "app = \"Activepieces\"");
    stage.reconfigure("[safety]", "[safety]\nsize_floor = 10");
    let refused = stage.run(&["apply", "--yes"]).await;
    assert_eq!(refused.code, 5, "{refused:#?}");
    assert!(refused.stderr.contains("creations are more than"), "{refused:#?}");
    let hash = stage.plan().await["hash"].as_str().unwrap().to_owned();
    assert_eq!(stage.run(&["apply", "--yes", "--approve", &hash]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_shrank_takes_nothing_away_until_somebody_says_that_it_is_right() {
    let stage = synced().await;
    stage.reconfigure("[safety]", "[safety]\nmax_shrink = \"30%\"");
    let (all, everybody) = (people(&stage), active(&stage));
    let (gone, renamed) = (&all[..14], &all[20]);
    unassign(&stage, gone);
    stage.sandbox.org().set_profile(renamed, "firstName", "Renamed".into());
    let plan = stage.run(&["plan", "--json"]).await;
    assert_eq!(plan.code, 7, "{plan:#?}");
    let plan = plan.json();
    let size = |when: &str| plan["shrunk"][0][when].as_u64().unwrap();
    assert_eq!(size("before") - size("now"), 14);
    assert_eq!((plan["totals"]["deactivate"].as_u64(), plan["held"].as_array().unwrap().len()), (Some(0), 14));
    assert_eq!(held(&plan), BTreeSet::from(["source_not_trusted".to_owned()]));
    let detailed = stage.run(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(detailed.code, 2, "the name waits: {detailed:#?}");
    assert!(detailed.stdout.contains("The Okta data looks incomplete"), "{detailed:#?}");
    for _ in 0..2 {
        let applied = stage.run(&["apply", "--yes"]).await;
        assert_eq!((applied.code, active(&stage)), (7, everybody), "{applied:#?}");
        assert!(applied.stderr.contains("--trust-source"), "{applied:#?}");
    }
    let user = stage.sandbox.platform().users().into_iter().find(|user| user.external_id.as_ref() == Some(renamed));
    assert_eq!(user.unwrap().first_name, "Renamed", "updates go on");
    assert_eq!(stage.run(&["plan", "--detailed-exitcode"]).await.code, 7);
    let trusted = stage.run(&["apply", "--yes", "--trust-source"]).await;
    assert_eq!((trusted.code, active(&stage)), (0, everybody - 14), "{trusted:#?}");
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0, "what was trusted is the measure now");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_lost_its_people_takes_nothing_away_though_a_group_still_names_some() {
    let stage = synced().await;
    stage.reconfigure("app = \"Activepieces\"", "app = \"Activepieces\"\ngroups = [\"AP Team 001\", \"AP Team 002\"]");
    stage.reconfigure(ANY_DEACTIVATIONS, "max_deactivations = 1000\nmax_shrink = \"40%\"");
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    let standing = active(&stage);
    unassign(&stage, &people(&stage));
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!((applied.code, active(&stage)), (7, standing), "{applied:#?}");
    assert!(applied.stdout.contains(" users assigned to the app Activepieces, and 37 in the last"), "{applied:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_lost_its_members_loses_none_in_its_project() {
    let stage = synced().await;
    let org = stage.sandbox.org();
    let group = org.group_id("AP Team 001").unwrap();
    let members = |stage: &Stage| {
        let projects = stage.sandbox.platform().projects();
        projects.into_iter().find(|project| project.external_id.as_ref() == Some(&group)).unwrap().members.len()
    };
    let all = people(&stage);
    let before = members(&stage);
    for user in &all {
        org.remove_member(&group, user);
    }
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!((applied.code, members(&stage)), (7, before), "{applied:#?}");
    assert!(applied.stdout.contains("members of the group AP Team 001, and 25 in the last"), "{applied:#?}");
    let removals = stage.plan().await["held"].as_array().unwrap().len();
    assert_eq!(stage.run(&["apply", "--yes", "--trust-source"]).await.code, 0);
    assert!(removals > 10 && members(&stage) == before - removals);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_missing_waits_for_the_third_apply_and_a_suspended_one_does_not() {
    let stage = synced().await;
    stage.reconfigure("[safety]", "[lifecycle]\ndeactivate_after_runs = 3\n\n[safety]");
    let all = people(&stage);
    let is_active = |user: &str| {
        let users = stage.sandbox.platform().users();
        users.into_iter().any(|account| account.active && account.external_id.as_deref() == Some(user))
    };
    unassign(&stage, &all[..1]);
    stage.sandbox.org().set_status(&all[1], "SUSPENDED");
    for run in 1..=3 {
        for _ in 0..2 {
            let plan = stage.run(&["plan"]).await;
            let waits = format!("in {run} run");
            assert_eq!(plan.stdout.contains(&waits), run < 3, "only applies count: {plan:#?}");
        }
        let applied = stage.run(&["apply", "--yes"]).await;
        assert_eq!(applied.code, 0, "{applied:#?}");
        assert_eq!((is_active(&all[0]), is_active(&all[1])), (run < 3, false), "run {run}");
    }
    assert!(stage.run(&["plan"]).await.total().starts_with("No changes: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_are_deleted_by_their_number_after_a_list_of_what_is_destroyed() {
    let stage = synced().await;
    let platform = stage.sandbox.platform();
    stage.reconfigure("'^AP (.+)$'", "'^AP (Team 001)$'");
    let doomed: Vec<_> = platform.projects().into_iter().filter(|project| project.name != "Team 001").collect();
    assert_eq!(doomed.len(), 2);
    let last_run = Some("2026-03-04T05:06:07Z".parse().unwrap());
    let contents = Contents { flows: 7, connections: 2, tables: 1, last_run, broken_connection: false };
    platform.fill_project(&doomed[0].id, contents);
    platform.fill_project(&doomed[1].id, Contents { flows: 1, broken_connection: true, ..Contents::default() });
    let kept = stage.run(&["apply", "--yes"]).await;
    assert!(kept.stdout.contains("stays as it is") && platform.projects().len() == 3, "{kept:#?}");
    stage.reconfigure("[safety]", "[projects_policy]\ndelete_unpushed = true\n\n[safety]");
    let there = stage.run(&["apply", "--yes"]).await;
    assert!(there.stdout.contains("is called AP Team 002 in Okta"), "the groups are there: {there:#?}");
    assert_eq!((there.code, platform.projects().len()), (0, 3), "{there:#?}");
    stage.delete_groups_but("Team 001");
    let plan = stage.run(&["plan"]).await;
    let members = doomed[0].members.len();
    let destroyed = format!("destroys 7 flows, {members} members, 2 connections, 1 table\n");
    let seen: String = plan.stdout.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    assert!(plan.stdout.contains(destroyed.trim_end()), "{seen}");
    assert!(seen.contains("last run on 2026-03-04; nothing of it can be recovered"), "{seen}");
    assert!(seen.contains("connections (number not known), 0 tables") && seen.contains("no flow ever ran"), "{seen}");
    assert!(plan.total().contains("projects 2 to delete"), "{plan:#?}");
    let hash = stage.plan().await["hash"].as_str().unwrap().to_owned();
    for flags in [&[][..], &["--allow-project-deletions", "1"], &["--approve", &hash]] {
        let refused = stage.run(&[&["apply", "--yes"], flags].concat()).await;
        assert_eq!((refused.code, platform.projects().len()), (5, 3), "{refused:#?}");
        assert!(refused.stderr.contains("--allow-project-deletions 2"), "{refused:#?}");
    }
    // Both answers are lost; one deletion was done and one wasn't.
    for kind in [FaultKind::CutAfter, FaultKind::CutBefore] {
        let path = "/api/v1/scim/v2/Groups".to_owned();
        let fault = Fault { method: Some("DELETE".to_owned()), path, kind, after: 0, times: 1 };
        stage.sandbox.activepieces_traffic().fault(fault);
    }
    let deleted = stage.run(&["apply", "--yes", "--allow-project-deletions", "2"]).await;
    assert_eq!(deleted.code, 0, "{deleted:#?}");
    assert_eq!(stage.sandbox.activepieces_traffic().befallen(), 2);
    let left: Vec<String> = platform.projects().into_iter().map(|project| project.name).collect();
    assert_eq!(left, ["Team 001"]);
    assert!(stage.run(&["plan"]).await.total().starts_with("No changes: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_that_were_killed_are_completed_with_the_number_that_is_left() {
    for after in [0, 1] {
        let stage = synced().await;
        stage.reconfigure("'^AP (.+)$'", "'^AP (Team 001)$'");
        stage.reconfigure("[safety]", "[projects_policy]\ndelete_unpushed = true\n\n[safety]");
        stage.delete_groups_but("Team 001");
        let deleting = ["apply", "--yes", "--allow-project-deletions", "2"];
        stage.killed(&deleting, ("DELETE", "/Groups"), after).await;
        let names = || stage.sandbox.platform().projects().into_iter().map(|project| project.name).collect::<Vec<_>>();
        let left = names().len() - 1;
        assert!(left <= 2 - after, "{left} after {after} were done");
        let next = match left {
            0 => stage.run(&["apply", "--yes"]).await,
            _ => stage.run(&["apply", "--yes", "--allow-project-deletions", &left.to_string()]).await,
        };
        assert_eq!((next.code, names()), (0, vec!["Team 001".to_owned()]), "{next:#?}");
        let runs = history(&stage).await;
        assert_eq!((&runs[1]["outcome"], &runs[1]["done"]), (&"interrupted".into(), &after.into()), "{runs:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_sets_back_is_named_once_and_not_written_for_ever() {
    let stage = synced().await;
    stage.sandbox.platform().configure(|settings| settings.names_kept_elsewhere = true);
    let user = &people(&stage)[0];
    stage.sandbox.org().set_profile(user, "firstName", "Married".into());
    let before = writes(&stage);
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!((applied.code, writes(&stage)), (3, before + 1), "{applied:#?}");
    assert!(applied.stdout.contains("and not \"Married\""), "{applied:#?}");
    let shown = stage.run(&["show", "2"]).await;
    assert!(shown.stdout.contains("and not \"Married\""), "{shown:#?}");
    let plan = stage.plan().await;
    assert_eq!(held(&plan), BTreeSet::from(["does_not_stand".to_owned()]));
    for _ in 0..2 {
        let again = stage.run(&["apply", "--yes"]).await;
        assert_eq!((again.code, writes(&stage)), (0, before + 1), "{again:#?}");
        assert!(
            again.stdout.contains("set givenName") && again.stdout.contains("not kept by the server"),
            "{again:#?}"
        );
    }
    stage.sandbox.platform().configure(|settings| settings.names_kept_elsewhere = false);
    stage.sandbox.org().set_profile(user, "firstName", "Again".into());
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    assert_eq!(writes(&stage), before + 2, "another name is another matter");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_cannot_look_again_says_so() {
    let stage = synced().await;
    stage.sandbox.org().set_profile(&people(&stage)[0], "firstName", "Renamed".into());
    let path = "/api/v1/users".to_owned();
    // The first listing is that of the plan.
    let fault = Fault { method: None, path, kind: FaultKind::Html, after: 1, times: usize::MAX };
    stage.sandbox.activepieces_traffic().fault(fault);
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!(applied.code, 3, "{applied:#?}");
    assert!(applied.stderr.contains("couldn't be read again to verify them"), "{applied:#?}");
}
