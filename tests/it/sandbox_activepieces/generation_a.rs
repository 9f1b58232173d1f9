//! What differs in versions 0.79 to 0.83 (docs/activepieces.md#generations).

use oktapieces_sandbox::activepieces::Generation;
use serde_json::json;

use super::support::{SCIM, Server, URN, user};

async fn start() -> Server {
    let server = Server::start().await;
    server.platform.configure(|settings| settings.generation = Generation::A);
    server
}

#[tokio::test]
async fn resource_types_and_schemas_are_bare_arrays() {
    let server = start().await;
    for path in ["ResourceTypes", "Schemas"] {
        assert_eq!(server.get(&format!("{SCIM}/{path}")).await.body.as_array().unwrap().len(), 2, "{path}");
    }
}

#[tokio::test]
async fn the_user_schema_lacks_the_custom_attribute() {
    let server = start().await;
    assert!(!server.get(&format!("{SCIM}/Schemas")).await.text.contains(URN));
}

#[tokio::test]
async fn the_role_is_stored_and_never_shown() {
    let server = start().await;
    let mut body = user("a@example.com", None);
    body[URN] = json!({"platformRole": "OPERATOR"});
    let created = server.post(&format!("{SCIM}/Users"), &body).await;
    body[URN] = json!({"platformRole": "ADMIN"});
    let path = format!("{SCIM}/Users/{}", created.id());
    let put = server.put(&path, &body).await;
    let read = server.get(&path).await;
    for answer in [&created, &put, &read, &server.get(&format!("{SCIM}/Users")).await] {
        assert!(answer.status < 300 && !answer.text.contains("platformRole"), "{}", answer.text);
    }
    assert_eq!(server.platform.user("a@example.com").unwrap().role, "ADMIN");
    assert_eq!(server.get("/api/v1/users").await.body["data"][0]["platformRole"], "ADMIN");
}

#[tokio::test]
async fn a_bad_role_is_still_400() {
    let server = start().await;
    let mut body = user("a@example.com", None);
    body[URN] = json!({"platformRole": "ROOT"});
    assert_eq!(server.post(&format!("{SCIM}/Users"), &body).await.status, 400);
}

#[tokio::test]
async fn adding_to_users_does_nothing() {
    let server = start().await;
    let path = format!("{SCIM}/Users/{}", server.seed("a@example.com", None));
    let before = server.platform.user("a@example.com");
    let operations = json!([
        {"op": "add", "path": "active", "value": false},
        {"op": "add", "path": "externalId", "value": "00u1"},
        {"op": "add", "path": "name.givenName", "value": "X"},
        {"op": "add", "path": format!("{URN}:platformRole"), "value": "ADMIN"},
        {"op": "add", "path": format!("{URN}.platformRole"), "value": "BAD"},
    ]);
    assert_eq!(server.patch(&path, operations).await.status, 200);
    assert_eq!(server.platform.user("a@example.com"), before);
}

#[tokio::test]
async fn replacing_still_works() {
    let server = start().await;
    let path = format!("{SCIM}/Users/{}", server.seed("a@example.com", None));
    server.patch(&path, json!([{"op": "replace", "value": {"active": false, "externalId": "00u1"}}])).await;
    let stored = server.platform.user("a@example.com").unwrap();
    assert_eq!((stored.active, stored.external_id.as_deref()), (false, Some("00u1")));
}

#[tokio::test]
async fn primary_has_to_be_a_boolean() {
    let server = start().await;
    let mut body = user("a@example.com", None);
    body["emails"] = json!([{"value": "a@example.com", "primary": "true"}]);
    let answer = server.post(&format!("{SCIM}/Users"), &body).await;
    let message = "body/emails/0/primary Invalid input: expected boolean, received string";
    assert_eq!(answer.failure(), (400, "FST_ERR_VALIDATION", message));
}
