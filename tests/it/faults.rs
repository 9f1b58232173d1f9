//! An apply whose requests go wrong ends in the state of one whose requests don't.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::serve::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::state::{history, interrupt, signal, until};
use crate::support::Stage;

/// Half the people have accounts, and most of those differ: every kind of write is needed.
const COMPANY: Shape = Shape::Generated { users: 40, groups: 10, members: 12, existing: 0.5, drift: 0.7, seed: 11 };
const SCIM: &str = "/api/v1/scim/v2";

/// All that matters of a platform, without the ids that it made up.
pub fn state(stage: &Stage) -> Value {
    state_with(stage, str::to_owned)
}

/// The same, but for the roles of members.
pub fn state_but_roles(stage: &Stage) -> Value {
    state_with(stage, |_| String::new())
}

fn state_with(stage: &Stage, role_of: fn(&str) -> String) -> Value {
    let platform = stage.sandbox.platform();
    let mails: BTreeMap<String, String> = platform.users().into_iter().map(|user| (user.id, user.email)).collect();
    let users: Vec<Value> = platform
        .users()
        .into_iter()
        .map(|user| json!([user.email, user.first_name, user.last_name, user.external_id, user.role, user.active]))
        .collect();
    let mut users: Vec<String> = users.iter().map(Value::to_string).collect();
    users.sort();
    let project = |project: oktapieces_sandbox::activepieces::ProjectSnapshot| {
        let members: BTreeMap<&str, String> =
            project.members.iter().map(|(id, role)| (mails[id].as_str(), role_of(role))).collect();
        json!([project.name, project.external_id, members]).to_string()
    };
    let mut projects: Vec<String> = platform.projects().into_iter().map(project).collect();
    projects.sort();
    let mut welcomed = platform.mails();
    welcomed.sort();
    json!({"users": users, "projects": projects, "welcomed": welcomed})
}

async fn undisturbed() -> Value {
    let stage = Stage::of(COMPANY).await;
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!(applied.code, 0, "{applied:#?}");
    state(&stage)
}

/// The writes of an apply.
const WRITES: [(&str, &str); 5] =
    [("POST", "/Users"), ("PATCH", "/Users"), ("POST", "/Groups"), ("PATCH", "/Groups"), ("GET", "/Groups/")];

/// What may befall them, and be survived within the run.
const KINDS: [FaultKind; 8] = [
    FaultKind::Error500,
    FaultKind::BadGateway,
    FaultKind::Html,
    FaultKind::TooMany(1),
    FaultKind::CutBefore,
    FaultKind::CutAfter,
    FaultKind::Error500After,
    FaultKind::Truncated,
];

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_at_every_write_ends_in_the_undisturbed_state() {
    let expected = undisturbed().await;
    for (method, path) in WRITES {
        let runs = KINDS.map(|kind| async move {
            let stage = Stage::of(COMPANY).await;
            let fault =
                Fault { method: Some(method.to_owned()), path: format!("{SCIM}{path}"), kind, after: 1, times: 2 };
            stage.sandbox.activepieces_traffic().fault(fault);
            let applied = stage.run(&["apply", "--yes"]).await;
            assert_eq!(applied.code, 0, "{kind:?} at {method} {path}: {applied:#?}");
            assert_eq!(stage.sandbox.activepieces_traffic().befallen(), 2, "{kind:?} at {method} {path}");
            (kind, state(&stage))
        });
        for (kind, state) in futures_util::future::join_all(runs).await {
            assert_eq!(state, expected, "{kind:?} at {method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_never_succeeds_is_named_and_a_later_run_completes_it() {
    let stage = Stage::of(COMPANY).await;
    let traffic = stage.sandbox.activepieces_traffic();
    let fault = |method: &str, path: &str| Fault {
        method: Some(method.to_owned()),
        path: format!("{SCIM}{path}"),
        kind: FaultKind::Error500,
        after: 0,
        times: usize::MAX,
    };
    traffic.fault(fault("POST", "/Groups"));
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!(applied.code, 3, "{applied:#?}");
    assert!(applied.stdout.contains("not done"), "{applied:#?}");
    traffic.mend();
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    assert_eq!(state(&stage), undisturbed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_to_one_project_never_meet() {
    let stage = Stage::of(COMPANY).await;
    // Two writes to one project within this time give the real server's errors.
    stage.sandbox.platform().configure(|settings| settings.write_window = Duration::from_millis(15));
    let applied = stage.run(&["apply", "--yes", "--parallelism", "16"]).await;
    assert_eq!(applied.code, 0, "{applied:#?}");
    assert_eq!(state(&stage), undisturbed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_smtp_server_that_fails_makes_no_second_account() {
    use oktapieces_sandbox::activepieces::Smtp;
    let stage = Stage::of(COMPANY).await;
    stage.sandbox.platform().configure(|settings| settings.smtp = Smtp::Failing);
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!(applied.code, 0, "{applied:#?}");
    let (mut left, mut expected) = (state(&stage), undisturbed().await);
    for value in [&mut left, &mut expected] {
        value["welcomed"].take();
    }
    assert_eq!(left, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_survive_faults_on_both_sides() {
    let calm = Stage::of(COMPANY).await;
    let expected = calm.scrubbed(&calm.run(&["plan"]).await.stdout);
    for kind in
        [FaultKind::Error500, FaultKind::BadGateway, FaultKind::CutBefore, FaultKind::Truncated, FaultKind::TooMany(1)]
    {
        let stage = Stage::of(COMPANY).await;
        for traffic in [stage.sandbox.okta_traffic(), stage.sandbox.activepieces_traffic()] {
            traffic.fault(Fault { method: None, path: "/api/v1".to_owned(), kind, after: 1, times: 3 });
        }
        let plan = stage.run(&["plan"]).await;
        assert_eq!(stage.sandbox.okta_traffic().befallen(), 3);
        assert_eq!(stage.sandbox.activepieces_traffic().befallen(), 3);
        assert_eq!(stage.scrubbed(&plan.stdout), expected, "{kind:?}: {plan:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_side_that_cannot_be_read_whole_is_never_planned_from() {
    for path in ["/api/v1/apps", "/api/v1/groups", "/api/v1/scim/v2/Users", "/api/v1/scim/v2/Groups", "/api/v1/users"] {
        let stage = Stage::of(COMPANY).await;
        for traffic in [stage.sandbox.okta_traffic(), stage.sandbox.activepieces_traffic()] {
            let kind = FaultKind::Html;
            traffic.fault(Fault { method: None, path: path.to_owned(), kind, after: 0, times: usize::MAX });
        }
        let plan = stage.run(&["plan"]).await;
        assert_eq!((plan.code, plan.stdout.as_str()), (1, ""), "{path}: {plan:#?}");
        assert!(plan.stderr.contains("web page"), "{plan:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_are_obeyed() {
    // So few requests a minute that a run which didn't keep within them would be refused.
    let options = oktapieces_sandbox::Options { company: COMPANY, rate_limit: Some(40), ..Default::default() };
    let stage = Stage::with(options).await;
    let plan = stage.run(&["plan", "--verbose"]).await;
    assert_eq!(plan.code, 0, "{plan:#?}");
    // With its name, since a port may have these digits too.
    assert!(plan.stderr.contains("status=200") && !plan.stderr.contains("status=429"), "{plan:#?}");
}

/// Slow enough to be met in the middle.
fn slow() -> oktapieces_sandbox::Options {
    oktapieces_sandbox::Options { company: COMPANY, latency: Duration::from_millis(25), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_is_killed_at_any_time_is_completed_by_the_next() {
    let expected = undisturbed().await;
    let runs = (1..=12).map(|step| async move {
        let stage = Stage::with(slow()).await;
        let killed = stage.signalled(&["apply", "--yes"], "KILL", Duration::from_millis(step * 60)).await;
        let next = stage.run(&["apply", "--yes"]).await;
        assert_eq!(next.code, 0, "{next:#?}");
        (killed, state(&stage))
    });
    let ended = futures_util::future::join_all(runs).await;
    assert!(ended.iter().any(|(killed, _)| killed.is_none()), "no run was met in the middle");
    for (_, state) in ended {
        assert_eq!(state, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_what_is_in_flight_and_the_next_run_completes_it() {
    let stage = Stage::of(COMPANY).await;
    let mut child = stage.waiting(&["apply", "--yes"], ("PATCH", "/Groups"), 2, Duration::from_secs(1)).await;
    interrupt(&child).await;
    assert_eq!(child.wait().await.unwrap().code(), Some(130));
    stage.sandbox.activepieces_traffic().mend();
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    assert_eq!(state(&stage), undisturbed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_what_is_in_flight_and_says_what_remains() {
    let stage = Stage::of(COMPANY).await;
    let child = stage.waiting(&["apply", "--yes"], ("PATCH", "/Groups"), 2, Duration::from_secs(1)).await;
    signal(&child, "TERM").await;
    let ended = child.wait_with_output().await.unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{told}");
    assert!(told.contains("operations remain; run it again"), "{told}");
    stage.sandbox.activepieces_traffic().mend();
    let runs = history(&stage).await;
    assert_eq!((&runs[0]["outcome"], &runs[0]["failed"]), (&"interrupted".into(), &0.into()), "{runs:?}");
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    assert_eq!(state(&stage), undisturbed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_leaves_at_once_and_the_next_run_completes_it() {
    for (first, second) in [("INT", "INT"), ("TERM", "INT"), ("INT", "TERM")] {
        let stage = Stage::of(COMPANY).await;
        let write = ("POST", "/Users");
        let mut child = stage.waiting(&["apply", "--yes"], write, 2, Duration::from_mins(10)).await;
        signal(&child, first).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(child.try_wait().unwrap(), None, "it waits for what is in flight");
        let since = Instant::now();
        signal(&child, second).await;
        assert_eq!(child.wait().await.unwrap().code(), Some(130));
        assert!(since.elapsed() < Duration::from_secs(30), "a request has a minute: {:?}", since.elapsed());
        stage.sandbox.activepieces_traffic().mend();
        assert_eq!(history(&stage).await[0]["outcome"], "interrupted");
        assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
        assert_eq!(state(&stage), undisturbed().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_or_deactivated_since_it_was_read_is_named_and_made_once() {
    let stage = Stage::of(COMPANY).await;
    let (org, platform) = (stage.sandbox.org(), stage.sandbox.platform());
    let plan = stage.plan().await;
    let last = |part: &str, action: &str| -> Value {
        let ops = plan[part].as_array().unwrap().iter();
        ops.rev().find(|op| op["action"] == action).unwrap_or_else(|| panic!("no {action}: {plan}")).clone()
    };
    let text = |op: &Value, key: &str| op[key].as_str().unwrap().to_owned();
    let (updated, created) = (last("users", "update"), last("users", "create"));
    let changed = last("projects", "members");
    platform.hold_writes();
    let meddle = async {
        until(async || platform.held_writes() == 1).await;
        platform.delete_user(&text(&updated, "user_name"));
        platform.delete_project(&text(&changed, "project"));
        org.set_status(&text(&created, "okta_id"), "SUSPENDED");
        platform.release_writes();
    };
    let (first, ()) = tokio::join!(stage.run(&["apply", "--yes", "--parallelism", "1"]), meddle);
    assert_eq!(first.code, 3, "{first:#?}");
    for (name, why) in
        [(text(&updated, "user_name"), "the account is gone"), (text(&changed, "name"), "the project is gone")]
    {
        let named = first.stdout.lines().any(|line| line.contains(&name) && line.contains(why));
        assert!(named, "{name}: {first:#?}");
    }
    let second = stage.run(&["apply", "--yes"]).await;
    assert_eq!(second.code, 0, "{second:#?}");
    let third = stage.run(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(third.code, 0, "{third:#?}");
    assert!(!platform.user(&text(&created, "user_name")).unwrap().active);
    assert!(platform.user(&text(&updated, "user_name")).is_some());
    let mut made = platform.mails();
    made.extend(platform.projects().into_iter().filter_map(|project| project.external_id));
    assert!(made.contains(&text(&changed, "group")));
    let all = made.len();
    made.sort();
    made.dedup();
    assert_eq!(made.len(), all, "nothing is made twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_ends_the_run_and_a_new_one_does_the_rest() {
    let undisturbed = Stage::of(COMPANY).await;
    assert_eq!(undisturbed.run(&["apply", "--yes"]).await.code, 0);
    let stage = Stage::of(COMPANY).await;
    let traffic = stage.sandbox.activepieces_traffic();
    let planned = stage.plan().await["users"].as_array().unwrap().len();
    assert!(planned > 10, "far more operations than are begun here");
    // As many reads as the plan took go well, and nothing after them.
    let (path, kind) = ("/api/v1".to_owned(), FaultKind::Unauthorized);
    traffic.fault(Fault {
        method: None,
        path,
        kind,
        after: usize::try_from(traffic.total()).unwrap(),
        times: usize::MAX,
    });
    let applied = stage.run(&["apply", "--yes", "--parallelism", "1"]).await;
    assert_eq!(applied.code, 4, "{applied:#?}");
    assert!(applied.stderr.contains("doesn't accept the API key any more"), "{applied:#?}");
    assert!(applied.stderr.contains("put a new key in place"), "{applied:#?}");
    assert!(
        applied.stdout.contains("1 operation is not done:") && applied.stdout.contains("not begun."),
        "{applied:#?}"
    );
    assert!((2..=3).contains(&traffic.befallen()), "{} requests for {applied:#?}", traffic.befallen());
    traffic.mend();
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    assert_eq!(state(&stage), state(&undisturbed));
}
