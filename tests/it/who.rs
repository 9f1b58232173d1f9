//! `who`: the accounts with their roles, and why.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use serde_json::{Value, json};

use crate::support::Stage;

/// The accounts that are listed, with the kind of the reason for each.
fn reasons(answer: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let accounts = answer["accounts"].as_array().unwrap().iter();
    accounts.map(|access| (text(&access["user_name"]), text(&access["reason"]["kind"]))).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, kind)| (format!("{name}@example.com"), (*kind).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_admin_is_listed_with_the_reason() {
    let stage = Stage::seeded().await;
    let zita = stage.sandbox.platform().user("zita.zeller@example.com").unwrap();
    stage.sandbox.platform().set_role(&zita.id, "ADMIN");
    let who = stage.run(&["who", "--role", "admin"]).await;
    assert_eq!(who.code, 0, "{who:#?}");
    let answer = stage.run(&["who", "--role", "ADMIN", "--json"]).await.json();
    let expected = [
        ("ines.imhof", "set_by_hand"),
        ("jana.jahn", "okta"),
        ("owner", "owner"),
        ("paul.protected", "protected"),
        ("zita.zeller", "local"),
    ];
    assert_eq!(reasons(&answer), pairs(&expected));
    for said in [
        "okta_role = \"Master\" (config.toml:",
        "set by hand; Okta gives MEMBER: okta_role = \"user\"; next apply: role → MEMBER",
        "protected (safety.protect); Okta gives MEMBER",
        "set by hand; Okta doesn't know this account",
    ] {
        assert!(who.stdout.contains(said), "{said}:\n{}", who.stdout);
    }
    assert!(who.stderr.contains("5 of ") && who.stderr.contains("--inactive"), "{}", who.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_okta_changed_is_told_from_one_that_was_set_by_hand() {
    let stage = Stage::seeded().await;
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 3);
    let (org, platform) = (stage.sandbox.org(), stage.sandbox.platform());
    org.set_profile(&org.user_id("hugo.hahn@example.com").unwrap(), "okta_role", json!("Master"));
    platform.set_role(&platform.user("ada.adler@example.com").unwrap().id, "ADMIN");
    let all = stage.run(&["who", "--json"]).await.json();
    let of = |name: &str| reasons(&all).into_iter().find(|(user, _)| user == name).unwrap().1;
    assert_eq!(of("hugo.hahn@example.com"), "not_applied_yet");
    assert_eq!(of("ada.adler@example.com"), "set_by_hand");
    assert_eq!(of("cara.cole@example.com"), "okta");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_okta_does_not_know_are_listed_and_inactive_ones_on_demand() {
    let stage = Stage::seeded().await;
    let answer = stage.run(&["who", "--not-in-okta", "--json"]).await.json();
    let unknown = [("berta.busch", "another_directory"), ("yann.yilmaz", "left"), ("zita.zeller", "local")];
    assert_eq!(reasons(&answer), pairs(&unknown));
    let answer = stage.run(&["who", "--not-in-okta", "--inactive", "--json"]).await.json();
    assert!(reasons(&answer).contains(&("anton.apel@example.com".to_owned(), "local".to_owned())), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_members_of_a_project_have_their_project_roles() {
    let stage = Stage::seeded().await;
    let who = stage.run(&["who", "--project", "Engineering"]).await;
    assert_eq!(who.code, 0, "{who:#?}");
    let line = |name: &str| {
        let found = who.stdout.lines().find(|line| line.starts_with(name));
        found.unwrap_or_else(|| panic!("{name}: {}", who.stdout)).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("finn.falk"), "finn.falk@example.com MEMBER Viewer in group AP Engineering");
    assert_eq!(line("otto.ohm"), "otto.ohm@example.com MEMBER Editor isn't in group AP Engineering");
    assert_eq!(
        line("zita.zeller"),
        "zita.zeller@example.com MEMBER Editor added by hand; Okta doesn't know this account"
    );
    let unknown = stage.run(&["who", "--project", "Enginering"]).await;
    assert!(unknown.code == 1 && unknown.stderr.contains("did you mean \"Engineering\""), "{unknown:#?}");
    assert_eq!(stage.run(&["who", "--role", "OWNER"]).await.code, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_matrix_of_an_auditor_has_a_row_for_each_role_and_membership() {
    let stage = Stage::seeded().await;
    let csv = stage.run(&["who", "--csv"]).await;
    assert_eq!(csv.code, 0, "{csv:#?}");
    let mut reader = csv::Reader::from_reader(csv.stdout.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let users = stage.sandbox.platform().users();
    let active = users.iter().filter(|user| user.active).count();
    let count = |kind: &str| rows.iter().filter(|row| &row[0] == kind).count();
    assert_eq!(count("role"), active);
    let is_active = |id: &String| users.iter().any(|user| user.active && user.id == *id);
    let projects = stage.sandbox.platform().projects();
    let members: usize = projects.iter().map(|project| project.members.keys().filter(|id| is_active(id)).count()).sum();
    assert!(members > 10);
    assert_eq!(count("membership"), members);
    let jana = rows.iter().find(|row| &row[1] == "jana.jahn@example.com" && &row[4] == "Engineering").unwrap();
    assert_eq!((&jana[3], &jana[5], &jana[6]), ("ADMIN", "Admin", "group"));
}
