//! DELETE of users and what comes after it (docs/activepieces.md#deactivation).

use serde_json::json;

use super::support::{SCIM, Server, UNKNOWN, user};

#[tokio::test]
async fn delete_only_deactivates_as_often_as_it_is_called() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", Some("00u1"));
    for _ in 0..2 {
        let answer = server.delete(&format!("{SCIM}/Users/{id}")).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
        assert!(!answer.headers.contains_key("content-type"));
    }
    let stored = server.platform.user("a@example.com").unwrap();
    assert_eq!((stored.active, stored.external_id.as_deref()), (false, Some("00u1")));
}

#[tokio::test]
async fn a_deleted_user_holds_its_external_id_and_its_address() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", Some("00u1"));
    server.delete(&format!("{SCIM}/Users/{id}")).await;
    for (external_id, message) in
        [("00u1", "User with external ID already exists"), ("00u2", "User with email already exists")]
    {
        let answer = server.post(&format!("{SCIM}/Users"), &user("a@example.com", Some(external_id))).await;
        assert_eq!(answer.failure(), (409, "", message));
    }
}

#[tokio::test]
async fn memberships_and_roles_survive_deactivation_and_reactivation() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", None);
    let project = server.platform.seed_project("Team", None, &[(id.clone(), "Viewer")]);
    server.delete(&format!("{SCIM}/Users/{id}")).await;
    assert_eq!(server.get(&format!("{SCIM}/Groups/{project}")).await.members(), [&id]);
    server.put(&format!("{SCIM}/Users/{id}"), &user("a@example.com", None)).await;
    assert_eq!(server.roles(&project), [(id, "Viewer".to_owned())]);
}

#[tokio::test]
async fn an_unknown_user_is_404() {
    let server = Server::start().await;
    let answer = server.delete(&format!("{SCIM}/Users/{UNKNOWN}")).await;
    assert_eq!(answer.failure(), (404, "", "User not found"));
}

#[tokio::test]
async fn the_owner_cant_be_deleted() {
    let server = Server::start().await;
    let answer = server.delete(&format!("{SCIM}/Users/{}", server.owner_id())).await;
    assert_eq!(answer.failure(), (409, "VALIDATION", "Admin cannot be deactivated"));
    assert!(server.platform.users()[0].active);
}

#[tokio::test]
async fn a_new_address_takes_three_steps() {
    let server = Server::start().await;
    let id = server.seed("old@example.com", Some("00u1"));
    let new = user("new@example.com", Some("00u1"));
    assert_eq!(server.post(&format!("{SCIM}/Users"), &new).await.status, 409);
    server.patch(&format!("{SCIM}/Users/{id}"), json!([{"op": "replace", "value": {"externalId": "old-00u1"}}])).await;
    assert_eq!(server.post(&format!("{SCIM}/Users"), &new).await.status, 201);
    assert_eq!(server.delete(&format!("{SCIM}/Users/{id}")).await.status, 204);
}
