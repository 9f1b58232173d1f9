//! The real binary against a sandbox of its own, in a scrubbed environment.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::serve::{Fault, FaultKind};
use oktapieces_sandbox::{Options, Sandbox};
use serde_json::Value;
use tokio::io::AsyncWriteExt;

/// One certificate in the place of the system's many. An unoptimized build takes half of a short run's time to read those.
const AUTHORITIES: [(&str, &str); 2] = [
    ("SSL_CERT_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/authority.pem")),
    // Without certificates: only files that are named by a hash count.
    ("SSL_CERT_DIR", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")),
];

/// A sandbox, and a folder with its config.
pub struct Stage {
    pub sandbox: Sandbox,
    /// The most seconds that a run waits for a server.
    pub patience: Option<&'static str>,
    folder: tempfile::TempDir,
}

/// What a run of the binary left.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// The last line of the answer.
    pub fn total(&self) -> &str {
        self.stdout.lines().rev().find(|line| !line.is_empty()).unwrap_or_default()
    }
}

impl Stage {
    /// Starts the binary, which is killed when the value goes.
    pub fn spawn(&self, arguments: &[&str]) -> tokio::process::Child {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_oktapieces"));
        command.args(arguments).current_dir(self.folder()).env_clear().stdin(Stdio::null()).stdout(Stdio::null());
        command.env("HOME", self.folder()).envs(AUTHORITIES);
        command.envs(self.variables());
        command.stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap()
    }

    /// Starts the binary, and gives it while it waits for the answer to one of its writes, on which Activepieces has acted:
    /// to the first whose method and path below SCIM's begin like this, after so many of them were answered at once. The
    /// answers to those that follow are late by as much.
    pub async fn waiting(
        &self,
        arguments: &[&str],
        (method, path): (&str, &str),
        after: usize,
        late: Duration,
    ) -> tokio::process::Child {
        let traffic = self.sandbox.activepieces_traffic();
        let (path, kind) = (format!("/api/v1/scim/v2{path}"), FaultKind::HangAfter(late));
        traffic.fault(Fault { method: Some(method.to_owned()), path, kind, after, times: usize::MAX });
        let mut child = self.spawn(arguments);
        while traffic.befallen() == 0 {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "the run ended first: {ended:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        child
    }

    /// Kills the binary while it waits like this.
    pub async fn killed(&self, arguments: &[&str], write: (&str, &str), after: usize) {
        let one_by_one = [arguments, &["--parallelism", "1"]].concat();
        let mut child = self.waiting(&one_by_one, write, after, Duration::from_mins(10)).await;
        child.kill().await.unwrap();
        self.sandbox.activepieces_traffic().mend();
    }

    /// Starts the binary, sends it a signal after a time, and waits for its end; the exit code, if it has one.
    pub async fn signalled(&self, arguments: &[&str], signal: &str, after: Duration) -> Option<i32> {
        let mut child = self.spawn(arguments);
        tokio::time::sleep(after).await;
        if let Some(id) = child.id() {
            let kill = format!("kill -{signal} {id}");
            tokio::process::Command::new("sh").args(["-c", &kill]).status().await.unwrap();
        }
        child.wait().await.unwrap().code()
    }
}

/// Runs the binary with nothing in its environment but what is named.
pub async fn run(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Outcome {
    run_with_input(folder, variables, "", arguments).await
}

/// The same with this on its standard input.
async fn run_with_input(folder: &Path, variables: &[(&str, &str)], input: &str, arguments: &[&str]) -> Outcome {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_oktapieces"));
    command.args(arguments).current_dir(folder).env_clear().kill_on_drop(true);
    command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.envs(AUTHORITIES).envs(variables.iter().copied()).env("HOME", folder);
    let mut child = command.spawn().unwrap();
    if let Some(mut stdin) = child.stdin.take() {
        // A program that needs no config doesn't read it.
        drop(stdin.write_all(input.as_bytes()).await);
    }
    let output = child.wait_with_output().await.unwrap();
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Stage {
    pub async fn of(company: Shape) -> Self {
        Self::with(Options { company, ..Options::default() }).await
    }

    pub async fn seeded() -> Self {
        Self::of(Shape::Seeded).await
    }

    pub async fn with(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let stage = Self { sandbox, patience: None, folder: tempfile::tempdir().unwrap() };
        stage.configure(&stage.sandbox.config());
        stage
    }

    /// Replaces the config.
    pub fn configure(&self, text: &str) {
        let path = self.folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        // Whatever the rights are that new files have here.
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }

    /// Changes the config by replacing a part of it, which must be there.
    pub fn reconfigure(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.folder.path().join("config.toml")).unwrap();
        assert!(text.contains(from), "{text}");
        self.configure(&text.replace(from, to));
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub async fn run(&self, arguments: &[&str]) -> Outcome {
        let variables = self.variables();
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        run(self.folder.path(), &variables, arguments).await
    }

    /// The same with this on its standard input.
    pub async fn run_with_input(&self, input: &str, arguments: &[&str]) -> Outcome {
        let variables = self.variables();
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        run_with_input(self.folder.path(), &variables, input, arguments).await
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let (token, key) = (self.sandbox.okta_token(), self.sandbox.api_key().to_owned());
        let patience = self.patience.map(|seconds| ("OKTAPIECES_TIMEOUT", seconds.to_owned()));
        [("OKTA_API_TOKEN", token), ("ACTIVEPIECES_API_KEY", key)].into_iter().chain(patience).collect()
    }

    /// The Okta ids of all users with an active account.
    pub fn people(&self) -> Vec<String> {
        let users = self.sandbox.platform().users().into_iter();
        users.filter(|user| user.active).filter_map(|user| user.external_id).collect()
    }

    /// Deletes the groups of all projects but the one of this name.
    pub fn delete_groups_but(&self, kept: &str) {
        let projects = self.sandbox.platform().projects().into_iter().filter(|project| project.name != kept);
        projects.filter_map(|project| project.external_id).for_each(|group| self.sandbox.org().delete_group(&group));
    }

    /// The plan as JSON.
    pub async fn plan(&self) -> Value {
        self.run(&["plan", "--json"]).await.json()
    }

    /// A text without what differs from run to run: ports and made-up ids of accounts.
    pub fn scrubbed(&self, text: &str) -> String {
        let host = |url: String| url.trim_start_matches("http://").to_owned();
        let text = text.replace(&host(self.sandbox.okta_url()), "<OKTA>");
        let text = text.replace(&host(self.sandbox.activepieces_url()), "<ACTIVEPIECES>");
        let text = text.replace(&self.folder.path().display().to_string(), "<FOLDER>");
        let time = regex::Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC").unwrap();
        time.replace_all(&text, "<TIME>").into_owned()
    }
}

/// How many operations a plan of JSON holds.
pub fn operations(plan: &Value) -> usize {
    let invitations = plan["invitations"].as_array().map_or(0, Vec::len);
    plan["users"].as_array().unwrap().len() + plan["projects"].as_array().unwrap().len() + invitations
}

/// All files below a folder, sorted by path.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect();
    found.sort();
    found
}

/// All that a command shows on a terminal where these lines are typed, and its exit code.
#[cfg(unix)]
pub fn typed_into(mut command: std::process::Command, lines: &str) -> (String, i32) {
    use std::io::{Read, Write};

    let (mut controller, terminal) = terminal();
    command.stdin(Stdio::from(terminal.try_clone().unwrap())).stdout(Stdio::from(terminal.try_clone().unwrap()));
    let mut child = command.stderr(Stdio::from(terminal)).spawn().unwrap();
    drop(command);
    controller.write_all(lines.as_bytes()).unwrap();
    let mut shown = Vec::new();
    // The end of a terminal is an error on Linux.
    drop(controller.read_to_end(&mut shown));
    (String::from_utf8_lossy(&shown).replace('\r', ""), child.wait().unwrap().code().unwrap())
}

/// Both ends of a terminal.
#[cfg(unix)]
fn terminal() -> (std::fs::File, std::fs::File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
    let terminal = std::fs::File::options().read(true).write(true).open(name).unwrap();
    (std::fs::File::from(controller), terminal)
}
