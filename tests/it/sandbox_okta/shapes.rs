//! The shapes of entities, held against recordings of real orgs where they are there.
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::support::{APP, Server, UNKNOWN};

const RECORDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/reference/okta-samples");

/// The keys of entities and of what they hold, `_links.self`; of free-form parts just the name.
fn keys(entity: &Value) -> BTreeSet<String> {
    const FREE: [&str; 6] = ["profile", "properties", "definitions", "settings", "credentials", "_embedded"];
    let mut found = BTreeSet::new();
    for (name, value) in entity.as_object().into_iter().flatten() {
        found.insert(name.clone());
        if let (Value::Object(inner), false) = (value, FREE.contains(&name.as_str())) {
            found.extend(inner.keys().map(|inner| format!("{name}.{inner}")));
        }
    }
    found
}

/// The entities in a body: those of a listing, or the one.
fn entities(body: &Value) -> Vec<&Value> {
    body.as_array().map_or_else(|| vec![body], |items| items.iter().collect())
}

/// The keys of each entity in the recordings with these numbers; none where there are no recordings.
fn recorded(numbers: &[&str]) -> Option<Vec<BTreeSet<String>>> {
    let Ok(folder) = std::fs::read_dir(Path::new(RECORDINGS)) else {
        eprintln!("skipped: there are no recordings in {RECORDINGS}");
        return None;
    };
    let mut found = Vec::new();
    for file in folder.map(|entry| entry.unwrap().path()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if numbers.iter().any(|number| name.starts_with(&format!("{number}-"))) {
            let recording: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
            found.extend(entities(&recording["body"]).into_iter().map(keys));
        }
    }
    assert!(found.len() >= numbers.len(), "a recording is missing or empty: {numbers:?}");
    Some(found)
}

/// Asserts that entities have every key that all recorded ones have, and none that no recorded one has.
fn assert_like(body: &Value, numbers: &[&str]) {
    let ours: Vec<_> = entities(body).into_iter().map(keys).collect();
    assert!(!ours.is_empty());
    let Some(recorded) = recorded(numbers) else { return };
    let always = recorded.iter().cloned().reduce(|all, next| &all & &next).unwrap();
    let ever = recorded.iter().cloned().reduce(|all, next| &all | &next).unwrap();
    for keys in ours {
        assert_eq!(always.difference(&keys).collect::<Vec<_>>(), Vec::<&String>::new(), "always there at Okta");
        assert_eq!(keys.difference(&ever).collect::<Vec<_>>(), Vec::<&String>::new(), "never there at Okta");
    }
}

#[tokio::test]
async fn users_in_a_list_look_like_recorded_ones() {
    let server = Server::start().await;
    server.users(2);
    assert_like(&server.get("users").await.body, &["01", "02", "03", "08", "09", "21", "22"]);
}

#[tokio::test]
async fn users_alone_look_like_recorded_ones() {
    let server = Server::start().await;
    for status in ["PROVISIONED", "DEPROVISIONED", "SUSPENDED", "STAGED"] {
        let id = server.user(&format!("{status}@example.com"), status);
        assert_like(&server.get(&format!("users/{id}")).await.body, &["10", "11", "13", "14", "15"]);
    }
}

#[tokio::test]
async fn groups_look_like_recorded_ones() {
    let server = Server::start().await;
    let (user, group) = (server.user("ada@example.com", "ACTIVE"), server.group("Sales", &[]));
    assert_like(&server.get("groups").await.body, &["16", "18", "19"]);
    assert_like(&server.get(&format!("groups/{group}")).await.body, &["23", "18"]);
    assert_like(&server.get(&format!("users/{user}/groups")).await.body, &["16"]);
}

#[tokio::test]
async fn assignments_look_like_recorded_ones() {
    let server = Server::start().await;
    let (app, group) = (server.app(&server.users(2)), server.group("Sales", &[]));
    server.org.assign_group(APP, &group);
    assert_like(&server.get(&format!("apps/{app}/users")).await.body, &["29", "30"]);
    assert_like(&server.get(&format!("apps/{app}/groups")).await.body, &["31"]);
}

#[tokio::test]
async fn pushed_groups_look_like_recorded_ones() {
    let server = Server::start().await;
    let (app, group) = (server.app(&[]), server.group("Sales", &[]));
    server.org.push_group(APP, &group);
    assert_like(&server.get(&format!("apps/{app}/group-push/mappings")).await.body, &["32"]);
}

#[tokio::test]
async fn mappings_look_like_recorded_ones() {
    let server = Server::start().await;
    server.app(&[]);
    let page = server.get("mappings").await;
    assert_like(&page.body, &["33", "34"]);
    for id in page.ids() {
        assert_like(&server.get(&format!("mappings/{id}")).await.body, &["36", "38"]);
    }
}

#[tokio::test]
async fn schemas_and_types_look_like_recorded_ones() {
    let server = Server::start().await;
    let app = server.app(&[]);
    for (path, recordings) in [
        ("meta/schemas/user/default".to_owned(), ["39"]),
        (format!("meta/schemas/apps/{app}/default"), ["40"]),
        ("meta/schemas/group/default".to_owned(), ["41"]),
        ("meta/types/user".to_owned(), ["42"]),
    ] {
        assert_like(&server.get(&path).await.body, &recordings);
    }
}

#[tokio::test]
async fn errors_look_like_recorded_ones() {
    let server = Server::start().await;
    let all = ["44", "45", "46", "48", "51", "52", "53", "54", "56", "57"];
    for path in [format!("users/{UNKNOWN}"), "nonsense".to_owned(), "apps?after=x".to_owned()] {
        assert_like(&server.get(&path).await.body, &all);
    }
}

#[tokio::test]
async fn times_of_entities_have_milliseconds_and_an_offset_of_z() {
    let server = Server::start().await;
    let id = server.user("ada@example.com", "ACTIVE");
    let user = server.get(&format!("users/{id}")).await.body;
    for name in ["created", "activated", "statusChanged", "lastUpdated"] {
        let time = user[name].as_str().unwrap();
        assert_eq!((time.len(), &time[19..]), (24, ".000Z"), "{name}");
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{name}: {time}");
    }
    assert_eq!(user["lastLogin"], Value::Null);
}
