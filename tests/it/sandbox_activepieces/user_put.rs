//! PUT of users (docs/activepieces.md#put-of-a-user).

use serde_json::json;

use super::support::{Answer, SCIM, Server, UNKNOWN, URN, user};

async fn put(server: &Server, id: &str, body: &serde_json::Value) -> Answer {
    server.put(&format!("{SCIM}/Users/{id}"), body).await
}

/// A body with nothing but what is required.
fn bare() -> serde_json::Value {
    json!({"schemas": [], "userName": "ignored@example.com"})
}

#[tokio::test]
async fn the_address_never_changes() {
    let server = Server::start().await;
    let id = server.seed("ada@example.com", None);
    let mut body = user("new@example.com", None);
    body["emails"] = json!([{"value": "new@example.com"}]);
    let answer = put(&server, &id, &body).await;
    assert_eq!((answer.status, &answer.body["userName"]), (200, &json!("ada@example.com")));
    assert!(server.platform.user("new@example.com").is_none());
}

#[tokio::test]
async fn active_is_set_and_an_omitted_one_reactivates() {
    let server = Server::start().await;
    let id = server.seed("ada@example.com", None);
    let mut inactive = bare();
    inactive["active"] = json!(false);
    assert_eq!(put(&server, &id, &inactive).await.body["active"], false);
    assert_eq!(put(&server, &id, &bare()).await.body["active"], true);
}

#[tokio::test]
async fn what_is_omitted_stays() {
    let server = Server::start().await;
    let id = server.seed("ada@example.com", Some("00u1"));
    let before = server.platform.user("ada@example.com");
    for body in [bare(), json!({"schemas": [], "userName": "x", "name": {}})] {
        assert_eq!(put(&server, &id, &body).await.status, 200);
        assert_eq!(server.platform.user("ada@example.com"), before);
    }
}

#[tokio::test]
async fn names_are_set_one_by_one_and_may_be_empty() {
    let server = Server::start().await;
    let id = server.seed("ada@example.com", None);
    let answer = put(&server, &id, &json!({"schemas": [], "userName": "x", "name": {"givenName": ""}})).await;
    assert_eq!(answer.body["name"], json!({"givenName": "", "familyName": "Family"}));
}

#[tokio::test]
async fn the_personal_project_keeps_its_name() {
    let server = Server::start().await;
    let id = server.seed("ada@example.com", Some("00u1"));
    put(&server, &id, &json!({"schemas": [], "userName": "x", "name": {"givenName": "New"}})).await;
    let projects = server.get("/api/v1/projects?externalUserId=00u1").await.body;
    assert_eq!(projects["data"][0]["displayName"], "Given's Project");
}

#[tokio::test]
async fn the_external_id_and_the_role_are_set() {
    let server = Server::start().await;
    let id = server.seed("ada@example.com", Some("00u1"));
    let body = json!({"schemas": [], "userName": "x", "externalId": "", URN: {"platformRole": "ADMIN"}});
    let answer = put(&server, &id, &body).await;
    assert_eq!((&answer.body["externalId"], &answer.body[URN]["platformRole"]), (&json!(""), &json!("ADMIN")));
}

#[tokio::test]
async fn a_taken_external_id_is_500_and_nothing_changes() {
    let server = Server::start().await;
    let id = server.seed("ada@example.com", Some("00u1"));
    server.seed("bob@example.com", Some("00u2"));
    let before = server.platform.user("ada@example.com");
    let mut body = user("x", Some("00u2"));
    body["name"]["givenName"] = json!("New");
    body["active"] = json!(false);
    let answer = put(&server, &id, &body).await;
    let message = "duplicate key value violates unique constraint \"idx_user_platform_id_external_id\"";
    assert_eq!(answer.failure(), (500, "23505", message));
    assert_eq!(server.platform.user("ada@example.com"), before);
}

#[tokio::test]
async fn its_own_external_id_is_not_a_taken_one() {
    let server = Server::start().await;
    let id = server.seed("ada@example.com", Some("00u1"));
    assert_eq!(put(&server, &id, &user("x", Some("00u1"))).await.status, 200);
}

#[tokio::test]
async fn an_unknown_user_is_404() {
    let server = Server::start().await;
    assert_eq!(put(&server, UNKNOWN, &bare()).await.failure(), (404, "", "User not found"));
}

#[tokio::test]
async fn the_owner_cant_be_deactivated() {
    let server = Server::start().await;
    let mut body = bare();
    body["active"] = json!(false);
    let answer = put(&server, &server.owner_id(), &body).await;
    let expected = json!({"code": "VALIDATION", "params": {"message": "Admin cannot be deactivated"}});
    assert_eq!((answer.status, answer.body), (409, expected));
}

#[tokio::test]
async fn the_owners_role_can_be_changed() {
    let server = Server::start().await;
    let body = json!({"schemas": [], "userName": "x", URN: {"platformRole": "MEMBER"}});
    assert_eq!(put(&server, &server.owner_id(), &body).await.body[URN]["platformRole"], "MEMBER");
}

#[tokio::test]
async fn a_put_without_any_difference_still_moves_last_modified() {
    let server = Server::start().await;
    let id = server.seed("ada@example.com", None);
    let before = server.get(&format!("{SCIM}/Users/{id}")).await;
    tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    let after = put(&server, &id, &user("ada@example.com", None)).await;
    assert_ne!(before.body["meta"]["lastModified"], after.body["meta"]["lastModified"]);
    assert_eq!(before.body["meta"]["created"], after.body["meta"]["created"]);
}
