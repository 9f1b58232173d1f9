//! `export` and `plan --from`, by the real binary.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use oktapieces_sandbox::Options;
use oktapieces_sandbox::company::Shape;
use serde_json::{Value, json};

use crate::expressions;
use crate::support::{Outcome, Stage, operations, run};

const DRIFTED: Shape = Shape::Generated { users: 60, groups: 5, members: 20, existing: 0.7, drift: 0.4, seed: 11 };
const IN_LINE: Shape = Shape::Generated { users: 40, groups: 3, members: 25, existing: 1.0, drift: 0.0, seed: 5 };
const APP: &str = "Activepieces";

/// How many requests both servers got.
fn requests(stage: &Stage) -> u64 {
    let traffic = [stage.sandbox.okta_traffic(), stage.sandbox.activepieces_traffic()];
    traffic.iter().map(|traffic| traffic.counts().values().sum::<u64>()).sum()
}

/// Runs the binary without any secret, and sees that it asks no server.
async fn offline(stage: &Stage, arguments: &[&str]) -> Outcome {
    let before = requests(stage);
    let outcome = run(stage.folder(), &[], arguments).await;
    assert_eq!(requests(stage), before, "{arguments:?}");
    outcome
}

async fn exported(stage: &Stage, arguments: &[&str]) -> String {
    let outcome = stage.run(&[&["export", "snapshot.json"], arguments].concat()).await;
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    assert!(!outcome.stderr.contains("differs"), "{outcome:#?}");
    fs::read_to_string(stage.folder().join("snapshot.json")).unwrap()
}

async fn offline_plan(stage: &Stage) -> Value {
    offline(stage, &["plan", "--from", "snapshot.json", "--json"]).await.json()
}

/// What a plan does, by kind and id.
fn outline(plan: &Value) -> BTreeMap<String, usize> {
    let list = |of: &Value, key: &str| of[key].as_array().cloned().unwrap_or_default();
    let mut lines = Vec::new();
    for op in list(plan, "users") {
        let changes: Vec<Value> = list(&op, "changes").iter().map(|change| change["attribute"].clone()).collect();
        let role = &op["attributes"]["platformRole"];
        lines.push(format!("{} {} {role} {}", op["action"], op["okta_id"], json!(changes)));
    }
    for op in list(plan, "projects") {
        lines.push(format!("project {} {}", op["action"].is_string(), op["group"]));
        lines.extend(list(&op, "add").iter().map(|member| format!("{} + {}", op["group"], member["okta_id"])));
        lines.extend(list(&op, "remove").iter().map(|member| format!("{} - {}", op["group"], member["account"])));
    }
    lines.extend(list(plan, "problems").iter().map(|problem| format!("problem {}", problem["kind"])));
    lines.extend(list(plan, "held").iter().map(|held| format!("held {}", held["because"]["kind"])));
    lines.extend(list(plan, "refusals").iter().map(|_| "refusal".to_owned()));
    lines.push(format!("{} {}", plan["totals"], plan["standing"]["in_scope"]));
    lines.into_iter().fold(BTreeMap::new(), |mut counts, line| {
        *counts.entry(line).or_default() += 1;
        counts
    })
}

/// A company in line, of which users left and waited, and whose platform was changed by hand.
async fn leavers() -> Stage {
    let stage = Stage::with(Options { company: IN_LINE, rate_limit: Some(100_000), ..Options::default() }).await;
    stage.reconfigure("[safety]", "[lifecycle]\ndeactivate_after_runs = 3\n\n[safety]");
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    let people = stage.people();
    for user in &people[..3] {
        stage.sandbox.org().unassign(APP, user);
    }
    stage.sandbox.org().set_status(&people[4], "DEPROVISIONED");
    stage.run(&["apply", "--yes"]).await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_from_a_snapshot_is_the_plan() {
    for stage in [Stage::seeded().await, Stage::of(DRIFTED).await, leavers().await] {
        let mut online = stage.plan().await;
        assert!(operations(&online) + online["held"].as_array().unwrap().len() > 0, "{online:#}");
        exported(&stage, &[]).await;
        let mut from = offline_plan(&stage).await;
        let told = from.as_object_mut().unwrap().remove("snapshot").unwrap();
        assert_eq!((&told["file"], &told["redacted"]), (&json!("snapshot.json"), &json!(false)));
        // Each run counts the runs of a grace, and reads its own time.
        for plan in [&mut online, &mut from] {
            plan.as_object_mut().unwrap().remove("held");
        }
        assert_eq!(from, online);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grace_goes_on_in_a_snapshot() {
    let stage = leavers().await;
    exported(&stage, &[]).await;
    let from = offline_plan(&stage).await;
    let waiting = from["held"].as_array().unwrap().iter().filter(|held| held["because"]["kind"] == "waiting").count();
    assert_eq!(waiting, 3, "{from:#}");
}

/// What users are called and where mail reaches them, on both sides.
fn personal(stage: &Stage, kept: &str) -> BTreeSet<String> {
    let accounts = stage.sandbox.platform().users();
    let texts = accounts.iter().flat_map(|user| [&user.email, &user.first_name, &user.last_name]);
    let words = texts.flat_map(|text| words(&json!(text)));
    let kept = kept.to_lowercase();
    // What the config names stays.
    words.filter(|word| word.len() > 1 && !kept.contains(word.as_str())).collect()
}

/// The words of all texts, without the names of members.
fn words(of: &Value) -> BTreeSet<String> {
    match of {
        Value::Object(members) => members.values().flat_map(words).collect(),
        Value::Array(items) => items.iter().flat_map(words).collect(),
        // An id.
        Value::String(text) if text.len() > 16 && text.chars().all(|c| c.is_ascii_alphanumeric()) => BTreeSet::new(),
        Value::String(text) => {
            let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
            words.map(str::to_lowercase).collect()
        }
        _ => BTreeSet::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redacted_snapshot_gives_the_same_plan_and_names_nobody() {
    for stage in [Stage::seeded().await, Stage::of(DRIFTED).await, leavers().await] {
        let whole = exported(&stage, &[]).await;
        let text = exported(&stage, &["--redact"]).await.to_lowercase();
        let config = fs::read_to_string(stage.folder().join("config.toml")).unwrap();
        let personal = personal(&stage, &config);
        assert!(
            personal.len() > 5 && personal.is_subset(&words(&serde_json::from_str(&whole).unwrap())),
            "{personal:?}"
        );
        let left = words(&serde_json::from_str(&text).unwrap());
        assert_eq!(personal.intersection(&left).collect::<Vec<_>>(), Vec::<&String>::new());
        let host = stage.sandbox.okta_url().trim_start_matches("http://").to_owned();
        let around = text.find(&host).map(|at| &text[at.saturating_sub(150)..at + 60]);
        assert_eq!(around, None);
        let from = offline_plan(&stage).await;
        assert_eq!(from["snapshot"]["redacted"], true);
        assert_eq!(outline(&from), outline(&stage.plan().await));
    }
}

#[tokio::test]
async fn project_roles_are_planned_from_a_snapshot_too() {
    let stage = Stage::with(Options { company: DRIFTED, rate_limit: Some(100_000), ..Options::default() }).await;
    stage.reconfigure("name = \"$1\"", "name = \"$1\"\nrole = \"Viewer\"");
    let here = stage.run(&["plan", "--json"]).await.json();
    assert!(here["totals"]["project_roles"].as_u64() > Some(0), "{}", here["totals"]);
    for redact in [&[][..], &["--redact"]] {
        exported(&stage, redact).await;
        assert_eq!(outline(&offline_plan(&stage).await), outline(&here), "{redact:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_holds_no_secret_and_is_its_owners_alone() {
    let stage = Stage::seeded().await;
    let text = exported(&stage, &[]).await;
    for secret in [stage.sandbox.okta_token(), stage.sandbox.api_key().to_owned()] {
        assert!(!text.contains(&secret));
    }
    assert!(!text.contains("recovery_question") && !text.contains("\"provider\""));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(stage.folder().join("snapshot.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_config_is_tried_on_a_snapshot_and_what_it_does_not_hold_is_said() {
    let stage = Stage::of(IN_LINE).await;
    exported(&stage, &[]).await;
    let config = fs::read_to_string(stage.folder().join("config.toml")).unwrap();
    let line = config.lines().find(|line| line.starts_with("given_name") || line.starts_with("givenName"));
    // Another expression, over an attribute that was read with the profiles.
    let changed = match line {
        Some(line) => config.replace(line, &format!("{} = 'user.lastName'", line.split('=').next().unwrap().trim())),
        None => config.replace("[attributes]", "[attributes]\ngivenName = 'user.lastName'"),
    };
    stage.configure(&changed);
    let from = offline_plan(&stage).await;
    assert!(from["users"].as_array().unwrap().len() > 20, "{from:#}");
    // Another scope, of which nothing was read.
    stage.configure(&config.replace("app = \"Activepieces\"", "search = 'profile.department eq \"Sales\"'"));
    let outcome = offline(&stage, &["plan", "--from", "snapshot.json"]).await;
    assert_eq!(outcome.code, 1, "{outcome:#?}");
    assert!(outcome.stderr.contains("isn't in the snapshot"), "{outcome:#?}");
    assert!(outcome.stderr.contains("export a new one with this config"), "{outcome:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_redacted_snapshot_left_out_is_never_taken_for_empty() {
    let stage = Stage::of(IN_LINE).await;
    exported(&stage, &["--redact"]).await;
    let config = fs::read_to_string(stage.folder().join("config.toml")).unwrap();
    stage.configure(&config.replace("[attributes]", "[attributes]\nfamilyName = 'user.title'"));
    let outcome = offline(&stage, &["plan", "--from", "snapshot.json"]).await;
    assert_eq!(outcome.code, 78, "{outcome:#?}");
    assert!(outcome.stderr.contains("was left out of the snapshot: title"), "{outcome:#?}");
    stage.configure(&config.replace("[attributes]", "[attributes]\nfamilyName = 'user.firstName'"));
    let outcome = offline(&stage, &["plan", "--from", "snapshot.json"]).await;
    assert!(outcome.stderr.contains("redacted for another config"), "{outcome:#?}");
    stage.configure(&config);
    let outcome = offline(&stage, &["plan", "--from", "snapshot.json"]).await;
    assert!(!outcome.stderr.contains("redacted for another config"), "{outcome:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_snapshot_does_not_tell_of_a_user_is_deferred_and_said_once() {
    let stage = Stage::of(IN_LINE).await;
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    exported(&stage, &[]).await;
    // Now only the members of one group are in scope. Which groups the others are in was never asked.
    let project = stage.sandbox.platform().projects().into_iter().find_map(|project| project.external_id).unwrap();
    stage.reconfigure("app = \"Activepieces\"", &format!("groups = [\"{project}\"]"));
    let outcome = offline(&stage, &["plan", "--from", "snapshot.json", "--json"]).await;
    let from = outcome.json();
    assert_eq!(from["totals"]["deactivate"], 0, "{from:#}");
    let held = from["held"].as_array().unwrap();
    // Each linked account that the group doesn't explain.
    let accounts: BTreeSet<String> = stage
        .sandbox
        .platform()
        .users()
        .into_iter()
        .filter_map(|user| user.external_id.filter(|_| user.active).map(|_| user.id))
        .collect();
    let projects = stage.sandbox.platform().projects();
    let members: BTreeSet<String> = projects[0].members.keys().cloned().collect();
    let left = held.iter().filter(|held| held["what"] == "deactivate").count();
    assert_eq!(left, accounts.difference(&members).count(), "{held:#?}");
    let told =
        format!("the snapshot doesn't hold what Okta says of {left} users: operations that depend on it are deferred");
    let warnings = from["warnings"].as_array().unwrap();
    assert_eq!(warnings.iter().filter(|warning| **warning == told).count(), 1, "{warnings:#?}");
}

/// Expressions ask for groups of users, and the scope is a search.
#[tokio::test(flavor = "multi_thread")]
async fn searches_and_the_groups_of_users_are_in_a_snapshot() {
    let stage = Stage::of(DRIFTED).await;
    stage.reconfigure("app = \"Activepieces\"", "search = 'status pr'");
    let config = fs::read_to_string(stage.folder().join("config.toml")).unwrap();
    let line = config.lines().find(|line| line.trim_start().starts_with("platformRole")).unwrap();
    let group = stage.sandbox.platform().projects().into_iter().next().unwrap().name;
    let role = format!("platformRole = 'isMemberOfGroupNameContains(\"{group}\") ? \"OPERATOR\" : \"MEMBER\"'");
    stage.configure(&config.replace(line, &role));
    let online = stage.plan().await;
    assert!(operations(&online) > 0, "{online:#}");
    for arguments in [&[][..], &["--redact"]] {
        exported(&stage, arguments).await;
        assert_eq!(outline(&offline_plan(&stage).await), outline(&online), "{arguments:?}");
    }
}

/// Managers by distinguished names, linked objects, and Okta's own mapping with a literal in it.
#[tokio::test(flavor = "multi_thread")]
async fn other_people_and_the_mapping_in_okta_are_in_a_snapshot() {
    let (stage, people) = expressions::org().await;
    let manager = "platformRole = '''getManagerUser(\"active_directory\") != null ? \"ADMIN\" : \
        user.getLinkedObject(\"mentor\") != null or hasDirectoryUser() ? \"OPERATOR\" : \"MEMBER\"'''";
    let login = people[3].0.as_str();
    let mapped = format!("user.login == '{login}' ? 'OPERATOR' : 'MEMBER'");
    for (from_okta, roles) in [(false, ["ADMIN", "OPERATOR"]), (true, ["OPERATOR", "MEMBER"])] {
        if from_okta {
            expressions::from_okta(&stage, "");
            stage.sandbox.org().set_mapping(APP, "platformRole", &mapped, "PUSH");
        } else {
            let config = stage.sandbox.config();
            let line = config.lines().find(|line| line.trim_start().starts_with("platformRole")).unwrap();
            stage.configure(&config.replace(line, manager));
        }
        let online = outline(&stage.plan().await);
        for role in roles {
            assert!(online.keys().any(|line| line.contains(&format!("\"{role}\""))), "{role}: {online:#?}");
        }
        for arguments in [&[][..], &["--redact"]] {
            exported(&stage, arguments).await;
            assert_eq!(outline(&offline_plan(&stage).await), online, "{arguments:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_planned_from_is_refused() {
    let stage = Stage::of(IN_LINE).await;
    let text = exported(&stage, &[]).await;
    let put = |text: &str| fs::write(stage.folder().join("snapshot.json"), text).unwrap();
    for (damaged, part) in [
        (text[..text.len() / 2].to_owned(), "snapshot.json is no snapshot"),
        ("{}".to_owned(), "snapshot.json is no snapshot"),
        (text.replacen("\"oktapieces_snapshot\":1", "\"oktapieces_snapshot\":9", 1), "snapshot.json has format 9"),
    ] {
        put(&damaged);
        let outcome = offline(&stage, &["plan", "--from", "snapshot.json"]).await;
        assert_eq!(outcome.code, 78, "{outcome:#?}");
        assert!(outcome.stderr.contains(part), "{outcome:#?}");
    }
    put(&text);
    let outcome = stage.run(&["apply", "snapshot.json"]).await;
    assert_eq!(outcome.code, 78, "{outcome:#?}");
    assert!(outcome.stderr.contains("a plan from a snapshot can't be applied"), "{outcome:#?}");
    assert_eq!(offline(&stage, &["plan", "--from", "snapshot.json", "--out", "plan.json"]).await.code, 64);
    stage.reconfigure(stage.sandbox.okta_url().as_str(), "http://127.0.0.1:9");
    let outcome = offline(&stage, &["plan", "--from", "snapshot.json"]).await;
    assert_eq!(outcome.code, 5, "{outcome:#?}");
    assert!(outcome.stderr.contains("the config names http://127.0.0.1:9/"), "{outcome:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redacted_snapshot_that_cannot_give_the_plan_is_not_written() {
    let stage = Stage::of(IN_LINE).await;
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    // Who is OPERATOR rests on a letter within a word.
    let config = fs::read_to_string(stage.folder().join("config.toml")).unwrap();
    let line = config.lines().find(|line| line.trim_start().starts_with("platformRole")).unwrap();
    let role = "platformRole = 'String.stringContains(user.lastName, \"e\") ? \"OPERATOR\" : \"MEMBER\"'";
    stage.configure(&config.replace(line, role));
    let outcome = stage.run(&["export", "snapshot.json", "--redact"]).await;
    assert_eq!(outcome.code, 5, "{outcome:#?}");
    assert!(outcome.stderr.contains("the plan from the redacted snapshot differs in"), "{outcome:#?}");
    assert!(!stage.folder().join("snapshot.json").exists());
}
