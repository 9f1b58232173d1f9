//! The journal, the lock and resuming, by the real binary.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::path::PathBuf;
use std::time::Duration;

use oktapieces::plan::saved::SavedPlan;
use oktapieces::state::{Beginning, Lock, StateFile, Taken};
use oktapieces_sandbox::Options;
use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::serve::{Fault, FaultKind};
use rusqlite::Connection;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::support::Stage;

pub const COMPANY: Shape = Shape::Generated { users: 40, groups: 8, members: 10, existing: 0.5, drift: 0.7, seed: 21 };

fn slow() -> Options {
    Options { company: COMPANY, latency: Duration::from_millis(25), ..Options::default() }
}

/// All files of the stage's state folder.
fn files(stage: &Stage) -> Vec<PathBuf> {
    let folder = stage.folder().join(".local/state/oktapieces");
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

pub fn database(stage: &Stage) -> PathBuf {
    files(stage).into_iter().find(|path| path.extension().is_some_and(|extension| extension == "db")).unwrap()
}

pub async fn history(stage: &Stage) -> Vec<Value> {
    let answer = stage.run(&["history", "--json"]).await;
    assert_eq!(answer.code, 0, "{answer:#?}");
    answer.json()["runs"].as_array().unwrap().clone()
}

/// Asks again and again, until it's so.
pub async fn until(mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..1500 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came to be so");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_is_in_the_history_and_can_be_shown() {
    let stage = Stage::of(COMPANY).await;
    stage.run(&["plan"]).await;
    let applied = stage.run(&["apply", "--yes", "--json"]).await.json();
    assert_eq!(applied["run"], 2);
    stage.run(&["apply", "--yes"]).await;
    let runs = history(&stage).await;
    let told: Vec<_> =
        runs.iter().map(|run| (run["id"].as_u64(), run["command"].as_str(), run["outcome"].as_str())).collect();
    assert_eq!(
        told,
        [
            (Some(3), Some("apply"), Some("done")),
            (Some(2), Some("apply"), Some("done")),
            (Some(1), Some("plan"), Some("done"))
        ]
    );
    assert_eq!(
        (&runs[0]["changes"], &runs[1]["changes"], &runs[1]["done"]),
        (&0.into(), &applied["operations"], &applied["done"])
    );
    assert_eq!(runs[2]["changes"], runs[1]["changes"], "the plan had what the apply did");
    assert_eq!(runs[1]["config"].as_str().unwrap().len(), 64);
    assert!(
        runs.iter().all(|run| run["requests"].as_u64() > Some(3) && run["seconds"].as_f64() > Some(0.0)),
        "{runs:?}"
    );
    let shown = stage.run(&["show", "2", "--json"]).await.json();
    for part in ["plan", "users", "projects", "done", "operations"] {
        assert_eq!(shown[part], applied[part], "{part}");
    }
    let text = stage.run(&["show", "2"]).await;
    assert!(text.stdout.starts_with("Run 2: apply, done\n") && text.stdout.contains("Applied"), "{text:#?}");
    assert!(stage.run(&["history", "--limit", "1"]).await.stdout.lines().count() == 2);
    assert_eq!(stage.run(&["show", "9"]).await.code, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_is_on_file_with_what_stood_and_what_was_to_stand() {
    let stage = Stage::seeded().await;
    stage.run(&["apply", "--yes"]).await;
    let plan = stage.run(&["show", "1", "--json"]).await.json()["plan"].take();
    let file = Connection::open(database(&stage)).unwrap();
    let sides = |kind: &str, id: &Value| -> [Value; 2] {
        let select =
            "SELECT before, after FROM operations WHERE run = 1 AND outcome = 'done' AND kind = ?1 AND okta_id = ?2";
        let side = |text: Option<String>| text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
        file.query_row(select, [kind, id.as_str().unwrap()], |row| Ok([side(row.get(0)?), side(row.get(1)?)])).unwrap()
    };
    let word = |value: &Value| value.as_bool().map_or_else(|| value.clone(), |flag| flag.to_string().into());
    for op in plan["users"].as_array().unwrap() {
        let [before, after] = sides("user", &op["okta_id"]);
        assert_eq!(before.is_null(), op["action"] == "create");
        for change in op["changes"].as_array().unwrap() {
            let attribute = change["attribute"].as_str().unwrap();
            assert_eq!(
                [word(&before[attribute]), word(&after[attribute])],
                [change["from"].clone(), change["to"].clone()]
            );
        }
    }
    for op in plan["projects"].as_array().unwrap() {
        for (kind, list, side) in [("add members", "add", 1), ("remove members", "remove", 0)] {
            let names: Vec<Value> = op[list].as_array().unwrap().iter().map(|one| one["user_name"].clone()).collect();
            if !names.is_empty() {
                assert_eq!(sides(kind, &op["group"])[side]["members"], Value::from(names));
            }
        }
        if let Some(from) = op["action"]["rename"]["from"].as_str() {
            let [before, after] = sides("project", &op["group"]);
            assert_eq!([&before["displayName"], &after["displayName"]], [from, op["name"].as_str().unwrap()]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_came_to_nothing_say_why() {
    let stage = Stage::seeded().await;
    stage.reconfigure("max_deactivations = \"50%\"", "max_deactivations = 1");
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 5);
    stage.sandbox.okta_traffic().fault(Fault {
        method: None,
        path: "/api/v1/apps".to_owned(),
        kind: FaultKind::Html,
        after: 0,
        times: usize::MAX,
    });
    assert_eq!(stage.run(&["plan"]).await.code, 1);
    let runs = history(&stage).await;
    assert_eq!((&runs[1]["outcome"], &runs[0]["outcome"]), (&"refused".into(), &"failed".into()));
    assert!(runs[1]["reason"].as_str().unwrap().contains("max_deactivations"), "{runs:?}");
    assert!(runs[0]["reason"].as_str().unwrap().contains("web page"), "{runs:?}");
    let shown = stage.run(&["show", "1"]).await;
    assert!(shown.stdout.contains("It wrote nothing."), "{shown:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_cannot_ask_the_platform_who_it_is_writes_nothing_and_is_on_file() {
    let stage = Stage::seeded().await;
    let path = "/api/v1/projects".to_owned();
    let fault = Fault { method: None, path, kind: FaultKind::Html, after: 0, times: usize::MAX };
    stage.sandbox.activepieces_traffic().fault(fault);
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 1);
    let runs = history(&stage).await;
    assert_eq!((runs.len(), &runs[0]["outcome"]), (1, &"failed".into()));
    assert!(runs[0]["reason"].as_str().unwrap().contains("web page"), "{runs:?}");
    assert!(stage.sandbox.platform().mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_is_found_by_the_next_with_all_that_the_server_did() {
    let stage = Stage::of(COMPANY).await;
    stage.killed(&["apply", "--yes"], ("POST", "/Users"), 6).await;
    let welcomed = stage.sandbox.platform().mails();
    let runs = history(&stage).await;
    assert_eq!(runs[0]["outcome"], "interrupted", "though the killed run could not record it");
    let journal = Connection::open(database(&stage)).unwrap();
    let tried: Vec<String> = journal
        .prepare("SELECT subject FROM operations WHERE run = 1 AND outcome <> 'planned'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(welcomed.iter().all(|mail| tried.contains(mail)), "{welcomed:?} {tried:?}");
    let next = stage.run(&["apply", "--yes"]).await;
    assert_eq!(next.code, 0, "{next:#?}");
    let runs = history(&stage).await;
    assert!(
        next.stderr
            .contains(&format!("run 1 (apply, begun {}) was cut short with", runs[1]["started"].as_str().unwrap()))
    );
    assert_eq!((&runs[1]["outcome"], &runs[0]["outcome"]), (&"interrupted".into(), &"done".into()));
    assert!(
        runs[1]["done"].as_u64().unwrap() > 0 && runs[1]["done"].as_u64() < runs[1]["changes"].as_u64(),
        "{runs:?}"
    );
    let mut mails = stage.sandbox.platform().mails();
    let all = mails.len();
    mails.sort();
    mails.dedup();
    assert_eq!(mails.len(), all, "no user is welcomed twice");
    let again = stage.run(&["apply", "--yes"]).await;
    assert!(!again.stderr.contains("was cut short"), "it's told once: {again:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_ends_what_it_began_and_says_what_it_left() {
    let stage = Stage::of(COMPANY).await;
    let arguments = ["apply", "--yes", "--parallelism", "4"];
    let mut child = stage.waiting(&arguments, ("POST", "/Users"), 8, Duration::from_secs(1)).await;
    interrupt(&child).await;
    assert_eq!(child.wait().await.unwrap().code(), Some(130));
    assert_eq!(history(&stage).await[0]["outcome"], "interrupted");
    let journal = Connection::open(database(&stage)).unwrap();
    let count = |outcome: &str| -> usize {
        let query = "SELECT count(*) FROM operations WHERE outcome = ?1";
        journal.query_row(query, [outcome], |row| row.get(0)).unwrap()
    };
    assert_eq!(["planned", "begun", "failed"].map(count), [0; 3]);
    assert!(count("done") > 3 && count("skipped") > 0);
    assert!(!stage.run(&["apply", "--yes"]).await.stderr.contains("cut short"), "it had an end");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_closed_stops_a_run_as_a_signal_to_end_does() {
    for name in ["HUP", "TERM"] {
        let stage = Stage::of(COMPANY).await;
        let arguments = ["apply", "--yes", "--parallelism", "4"];
        let mut child = stage.waiting(&arguments, ("POST", "/Users"), 2, Duration::from_secs(1)).await;
        signal(&child, name).await;
        assert_eq!(child.wait().await.unwrap().code(), Some(130), "{name}");
        let journal = Connection::open(database(&stage)).unwrap();
        let query = "SELECT count(*) FROM operations WHERE outcome = 'begun'";
        assert_eq!(journal.query_row(query, [], |row| row.get::<_, usize>(0)).unwrap(), 0, "{name}");
    }
}

pub async fn interrupt(child: &Child) {
    signal(child, "INT").await;
}

pub async fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id().unwrap());
    tokio::process::Command::new("sh").args(["-c", &kill]).status().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_runs_at_once_one_writes() {
    let stage = Stage::with(slow()).await;
    let (one, two) = tokio::join!(stage.run(&["apply", "--yes"]), stage.run(&["apply", "--yes"]));
    let mut codes = [one.code, two.code];
    codes.sort_unstable();
    assert_eq!(codes, [0, 6], "{one:#?} {two:#?}");
    assert_eq!(history(&stage).await.len(), 1);
}

/// Takes the lock, as another run would.
pub fn taken(stage: &Stage) -> (StateFile, Lock) {
    let host = |url: String| url.trim_start_matches("http://").to_owned();
    let (org, platform) = (host(stage.sandbox.okta_url()), host(stage.sandbox.activepieces_url()));
    let file = StateFile::open(&stage.folder().join(".local/state/oktapieces"), &org, &platform).unwrap();
    let Taken::Mine(lock) = file.lock("apply").unwrap() else { panic!("it was free") };
    (file, lock)
}

/// Starts a run that waits, and gives it once it says so.
async fn waiting(stage: &Stage) -> Child {
    let mut child = stage.spawn(&["apply", "--yes", "--wait"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    assert!(line.starts_with("Waiting for another run"), "{line}");
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_says_who_holds_the_lock_or_waits_for_it() {
    let stage = Stage::of(COMPANY).await;
    let held = taken(&stage);
    let refused = stage.run(&["apply", "--yes"]).await;
    assert_eq!(refused.code, 6, "{refused:#?}");
    let holder = format!("oktapieces apply, process {}", std::process::id());
    assert!(refused.stderr.contains(&holder) && refused.stderr.contains("--wait"), "{refused:#?}");
    let mut child = waiting(&stage).await;
    assert_eq!(stage.run(&["plan"]).await.code, 0, "a plan needs no lock");
    assert!(stage.sandbox.platform().mails().is_empty());
    drop(held);
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    assert!(!stage.sandbox.platform().mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_an_end_goes_on_as_long_as_its_process_has_the_lock() {
    let stage = Stage::of(COMPANY).await;
    let (file, lock) = taken(&stage);
    let (started, command) = (jiff::Timestamp::now(), "apply");
    let run = file.begin(&Beginning { command, started, config: "", okta: "", activepieces: "" }).unwrap();
    let planned = stage.run(&["plan", "--out", "plan.json"]).await;
    assert_eq!(planned.code, 0, "{planned:#?}");
    let plan = serde_json::from_str::<SavedPlan>(&std::fs::read_to_string(stage.folder().join("plan.json")).unwrap());
    let plan = plan.unwrap().plan;
    file.writes(run, &plan, "a1b2c3").unwrap();
    file.begins(run, plan.steps().next().unwrap()).unwrap();
    assert_eq!(history(&stage).await[1]["outcome"], "running");
    let shown = stage.run(&["show", "1"]).await;
    assert!(shown.stdout.contains("begun and not ended") && shown.stdout.contains("were not begun"), "{shown:#?}");
    drop(lock);
    assert_eq!(history(&stage).await[1]["outcome"], "interrupted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_is_ended_by_ctrl_c() {
    let stage = Stage::of(COMPANY).await;
    let _held = taken(&stage);
    let mut child = waiting(&stage).await;
    interrupt(&child).await;
    assert_eq!(child.wait().await.unwrap().code(), Some(130));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_state_is_the_owners_alone_and_has_no_secret() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::of(COMPANY).await;
    stage.killed(&["apply", "--yes"], ("POST", "/Users"), 3).await;
    let files = files(&stage);
    assert!(files.len() >= 4, "{files:?}");
    for file in &files {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        let bytes = std::fs::read(file).unwrap();
        for secret in [stage.sandbox.okta_token(), stage.sandbox.api_key().to_owned()] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{file:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_state_file_stops_the_run_and_is_named() {
    let stage = Stage::of(COMPANY).await;
    stage.run(&["plan"]).await;
    let path = database(&stage);
    std::fs::write(&path, "no database ".repeat(500)).unwrap();
    let refused = stage.run(&["apply", "--yes"]).await;
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(refused.stderr.contains("is damaged") && refused.stderr.contains(path.to_str().unwrap()), "{refused:#?}");
    assert!(stage.sandbox.platform().mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_first_version_keeps_its_history_and_gets_what_is_new() {
    let stage = Stage::of(COMPANY).await;
    stage.run(&["plan"]).await;
    let path = database(&stage);
    let now = Connection::open(&path).unwrap();
    let drop = "DROP TABLE known_groups; ALTER TABLE operations DROP COLUMN diverged; DELETE FROM runs; DELETE FROM sqlite_sequence";
    now.execute_batch(drop).unwrap();
    let schema =
        "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name)";
    let tables = |file: &Connection| file.query_row(schema, [], |row| row.get::<_, String>(0)).unwrap();
    let first = Connection::open_in_memory().unwrap();
    first.execute_batch(include_str!("../../src/state/migrations/1_journal.sql")).unwrap();
    assert_eq!(tables(&now), tables(&first), "it's as the first version had it");
    now.execute_batch(
        r#"INSERT INTO runs VALUES (7, 'apply', '2026-01-02T03:04:05.678Z', '2026-01-02T03:05:05.678Z', 60.0, '0.1.0', 'c0ffee',
           'org', 'platform', 'done', NULL, 1, 0, 9, 'a1b2c3', NULL);
           INSERT INTO operations VALUES (7, 'user', '00u1', 'ada@example.com', 'create', NULL, '{"active": true}', 'done', NULL,
           '2026-01-02T03:04:06.678Z', '2026-01-02T03:04:07.678Z');
           PRAGMA user_version = 1"#,
    )
    .unwrap();
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!(applied.code, 0, "{applied:#?}");
    let runs = history(&stage).await;
    let told: Vec<_> = runs.iter().map(|run| (run["id"].as_u64(), run["done"].as_u64())).collect();
    assert_eq!(told, [(Some(8), runs[0]["changes"].as_u64()), (Some(7), Some(1))], "{runs:?}");
    let count =
        |table: &str| -> u64 { now.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap() };
    assert!(count("known_groups") > 0 && count("operations WHERE run = 7 AND subject = 'ada@example.com'") == 1);
    let version: u64 = now.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_schema_is_the_one_of_the_file_and_its_queries_run() {
    let stage = Stage::of(COMPANY).await;
    stage.run(&["apply", "--yes"]).await;
    let documented = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/state.md")).unwrap();
    let file = Connection::open(database(&stage)).unwrap();
    let texts = |query: &str| -> Vec<String> {
        let mut statement = file.prepare(query).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    for table in texts("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
        for column in texts(&format!("SELECT name FROM pragma_table_info('{table}')")) {
            assert!(documented.contains(&format!("`{column}`")), "{column} of {table}");
        }
    }
    let queries: Vec<&str> =
        documented.split("```sql\n").skip(1).map(|part| part.split("```").next().unwrap()).collect();
    assert!(queries.len() >= 5);
    for query in &queries {
        let mut statement = file.prepare(query).unwrap();
        assert!(statement.query([]).unwrap().next().is_ok(), "{query}");
    }
    let created = texts("SELECT subject FROM operations WHERE action = 'create' LIMIT 1").remove(0);
    let outcome: String =
        file.query_row(&queries[0].replace("ada@example.com", &created), [], |row| row.get(4)).unwrap();
    assert_eq!(outcome, "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_erased_as_documented_is_nowhere_in_the_file() {
    let stage = Stage::seeded().await;
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 3);
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/howto/erase-a-person.md");
    let page = std::fs::read_to_string(page).unwrap();
    let statements = page.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    let path = database(&stage);
    let file = Connection::open(&path).unwrap();
    let (name, id): (String, String) = file
        .query_row("SELECT subject, okta_id FROM operations WHERE subject LIKE 'dan.dorn@%'", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let has = |text: &str| std::fs::read(&path).unwrap().windows(text.len()).any(|part| part == text.as_bytes());
    file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    assert!(has(&name) && has(&id), "the run has them");
    file.execute_batch(&statements.replace("ada@example.com", &name).replace("00u1a2b3c4d5e6f7g8h9", &id)).unwrap();
    drop(file);
    assert!(!has(&name) && !has(&id), "nothing is left");
    let again = stage.run(&["apply", "--yes"]).await;
    assert_eq!(again.code, 3, "{again:#?}");
    assert!(has(&id), "the user is in scope still");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_more_is_written_once_the_journal_cannot_be() {
    let stage = Stage::of(COMPANY).await;
    stage.run(&["plan"]).await;
    // No file may become longer than this: the journal's log does in the middle of the run.
    let limited = format!("trap '' XFSZ; ulimit -f 700; exec {} apply --yes", env!("CARGO_BIN_EXE_oktapieces"));
    let mut command = tokio::process::Command::new("sh");
    command.args(["-c", &limited]).current_dir(stage.folder()).env_clear().env("HOME", stage.folder());
    command.env("OKTA_API_TOKEN", stage.sandbox.okta_token()).env("ACTIVEPIECES_API_KEY", stage.sandbox.api_key());
    let output = command.output().await.unwrap();
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{stdout}\n{stderr}");
    assert!(stderr.contains("using the state file"), "{stderr}");
    assert!(stdout.contains("the journal can't be written"), "{stdout}");
    let journal = Connection::open(database(&stage)).unwrap();
    let count = |query: &str| -> usize { journal.query_row(query, [], |row| row.get(0)).unwrap() };
    let begun =
        count("SELECT count(*) FROM operations WHERE begun IS NOT NULL AND kind = 'user' AND action = 'create'");
    let welcomed = stage.sandbox.platform().mails().len();
    assert!(welcomed <= begun, "{welcomed} of {begun}: each was on file before it was sent");
    let all = count("SELECT count(*) FROM operations");
    let done = count("SELECT count(*) FROM operations WHERE begun IS NOT NULL");
    assert!(done > 0 && done < all, "{done} of {all}");
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_goes_on_where_its_run_was_killed() {
    // Killed among the users, among the projects, and among the members.
    let runs = [("POST", "/Users", 7), ("POST", "/Groups", 2), ("PATCH", "/Groups", 3)];
    let runs = runs.map(|(method, path, after)| async move {
        let stage = Stage::of(COMPANY).await;
        assert_eq!(stage.run(&["plan", "--out", "plan.json"]).await.code, 0);
        stage.killed(&["apply", "plan.json"], (method, path), after).await;
        let next = stage.run(&["apply", "plan.json"]).await;
        assert_eq!(next.code, 0, "{next:#?}");
        assert!(next.stderr.contains("done by an earlier run"), "{next:#?}");
        let whole = stage.run(&["plan", "--detailed-exitcode"]).await;
        assert_eq!(whole.code, 0, "{whole:#?}");
        let again = stage.run(&["apply", "plan.json"]).await;
        assert_eq!((again.code, again.stdout.contains("stale")), (0, false), "{again:#?}");
    });
    futures_util::future::join_all(runs).await;
}
