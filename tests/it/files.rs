//! Files that another user placed, output that can't be written, and commands that print secrets, by the real binary.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use oktapieces_sandbox::company::Shape;
use rusqlite::Connection;

use crate::state::database;
use crate::support::{Outcome, Stage, run};

const SMALL: Shape = Shape::Generated { users: 12, groups: 2, members: 4, existing: 0.5, drift: 0.5, seed: 3 };

fn pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn state_folder(stage: &Stage) -> PathBuf {
    stage.folder().join(".local/state/oktapieces")
}

/// Runs the binary with some variables more.
async fn run_with(stage: &Stage, variables: &[(&str, &str)], arguments: &[&str]) -> Outcome {
    let (token, key) = (stage.sandbox.okta_token(), stage.sandbox.api_key().to_owned());
    let secrets = [("OKTA_API_TOKEN", token.as_str()), ("ACTIVEPIECES_API_KEY", key.as_str())];
    run(stage.folder(), &[&secrets, variables].concat(), arguments).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_behind_a_link_in_the_state_folder_is_touched() {
    let stage = Stage::of(SMALL).await;
    stage.run(&["plan"]).await;
    let database = database(&stage);
    let log = PathBuf::from(format!("{}-wal", database.display()));
    let victim = stage.folder().join("victim");
    for file in [database.clone(), database.with_extension("lock"), log] {
        drop(fs::remove_file(&file));
        fs::write(&victim, "precious").unwrap();
        fs::set_permissions(&victim, Permissions::from_mode(0o644)).unwrap();
        symlink(&victim, &file).unwrap();
        let refused = stage.run(&["apply", "--yes"]).await;
        assert_eq!(refused.code, 1, "{refused:#?}");
        assert!(refused.stderr.contains("is a symbolic link"), "{refused:#?}");
        assert_eq!(fs::read(&victim).unwrap(), b"precious", "{}", file.display());
        assert_eq!(fs::metadata(&victim).unwrap().permissions().mode() & 0o777, 0o644, "{}", file.display());
        fs::remove_file(&file).unwrap();
    }
    assert!(stage.sandbox.platform().mails().is_empty());
    let elsewhere = stage.folder().join("elsewhere");
    fs::rename(state_folder(&stage), &elsewhere).unwrap();
    symlink(&elsewhere, state_folder(&stage)).unwrap();
    let refused = stage.run(&["apply", "--yes"]).await;
    assert!(refused.code == 1 && refused.stderr.contains("is a symbolic link, not a folder"), "{refused:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_goes_into_a_pipe_and_never_in_its_place() {
    let stage = Stage::of(SMALL).await;
    let path = stage.folder().join("pipe");
    pipe(&path);
    let refused = stage.run(&["plan", "--out", "pipe"]).await;
    assert!(refused.code == 1 && refused.stderr.contains("is a pipe that no program reads"), "{refused:#?}");
    // Open for both here, it can be opened to read without waiting, and has no end before it is closed here.
    let held = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let reading = fs::File::open(&path).unwrap();
    let reader = std::thread::spawn(move || std::io::read_to_string(reading).unwrap());
    let planned = stage.run(&["plan", "--out", "pipe"]).await;
    assert_eq!(planned.code, 0, "{planned:#?}");
    drop(held);
    let plan = reader.join().unwrap();
    assert!(fs::symlink_metadata(stage.folder().join("pipe")).unwrap().file_type().is_fifo());
    fs::write(stage.folder().join("plan.json"), plan).unwrap();
    assert_eq!(stage.run(&["apply", "plan.json"]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_where_a_file_is_due_is_refused_and_not_waited_for() {
    let stage = Stage::of(SMALL).await;
    pipe(&stage.folder().join("pipe"));
    pipe(&stage.folder().join("pipe.csv"));
    for arguments in [
        &["show", "pipe"][..],
        &["apply", "pipe"],
        &["plan", "--config", "pipe"],
        &["eval", "--cases", "pipe"],
        &["eval", "--cases", "pipe.csv"],
    ] {
        let refused = stage.run(arguments).await;
        assert!(refused.code == 78 && refused.stderr.contains("is a pipe, not a plain file"), "{refused:#?}");
    }
    for source in
        ["token_file = \"pipe\"", "client_id = \"a\"\nkey_id = \"b\"\nkey_file = \"pipe\"", "ca_file = \"pipe\""]
    {
        stage.configure(&stage.sandbox.config().replacen("token_env = \"OKTA_API_TOKEN\"", source, 1));
        let refused = stage.run(&["plan"]).await;
        assert!(refused.code == 78 && refused.stderr.contains("is a pipe, not a plain file"), "{refused:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_written_is_a_failure_and_a_closed_pipe_is_none() {
    let stage = Stage::of(SMALL).await;
    stage.run(&["plan"]).await;
    for arguments in [
        &["plan"][..],
        &["plan", "--json"],
        &["plan", "--csv"],
        &["plan", "--format", "jsonl"],
        &["plan", "--format", "html"],
        &["plan", "--format", "markdown"],
        &["history"],
        &["history", "--json"],
        &["--help"],
    ] {
        let ended = async |stdout: Stdio, detailed: bool| {
            let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_oktapieces"));
            command.args(arguments).args(detailed.then_some("--detailed-exitcode")).current_dir(stage.folder());
            command.env_clear().env("HOME", stage.folder()).env("OKTA_API_TOKEN", stage.sandbox.okta_token());
            command.env("ACTIVEPIECES_API_KEY", stage.sandbox.api_key()).stdin(Stdio::null()).stderr(Stdio::piped());
            let output = command.stdout(stdout).spawn().unwrap().wait_with_output().await.unwrap();
            (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
        };
        let (reader, closed) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(ended(closed.into(), false).await.0, 0, "{arguments:?}");
        let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        let (code, stderr) = ended(full(), false).await;
        assert_eq!(code, 1, "{arguments:?} {stderr}");
        assert!(arguments == ["--help"] || stderr.contains("the answer can't be written"), "{stderr}");
        if arguments[0] == "plan" {
            assert_eq!(ended(full(), true).await.0, 1, "exit code 2 isn't used for changes that couldn't be printed");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_json_is_json_whatever_names_hold() {
    let stage = Stage::of(SMALL).await;
    let user = stage.sandbox.platform().users().into_iter().find_map(|user| user.external_id).unwrap();
    for mark in
        ['\u{1}', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}', '\u{61c}', '\u{200f}', '\u{202e}', '\u{2028}', '\u{2069}']
    {
        let name = format!("Gru{mark}ber");
        stage.sandbox.org().set_profile(&user, "lastName", name.as_str().into());
        let planned = stage.run(&["plan", "--json", "--out", "plan.json"]).await;
        for json in [&planned, &stage.run(&["show", "plan.json", "--json"]).await] {
            let changes = json.json()["users"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|op| op["changes"].as_array().unwrap().clone())
                .collect::<Vec<_>>();
            assert!(changes.iter().any(|change| change["to"] == name.as_str()), "{json:#?}");
            assert!(!json.stdout.contains(mark), "{mark:?}");
        }
        assert!(
            !stage.run(&["plan"]).await.stdout.contains(mark)
                && !stage.run(&["plan", "--csv"]).await.stdout.contains(mark)
        );
        assert!(!fs::read_to_string(stage.folder().join("plan.json")).unwrap().contains(mark), "{mark:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_gives_a_secret_gets_no_other_one() {
    let stage = Stage::of(SMALL).await;
    let seen = stage.folder().join("seen");
    let words = format!("[\"sh\", \"-c\", \"env > {}; echo $MINE\"]", seen.display());
    for (key, mine, other) in [
        ("token", stage.sandbox.okta_token(), stage.sandbox.api_key().to_owned()),
        ("api_key", stage.sandbox.api_key().to_owned(), stage.sandbox.okta_token()),
    ] {
        let variable = if key == "token" { "OKTA_API_TOKEN" } else { "ACTIVEPIECES_API_KEY" };
        let source = format!("{key}_command = {words}\ncommand_env = [\"MINE\"]");
        stage.configure(&stage.sandbox.config().replacen(&format!("{key}_env = \"{variable}\""), &source, 1));
        let path = std::env::var("PATH").unwrap();
        let variables = [("MINE", mine.as_str()), ("PATH", &path), ("UNNAMED", &other)];
        let planned = run_with(&stage, &variables, &["plan"]).await;
        assert_eq!(planned.code, 0, "{planned:#?}");
        let environment = fs::read_to_string(&seen).unwrap();
        assert!(environment.contains("PATH=") && environment.contains("HOME="), "{environment}");
        assert!(!environment.contains(&other), "{environment}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_file_that_another_program_has_is_waited_for_once() {
    let stage = Stage::of(SMALL).await;
    stage.run(&["plan"]).await;
    let path = database(&stage);
    let other = Connection::open(&path).unwrap();
    other.pragma_update(None, "journal_mode", "delete").unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let refused = stage.run(&["history"]).await;
    assert_eq!(refused.code, 1, "{refused:#?}");
    let holder = format!("(process {}) for more than 15 s", std::process::id());
    assert!(!cfg!(target_os = "linux") || refused.stderr.contains(&holder), "{refused:#?}");
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    assert_eq!(stage.run(&["history"]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_has_one_lock_whatever_its_address_and_the_state_folder() {
    let stage = Stage::of(SMALL).await;
    let writing = stage.waiting(&["apply", "--yes"], ("POST", "/Users"), 0, std::time::Duration::from_mins(10)).await;
    let alias = stage.sandbox.config().replace("127.0.0.1", "localhost");
    fs::write(stage.folder().join("alias.toml"), alias).unwrap();
    let second = ["apply", "--yes", "--config", "alias.toml"];
    let elsewhere = stage.folder().join("elsewhere");
    let variables = [("XDG_STATE_HOME", elsewhere.to_str().unwrap()), ("TMPDIR", elsewhere.to_str().unwrap())];
    for refused in [stage.run(&second).await, run_with(&stage, &variables, &second).await] {
        assert_eq!(refused.code, 6, "{refused:#?}");
        let holder = format!("oktapieces apply, process {}", writing.id().unwrap());
        assert!(refused.stderr.contains(&holder), "{refused:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_lock_file_is_removed_begins_nothing_more() {
    let stage = Stage::of(SMALL).await;
    let arguments = ["apply", "--yes", "--parallelism", "1"];
    let writing = stage.waiting(&arguments, ("POST", "/Users"), 0, std::time::Duration::from_secs(1)).await;
    let user = std::os::unix::fs::MetadataExt::uid(&fs::metadata(stage.folder()).unwrap());
    let holder = format!("process {} ", writing.id().unwrap());
    let files = fs::read_dir(format!("/tmp/oktapieces-{user}")).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| fs::read_to_string(path).is_ok_and(|text| text.contains(&holder)));
    // A killed process that had this number before leaves its file, with the same words.
    let files: Vec<_> = files.collect();
    assert!(!files.is_empty(), "{holder}");
    for path in files {
        fs::remove_file(path).unwrap();
    }
    let output = writing.wait_with_output().await.unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("was removed while this run had it"), "{stderr}");
    let journal = Connection::open(database(&stage)).unwrap();
    let query = "SELECT count(*) FROM operations WHERE begun IS NULL AND reason = 'the lock was lost'";
    assert!(journal.query_row(query, [], |row| row.get::<_, usize>(0)).unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lock_of_a_platform_costs_no_request() {
    let stage = Stage::of(SMALL).await;
    stage.run(&["apply", "--yes"]).await;
    let traffic = stage.sandbox.activepieces_traffic();
    let mut sent = Vec::new();
    for arguments in [&["plan"][..], &["apply", "--yes"]] {
        let before = traffic.total();
        assert_eq!(stage.run(arguments).await.code, 0);
        sent.push(traffic.total() - before);
    }
    assert_eq!(sent[0], sent[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_problem_is_no_alarm_and_a_new_one_is() {
    let stage = Stage::seeded().await;
    stage.run(&["apply", "--yes"]).await;
    let problems = |outcome: &Outcome| {
        let of = |problem: &serde_json::Value| {
            [&problem["kind"], &problem["subject"]].map(|text| text.as_str().unwrap().to_owned())
        };
        outcome.json()["problems"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    let mut open = problems(&stage.run(&["plan", "--json"]).await);
    open.dedup();
    let last = open.pop().unwrap();
    let before = fs::read_to_string(stage.folder().join("config.toml")).unwrap();
    for [kind, subject] in &open {
        let accepted = stage.run(&["accept", kind, subject, "--why", "known"]).await;
        assert_eq!(accepted.code, 0, "{accepted:#?}");
    }
    let config = fs::read_to_string(stage.folder().join("config.toml")).unwrap();
    assert!(config.starts_with(&before), "the earlier text stays");
    let planned = stage.run(&["plan"]).await;
    assert_eq!(planned.code, 3, "one is open: {planned:#?}");
    assert!(planned.stdout.contains("accepted problems: "), "{planned:#?}");
    assert_eq!(problems(&stage.run(&["plan", "--json"]).await), std::slice::from_ref(&last));
    let again = stage.run(&["accept", &open[0][0], &open[0][1], "--why", "known"]).await;
    assert!(again.code == 5 && again.stderr.contains("is accepted already"), "{again:#?}");
    let none = stage.run(&["accept", "email_changed", "nobody@example.com", "--why", "known"]).await;
    assert!(none.code == 5 && none.stderr.contains("there is no problem"), "{none:#?}");
    assert_eq!(stage.run(&["accept", &last[0], &last[1], "--why", "known", "--until", "2099-12-31"]).await.code, 0);
    let quiet = stage.run(&["apply", "--yes"]).await;
    assert_eq!(quiet.code, 0, "{quiet:#?}");
    let whole = stage.run(&["plan", "--all"]).await;
    assert!(
        whole.stdout.contains("Accepted problems\n") && whole.stdout.contains("known (until 2099-12-31)"),
        "{whole:#?}"
    );
    stage.reconfigure("2099-12-31", "2020-01-31");
    let expired = stage.run(&["plan"]).await;
    assert!(expired.code == 3 && expired.stdout.contains("expired on 2020-01-31"), "{expired:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_behind_a_link_is_not_changed() {
    let stage = Stage::of(SMALL).await;
    symlink("config.toml", stage.folder().join("link.toml")).unwrap();
    let before = fs::read(stage.folder().join("config.toml")).unwrap();
    let arguments = ["accept", "not_linked", "ada@example.com", "--why", "known", "--force", "--config", "link.toml"];
    let refused = stage.run(&arguments).await;
    assert!(refused.code == 78 && refused.stderr.contains("is a symbolic link"), "{refused:#?}");
    assert_eq!(fs::read(stage.folder().join("config.toml")).unwrap(), before);
}
