//! The shapes of entities, compared with the answers in `tests/fixtures/okta`, which have the fields of real ones.

use std::collections::BTreeSet;

use serde_json::Value;

use super::support::{APP, Server, UNKNOWN};

const ANSWERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/okta");

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

/// The keys of each entity in the answers with these names.
fn recorded(names: &[&str]) -> Vec<BTreeSet<String>> {
    let mut found = Vec::new();
    for name in names {
        let text = std::fs::read_to_string(format!("{ANSWERS}/{name}.json")).unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        let before = found.len();
        found.extend(entities(&answer["body"]).into_iter().map(keys));
        assert!(found.len() > before, "{name} has no entity");
    }
    found
}

/// Asserts that entities have every key that all fixtures have, and none that no fixture has.
fn assert_like(body: &Value, names: &[&str]) {
    let ours: Vec<_> = entities(body).into_iter().map(keys).collect();
    assert!(!ours.is_empty());
    let recorded = recorded(names);
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
    assert_like(
        &server.get("users").await.body,
        &[
            "users-active",
            "users-active-one-page",
            "users-of-mixed-status",
            "users-search-of-a-list",
            "users-search",
            "users-of-a-group",
            "users-of-a-group-with-a-limit",
        ],
    );
}

#[tokio::test]
async fn users_alone_look_like_recorded_ones() {
    let server = Server::start().await;
    for status in ["PROVISIONED", "DEPROVISIONED", "SUSPENDED", "STAGED"] {
        let id = server.user(&format!("{status}@example.com"), status);
        assert_like(
            &server.get(&format!("users/{id}")).await.body,
            &[
                "user-provisioned",
                "user-with-custom-attributes",
                "user-deprovisioned",
                "user-suspended",
                "user-by-login",
            ],
        );
    }
}

#[tokio::test]
async fn groups_look_like_recorded_ones() {
    let server = Server::start().await;
    let (user, group) = (server.user("ada@example.com", "ACTIVE"), server.group("Sales", &[]));
    assert_like(&server.get("groups").await.body, &["groups-of-a-user", "groups", "groups-built-in"]);
    assert_like(&server.get(&format!("groups/{group}")).await.body, &["group", "groups"]);
    assert_like(&server.get(&format!("users/{user}/groups")).await.body, &["groups-of-a-user"]);
}

#[tokio::test]
async fn assignments_look_like_recorded_ones() {
    let server = Server::start().await;
    let (app, group) = (server.app(&server.users(2)), server.group("Sales", &[]));
    server.org.assign_group(APP, &group);
    assert_like(
        &server.get(&format!("apps/{app}/users")).await.body,
        &["app-users", "app-users-with-an-empty-profile"],
    );
    assert_like(&server.get(&format!("apps/{app}/groups")).await.body, &["app-groups"]);
}

#[tokio::test]
async fn pushed_groups_look_like_recorded_ones() {
    let server = Server::start().await;
    let (app, group) = (server.app(&[]), server.group("Sales", &[]));
    server.org.push_group(APP, &group);
    assert_like(&server.get(&format!("apps/{app}/group-push/mappings")).await.body, &["group-push-mappings"]);
}

#[tokio::test]
async fn mappings_look_like_recorded_ones() {
    let server = Server::start().await;
    server.app(&[]);
    let page = server.get("mappings").await;
    assert_like(&page.body, &["mappings-first-page", "mappings-of-a-target"]);
    for id in page.ids() {
        assert_like(
            &server.get(&format!("mappings/{id}")).await.body,
            &["mapping-of-a-user", "mapping-with-one-property"],
        );
    }
}

#[tokio::test]
async fn schemas_and_types_look_like_recorded_ones() {
    let server = Server::start().await;
    let app = server.app(&[]);
    for (path, names) in [
        ("meta/schemas/user/default".to_owned(), ["schema-of-users"]),
        (format!("meta/schemas/apps/{app}/default"), ["schema-of-an-app"]),
        ("meta/schemas/group/default".to_owned(), ["schema-of-groups"]),
        ("meta/types/user".to_owned(), ["user-types"]),
    ] {
        assert_like(&server.get(&path).await.body, &names);
    }
}

#[tokio::test]
async fn errors_look_like_recorded_ones() {
    let server = Server::start().await;
    let all = [
        "error-rate-limit",
        "error-rate-limit-of-an-app",
        "error-invalid-cursor",
        "error-invalid-expand",
        "error-authentication",
        "error-not-allowed",
        "error-no-such-user",
        "error-no-such-group",
        "error-locked",
        "error-internal",
    ];
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
