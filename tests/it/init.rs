//! `init` and the configs that the program makes or comes with.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use oktapieces_sandbox::Sandbox;

use crate::support::{Outcome, Stage, run};

/// A folder without a config, next to the seeded company.
struct Empty {
    stage: Stage,
    folder: tempfile::TempDir,
}

impl Empty {
    async fn new() -> Self {
        Self { stage: Stage::seeded().await, folder: tempfile::tempdir().unwrap() }
    }

    fn sandbox(&self) -> &Sandbox {
        &self.stage.sandbox
    }

    /// Runs the program with both secrets.
    async fn run(&self, arguments: &[&str]) -> Outcome {
        let (token, key) = (self.sandbox().okta_token(), self.sandbox().api_key().to_owned());
        run(self.folder.path(), &[("OKTA_API_TOKEN", &token), ("ACTIVEPIECES_API_KEY", &key)], arguments).await
    }

    /// `init` with both addresses.
    async fn init(&self, arguments: &[&str]) -> Outcome {
        let (okta, activepieces) = (self.sandbox().okta_url(), self.sandbox().activepieces_url());
        let addresses = ["init", "--okta", &okta, "--activepieces", &activepieces];
        self.run(&[&addresses[..], arguments].concat()).await
    }

    fn config(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("config.toml")).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_make_a_config_that_passes_check() {
    let empty = Empty::new().await;
    let made = empty.init(&["--app", "Activepieces", "--group", "AP Sales", "--group", "AP Security"]).await;
    assert_eq!(made.code, 0, "{made:#?}");
    assert!(made.stdout.contains("0 failed") && made.stderr.contains("oktapieces plan shows"), "{made:#?}");
    assert_eq!(empty.run(&["check"]).await.code, 0);
    let config = empty.config();
    assert!(config.contains("from_okta = true") && config.contains("group = \"AP Security\""), "{config}");
    for secret in [empty.sandbox().okta_token().as_str(), empty.sandbox().api_key()] {
        assert!(!config.contains(secret) && !made.stderr.contains(secret) && !made.stdout.contains(secret));
    }
    insta::assert_snapshot!(empty.stage.scrubbed(&config));
    let plan = empty.run(&["plan"]).await;
    assert!([0, 3].contains(&plan.code), "{plan:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_app_the_members_of_the_groups_are_in_scope() {
    let empty = Empty::new().await;
    let made = empty.init(&["--group", "AP Sales"]).await;
    assert_eq!(made.code, 0, "{made:#?}");
    let config = empty.config();
    assert!(config.contains("\ngroups = [\"AP Sales\"]\n") && !config.contains("from_okta = true"), "{config}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_file_stays_unless_force_is_given() {
    let empty = Empty::new().await;
    let path = empty.folder.path().join("config.toml");
    std::fs::write(&path, "mine").unwrap();
    let refused = empty.init(&["--app", "Activepieces"]).await;
    assert_eq!((refused.code, empty.config().as_str()), (1, "mine"), "{refused:#?}");
    assert!(refused.stderr.contains("--force"), "{refused:#?}");
    assert_eq!(empty.init(&["--app", "Activepieces", "--force"]).await.code, 0);
    assert!(empty.config().contains("app = \"Activepieces\""));
    let other = empty.init(&["--app", "Activepieces", "--config", "other.toml"]).await;
    assert_eq!(other.code, 0, "{other:#?}");
    assert!(other.stderr.contains("oktapieces plan --config other.toml"), "{other:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_wrong_is_told_before_anything_is_written() {
    let empty = Empty::new().await;
    let missing = empty.run(&["init", "--okta", "example.okta.com"]).await;
    assert_eq!(missing.code, 64, "{missing:#?}");
    assert!(missing.stderr.contains("pass --activepieces URL, --app NAME"), "{missing:#?}");
    let arguments = ["init", "--okta", "http://example.okta.com", "--activepieces", "b.example.com", "--app", "a"];
    let insecure = empty.run(&arguments).await;
    assert!(insecure.code == 64 && insecure.stderr.contains("--okta: plain http"), "{insecure:#?}");
    let secret = format!("00{}", "a".repeat(40));
    let pasted = empty.init(&["--app", &secret]).await;
    assert!(pasted.code == 64 && !pasted.stderr.contains(&secret), "{pasted:#?}");
    assert!(!empty.folder.path().join("config.toml").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_secrets_the_config_is_written_and_the_next_steps_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["init", "--okta", "acme-admin.okta.com", "--activepieces", "b.example.com", "--app", "Activepieces"];
    let made = run(folder.path(), &[], &arguments).await;
    assert_eq!((made.code, made.stdout.as_str()), (0, ""), "{made:#?}");
    assert!(made.stderr.contains("OKTA_API_TOKEN") && made.stderr.contains("3. run oktapieces check"), "{made:#?}");
    let config = std::fs::read_to_string(folder.path().join("config.toml")).unwrap();
    assert!(config.contains("org_url = \"https://acme.okta.com\""), "{config}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_group_is_found_by_the_check_at_the_end() {
    let empty = Empty::new().await;
    let made = empty.init(&["--app", "Activepieces", "--group", "AP Slaes"]).await;
    assert_eq!(made.code, 78, "{made:#?}");
    assert!(made.stdout.contains("AP Slaes") && made.stderr.contains("run oktapieces check again"), "{made:#?}");
}

#[cfg(unix)]
mod terminal {
    use super::Empty;
    use crate::support::typed_into;

    /// All that the program shows on a terminal where these lines are typed, and its exit code.
    fn typed(empty: &Empty, lines: &str, secrets: bool, arguments: &[&str]) -> (String, i32) {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_oktapieces"));
        command.args(arguments).current_dir(empty.folder.path()).env_clear().env("HOME", empty.folder.path());
        if secrets {
            command.env("OKTA_API_TOKEN", empty.sandbox().okta_token());
            command.env("ACTIVEPIECES_API_KEY", empty.sandbox().api_key());
        }
        typed_into(command, lines)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn questions_make_a_config_from_the_lists_of_the_org() {
        let empty = Empty::new().await;
        let lines = format!(
            "ftp://x\n{}\n{}\nactivepieces\n1\nSal\n1\n\n\n",
            empty.sandbox().okta_url(),
            empty.sandbox().activepieces_url()
        );
        let (shown, code) = tokio::task::block_in_place(|| typed(&empty, &lines, true, &["init"]));
        assert_eq!(code, 0, "{shown}");
        assert!(shown.contains("the scheme `ftp` is not supported"), "{shown}");
        assert!(shown.contains("Picked: AP Sales") && shown.contains("Okta maps the role by"), "{shown}");
        assert!(shown.contains("oktapieces plan"), "{shown}");
        let config = empty.config();
        for line in ["app = \"Activepieces\"", "from_okta = true", "group = \"AP Sales\""] {
            assert!(config.contains(line), "{line}: {config}");
        }
        let secret = empty.sandbox().okta_token();
        assert!(!shown.contains(&secret) && !config.contains(&secret), "{shown}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_a_token_names_are_typed() {
        let empty = Empty::new().await;
        let lines = "acme.okta.com\nap.example.com\nActivepieces\nAP Sales, AP Ops\n";
        let (shown, code) = tokio::task::block_in_place(|| typed(&empty, lines, false, &["init"]));
        assert_eq!(code, 0, "{shown}");
        let config = empty.config();
        assert!(config.contains("group = \"AP Ops\"") && !config.contains("\nfrom_okta"), "{config}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_input_that_ends_writes_nothing() {
        let empty = Empty::new().await;
        // Ctrl-D.
        let (shown, code) = tokio::task::block_in_place(|| typed(&empty, "acme.okta.com\n\u{4}", false, &["init"]));
        assert_eq!(code, 130, "{shown}");
        assert!(!empty.folder.path().join("config.toml").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_passes_check_on_the_seeded_company() {
    let empty = Empty::new().await;
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/config.example.toml");
    std::fs::copy(example, empty.folder.path().join("config.toml")).unwrap();
    let (okta, activepieces) = (empty.sandbox().okta_url(), empty.sandbox().activepieces_url());
    let (token, key) = (empty.sandbox().okta_token(), empty.sandbox().api_key().to_owned());
    let variables = [
        ("OKTAPIECES_OKTA_ORG_URL", okta.as_str()),
        ("OKTAPIECES_ACTIVEPIECES_URL", &activepieces),
        ("OKTA_API_TOKEN", &token),
        ("ACTIVEPIECES_API_KEY", &key),
    ];
    let checked = run(empty.folder.path(), &variables, &["check"]).await;
    assert_eq!(checked.code, 0, "{checked:#?}");
    assert!(checked.stdout.contains("0 failed"), "{checked:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_writes_a_config_that_fits_it() {
    let empty = Empty::new().await;
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_oktapieces"));
    command.args(["sandbox", "--json", "--write-config", "sandbox.toml"]).current_dir(empty.folder.path());
    let mut sandbox = command.stdout(std::process::Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(sandbox.stdout.take().unwrap()));
    let told: serde_json::Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!(told["file"], "sandbox.toml");
    let secrets = [
        ("OKTA_API_TOKEN", told["okta"]["token"].as_str().unwrap()),
        ("ACTIVEPIECES_API_KEY", told["activepieces"]["api_key"].as_str().unwrap()),
    ];
    let config = std::fs::read_to_string(empty.folder.path().join("sandbox.toml")).unwrap();
    assert!(secrets.iter().all(|(_, secret)| !config.contains(secret)), "{config}");
    let checked = run(empty.folder.path(), &secrets, &["check", "--config", "sandbox.toml"]).await;
    assert_eq!(checked.code, 0, "{checked:#?}");
    let again = run(empty.folder.path(), &[], &["sandbox", "--write-config", "sandbox.toml"]).await;
    assert!(again.code == 1 && again.stderr.contains("--force"), "{again:#?}");
}
