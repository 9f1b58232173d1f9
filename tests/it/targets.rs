//! Several platforms in one config: each with its own run, guards and state, one read of Okta, one summary and one exit code.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::BTreeMap;

use oktapieces::config;
use oktapieces_sandbox::company::{APP, Shape};
use oktapieces_sandbox::{Options, Sandbox};
use serde_json::Value;

use crate::json_schema::Schemas;
use crate::support::{Outcome, Stage, run};

const COMPANY: Shape = Shape::Generated { users: 30, groups: 2, members: 8, existing: 0.0, drift: 0.0, seed: 5 };
/// Another platform has other ids.
const OTHER: Shape = Shape::Generated { users: 1, groups: 0, members: 0, existing: 0.0, drift: 0.0, seed: 6 };

/// One org, and the platforms `production` and `staging`.
struct Two {
    production: Stage,
    staging: Sandbox,
}

impl Two {
    async fn start() -> Self {
        let staging = Sandbox::start(Options { company: OTHER, ..Options::default() }).await.unwrap();
        let two = Self { production: Stage::of(COMPANY).await, staging };
        two.configure(&two.targets());
        two
    }

    fn targets(&self) -> String {
        format!(
            "[[target]]\nname = \"production\"\n\n[[target]]\nname = \"staging\"\n[target.activepieces]\nurl = \"{}\"\n\
             api_key_env = \"STAGING_KEY\"\n",
            self.staging.activepieces_url()
        )
    }

    /// The config of the sandbox with these targets.
    fn configure(&self, targets: &str) {
        self.production.configure(&format!("{}\n{targets}", self.production.sandbox.config()));
    }

    async fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with(arguments, self.staging.api_key()).await
    }

    async fn run_with(&self, arguments: &[&str], staging_key: &str) -> Outcome {
        let variables = self.variables(staging_key);
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        run(self.production.folder(), &variables, arguments).await
    }

    fn variables(&self, staging_key: &str) -> [(&'static str, String); 3] {
        let sandbox = &self.production.sandbox;
        let key = sandbox.api_key().to_owned();
        [
            ("OKTA_API_TOKEN", sandbox.okta_token()),
            ("ACTIVEPIECES_API_KEY", key),
            ("STAGING_KEY", staging_key.to_owned()),
        ]
    }

    /// An apply on a terminal where this line is typed.
    #[cfg(unix)]
    fn answered(&self, line: &str) -> (String, i32) {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_oktapieces"));
        command.args(["apply", "--no-pager"]).current_dir(self.production.folder()).env_clear();
        command.env("HOME", self.production.folder()).envs(self.variables(self.staging.api_key()));
        crate::terminal::Terminal::start(&mut command, 100).typed(line).ended()
    }

    /// The accounts of both platforms that Okta's users have.
    fn accounts(&self) -> [usize; 2] {
        [&self.production.sandbox, &self.staging].map(|sandbox| {
            sandbox.platform().users().iter().filter(|user| user.active && user.external_id.is_some()).count()
        })
    }
}

/// The requests to Okta since they were counted last.
fn asked(two: &Two, before: &mut BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let now = two.production.sandbox.okta_traffic().counts();
    let new = now.iter().map(|(route, all)| (route.clone(), all - before.get(route).unwrap_or(&0)));
    let new = new.filter(|(_, count)| *count > 0).collect();
    *before = now;
    new
}

#[tokio::test(flavor = "multi_thread")]
async fn two_targets_of_one_org_cost_the_listings_of_one() {
    for scope in ["app = \"Activepieces\"", "everyone = true", "groups = [\"AP Team 001\"]"] {
        let mut counts = Vec::new();
        for command in [&["plan", "--target", "production"][..], &["plan"], &["apply", "--yes"]] {
            let two = Two::start().await;
            two.production.reconfigure("app = \"Activepieces\"", scope);
            // It asks for an attribute more, which the one listing has too.
            let role = "[target.attributes]\nplatformRole = 'user.title == \"x\" ? \"ADMIN\" : \"MEMBER\"'\n";
            two.production.reconfigure("\n[target.activepieces]", &format!("\n{role}[target.activepieces]"));
            let outcome = two.run(command).await;
            assert_eq!(outcome.code, 0, "{scope}: {outcome:#?}");
            counts.push(asked(&two, &mut BTreeMap::new()));
        }
        assert!(counts[0].len() > 2, "{counts:#?}");
        assert_eq!(counts[1], counts[0], "{scope}, plan");
        assert_eq!(counts[2], counts[0], "{scope}, apply");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_look_asks_okta_for_each_target() {
    let two = Two::start().await;
    assert_eq!(two.run(&["apply", "--yes"]).await.code, 0);
    let org = two.production.sandbox.org();
    let leaver = org.assigned(APP).into_iter().next().unwrap();
    org.unassign(APP, &leaver);
    let mut before = two.production.sandbox.okta_traffic().counts();
    assert_eq!(two.run(&["plan", "--target", "production"]).await.code, 0);
    let of_one = asked(&two, &mut before);
    let plan = two.run(&["plan", "--json"]).await;
    let of_both = asked(&two, &mut before);
    for (route, count) in &of_one {
        let is_by_id = route.matches("{id}").count() > usize::from(route.ends_with("/users"));
        let expected = if is_by_id { count * 2 } else { *count };
        assert_eq!(of_both[route], expected, "{route}: {of_one:#?} {of_both:#?}");
    }
    assert!(of_one.keys().any(|route| route.ends_with("/api/v1/apps/{id}/users/{id}")), "{of_one:#?}");
    for target in plan.json()["targets"].as_array().unwrap() {
        assert_eq!(target["answer"]["totals"]["deactivate"], 1, "{target}");
        assert_eq!(Schemas::read().faults("plan.json", &target["answer"]), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_writes_each_target_and_has_one_summary() {
    let two = Two::start().await;
    let applied = two.run(&["apply", "--yes"]).await;
    assert_eq!(applied.code, 0, "{applied:#?}");
    let [production, staging] = two.accounts();
    assert!(production > 20 && staging == production, "{production} {staging}");
    let summary = applied.stdout.split_once("\nTargets\n").unwrap().1;
    let lines: Vec<&str> = summary.lines().collect();
    assert_eq!(lines.len(), 2, "{summary}");
    assert!(lines[0].starts_with("  production  ") && lines[1].starts_with("  staging     "), "{summary}");
    assert!(lines.iter().all(|line| line.contains(" created, ") && line.ends_with(", exit code 0")), "{summary}");

    let again = two.run(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(again.code, 0, "{again:#?}");
    let runs = two.run(&["history", "--target", "staging", "--json"]).await.json();
    let runs: Vec<&str> = runs["runs"].as_array().unwrap().iter().map(|run| run["command"].as_str().unwrap()).collect();
    assert_eq!(runs, ["plan", "apply"]);
    let undone = two.run(&["undo", "1", "--target", "staging", "--yes"]).await;
    assert_eq!(undone.code, 0, "{undone:#?}");
    assert_eq!(two.accounts(), [production, 0]);
    assert_eq!(two.run(&["plan", "--detailed-exitcode"]).await.code, 2, "one has changes");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn one_question_asks_about_all_targets() {
    let two = Two::start().await;
    let (shown, code) = two.answered("no\n");
    assert_eq!((code, two.accounts()), (130, [0, 0]), "{shown}");
    assert_eq!(shown.matches("Apply the plans of 2 targets?").count(), 1, "{shown}");
    let (shown, code) = two.answered("yes\n");
    assert_eq!(code, 0, "{shown}");
    assert!(two.accounts().iter().all(|accounts| *accounts > 20), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_fails_or_is_refused_keeps_no_other_one_back() {
    let two = Two::start().await;
    let failed = two.run_with(&["apply", "--yes", "--json"], "sk-wrong").await;
    assert_eq!(failed.code, 4, "{failed:#?}");
    let answer = failed.json();
    assert_eq!(Schemas::read().faults("targets.json", &answer), [""; 0]);
    let [production, staging] = &answer["targets"].as_array().unwrap()[..] else { panic!("{answer}") };
    assert_eq!((&production["target"], &production["exit_code"]), (&"production".into(), &0.into()), "{production}");
    assert_eq!((&staging["outcome"], &staging["answer"]), (&"failed".into(), &Value::Null), "{staging}");
    assert!(staging["error"].as_str().unwrap().contains("401"), "{staging}");
    assert!(failed.stderr.contains("]: staging: ") && failed.stderr.contains("STAGING_KEY"), "{failed:#?}");
    assert!(two.accounts()[0] > 20 && two.accounts()[1] == 0);

    // Its own guards, by its own state.
    assert_eq!(two.run(&["apply", "--yes"]).await.code, 0);
    two.configure(&format!("{}[target.safety]\nmax_deactivations = 0\n", two.targets()));
    let org = two.production.sandbox.org();
    let leaver = org.assigned(APP).into_iter().next().unwrap();
    org.set_status(&leaver, "SUSPENDED");
    let refused = two.run(&["apply", "--yes"]).await;
    assert_eq!(refused.code, 5, "{refused:#?}");
    assert!(refused.stderr.contains("error[refused]: staging: "), "{refused:#?}");
    let [production, staging] = two.accounts();
    assert_eq!(production + 1, staging);
    let hash = two.run(&["plan", "--target", "staging", "--json"]).await.json()["hash"].as_str().unwrap().to_owned();
    let other =
        two.run(&["plan", "--target", "production", "--json"]).await.json()["hash"].as_str().unwrap().to_owned();
    let half = two.run(&["apply", "--yes", "--approve", &other]).await;
    assert!(half.code == 5 && half.stderr.contains(": staging: the plan that was approved is"), "{half:#?}");
    assert_eq!(two.accounts(), [production, staging]);
    assert_eq!(two.run(&["apply", "--yes", "--approve", &hash, "--approve", &other]).await.code, 0);
    assert_eq!(two.accounts(), [production, production]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_about_one_target_names_those_that_there_are() {
    let two = Two::start().await;
    for command in [&["history"][..], &["undo", "1"], &["explain", "x"], &["who"], &["export", "x"], &["show", "last"]]
    {
        let outcome = two.run(&[command, &["--no-input"]].concat()).await;
        let is_usage = outcome.code == 64;
        assert!(is_usage && (command[0] == "undo" || outcome.stderr.contains("production, staging")), "{outcome:#?}");
    }
    let unknown = two.run(&["plan", "--target", "prod"]).await;
    assert_eq!(unknown.code, 64);
    assert!(
        unknown.stderr.contains("no target \"prod\"") && unknown.stderr.contains("production, staging"),
        "{unknown:#?}"
    );
    for arguments in [&["plan", "--out", "plan.json"][..], &["plan", "--csv"], &["plan", "--format", "html"]] {
        let outcome = two.run(arguments).await;
        assert!(outcome.code == 64 && outcome.stderr.contains("--target"), "{outcome:#?}");
    }
    two.production.configure(&two.production.sandbox.config());
    let none = two.run(&["plan", "--target", "production"]).await;
    assert!(none.code == 64 && none.stderr.contains("has no [[target]]"), "{none:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_finds_its_target() {
    let two = Two::start().await;
    assert_eq!(two.run(&["plan", "--target", "staging", "--out", "plan.json"]).await.code, 0);
    let applied = two.run(&["apply", "plan.json"]).await;
    assert_eq!(applied.code, 0, "{applied:#?}");
    assert!(!applied.stdout.contains("Targets"), "{applied:#?}");
    let [production, staging] = two.accounts();
    assert!(production == 0 && staging > 20);
    let wrong = two.run(&["apply", "plan.json", "--target", "production"]).await;
    assert_eq!(wrong.code, 5, "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_of_two_addresses_is_written_once() {
    let two = Two::start().await;
    let address = two.production.sandbox.activepieces_url().replace("127.0.0.1", "localhost");
    two.configure(&two.targets().replace(&two.staging.activepieces_url(), &address));
    for more in [&[][..], &["--wait"]] {
        let key = two.production.sandbox.api_key().to_owned();
        let outcome = two.run_with(&[&["apply", "--yes"], more].concat(), &key).await;
        assert_eq!(outcome.code, 5, "{outcome:#?}");
        assert!(outcome.stderr.contains("it is the platform of the target production"), "{outcome:#?}");
    }
    assert!(two.accounts()[0] > 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_has_a_line_and_metrics_for_each_target() {
    let two = Two::start().await;
    two.configure(&format!("[monitoring]\nmetrics_file = \"sync.prom\"\n\n{}", two.targets()));
    let first = two.run(&["apply", "--yes", "--quiet"]).await;
    assert_eq!(first.code, 0, "{first:#?}");
    let lines: Vec<&str> = first.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{first:#?}");
    assert!(lines[0].contains("  production: ") && lines[1].contains("  staging: "), "{first:#?}");
    let second = two.run(&["apply", "--yes", "--quiet"]).await;
    assert_eq!((second.code, second.stdout.as_str(), second.stderr.as_str()), (0, "", ""));
    for target in ["production", "staging"] {
        let metrics = std::fs::read_to_string(two.production.folder().join(format!("sync-{target}.prom"))).unwrap();
        let label = format!("oktapieces_last_run_exit_code{{target=\"{target}\",");
        assert!(metrics.contains(&label), "{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_and_drift_go_through_all_targets() {
    let two = Two::start().await;
    let checked = two.run(&["check"]).await;
    assert_eq!(checked.code, 0, "{checked:#?}");
    assert!(checked.stdout.contains("  passed, exit code 0\n  staging "), "{checked:#?}");
    assert_eq!(two.run(&["apply", "--yes"]).await.code, 0);
    let renamed = two.staging.platform().users().into_iter().find(|user| user.external_id.is_some()).unwrap();
    two.staging.platform().set_role(&renamed.id, "OPERATOR");
    let drift = two.run(&["drift", "--json"]).await;
    assert_eq!(drift.code, 2, "{drift:#?}");
    let answer = drift.json();
    assert_eq!(Schemas::read().faults("targets.json", &answer), [""; 0]);
    let codes: Vec<_> =
        answer["targets"].as_array().unwrap().iter().map(|target| target["exit_code"].as_u64()).collect();
    assert_eq!(codes, [Some(0), Some(2)], "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_is_accepted_for_its_target() {
    let two = Two::start().await;
    let accepted = two
        .run(&["accept", "email_changed", "x@example.com", "--why", "known", "--force", "--target", "production"])
        .await;
    assert_eq!(accepted.code, 0, "{accepted:#?}");
    let text = std::fs::read_to_string(two.production.folder().join("config.toml")).unwrap();
    let targets = config::parse_all(&text, "config.toml").unwrap();
    assert_eq!(targets.iter().map(|settings| settings.policy.accepted.len()).collect::<Vec<_>>(), [1, 0], "{text}");
}

const FILE: &str = "[okta]\norg_url = 'a.okta.com'\n[activepieces]\nurl = 'ap.example.com'\n[scope]\napp = 'Activepieces'\n\
    [safety]\nmax_deactivations = 5\nprotect = ['a@example.com']\n[[projects]]\ngroup = 'Sales'\n\
    [[accepted]]\nkind = 'email_changed'\nwho = 'x'\nwhy = 'y'\n";

fn of(targets: &str) -> Vec<config::Settings> {
    let text = format!("{FILE}{targets}");
    config::parse_all(&text, "config.toml").unwrap_or_else(|error| panic!("{error}"))
}

fn mistakes(targets: &str) -> String {
    config::parse_all(&format!("{FILE}{targets}"), "config.toml").unwrap_err().to_string()
}

#[test]
fn a_target_is_the_file_with_its_own_keys_over_it() {
    let targets = of("[[target]]\nname = 'a'\n[[target]]\nname = 'b'\n[target.activepieces]\nurl = 'b.example.com'\n\
        api_key_file = 'b.key'\n[target.scope]\ngroups = ['Staging']\n[target.safety]\nmax_deactivations = 7\n\
        [[target.projects]]\ngroup = 'Ops'\n[[target.projects]]\ngroup = 'IT'\n\
        [[target.accepted]]\nkind = 'email_changed'\nwho = 'z'\nwhy = 'y'\n");
    let [a, b] = &targets[..] else { panic!("{targets:#?}") };
    assert_eq!((a.target_name(), b.target_name()), ("a", "b"));
    assert_eq!(a.scope.app.as_deref(), Some("Activepieces"));
    assert_eq!(
        (b.scope.app.as_deref(), b.scope.groups.as_slice()),
        (None, &["Staging".to_owned()][..]),
        "all of [scope]"
    );
    assert_eq!((a.projects.len(), b.projects.len()), (1, 2), "not the file's and its own");
    assert_eq!((a.policy.accepted.len(), b.policy.accepted.len()), (1, 2), "the file's and its own");
    assert!(b.policy.protect.contains("a@example.com"), "what it doesn't set is inherited");
    assert_ne!(a.policy.limits.deactivations, b.policy.limits.deactivations);
    assert_eq!(b.activepieces.api_key.to_string(), "file `b.key`");
    assert_eq!(b.activepieces.url_at, "config.toml:21");
    assert_eq!(of("")[0].target, None);
}

#[test]
fn a_mistake_of_all_targets_is_said_once_and_another_names_its_target() {
    let own = |name: &str| format!("[target.activepieces]\nurl = '{name}.example.com'\napi_key_env = 'K'\n");
    let text = format!(
        "[monitoring]\nwebhook_on = ['never']\n[[target]]\nname = 'a'\n[[target]]\nname = 'b'\n{}[target.scope]\nap = 'x'\n",
        own("b")
    );
    insta::assert_snapshot!(mistakes(&text), @r#"
    config.toml has 2 mistakes

    error: `never` is not a choice
      --> config.toml:17:15
       |
    17 | webhook_on = ['never']
       |               ^^^^^^^
       |
       = help: write "change", "failure", "news", or several of them

    error: unknown key `ap` in [scope] (target b)
      --> config.toml:26:1
       |
    26 | ap = 'x'
       | ^^
       |
       = help: did you mean `app`?
    "#);
}

#[test]
fn targets_that_would_harm_each_other_are_refused() {
    let both =
        "[[target]]\nname = 'a'\n[[target]]\nname = 'A'\n[target.activepieces]\nurl = 'https://AP.example.com:443/'\n";
    let heartbeat = "[monitoring]\nheartbeat_url_env = 'BEAT'\n";
    insta::assert_snapshot!(mistakes(&format!("{heartbeat}{both}")), @r#"
    config.toml has 4 mistakes

    error: the targets a and A have the same heartbeat
      --> config.toml:17:21
       |
    17 | heartbeat_url_env = 'BEAT'
       |                     ^^^^^^
       |
       = help: name an address for each in [target.monitoring]: one that works would hide one that fails

    error: two targets have this name
      --> config.toml:21:8
       |
    19 | name = 'a'
       |        --- this is the other one
    20 | [[target]]
    21 | name = 'A'
       |        ^^^

    error: the targets a and A have the same platform
      --> config.toml:23:7
       |
     4 | url = 'ap.example.com'
       |       ---------------- this is the other one
    ...
    23 | url = 'https://AP.example.com:443/'
       |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: give each its own `url` in [target.activepieces]: a platform takes its users from one scope of one org

    error: this target has an address of its own, and no secret of its own (target A)
      --> config.toml:23:7
       |
    23 | url = 'https://AP.example.com:443/'
       |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: name the place of its secret next to it, such as `api_key_env = "..."`
    "#);
}

#[test]
fn what_is_no_target_is_named() {
    insta::assert_snapshot!(mistakes("[[target]]\norg_url = 'x'\n[[target]]\nname = '../x'\n[target.oktaa]\nx = 1\n"), @r#"
    config.toml has 4 mistakes

    error: `name` is missing in [[target]]
      --> config.toml:16:1
       |
    16 | [[target]]
       | ^^^^^^^^^^
       |
       = help: add `name = "production"`

    error: unknown key `org_url` in [[target]]
      --> config.toml:17:1
       |
    17 | org_url = 'x'
       | ^^^^^^^
       |
       = help: `org_url` belongs in [target.okta]

    error: this can't be the name of a target
      --> config.toml:19:8
       |
    19 | name = '../x'
       |        ^^^^^^
       |
       = help: write up to 40 letters, digits, `-` and `_`, such as "production"

    error: unknown key `oktaa` in [[target]] (target ../x)
      --> config.toml:20:9
       |
    20 | [target.oktaa]
       |         ^^^^^
       |
       = help: did you mean `okta`?
    "#);
}

#[test]
fn any_number_of_targets_is_read_in_a_moment() {
    let targets = "[[target]]\n".repeat(30_000);
    assert!(mistakes(&targets).contains("a file has at most 100 targets"));
}
