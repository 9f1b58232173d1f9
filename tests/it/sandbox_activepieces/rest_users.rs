//! The REST routes of users (docs/activepieces.md#rest).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::{SCIM, Server, UNKNOWN, user};

/// The ids that a client sees that follows every cursor.
pub async fn followed(server: &Server, path: &str, limit: usize) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("{path}&limit={limit}&cursor={cursor}")).await.body;
        seen.extend(page["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return seen,
        }
    }
}

#[tokio::test]
async fn a_user_has_these_fields() {
    let server = Server::start().await;
    let id = server.seed_inactive("a@example.com", Some("00u1"));
    let body = server.get(&format!("/api/v1/users/{id}")).await.body;
    let expected = json!({
        "id": id,
        "email": "a@example.com",
        "firstName": "Given",
        "lastName": "Family",
        "status": "INACTIVE",
        "externalId": "00u1",
        "platformId": body["platformId"],
        "platformRole": "MEMBER",
        "created": body["created"],
        "updated": body["updated"],
        "lastActiveDate": null,
        "imageUrl": null,
        "badges": [],
    });
    assert_eq!(body, expected);
    let mut listed = expected;
    listed.as_object_mut().unwrap().remove("badges");
    assert_eq!(server.get("/api/v1/users").await.body["data"][0], listed);
}

#[tokio::test]
async fn the_list_is_newest_first_ten_by_default_and_without_a_maximum() {
    let server = Server::start().await;
    let ids: Vec<_> = (0..120).map(|n| server.seed(&format!("{n}@example.com"), None)).collect();
    let count =
        async |query: &str| server.get(&format!("/api/v1/users?{query}")).await.body["data"].as_array().unwrap().len();
    assert_eq!(server.get("/api/v1/users").await.body["data"][0]["id"], json!(ids[119]));
    for (query, items) in [("", 10), ("limit=0", 100), ("limit=100000", 121), ("limit=-1", 121), ("email=x", 10)] {
        assert_eq!(count(query).await, items, "{query}");
    }
    let all = server.get("/api/v1/users?limit=-1").await.body;
    assert_eq!((&all["next"], &all["previous"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_negative_limit_is_500_and_no_number_400() {
    let server = Server::start().await;
    assert_eq!(server.get("/api/v1/users?limit=-5").await.status, 500);
    assert_eq!(server.get("/api/v1/users?limit=x").await.status, 400);
}

#[tokio::test]
async fn following_cursors_loses_users_created_in_one_second() {
    let server = Server::start().await;
    for number in 0..142 {
        server.seed(&format!("{number}@example.com"), None);
    }
    for limit in [5, 10, 50, 100] {
        let seen = followed(&server, "/api/v1/users?", limit).await.len();
        assert!((limit..143).contains(&seen), "{limit}: {seen}");
    }
    assert_eq!(followed(&server, "/api/v1/users?", 1000).await.len(), 143);
}

#[tokio::test]
async fn the_external_id_filter_is_exact() {
    let server = Server::start().await;
    server.seed("a@example.com", Some("00u1"));
    for (external_id, hits) in [("00u1", 1), ("00U1", 0), ("00u", 0)] {
        let body = server.get(&format!("/api/v1/users?externalId={external_id}")).await.body;
        assert_eq!(body["data"].as_array().unwrap().len(), hits, "{external_id}");
    }
}

#[tokio::test]
async fn update_sets_role_status_and_external_id() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", None);
    let body =
        json!({"platformRole": "ADMIN", "status": "INACTIVE", "externalId": "00u1", "firstName": "X", "email": "x"});
    let answer = server.post(&format!("/api/v1/users/{id}"), &body).await;
    assert_eq!((answer.status, &answer.body["email"]), (200, &json!("a@example.com")));
    let stored = server.platform.user("a@example.com").unwrap();
    assert_eq!((stored.role.as_str(), stored.active, stored.external_id.as_deref()), ("ADMIN", false, Some("00u1")));
    assert_eq!(stored.first_name, "Given");
}

#[tokio::test]
async fn update_checks_its_input() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", None);
    server.seed("b@example.com", Some("00u2"));
    let cases = [
        (id.as_str(), json!({"platformRole": "X"}), 400, "FST_ERR_VALIDATION"),
        (&id, json!({"status": "X"}), 400, "FST_ERR_VALIDATION"),
        (&id, json!({"externalId": null}), 400, "FST_ERR_VALIDATION"),
        (&id, json!({"externalId": "00u2"}), 500, "23505"),
        ("short", json!({}), 400, "FST_ERR_VALIDATION"),
        (UNKNOWN, json!({}), 404, "ENTITY_NOT_FOUND"),
    ];
    for (id, body, status, code) in cases {
        let answer = server.post(&format!("/api/v1/users/{id}"), &body).await;
        assert_eq!((answer.status, answer.failure().1), (status, code), "{id} {body}");
    }
}

#[tokio::test]
async fn an_unknown_user_is_404() {
    let server = Server::start().await;
    let answer = server.get(&format!("/api/v1/users/{UNKNOWN}")).await;
    assert_eq!((answer.status, answer.failure().1), (404, "ENTITY_NOT_FOUND"));
}

#[tokio::test]
async fn delete_fails_first_with_the_user_intact_and_then_succeeds() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", Some("00u1"));
    let before = server.platform.user("a@example.com");
    let first = server.delete(&format!("/api/v1/users/{id}")).await;
    assert_eq!((first.status, first.failure().1), (500, "23503"));
    assert!(first.failure().2.contains("fk_project_owner_id"));
    assert_eq!(server.platform.user("a@example.com"), before);
    assert_eq!(server.delete(&format!("/api/v1/users/{id}")).await.status, 204);
    assert_eq!(server.platform.user("a@example.com"), None);
    // Versions before the one that hides embedded accounts don't look the account up first.
    assert_eq!(server.delete(&format!("/api/v1/users/{id}")).await.status, 204);
}

#[tokio::test]
async fn a_deleted_user_leaves_the_names_behind_and_the_projects() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", Some("00u1"));
    let project = server.platform.seed_project("Team", None, &[(id.clone(), "Editor")]);
    for _ in 0..2 {
        server.delete(&format!("/api/v1/users/{id}")).await;
    }
    assert!(server.roles(&project).is_empty());
    let mut body = user("a@example.com", Some("00u1"));
    body["name"]["givenName"] = json!("New");
    let answer = server.post(&format!("{SCIM}/Users"), &body).await;
    assert_eq!((answer.status, &answer.body["name"]["givenName"]), (201, &json!("Given")));
}

#[tokio::test]
async fn the_owner_cant_be_deleted() {
    let server = Server::start().await;
    let answer = server.delete(&format!("/api/v1/users/{}", server.owner_id())).await;
    assert_eq!(answer.failure(), (409, "VALIDATION", "Platform owner cannot be deleted"));
}
