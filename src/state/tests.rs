//! Tests of the state file: its permissions, versions and contents.

use std::path::PathBuf;

use super::history::{Filter, Standing};
use super::journal::Ending;
use super::*;
use crate::apply::Outcome;
use crate::model::desired::Leave;
use crate::plan::op::{Change, Reason, UserAction, UserOp};
use crate::plan::{Plan, Step, op::Attribute};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(folder: &Path) -> Result<StateFile> {
    StateFile::open(&folder.join("oktapieces"), "127.0.0.1:4001", "ap.example.com")
}

fn run(state: &StateFile, command: &str) -> u32 {
    let beginning = Beginning {
        command,
        started: Timestamp::now(),
        config: "c0ffee",
        okta: "127.0.0.1:4001",
        activepieces: "ap.example.com",
    };
    state.begin(&beginning).unwrap()
}

fn deactivation(name: &str) -> UserOp {
    UserOp {
        replaces: Vec::new(),
        action: UserAction::Deactivate,
        user_name: format!("{name}@example.com"),
        okta_id: name.into(),
        account: Some(name.into()),
        changes: vec![Change { attribute: Attribute::Active, from: Some("true".to_owned()), to: "false".to_owned() }],
        reason: Reason::Left(Leave::Suspended),
        attributes: None,
        destroys: None,
    }
}

fn plan(names: &[&str]) -> Plan {
    Plan { users: names.iter().map(|name| deactivation(name)).collect(), ..Plan::default() }
}

const DONE: Ending<'_> = Ending { outcome: "done", reason: None, requests: 7 };

#[test]
fn a_port_is_no_trouble_in_the_name_of_the_file() {
    let folder = folder();
    let name = open(folder.path()).unwrap().path().file_name().unwrap().to_owned();
    assert_eq!(name, "127.0.0.1_4001-ap.example.com.db");
    let other = StateFile::open(folder.path(), "127.0.0.1:4001", "ap.example.com/team/A").unwrap();
    assert_eq!(other.path().file_name().unwrap(), "127.0.0.1_4001-ap.example.com+team+A.db");
}

#[test]
fn runs_that_begin_at_once_all_open_a_new_file() {
    for _ in 0..50 {
        let folder = folder();
        let (path, together) = (folder.path(), std::sync::Barrier::new(8));
        let open = || {
            together.wait();
            drop(open(path).unwrap());
        };
        std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(open))));
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_anything_of_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let state = open(folder.path()).unwrap();
    let lock = state.lock("apply").unwrap();
    run(&state, "apply");
    let files: Vec<PathBuf> =
        std::fs::read_dir(folder.path().join("oktapieces")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 4, "the file, its log, its index and the lock: {files:?}");
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
    assert_eq!(mode(&folder.path().join("oktapieces")), 0o700);
    drop((lock, state));
    let database = folder.path().join("oktapieces/127.0.0.1_4001-ap.example.com.db");
    std::fs::set_permissions(&database, PermissionsExt::from_mode(0o644)).unwrap();
    open(folder.path()).unwrap();
    assert_eq!(mode(&database), 0o600, "a file that was opened to others is closed again");
}

#[test]
fn a_newer_schema_is_refused_and_left_as_it_is() {
    let folder = folder();
    let state = open(folder.path()).unwrap();
    state.with(|connection| connection.pragma_update(None, "user_version", 99)).unwrap();
    drop(state);
    let refused = open(folder.path()).unwrap_err();
    assert!(refused.to_string().contains("newer version"), "{refused}");
    let again = open(folder.path()).unwrap_err();
    assert!(again.to_string().contains("newer version"), "{again}");
}

#[test]
fn a_damaged_file_is_named_with_what_to_do() {
    let folder = folder();
    let path = open(folder.path()).unwrap().path().to_owned();
    std::fs::write(&path, "this is no database at all, and is long enough to be taken for one".repeat(40)).unwrap();
    let damaged = open(folder.path()).unwrap_err();
    assert!(damaged.to_string().contains(&path.display().to_string()), "{damaged}");
    assert!(damaged.hints[0].contains("move"), "{damaged:?}");
}

#[test]
fn a_full_disk_is_told_once_with_what_to_do() {
    let full = rusqlite::ffi::Error { code: ErrorCode::DiskFull, extended_code: 13 };
    let why = "database or disk is full";
    let error = failed(Path::new("/x.db"), rusqlite::Error::SqliteFailure(full, Some(why.to_owned())));
    assert_eq!(error.to_string(), "using the state file /x.db: database or disk is full");
    assert!(error.hints[0].starts_with("free space on its disk"), "{:?}", error.hints);
}

#[test]
fn a_copy_has_what_the_log_has_and_nothing_of_it_is_kept() {
    let folder = folder();
    let own = folder.path().join("oktapieces");
    let state = open(folder.path()).unwrap();
    assert_eq!(run(&state, "apply"), 1);
    let name = place::name("127.0.0.1:4001", "ap.example.com");
    let copy = StateFile::copied(&own, &name, "is on a read-only disk".to_owned()).unwrap();
    assert_eq!(copy.is_forgotten(), Some("is on a read-only disk"));
    assert_eq!((copy.runs(Filter::default(), 9).unwrap().len(), run(&copy, "plan")), (1, 2));
    assert_eq!((state.runs(Filter::default(), 9).unwrap().len(), state.is_forgotten()), (1, None));
    let first = StateFile::copied(&folder.path().join("none"), &name, String::new()).unwrap();
    assert_eq!(first.runs(Filter::default(), 9).unwrap(), []);
}

#[test]
fn a_busy_file_is_named_with_who_has_it() {
    let path = Path::new("/nowhere/x.db");
    let busy = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None);
    let error = failed(path, busy);
    assert_eq!(error.kind, Kind::Failed);
    assert_eq!(error.to_string(), "the state file /nowhere/x.db is in use by another process for more than 15 s");
}

#[test]
fn two_processes_may_make_the_file_at_once() {
    let folder = folder();
    std::thread::scope(|scope| {
        let opened: Vec<_> =
            (0..8).map(|_| scope.spawn(|| open(folder.path()).map(|state| run(&state, "plan")))).collect();
        let mut runs: Vec<u32> = opened.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect();
        runs.sort_unstable();
        assert_eq!(runs, (1..=8).collect::<Vec<u32>>());
    });
}

#[test]
fn runs_that_end_at_once_wait_for_each_other() {
    let folder = folder();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let state = open(folder.path()).unwrap();
                for _ in 0..20 {
                    state.end(run(&state, "plan"), DONE).unwrap();
                    state.close_open().unwrap();
                }
            });
        }
    });
}

#[test]
fn what_a_run_leaves_to_be_known_is_kept() {
    let folder = folder();
    let state = open(folder.path()).unwrap();
    assert_eq!(state.past().unwrap(), None);
    state.remember_past(&Past::default()).unwrap();
    let past = Past { email_changed: ["00uada".into()].into(), ..Past::default() };
    state.remember_past(&past).unwrap();
    drop(state);
    assert_eq!(open(folder.path()).unwrap().past().unwrap(), Some(past));
}

#[test]
fn the_lock_is_for_one_and_names_its_holder() {
    let folder = folder();
    let (one, two) = (open(folder.path()).unwrap(), open(folder.path()).unwrap());
    assert!(!one.is_locked());
    let Taken::Mine(lock) = one.lock("apply").unwrap() else { panic!("it was free") };
    assert!(two.is_locked());
    let Taken::Held(holder) = two.lock("undo 3").unwrap() else { panic!("it was taken") };
    assert!(holder.contains("oktapieces apply") && holder.contains(&std::process::id().to_string()), "{holder}");
    drop(lock);
    assert!(matches!(two.lock("undo 3").unwrap(), Taken::Mine(_)));
}

#[test]
fn a_run_is_written_down_step_by_step_and_one_that_was_killed_is_found() {
    let folder = folder();
    let state = open(folder.path()).unwrap();
    let made = plan(&["ada", "bob", "cy", "dan"]);
    let id = run(&state, "apply");
    state.planned(id, &made).unwrap();
    state.writes(id, &made, "a1b2c3").unwrap();
    let steps: Vec<Step<'_>> = made.steps().collect();
    for step in &steps[..3] {
        state.begins(id, *step).unwrap();
    }
    let unknown = deactivation("eve");
    assert!(state.begins(id, Step::User(&unknown)).is_err(), "what isn't on file must not begin");
    state.ended(id, steps[0], &Outcome::Done).unwrap();
    state.ended(id, steps[1], &Outcome::Failed("gone".to_owned())).unwrap();
    drop(state);
    let state = open(folder.path()).unwrap();
    let open = state.close_open().unwrap();
    assert_eq!(
        open.iter().map(|run| (run.id, run.changes, run.done, run.failed)).collect::<Vec<_>>(),
        [(id, Some(4), 1, 2)]
    );
    assert_eq!(state.close_open().unwrap(), []);
    let recorded = state.recorded(state.run(id).unwrap()).unwrap().unwrap();
    assert_eq!(recorded.plan, made);
    let standing: Vec<&Standing> = steps.iter().map(|step| recorded.standing(*step)).collect();
    let failed = Standing::Ended(Outcome::Failed("gone".to_owned()));
    assert_eq!(standing, [&Standing::Ended(Outcome::Done), &failed, &Standing::Begun, &Standing::Planned]);
    assert_eq!(recorded.run.outcome.as_deref(), Some("interrupted"));
    assert!(recorded.report().interrupted);
    assert!(!state.tried_since(id, steps[1]).unwrap());
    let next = run(&state, "apply");
    state.writes(next, &made, "a1b2c3").unwrap();
    assert!(!state.tried_since(id, steps[1]).unwrap(), "planned isn't tried");
    state.begins(next, steps[1]).unwrap();
    assert!(state.tried_since(id, steps[1]).unwrap());
}

#[test]
fn runs_that_write_are_forgotten_only_for_newer_ones_that_write() {
    let folder = folder();
    let state = open(folder.path()).unwrap();
    let first = run(&state, "apply");
    state.writes(first, &plan(&["ada"]), "a1b2c3").unwrap();
    let fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) \
                INSERT INTO runs (command, started, tool_version, config, okta, activepieces, outcome) \
                SELECT 'plan', '2026-01-01T00:00:00Z', '', '', '', '', 'done' FROM n";
    state.with(|connection| connection.execute(fill, [])).unwrap();
    state.end(first, DONE).unwrap();
    let runs = state.runs(Filter::default(), 5000).unwrap();
    assert_eq!(runs.len(), 1001);
    assert_eq!((runs[1000].id, runs[1000].outcome.as_deref(), runs[1000].requests), (first, Some("done"), Some(7)));
    state.with(|connection| connection.execute("UPDATE runs SET plan = '{}' WHERE plan IS NULL", [])).unwrap();
    state.end(run(&state, "plan"), DONE).unwrap();
    assert_eq!(state.recorded(state.run(first + 1500).unwrap()).unwrap_err().kind, Kind::Failed);
    assert!(state.run(first).is_err(), "the oldest of 1001 that wrote");
    let left: u32 =
        state.with(|connection| connection.query_row("SELECT count(*) FROM operations", [], |row| row.get(0))).unwrap();
    assert_eq!(left, 0, "its operations go with it");
}
