//! `adopt`: how accounts match users, and links that change nothing else.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::Stage;

/// State and basis of each account that isn't linked, by its name.
fn matches(answer: &Value) -> BTreeMap<String, (String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = answer["accounts"].as_array().unwrap().iter().filter(|row| row["state"] != "linked");
    let name = |row: &Value| text(&row["user_name"]).trim_end_matches("@example.com").to_owned();
    rows.map(|row| (name(row), (text(&row["state"]), text(&row["by"])))).collect()
}

fn conflicts(answer: &Value, name: &str) -> Vec<String> {
    let rows = answer["accounts"].as_array().unwrap();
    let row = rows.iter().find(|row| row["user_name"] == format!("{name}@example.com")).unwrap();
    row["conflicts"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_account_is_shown_with_its_match_and_what_is_in_the_way() {
    let stage = Stage::seeded().await;
    let before = stage.sandbox.platform().users();
    let shown = stage.run(&["adopt", "--dry-run", "--json"]).await;
    assert_eq!(shown.code, 3, "{shown:#?}");
    let answer = shown.json();
    let found = matches(&answer);
    for name in ["lotte.lenz", "mia.mayer"] {
        assert_eq!(found[name], ("link".to_owned(), "address".to_owned()));
    }
    let expected = [
        ("nils.noll", &["other_directory"][..]),
        ("olga.orth", &["other_user"]),
        ("owner", &["owner", "no_access"]),
        ("rolf.reuter", &["left_alone"]),
        ("ruth.roth", &["no_access"]),
        ("ulla.unger", &["several_users"]),
        ("wanda.weiss", &["several_users"]),
        ("xara.xander", &["several_accounts"]),
    ];
    for (name, kinds) in expected {
        assert_eq!(found[name].0, "conflict", "{name}");
        assert_eq!(conflicts(&answer, name), kinds, "{name}");
    }
    for name in ["anton.apel", "berta.busch", "zita.zeller"] {
        assert_eq!(found[name], ("no_user".to_owned(), String::new()));
    }
    assert_eq!(stage.sandbox.platform().users(), before, "nothing is written");
    let kinds: Vec<&Value> = answer["problems"].as_array().unwrap().iter().map(|problem| &problem["kind"]).collect();
    assert!(kinds.iter().all(|kind| [json!("claimed_twice"), json!("two_accounts")].contains(kind)), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adoption_writes_the_external_id_alone_and_the_next_apply_does_the_rest() {
    let stage = Stage::seeded().await;
    let (org, platform) = (stage.sandbox.org(), stage.sandbox.platform());
    org.set_profile(&org.user_id("mia.mayer@example.com").unwrap(), "okta_role", json!("op"));
    let (lotte, mia) = ("lotte.lenz@example.com", "mia.mayer@example.com");
    platform.set_role(&platform.user(lotte).unwrap().id, "ADMIN");
    let before = platform.users();
    let refused = stage.run(&["adopt"]).await;
    assert_eq!((refused.code, platform.users() == before), (64, true), "no terminal to ask on: {refused:#?}");
    let done = stage.run(&["adopt", "--yes"]).await;
    assert_eq!(done.code, 3, "{done:#?}");
    for said in ["New ADMINs", "the next apply changes role MEMBER → OPERATOR", "2 accounts to link", "Applied 2 of 2"]
    {
        assert!(done.stdout.contains(said), "{said}: {}", done.stdout);
    }
    assert!(done.stderr.contains("what it did can't be undone"), "{}", done.stderr);
    for account in platform.users() {
        let then = before.iter().find(|then| then.id == account.id).unwrap();
        let is_linked = [lotte, mia].contains(&account.email.as_str());
        let external_id = if is_linked { org.user_id(&account.email) } else { then.external_id.clone() };
        let expected = oktapieces_sandbox::activepieces::UserSnapshot { external_id, ..then.clone() };
        assert_eq!(account, expected, "nothing else of it");
    }
    let plan = stage.run(&["plan", "--json"]).await.json();
    let of = |name: &str| plan["users"].as_array().unwrap().iter().find(|op| op["user_name"] == name).unwrap().clone();
    assert_eq!(of(mia)["action"], "update");
    let history = stage.run(&["history", "--json"]).await.json();
    assert_eq!(history["runs"][1]["command"], "adopt");
    let again = stage.run(&["adopt", "--yes"]).await;
    assert!(again.stdout.contains("Nothing to link"), "{}", again.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_an_alias_is_the_users_unless_it_is_in_doubt() {
    let stage = Stage::seeded().await;
    let (org, platform) = (stage.sandbox.org(), stage.sandbox.platform());
    stage.reconfigure("[attributes]", "[attributes]\naliases = 'user.secondEmail'");
    let alias = |name: &str, address: &str| {
        org.set_profile(&org.user_id(&format!("{name}@example.com")).unwrap(), "secondEmail", json!(address));
    };
    alias("ada.adler", "Zita.Zeller@example.com");
    // An account of another user's address, one that is linked, and one that two users claim by alias.
    alias("dan.dorn", "lotte.lenz@example.com");
    alias("gia.graf", "cara.cole@example.com");
    alias("jon.jung", "anton.apel@example.com");
    alias("max.mohn", "anton.apel@example.com");
    let answer = stage.run(&["adopt", "--dry-run", "--json"]).await.json();
    let found = matches(&answer);
    assert_eq!(found["zita.zeller"], ("link".to_owned(), "alias".to_owned()));
    assert_eq!(found["lotte.lenz"], ("link".to_owned(), "address".to_owned()));
    assert_eq!(found["anton.apel"], ("conflict".to_owned(), "alias".to_owned()));
    assert_eq!(conflicts(&answer, "anton.apel"), ["several_users", "inactive"]);
    let plan = stage.run(&["plan", "--json"]).await.json();
    let of = |name: &str| plan["users"].as_array().unwrap().iter().find(|op| op["user_name"] == name).cloned();
    let explained = stage.run(&["explain", "ada.adler@example.com", "--json"]).await.json();
    assert_eq!(explained["next_apply"]["operation"]["reason"], "alias", "explain plans the same: {explained:#}");
    let zita = of("zita.zeller@example.com").unwrap();
    assert_eq!((&zita["action"], &zita["reason"]), (&json!("adopt"), &json!("alias")));
    assert!(of("ada.adler@example.com").is_none(), "no second account is made");
    for name in ["dan.dorn", "gia.graf"] {
        assert_eq!(of(&format!("{name}@example.com")).unwrap()["action"], "create", "{name}");
    }
    assert!(of("jon.jung@example.com").is_none() && of("max.mohn@example.com").is_none());
    assert_eq!(stage.run(&["adopt", "--yes", "--only", "user=zita.zeller@example.com"]).await.code, 3);
    assert_eq!(platform.user("zita.zeller@example.com").unwrap().external_id, org.user_id("ada.adler@example.com"));
    assert_eq!(platform.user("lotte.lenz@example.com").unwrap().external_id, None, "only the chosen one");
    // Linked by an alias, the account has an address that Okta doesn't give the user.
    let problems = stage.run(&["plan", "--json"]).await.json()["problems"].clone();
    let is_told =
        |problem: &&Value| problem["kind"] == "email_changed" && problem["subject"] == "ada.adler@example.com";
    assert_eq!(problems.as_array().unwrap().iter().filter(is_told).count(), 1, "{problems}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_with_an_account_of_the_address_and_one_of_an_alias_is_left_alone() {
    let stage = Stage::seeded().await;
    let org = stage.sandbox.org();
    stage.reconfigure("[attributes]", "[attributes]\naliases = '{user.secondEmail}'");
    let lotte = org.user_id("lotte.lenz@example.com").unwrap();
    org.set_profile(&lotte, "secondEmail", json!("zita.zeller@example.com"));
    let answer = stage.run(&["adopt", "--dry-run", "--json"]).await.json();
    for name in ["lotte.lenz", "zita.zeller"] {
        assert_eq!(conflicts(&answer, name), ["several_accounts"], "{name}");
    }
    let plan = stage.plan().await;
    assert!(plan["users"].as_array().unwrap().iter().all(|op| op["okta_id"] != lotte), "{plan}");
    org.set_profile(&lotte, "secondEmail", json!("no address"));
    let plan = stage.plan().await;
    let told =
        |problem: &&Value| problem["kind"] == "invalid_attribute" && problem["subject"] == "lotte.lenz@example.com";
    assert_eq!(plan["problems"].as_array().unwrap().iter().filter(told).count(), 1, "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_accounts_come_in_every_format() {
    let stage = Stage::seeded().await;
    for (format, part) in [
        ("csv", "\"account\",\"conflict\",\"nils.noll@example.com\""),
        ("jsonl", r#""kind":"account","action":"no_user","subject":"zita.zeller@example.com""#),
        ("markdown", "| lotte.lenz@example.com | link |"),
        ("html", "zita.zeller@example.com"),
    ] {
        let shown = stage.run(&["adopt", "--format", format]).await;
        assert_eq!(shown.code, 3, "{shown:#?}");
        assert!(shown.stdout.contains(part), "{format}: {}", shown.stdout);
        assert_eq!(stage.run(&["adopt", "--yes", "--format", format]).await.code, 64, "{format}");
    }
}
