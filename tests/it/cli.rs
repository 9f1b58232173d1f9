//! What an admin sees: help, the connector test, errors with their exit codes, and the plan's look.

use std::fmt::Write;

use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::serve::{Fault, FaultKind};

use crate::support::{Stage, run};

const SMALL: Shape = Shape::Generated { users: 12, groups: 2, members: 4, existing: 0.5, drift: 0.5, seed: 3 };

#[test]
fn the_whole_command_line_reference() {
    let mut reference = String::new();
    let mut command = oktapieces::cli::command().term_width(100);
    writeln!(reference, "{}", command.render_long_help()).unwrap();
    for subcommand in command.get_subcommands_mut() {
        let name = subcommand.get_name().to_owned();
        let help = subcommand.clone().term_width(100).render_long_help();
        writeln!(reference, "\n======== {name}\n\n{help}").unwrap();
    }
    insta::assert_snapshot!(reference);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_of_the_seeded_company() {
    let stage = Stage::seeded().await;
    insta::assert_snapshot!(stage.scrubbed(&stage.run(&["plan"]).await.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_of_a_small_company_as_json() {
    let stage = Stage::of(SMALL).await;
    let text = serde_json::to_string_pretty(&stage.plan().await).unwrap();
    insta::assert_snapshot!(stage.scrubbed(&text));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_plan_is_folded_and_all_shows_it_whole() {
    let stage =
        Stage::of(Shape::Generated { users: 60, groups: 1, members: 40, existing: 0.0, drift: 0.0, seed: 1 }).await;
    let (folded, whole) = (stage.run(&["plan"]).await.stdout, stage.run(&["plan", "--all"]).await.stdout);
    assert!(folded.contains("more, which --all shows") && !whole.contains("more, which"), "{folded}\n{whole}");
    let creations = |text: &str| text.lines().filter(|line| line.contains("+ create") && line.contains('@')).count();
    assert_eq!(creations(&folded), 14, "three OPERATORs, ten others and a project that names one: {folded}");
    assert!(creations(&whole) > 50);
    assert_eq!(folded.lines().last(), whole.lines().last());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_as_csv_names_each_change_and_nothing_else() {
    let stage = Stage::of(SMALL).await;
    let plan = stage.plan().await;
    let csv = stage.run(&["plan", "--csv", "--out", "plan.json"]).await.stdout;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let count = |kind: &str, action: &str| rows.iter().filter(|row| (&row[0], &row[1]) == (kind, action)).count();
    let total = |name: &str| usize::try_from(plan["totals"][name].as_u64().unwrap()).unwrap();
    assert!(total("create") > 0 && total("members_add") > 0, "{plan}");
    assert_eq!(count("user", "create"), 3 * total("create"), "{csv}");
    assert_eq!(count("project", "create"), total("projects_create"), "{csv}");
    assert_eq!(count("project", "add member"), total("members_add"), "{csv}");
    assert_eq!(stage.run(&["show", "plan.json", "--csv"]).await.stdout, csv);
    assert_eq!(stage.run(&["plan", "--csv", "--json"]).await.code, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_ok_line_by_line() {
    let stage = Stage::of(SMALL).await;
    let checked = stage.run(&["check"]).await;
    assert_eq!(checked.code, 0, "{checked:#?}");
    insta::assert_snapshot!(stage.scrubbed(&checked.stdout));
    let json = stage.run(&["check", "--json"]).await.json();
    assert_eq!(json["failed"], 0);
    let counts = stage.sandbox.activepieces_traffic().counts();
    assert!(counts.keys().all(|route| route.starts_with("GET ")), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_wrong_secret_is_named_and_never_shown() {
    let stage = Stage::of(SMALL).await;
    let (token, key) = (stage.sandbox.okta_token(), stage.sandbox.api_key().to_owned());
    let with = async |token: &str, key: &str, arguments: &[&str]| {
        run(stage.folder(), &[("OKTA_API_TOKEN", token), ("ACTIVEPIECES_API_KEY", key)], arguments).await
    };
    for arguments in [&["plan"][..], &["check"], &["apply", "--yes"]] {
        let wrong = with("00notatoken", &key, arguments).await;
        assert_eq!(wrong.code, 4, "{wrong:#?}");
        let wrong_key = with(&token, "sk-unknown", arguments).await;
        assert_eq!(wrong_key.code, 4, "{wrong_key:#?}");
        for outcome in [wrong, wrong_key] {
            let all = outcome.stdout + &outcome.stderr;
            assert!(["00notatoken", "sk-unknown", &token, &key].iter().all(|secret| !all.contains(*secret)), "{all}");
        }
    }
    let missing = run(stage.folder(), &[("ACTIVEPIECES_API_KEY", &key)], &["plan"]).await;
    assert_eq!(missing.code, 78);
    assert!(missing.stderr.contains("OKTA_API_TOKEN"), "{missing:#?}");
    let logged = with(&token, &key, &["plan", "--verbose"]).await;
    assert!(!logged.stderr.contains(&token) && !logged.stderr.contains(&key));
    assert!(logged.stderr.contains("/api/v1/apps"), "the log names requests: {logged:#?}");
    assert!(!logged.stderr.contains(['?', '@']), "without a query or a name: {logged:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_classic_wrong_base_url_is_explained() {
    let stage = Stage::of(SMALL).await;
    let url = stage.sandbox.activepieces_url();
    stage.reconfigure(&format!("\"{url}\""), &format!("\"{url}/platform\""));
    let checked = stage.run(&["check"]).await;
    assert_eq!(checked.code, 1, "{checked:#?}");
    assert!(checked.stdout.contains("web page") && checked.stdout.contains("base URL"), "{checked:#?}");
    stage.reconfigure(&format!("\"{url}/platform\""), &format!("\"{url}/api/v1/scim/v2/\""));
    assert_eq!(stage.run(&["check"]).await.code, 0, "the SCIM base URL of the product's page is understood");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_without_scim_is_told_by_check() {
    let stage = Stage::of(SMALL).await;
    stage.sandbox.platform().configure(|settings| settings.scim_enabled = false);
    let checked = stage.run(&["check"]).await;
    assert_eq!(checked.code, 1);
    assert!(checked.stdout.contains("plan doesn't include"), "{checked:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_names_in_the_scope_come_all_at_once() {
    // With a linked account it would be a problem of its own, so that offboarding goes on.
    let fresh = Shape::Generated { users: 12, groups: 2, members: 4, existing: 0.0, drift: 0.0, seed: 3 };
    let stage = Stage::of(fresh).await;
    stage.reconfigure("app = \"Activepieces\"", "app = \"Activepiece\"\ngroups = [\"AP Taem 001\", \"None\"]");
    let plan = stage.run(&["plan"]).await;
    assert_eq!(plan.code, 78, "{plan:#?}");
    for name in ["Activepiece", "AP Taem 001", "None"] {
        assert!(plan.stderr.contains(name), "{plan:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_errors_and_a_missing_config() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &[], &["plna"]).await.code, 64);
    assert_eq!(run(folder.path(), &[], &["plan", "--nonsense"]).await.code, 64);
    assert_eq!(run(folder.path(), &[], &["--help"]).await.code, 0);
    assert_eq!(run(folder.path(), &[], &["--version"]).await.code, 0);
    let missing = run(folder.path(), &[], &["plan"]).await;
    assert_eq!(missing.code, 78);
    assert!(missing.stderr.contains("config.toml"), "{missing:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn eval_gives_a_value_a_caret_or_the_count_of_differences() {
    let stage = Stage::seeded().await;
    let value = stage.run(&["eval", "user.firstName + ' ' + user.lastName", "--user", "ada.adler@example.com"]).await;
    assert_eq!((value.code, value.stdout.as_str()), (0, "Ada Adler\n"), "{value:#?}");
    let groups = stage.run(&["eval", "isMemberOfGroupName('Everyone')", "--user", "ada.adler@example.com"]).await;
    assert_eq!(groups.stdout, "true\n");
    let wrong = stage.run(&["eval", "user.firstName = 1", "--user", "ada.adler@example.com"]).await;
    assert_eq!(wrong.code, 78);
    assert!(wrong.stderr.contains('^') && wrong.stderr.contains("=="), "{wrong:#?}");
    let nobody = stage.run(&["eval", "1", "--user", "nobody@example.com"]).await;
    assert_eq!(nobody.code, 1);
    let cases = stage.folder().join("cases.jsonl");
    let lines = "{\"expression\":\"1+1\",\"result\":2}\n{\"expression\":\"1+\",\"error\":\"x\"}\n{\"expression\":\"'a'\",\"result\":\"b\"}\n";
    std::fs::write(&cases, lines).unwrap();
    let checked = stage.run(&["eval", "--cases", "cases.jsonl"]).await;
    assert_eq!(checked.code, 1);
    assert!(checked.stdout.contains("line 3") && checked.total() == "3 cases, 1 difference.", "{checked:#?}");
    std::fs::write(&cases, "{\"expression\":\"1+1\"}\n").unwrap();
    assert_eq!(stage.run(&["eval", "--cases", "cases.jsonl"]).await.code, 78);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_from_servers_cannot_move_the_cursor() {
    let stage = Stage::of(SMALL).await;
    let user = stage.sandbox.platform().users().into_iter().find_map(|user| user.external_id).unwrap();
    stage.sandbox.org().set_profile(&user, "firstName", "a\u{1b}[2J\u{202e}b".into());
    let plan = stage.run(&["plan"]).await;
    assert!(plan.stdout.contains("a\\u{1b}[2J\\u{202e}b"), "{plan:#?}");
    assert!(!plan.stdout.contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_100_kilobytes_is_shown_in_part() {
    let stage = Stage::seeded().await;
    let org = stage.sandbox.org();
    let long = "n".repeat(100_000);
    let user = |login: &str| org.user_id(login).unwrap();
    org.set_profile(&user("ada.adler@example.com"), "firstName", long.clone().into());
    org.set_profile(&user("gina.gruber@example.com"), "login", format!("{long}@example.com").into());
    org.set_profile(&user("rolf.reuter@example.com"), "okta_role", long.clone().into());
    org.rename_group(&org.group_id("AP Sales").unwrap(), &format!("AP {long}"));
    let project =
        stage.sandbox.platform().projects().into_iter().find(|project| project.name == "Engineering").unwrap();
    stage.sandbox.platform().rename_project(&project.id, &long);
    for arguments in [&["plan"][..], &["plan", "--all"], &["apply", "--yes"], &["show", "1"], &["check"]] {
        let outcome = stage.run(arguments).await;
        let said = outcome.stdout.len() + outcome.stderr.len();
        assert!(said < 60_000, "{arguments:?}: {said} bytes");
        assert!(!outcome.stdout.contains(&long) && !outcome.stderr.contains(&long), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_reached_is_named() {
    let stage = Stage::of(SMALL).await;
    let fault = Fault { method: None, path: "/".to_owned(), kind: FaultKind::CutBefore, after: 0, times: usize::MAX };
    stage.sandbox.activepieces_traffic().fault(fault);
    stage.reconfigure(&stage.sandbox.okta_url(), "http://127.0.0.1:1");
    let plan = stage.run(&["plan"]).await;
    assert_eq!((plan.code, plan.stdout.as_str()), (1, ""), "{plan:#?}");
    assert!(plan.stderr.contains("at 127.0.0.1") || plan.stderr.contains("http://127.0.0.1"), "{plan:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_ends_with_no_changes_and_the_next_steps() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let demo = run(folder.path(), &[("TMPDIR", place)], &["demo"]).await;
    assert_eq!(demo.code, 0, "{demo:#?}");
    assert!(demo.stdout.contains("\nNo changes: ") && demo.stdout.contains("For your own org"), "{demo:#?}");
    let shown = [
        "Accounts to link",
        "New project Admins",
        "Replaced accounts",
        "dan.old@example.com",
        "Archived: Events",
        "- revoke",
        "waits until",
        "role is ADMIN; MEMBER by Okta",
        "was deactivated; has access in Okta",
    ];
    for part in shown {
        assert!(demo.stdout.contains(part), "{part}: {}", demo.stdout);
    }
    // What it says about the recorded runs is so.
    let (_, left) = demo.stdout.split_once("  cd '").unwrap();
    let left = std::path::Path::new(left.split_once('\'').unwrap().0);
    let state = left.join("state");
    let history = run(left, &[("XDG_STATE_HOME", state.to_str().unwrap())], &["history"]).await;
    assert!(history.code == 0 && history.stdout.contains("apply"), "{history:#?}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_the_demo_waits_between_its_acts_and_serves_until_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_oktapieces"));
    command.args(["demo", "--color", "never"]).current_dir(folder.path()).env_clear();
    command.env("HOME", folder.path()).env("TMPDIR", folder.path());
    let (shown, code) = tokio::task::block_in_place(|| {
        let demo = crate::terminal::Terminal::start(&mut command, 100).until("Enter goes on: see what would");
        let waits = ["write it", "see what an admin", "bring it back", "see that nothing"];
        let demo = waits.iter().fold(demo, |demo, act| demo.typed("\n").until(&format!("Enter goes on: {act}")));
        let demo = demo.typed("\n").until("The servers run until Ctrl-C");
        demo.terminated().ended()
    });
    assert_eq!(code, 0, "{shown}");
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text}: {shown}"));
    let written = &shown[at("Enter goes on: write it")..at("Enter goes on: see what an admin")];
    assert!(written.contains("Applied "), "{shown}");
    assert!(at("No changes: ") < at("undo 3 --dry-run"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn eval_shows_what_each_part_gives() {
    let stage = Stage::seeded().await;
    let role = "user.okta_role == 'op' ? 'OPERATOR' : 'MEMBER'";
    let traced = stage.run(&["eval", role, "--user", "ada.adler@example.com", "--trace"]).await;
    assert_eq!(traced.code, 0, "{traced:#?}");
    assert!(
        traced.stdout.contains("user.okta_role → \"op\"") && traced.stdout.ends_with("\nOPERATOR\n"),
        "{traced:#?}"
    );
    assert!(traced.stdout.contains("user.okta_role == 'op' → true"), "{traced:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_an_attribute_that_the_org_does_not_have() {
    let stage = Stage::of(SMALL).await;
    stage.reconfigure("user.okta_role == \"op\"", "user.okta_rolle == \"op\"");
    let checked = stage.run(&["check"]).await;
    assert_eq!(checked.code, 78, "{checked:#?}");
    assert!(checked.stdout.contains("okta_rolle") && checked.stdout.contains("okta_role"), "{checked:#?}");
}
