//! Runs that no admin watches: what `--quiet` says, the history of them, and the log.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::BTreeSet;
use std::time::Duration;

use oktapieces_sandbox::serve::{Fault, FaultKind};
use serde_json::Value;

use crate::state::{COMPANY, history, until};
use crate::support::{Outcome, Stage};

const NIGHT: [&str; 3] = ["apply", "--yes", "--quiet"];

/// A company that is in line, and the Okta id of one of its users.
async fn synced() -> (Stage, String) {
    let stage = Stage::of(COMPANY).await;
    let first = stage.run(&NIGHT).await;
    assert_eq!(first.code, 0, "{first:#?}");
    let user = stage.people().into_iter().find(|id| id.starts_with("00u")).unwrap();
    (stage, user)
}

fn is_silent(outcome: &Outcome) -> bool {
    outcome.code == 0 && outcome.stdout.is_empty() && outcome.stderr.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_with_changes_has_one_line_and_a_night_without_has_none() {
    let stage = Stage::of(COMPANY).await;
    let plan = stage.plan().await;
    let first = stage.run(&NIGHT).await;
    assert!(first.code == 0 && first.stderr.lines().all(|line| line.starts_with("warning: ")), "{first:#?}");
    let line = stage.scrubbed(&first.stdout);
    assert_eq!(line.lines().count(), 1, "{line}");
    let created = format!("apply done: {} created", plan["totals"]["create"]);
    let servers = format!("UTC  run 2  <OKTA> → <ACTIVEPIECES>  {created}");
    assert!(line.contains(&servers) && line.ends_with(" s\n"), "{line}");
    assert!(line.contains(&format!("  {} users  ", plan["standing"]["in_scope"])), "{line}");
    // What an apply told is news to a plan once.
    stage.run(&["plan", "--quiet"]).await;
    for arguments in [&NIGHT[..], &["plan", "--quiet"], &["plan", "--quiet", "--detailed-exitcode"]] {
        let silent = stage.run(arguments).await;
        assert!(is_silent(&silent), "{arguments:?}: {silent:#?}");
    }
    assert!(stage.run(&["plan", "-q", "--json"]).await.json()["totals"].is_object(), "an answer in JSON is an answer");
    assert!(stage.run(&["plan", "-q", "--csv"]).await.stdout.starts_with("\"kind\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_is_new_once_and_silent_once_it_is_accepted() {
    let (stage, user) = synced().await;
    stage.sandbox.org().set_profile(&user, "email", "bob".into());
    let first = stage.run(&NIGHT).await;
    assert_eq!(first.code, 3, "{first:#?}");
    let lines: Vec<&str> = first.stdout.lines().collect();
    assert!(lines[0].contains("  no changes  ") && lines[0].contains("  1 problem, 1 new  "), "{first:#?}");
    assert!(lines[1].starts_with("  new problem: ") && lines[1].ends_with("(invalid_attribute)"), "{first:#?}");
    assert_eq!((lines.len(), first.stderr.as_str()), (2, ""));
    // It is known, and still an alarm: the exit code says so too.
    let second = stage.run(&NIGHT).await;
    assert_eq!((second.code, second.stdout.lines().count()), (3, 1), "{second:#?}");
    assert!(second.stdout.contains("  1 problem  "), "{second:#?}");
    assert_eq!(history(&stage).await[0]["outcome"], "done", "nothing that was planned is left undone");
    let who = lines[1].trim_start_matches("  new problem: ").split(": ").next().unwrap();
    let accepted = stage.run(&["accept", "invalid_attribute", who, "--why", "HR knows"]).await;
    assert_eq!(accepted.code, 0, "{accepted:#?}");
    let third = stage.run(&NIGHT).await;
    assert!(is_silent(&third), "{third:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_is_told_in_the_first_night_that_has_it() {
    let (stage, _) = synced().await;
    stage.reconfigure(
        "[scope]",
        "[[accepted]]\nkind = \"email_changed\"\nwho = \"x@example.com\"\nwhy = \"old\"\n\n[scope]",
    );
    let first = stage.run(&NIGHT).await;
    assert_eq!((first.code, first.stdout.lines().count()), (0, 1), "{first:#?}");
    assert!(first.stderr.starts_with("warning: ") && first.stderr.contains("x@example.com"), "{first:#?}");
    let second = stage.run(&NIGHT).await;
    assert!(is_silent(&second), "{second:#?}");
    assert!(stage.run(&["plan"]).await.stdout.contains("x@example.com"), "a plan that is read shows it each time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_or_is_refused_says_why_below_its_line() {
    let (stage, user) = synced().await;
    let org = stage.sandbox.org();
    org.set_status(&user, "SUSPENDED");
    stage.reconfigure("max_deactivations", "max_deactivations = 0 # ");
    let refused = stage.run(&NIGHT).await;
    assert_eq!(refused.code, 5, "{refused:#?}");
    assert_eq!(refused.stdout.lines().count(), 1, "{refused:#?}");
    assert!(refused.stdout.contains("  apply refused, planned: 1 deactivated"), "{refused:#?}");
    assert!(
        refused.stderr.starts_with("error: ") && refused.stderr.contains("--allow-deactivations 1"),
        "{refused:#?}"
    );
    let planned = stage.run(&["plan", "--quiet"]).await;
    assert!(planned.stdout.contains("  planned: 1 deactivated  "), "{planned:#?}");
    assert!(planned.stdout.contains("\n  apply refuses this: ") && !planned.stderr.contains("error"), "{planned:#?}");
    let path = "/api/v1/apps".to_owned();
    let fault = Fault { method: None, path, kind: FaultKind::Html, after: 0, times: usize::MAX };
    stage.sandbox.okta_traffic().fault(fault);
    let failed = stage.run(&NIGHT).await;
    assert_eq!((failed.code, failed.stdout.lines().count()), (1, 1), "{failed:#?}");
    assert!(failed.stdout.contains("  apply failed  ") && failed.stderr.starts_with("error: "), "{failed:#?}");
}

/// Applies while an admin gives another role to the account of this user, whose role was to be changed.
async fn disturbed(stage: &Stage) -> String {
    let plan = stage.plan().await;
    let role =
        |op: &Value| op["changes"].as_array().unwrap().iter().find(|one| one["attribute"] == "platformRole").cloned();
    let updates = plan["users"].as_array().unwrap().iter().filter(|op| op["action"] == "update");
    let (op, change) = updates.filter_map(|op| Some((op, role(op)?))).next_back().unwrap();
    let other =
        ["ADMIN", "OPERATOR", "MEMBER"].into_iter().find(|role| change["from"] != *role && change["to"] != *role);
    let platform = stage.sandbox.platform();
    platform.hold_writes();
    let meddle = async {
        until(async || platform.held_writes() == 1).await;
        platform.set_role(op["account"].as_str().unwrap(), other.unwrap());
        platform.release_writes();
    };
    tokio::join!(stage.run(&["apply", "--yes", "--parallelism", "1"]), meddle);
    op["user_name"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_shows_what_came_of_each_operation() {
    let stage = Stage::of(COMPANY).await;
    let changed = disturbed(&stage).await;
    let run = history(&stage).await[0].clone();
    assert_eq!(run["outcome"], "partial", "{run}");
    let json = stage.run(&["show", "last", "--json"]).await.json();
    let outcomes = json["outcomes"].as_array().unwrap();
    assert_eq!(Value::from(outcomes.len()), run["changes"]);
    let left = outcomes.iter().find(|outcome| outcome["subject"] == changed.as_str()).unwrap();
    assert_eq!((&left["outcome"], left["reason"].is_string()), (&"stale".into(), true), "{left}");
    let words: BTreeSet<&str> = outcomes.iter().map(|outcome| outcome["outcome"].as_str().unwrap()).collect();
    assert!(words.contains("done"), "{words:?}");
    let text = stage.run(&["show", "last", "--verbose"]).await.stdout;
    let each = text.split("Operations: ").nth(1).unwrap();
    assert!(each.lines().any(|line| line.contains("stale") && line.contains(&changed)), "{text}");
    let listed = each.lines().skip(1).take_while(|line| !line.is_empty()).count();
    assert_eq!(listed, outcomes.len(), "{text}");
    let csv = stage.run(&["show", "last", "--csv"]).await.stdout;
    let mut table = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(&table.headers().unwrap()[8], "outcome");
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert!(rows.iter().any(|row| row[2] == changed && &row[8] == "stale" && !row[9].is_empty()), "{csv}");
    assert!(rows.iter().filter(|row| &row[0] == "user" || &row[0] == "project").all(|row| !row[8].is_empty()), "{csv}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_begun_is_told_apart_from_what_failed() {
    let stage = Stage::of(COMPANY).await;
    stage.killed(&["apply", "--yes"], ("POST", "/Users"), 3).await;
    let json = stage.run(&["show", "1", "--json"]).await.json();
    let count = |word: &str| json["outcomes"].as_array().unwrap().iter().filter(|one| one["outcome"] == word).count();
    assert_eq!(count("failed"), 1, "the one that was under way: {json}");
    assert!(count("done") >= 3 && count("not begun") > 0, "{json}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_is_filtered() {
    let stage = Stage::of(COMPANY).await;
    stage.run(&["plan"]).await;
    stage.run(&["apply", "--yes"]).await;
    stage.run(&["undo", "2", "--dry-run"]).await;
    stage.reconfigure("max_deactivations", "max_deactivations = 0 # ");
    stage.run(&["undo", "2", "--yes"]).await;
    let listed = async |filters: &[&str]| -> Vec<u64> {
        let answer = stage.run(&[&["history", "--json"], filters].concat()).await;
        assert_eq!(answer.code, 0, "{answer:#?}");
        answer.json()["runs"].as_array().unwrap().iter().map(|run| run["id"].as_u64().unwrap()).collect()
    };
    assert_eq!(listed(&[]).await, [4, 3, 2, 1]);
    assert_eq!(listed(&["--applies"]).await, [4, 2]);
    assert_eq!(listed(&["--applies", "--limit", "1"]).await, [4]);
    assert_eq!(listed(&["--outcome", "refused"]).await, [4]);
    assert_eq!(listed(&["--outcome", "done", "--applies"]).await, [2]);
    assert_eq!(listed(&["--since", "1d"]).await, [4, 3, 2, 1]);
    assert_eq!(listed(&["--since", "2999-01-01"]).await, [0; 0]);
    assert_eq!(stage.run(&["history", "--outcome", "good"]).await.code, 64);
    assert_eq!(stage.run(&["history", "--since", "yesterday"]).await.code, 64);
    assert!(stage.run(&["show", "last"]).await.stdout.starts_with("Run 4: undo 2, refused"));
    let fresh = Stage::of(COMPANY).await;
    assert_eq!(fresh.run(&["show", "last"]).await.code, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_json_has_the_run_and_the_operation_and_no_personal_data() {
    let stage = Stage::of(COMPANY).await;
    let applied = stage.run(&["apply", "--yes", "--log-format", "json"]).await;
    assert_eq!(applied.code, 0, "{applied:#?}");
    let lines = applied.stderr.lines().filter(|line| line.starts_with('{'));
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let ended: Vec<&Value> = lines.iter().filter(|line| line["message"] == "operation ended").collect();
    assert_eq!(Value::from(ended.len()), history(&stage).await[0]["changes"], "{lines:#?}");
    for line in &ended {
        assert_eq!((&line["run"], &line["command"], &line["level"]), (&1.into(), &"apply".into(), &"info".into()));
        assert!(line["operation"].is_string() && line["outcome"] == "done" && line["time"].is_string(), "{line}");
    }
    assert!(lines.last().unwrap()["message"] == "run ended" && lines.last().unwrap()["run"] == 1, "{lines:#?}");
    let personal = |text: &str| text.contains('@') || text.contains("00u");
    let of_info = lines.iter().map(Value::to_string).collect::<Vec<_>>();
    assert!(of_info.iter().all(|line| !personal(line)), "{of_info:#?}");
    let debug = stage.run(&["plan", "--verbose", "--log-format", "json"]).await;
    let answer = debug.stderr.lines().find(|line| line.contains("\"message\":\"answer\"")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(answer).unwrap()["run"], 2, "{answer}");
    let text = stage.run(&["plan", "--verbose"]).await;
    assert!(text.stderr.lines().any(|line| line.contains("DEBUG") && line.contains("run=3")), "{text:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_wait_is_told_once_and_quiet_leaves_it_out() {
    let wait = |stage: &Stage| {
        let kind = FaultKind::TooMany(6);
        let path = "/api/v1/apps".to_owned();
        stage.sandbox.okta_traffic().fault(Fault { method: None, path, kind, after: 1, times: 1 });
    };
    let (stage, other) = (Stage::of(COMPANY).await, Stage::of(COMPANY).await);
    wait(&stage);
    wait(&other);
    let (loud, quiet) = tokio::join!(stage.run(&["plan"]), other.run(&["plan", "--quiet"]));
    let told: Vec<&str> = loud.stderr.lines().filter(|line| line.starts_with("waiting ")).collect();
    assert_eq!(told.len(), 1, "{loud:#?}");
    assert!(told[0].ends_with(" s for Okta's rate limit (/apps)"), "{told:?}");
    assert!(!quiet.stderr.contains("waiting "), "{quiet:#?}");
    let seconds = history(&stage).await[0]["seconds"].as_f64().unwrap();
    assert!(Duration::from_secs_f64(seconds) >= Duration::from_secs(5), "it was a real wait: {seconds}");
}
