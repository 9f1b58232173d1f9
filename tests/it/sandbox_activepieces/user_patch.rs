//! PATCH of users (docs/activepieces.md#patch-of-a-user).

use serde_json::{Value, json};

use super::support::{Answer, SCIM, Server, UNKNOWN, URN};

async fn patched(server: &Server, id: &str, operation: Value) -> Answer {
    server.patch(&format!("{SCIM}/Users/{id}"), json!([operation])).await
}

/// The state after a replacement of `active` in a user whose state is the opposite.
async fn active_after(operation: Value, before: bool) -> bool {
    let server = Server::start().await;
    let id = if before { server.seed("a@example.com", None) } else { server.seed_inactive("a@example.com", None) };
    let answer = patched(&server, &id, operation).await;
    assert_eq!(answer.status, 200);
    answer.body["active"].as_bool().unwrap()
}

#[tokio::test]
async fn replacing_active_by_path_follows_truthiness() {
    for value in [json!(false), json!(null), json!(0), json!("")] {
        assert!(!active_after(json!({"op": "replace", "path": "active", "value": value}), true).await, "{value}");
    }
    assert!(!active_after(json!({"op": "replace", "path": "active"}), true).await);
    for value in [json!(true), json!("False"), json!("false"), json!("0"), json!(1), json!({})] {
        assert!(active_after(json!({"op": "Replace", "path": "active", "value": value}), false).await, "{value}");
    }
}

#[tokio::test]
async fn replacing_active_by_object_ignores_null() {
    assert!(!active_after(json!({"op": "Replace", "value": {"active": false}}), true).await);
    assert!(active_after(json!({"op": "replace", "value": {"active": "False"}}), false).await);
    assert!(active_after(json!({"op": "replace", "value": {"active": null}}), true).await);
}

#[tokio::test]
async fn replacing_the_external_id_works_by_object_alone() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", Some("00u1"));
    let cases = [
        (json!({"op": "replace", "value": {"externalId": "00u2"}}), "00u2"),
        (json!({"op": "replace", "path": "externalId", "value": "00u3"}), "00u2"),
        (json!({"op": "replace", "value": {"externalId": null}}), "00u2"),
        (json!({"op": "replace", "value": {"externalId": 5}}), "5"),
        (json!({"op": "remove", "path": "externalId"}), "5"),
        (json!({"op": "add", "path": "externalId", "value": null}), "5"),
    ];
    for (operation, external_id) in cases {
        let answer = patched(&server, &id, operation.clone()).await;
        assert_eq!((answer.status, &answer.body["externalId"]), (200, &json!(external_id)), "{operation}");
    }
}

#[tokio::test]
async fn a_taken_external_id_is_500() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", Some("00u1"));
    server.seed("b@example.com", Some("00u2"));
    for operation in [
        json!({"op": "replace", "value": {"externalId": "00u2"}}),
        json!({"op": "add", "path": "externalId", "value": "00u2"}),
    ] {
        assert_eq!(patched(&server, &id, operation).await.failure().1, "23505");
    }
}

#[tokio::test]
async fn additions_that_work() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", None);
    let cases = [
        (json!({"op": "add", "path": "active", "value": false}), "/active", json!(false)),
        (json!({"op": "Add", "path": "active", "value": "False"}), "/active", json!(true)),
        (json!({"op": "add", "path": "externalId", "value": "00u9"}), "/externalId", json!("00u9")),
        (json!({"op": "add", "path": "name.givenName", "value": "New"}), "/name/givenName", json!("New")),
        (json!({"op": "add", "path": "name.familyName", "value": "Other"}), "/name/familyName", json!("Other")),
    ];
    for (operation, pointer, value) in cases {
        let answer = patched(&server, &id, operation.clone()).await;
        assert_eq!((answer.status, answer.body.pointer(pointer)), (200, Some(&value)), "{operation}");
    }
}

#[tokio::test]
async fn the_role_is_added_with_a_colon_and_not_validated() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", None);
    for role in ["ADMIN", "BAD"] {
        let operation = json!({"op": "add", "path": format!("{URN}:platformRole"), "value": role});
        assert_eq!(patched(&server, &id, operation).await.body[URN]["platformRole"], role);
    }
    assert_eq!(server.platform.user("a@example.com").unwrap().role, "BAD");
}

#[tokio::test]
async fn the_role_with_a_dot_is_validated_and_not_stored() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", None);
    let path = format!("{URN}.platformRole");
    let answer = patched(&server, &id, json!({"op": "add", "path": path, "value": "ADMIN"})).await;
    assert_eq!((answer.status, &answer.body[URN]["platformRole"]), (200, &json!("MEMBER")));
    let answer = patched(&server, &id, json!({"op": "add", "path": path, "value": "BAD"})).await;
    let body = json!({"statusCode": 500, "error": "Internal Server Error", "message": "Invalid platform role: BAD"});
    assert_eq!((answer.status, answer.body), (500, body));
}

#[tokio::test]
async fn a_null_name_is_500() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", None);
    let operation = json!({"op": "add", "path": "name.givenName", "value": null});
    assert_eq!(patched(&server, &id, operation).await.failure().1, "23502");
}

#[tokio::test]
async fn operations_that_do_nothing() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", Some("00u1"));
    let before = server.platform.user("a@example.com");
    let operations = [
        json!({"op": "replace", "path": "name", "value": {"givenName": "X"}}),
        json!({"op": "replace", "path": "name.givenName", "value": "X"}),
        json!({"op": "replace", "path": "userName", "value": "x@example.com"}),
        json!({"op": "replace", "path": "displayName", "value": "X"}),
        json!({"op": "replace", "path": "externalId", "value": "X"}),
        json!({"op": "replace", "path": "Active", "value": false}),
        json!({"op": "replace", "path": format!("{URN}:platformRole"), "value": "ADMIN"}),
        json!({"op": "replace", "path": format!("{URN}.platformRole"), "value": "ADMIN"}),
        json!({"op": "replace", "value": {URN: {"platformRole": "ADMIN"}}}),
        json!({"op": "replace", "value": {format!("{URN}:platformRole"): "ADMIN"}}),
        json!({"op": "replace", "value": {"name": {"givenName": "X"}}}),
        json!({"op": "add", "value": {"active": false, "externalId": "X"}}),
        json!({"op": "add", "path": URN, "value": {"platformRole": "ADMIN"}}),
        json!({"op": "add", "path": "platformRole", "value": "ADMIN"}),
        json!({"op": "remove", "path": "externalId"}),
        json!({"op": "remove", "path": "active"}),
        json!({"op": "Remove", "path": "name.givenName"}),
    ];
    for operation in operations {
        assert_eq!(patched(&server, &id, operation.clone()).await.status, 200, "{operation}");
        assert_eq!(server.platform.user("a@example.com"), before, "{operation}");
    }
}

#[tokio::test]
async fn add_beats_replace_whatever_the_order() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", None);
    let operations = json!([
        {"op": "add", "path": "active", "value": false},
        {"op": "replace", "path": "active", "value": true},
    ]);
    assert_eq!(server.patch(&format!("{SCIM}/Users/{id}"), operations).await.body["active"], false);
}

#[tokio::test]
async fn an_error_midway_keeps_what_came_before() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", None);
    server.seed("b@example.com", Some("00u2"));
    let operations = json!([
        {"op": "replace", "path": "active", "value": false},
        {"op": "replace", "value": {"externalId": "00u2"}},
    ]);
    assert_eq!(server.patch(&format!("{SCIM}/Users/{id}"), operations).await.status, 500);
    assert!(!server.platform.user("a@example.com").unwrap().active);
}

#[tokio::test]
async fn the_owner_cant_be_deactivated() {
    let server = Server::start().await;
    let operation = json!({"op": "replace", "path": "active", "value": false});
    let answer = patched(&server, &server.owner_id(), operation).await;
    assert_eq!(answer.failure(), (409, "VALIDATION", "Admin cannot be deactivated"));
}

#[tokio::test]
async fn an_unknown_user_is_404() {
    let server = Server::start().await;
    let answer = server.patch(&format!("{SCIM}/Users/{UNKNOWN}"), json!([])).await;
    assert_eq!(answer.failure(), (404, "", "User not found"));
}

#[tokio::test]
async fn last_modified_moves_with_add_and_replace_alone() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", None);
    let cases = [
        (json!([]), false),
        (json!([{"op": "remove", "path": "externalId"}]), false),
        (json!([{"op": "replace", "path": "name.givenName", "value": "X"}]), true),
        (json!([{"op": "add", "path": "platformRole", "value": "X"}]), true),
    ];
    for (operations, moves) in cases {
        let before = server.get(&format!("{SCIM}/Users/{id}")).await.body["meta"]["lastModified"].clone();
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        let after = server.patch(&format!("{SCIM}/Users/{id}"), operations.clone()).await;
        assert_eq!(after.body["meta"]["lastModified"] != before, moves, "{operations}");
    }
}
