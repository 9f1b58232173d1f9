//! Embedded accounts, and what differs in the generation that hides them from SCIM (`docs/activepieces.md`).

use oktapieces_sandbox::activepieces::Generation;
use reqwest::Method;
use serde_json::json;

use super::support::{SCIM, Server, UNKNOWN, group, user};

const GUEST: &str = "guest@customer.example";

/// A server with an embedded account, whose id is given.
async fn start(generation: Generation) -> (Server, String) {
    let server = Server::start().await;
    server.platform.configure(|settings| settings.generation = generation);
    let guest = server.platform.seed_embedded(GUEST, "customer-1");
    (server, guest)
}

#[tokio::test]
async fn scim_lists_and_finds_no_embedded_account_and_rest_does() {
    let (server, guest) = start(Generation::HidesEmbedded).await;
    let all = server.get(&format!("{SCIM}/Users?count=1000")).await;
    assert_eq!(all.ids(), [server.owner_id()]);
    assert_eq!(all.body["totalResults"], 1);
    assert_eq!(server.filtered("Users", &format!("userName eq \"{GUEST}\"")).await.ids(), [""; 0]);
    let rest = server.get("/api/v1/users?limit=1000").await;
    assert_eq!(
        (&rest.body["data"][0]["id"], &rest.body["data"][0]["externalId"]),
        (&json!(guest), &json!("customer-1"))
    );
    assert_eq!(server.get(&format!("/api/v1/users/{guest}")).await.status, 200);
}

#[tokio::test]
async fn an_embedded_account_is_not_found_by_id_whatever_is_to_be_done() {
    let (server, guest) = start(Generation::HidesEmbedded).await;
    let (path, before) = (format!("{SCIM}/Users/{guest}"), server.platform.user(GUEST));
    let operations = json!([{"op": "replace", "path": "active", "value": false}]);
    for answer in [
        server.get(&path).await,
        server.send(Method::PUT, &path, &user(GUEST, Some("00u1"))).await,
        server.patch(&path, operations).await,
        server.delete(&path).await,
    ] {
        assert_eq!(answer.failure(), (404, "", "User not found"));
    }
    assert_eq!(server.platform.user(GUEST), before);
}

#[tokio::test]
async fn the_address_of_an_embedded_account_is_taken() {
    let (server, _) = start(Generation::HidesEmbedded).await;
    let answer = server.post(&format!("{SCIM}/Users"), &user(GUEST, Some("00u1"))).await;
    assert_eq!(answer.failure(), (409, "", "User with email already exists"));
}

#[tokio::test]
async fn embedded_members_are_not_shown_not_added_and_not_removed() {
    let (server, guest) = start(Generation::HidesEmbedded).await;
    let ada = server.seed("ada@example.com", None);
    let project = server.platform.seed_project("Eng", None, &[(guest.clone(), "Viewer")]);
    let path = format!("{SCIM}/Groups/{project}");
    assert_eq!(server.get(&path).await.members(), [""; 0]);
    let remove = json!([{"op": "remove", "path": format!("members[value eq \"{guest}\"]")}]);
    assert_eq!(server.patch(&path, remove).await.status, 200);
    assert_eq!(server.put(&path, &group("Eng", None, &[&ada, &guest])).await.members(), [ada.as_str()]);
    assert!(server.roles(&project).contains(&(guest.clone(), "Viewer".to_owned())));
    let other = server.post(&format!("{SCIM}/Groups"), &group("Ops", None, &[&guest, &ada])).await;
    assert_eq!((other.status, other.members()), (201, vec![ada.as_str()]));
    assert_eq!(server.roles(other.id()).len(), 1);
}

#[tokio::test]
async fn a_group_is_answered_with_the_members_that_are_stored() {
    let (server, _) = start(Generation::HidesEmbedded).await;
    let (ada, gone) = (server.seed("ada@example.com", None), server.seed_inactive("gone@example.com", None));
    let made = server.post(&format!("{SCIM}/Groups"), &group("Eng", None, &[&ada, &gone])).await;
    assert_eq!(made.members(), [ada.as_str()]);
    let put = server.put(&format!("{SCIM}/Groups/{}", made.id()), &group("Eng", None, &[&gone])).await;
    assert_eq!(put.members(), [""; 0]);
}

#[tokio::test]
async fn an_unknown_account_cannot_be_deleted_in_the_newest_generation_alone() {
    for (generation, status) in [(Generation::Current, 204), (Generation::HidesEmbedded, 404)] {
        let (server, guest) = start(generation).await;
        assert_eq!(server.delete(&format!("/api/v1/users/{UNKNOWN}")).await.status, status);
        let path = format!("/api/v1/users/{guest}");
        let update = server.request(Method::POST, &path).json(&json!({"status": "INACTIVE"}));
        assert_eq!(super::support::finish(update).await.status, 200);
    }
}

#[tokio::test]
async fn older_generations_list_embedded_accounts_and_let_themselves_be_told_to_close_them() {
    for generation in [Generation::A, Generation::Current] {
        let (server, guest) = start(generation).await;
        assert_eq!(server.get(&format!("{SCIM}/Users")).await.ids().len(), 2);
        assert_eq!(server.delete(&format!("{SCIM}/Users/{guest}")).await.status, 204);
        assert!(!server.platform.user(GUEST).unwrap().active);
    }
}

#[tokio::test]
async fn the_platform_shows_what_its_plan_allows() {
    let (server, _) = start(Generation::HidesEmbedded).await;
    let users = server.get("/api/v1/users?limit=1").await;
    let id = users.body["data"][0]["platformId"].as_str().unwrap().to_owned();
    let plan = async || server.get(&format!("/api/v1/platforms/{id}")).await.body["plan"].clone();
    let flags = |plan: &serde_json::Value| (plan["scimEnabled"].clone(), plan["projectRolesEnabled"].clone());
    assert_eq!(flags(&plan().await), (json!(true), json!(true)));
    server.platform.configure(|settings| (settings.scim_enabled, settings.project_roles_enabled) = (false, false));
    assert_eq!(flags(&plan().await), (json!(false), json!(false)));
    assert_eq!(server.get(&format!("/api/v1/platforms/{UNKNOWN}")).await.status, 404);
}
