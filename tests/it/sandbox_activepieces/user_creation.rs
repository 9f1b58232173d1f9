//! POST of users (docs/activepieces.md#users and docs/activepieces.md#creating-a-user).

use oktapieces_sandbox::activepieces::{Platform, Smtp};
use serde_json::json;

use super::support::{Answer, SCIM, Server, URN, user};

async fn create(server: &Server, body: &serde_json::Value) -> Answer {
    server.post(&format!("{SCIM}/Users"), body).await
}

#[tokio::test]
async fn a_user_looks_like_this() {
    let server = Server::start().await;
    let mut body = user("ada@example.com", Some("00u1"));
    body[URN] = json!({"platformRole": "OPERATOR"});
    let answer = create(&server, &body).await;
    assert_eq!(answer.status, 201);
    let (id, meta) = (answer.id(), &answer.body["meta"]);
    let expected = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": id,
        "externalId": "00u1",
        "userName": "ada@example.com",
        "name": {"givenName": "Given", "familyName": "Family"},
        "emails": [{"value": "ada@example.com", "primary": true}],
        "active": true,
        URN: {"platformRole": "OPERATOR"},
        "meta": {
            "resourceType": "User",
            "created": meta["created"],
            "lastModified": meta["lastModified"],
            "location": format!("/scim/v2/Users/{id}"),
        },
    });
    assert_eq!(answer.body, expected);
    let created = meta["created"].as_str().unwrap();
    assert!(created.len() == 24 && created.ends_with('Z') && created.as_bytes()[19] == b'.', "{created}");
    for read in [
        server.get(&format!("{SCIM}/Users/{id}")).await.body,
        server.get(&format!("{SCIM}/Users?count=1")).await.body["Resources"][0].clone(),
    ] {
        assert_eq!(read, expected);
    }
}

#[tokio::test]
async fn without_names_role_and_state_it_is_an_active_member_with_empty_names() {
    let server = Server::start().await;
    let body = create(&server, &json!({"schemas": [], "userName": "a@example.com"})).await.body;
    assert_eq!(body["name"], json!({"givenName": "", "familyName": ""}));
    assert_eq!(body["active"], true);
    assert_eq!(body[URN]["platformRole"], "MEMBER");
    assert!(body.get("externalId").is_none());
}

#[tokio::test]
async fn active_false_is_honoured() {
    let server = Server::start().await;
    let mut body = user("a@example.com", None);
    body["active"] = json!(false);
    assert_eq!(create(&server, &body).await.body["active"], false);
}

#[tokio::test]
async fn the_address_is_the_user_name_lower_cased_and_trimmed() {
    let server = Server::start().await;
    let mut body = user("  ÄDA.Love Lace@Example.com ", None);
    body["emails"] = json!([{"value": "other@example.com", "primary": "true"}]);
    let answer = create(&server, &body).await;
    assert_eq!(answer.body["userName"], "äda.love lace@example.com");
    assert_eq!(answer.body["emails"][0]["value"], "äda.love lace@example.com");
}

#[tokio::test]
async fn the_user_name_may_be_empty_or_no_address() {
    let server = Server::start().await;
    for name in ["", "no address"] {
        assert_eq!(create(&server, &json!({"schemas": [], "userName": name})).await.status, 201, "{name}");
    }
}

#[tokio::test]
async fn a_taken_address_is_409_in_any_case_and_for_inactive_users() {
    let server = Server::start().await;
    server.seed_inactive("ada@example.com", None);
    for email in ["ada@example.com", "ADA@example.com ", Platform::OWNER_EMAIL] {
        let answer = create(&server, &user(email, Some("00u1"))).await;
        let body = json!({"statusCode": 409, "error": "Conflict", "message": "User with email already exists"});
        assert_eq!((answer.status, answer.body), (409, body), "{email}");
    }
}

#[tokio::test]
async fn a_taken_external_id_is_409_before_the_address_is_looked_at() {
    let server = Server::start().await;
    server.seed("ada@example.com", Some("00u1"));
    for email in ["ada@example.com", "other@example.com"] {
        let answer = create(&server, &user(email, Some("00u1"))).await;
        assert_eq!(answer.failure(), (409, "", "User with external ID already exists"), "{email}");
    }
}

#[tokio::test]
async fn external_ids_of_different_case_are_different() {
    let server = Server::start().await;
    assert_eq!(create(&server, &user("a@example.com", Some("00u1"))).await.status, 201);
    assert_eq!(create(&server, &user("b@example.com", Some("00U1"))).await.status, 201);
}

#[tokio::test]
async fn an_empty_external_id_counts_as_one() {
    let server = Server::start().await;
    assert_eq!(create(&server, &user("a@example.com", Some(""))).await.body["externalId"], "");
    let answer = create(&server, &user("b@example.com", Some(""))).await;
    assert_eq!(answer.failure(), (409, "", "User with external ID already exists"));
}

#[tokio::test]
async fn an_identity_of_another_platform_keeps_its_names() {
    let server = Server::start().await;
    server.platform.seed_user_elsewhere("ada@example.com", "Old", "Name");
    let answer = create(&server, &user("ada@example.com", None)).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.body["name"], json!({"givenName": "Old", "familyName": "Name"}));
}

#[tokio::test]
async fn attributes_that_are_never_stored() {
    let server = Server::start().await;
    let mut body = user("a@example.com", None);
    body["displayName"] = json!("Ada L");
    body["title"] = json!("Countess");
    body["name"]["formatted"] = json!("Ada L");
    let answer = create(&server, &body).await;
    for name in ["displayName", "title"] {
        assert!(answer.body.get(name).is_none(), "{name}");
    }
    assert!(answer.body["name"].get("formatted").is_none());
}

#[tokio::test]
async fn a_personal_project_is_created() {
    let server = Server::start().await;
    let id = create(&server, &user("a@example.com", Some("00u1"))).await.id().to_owned();
    let projects = server.get("/api/v1/projects?types=PERSONAL&externalUserId=00u1").await.body;
    assert_eq!(projects["data"][0]["displayName"], "Given's Project");
    assert_eq!(projects["data"][0]["ownerId"], json!(id));
}

#[tokio::test]
async fn welcome_mails_are_sent_in_order() {
    let server = Server::start().await;
    for email in ["b@example.com", "a@example.com"] {
        create(&server, &user(email, None)).await;
    }
    assert_eq!(server.platform.mails(), ["b@example.com", "a@example.com"]);
}

#[tokio::test]
async fn without_smtp_mails_are_skipped() {
    let server = Server::start().await;
    server.platform.configure(|settings| settings.smtp = Smtp::Unconfigured);
    assert_eq!(create(&server, &user("a@example.com", None)).await.status, 201);
    assert!(server.platform.mails().is_empty());
}

#[tokio::test]
async fn with_smtp_failing_it_is_500_although_the_user_is_there() {
    let server = Server::start().await;
    server.platform.configure(|settings| settings.smtp = Smtp::Failing);
    let mut body = user("a@example.com", Some("00u1"));
    body["active"] = json!(false);
    body[URN] = json!({"platformRole": "ADMIN"});
    let answer = create(&server, &body).await;
    assert_eq!((answer.status, answer.failure().1), (500, "ESOCKET"));
    let stored = server.platform.user("a@example.com").unwrap();
    assert_eq!((stored.external_id.as_deref(), stored.role.as_str(), stored.active), (Some("00u1"), "ADMIN", false));
    assert_eq!(create(&server, &body).await.status, 409);
}
