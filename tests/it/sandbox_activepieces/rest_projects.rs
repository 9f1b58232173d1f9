//! The REST routes of projects (docs/activepieces.md#rest).

use oktapieces_sandbox::activepieces::TeamProjectsLimit;
use serde_json::json;

use super::rest_users::followed;
use super::support::{SCIM, Server, UNKNOWN};

async fn names(server: &Server, query: &str) -> Vec<String> {
    let body = server.get(&format!("/api/v1/projects?limit=1000&{query}")).await.body;
    let names =
        body["data"].as_array().unwrap().iter().map(|project| project["displayName"].as_str().unwrap().to_owned());
    names.collect()
}

#[tokio::test]
async fn a_project_has_these_fields() {
    let server = Server::start().await;
    let (ada, bob) = (server.seed("a@example.com", None), server.seed_inactive("b@example.com", None));
    let id = server.platform.seed_project("Team", Some("00g1"), &[(ada, "Editor"), (bob, "Editor")]);
    let body = server.get(&format!("/api/v1/projects/{id}")).await.body;
    let expected = [
        ("id", json!(id)),
        ("displayName", json!("Team")),
        ("externalId", json!("00g1")),
        ("type", json!("TEAM")),
        ("ownerId", json!(server.owner_id())),
        ("analytics", json!({"totalUsers": 2, "activeUsers": 1, "totalFlows": 0, "activeFlows": 0})),
    ];
    for (key, value) in expected {
        assert_eq!(body[key], value, "{key}");
    }
    for key in ["metadata", "icon", "plan"] {
        assert!(body.get(key).is_some(), "{key}");
    }
}

#[tokio::test]
async fn the_list_has_personal_projects_too_and_filters() {
    let server = Server::start().await;
    let ada = server.seed("a@example.com", Some("00u1"));
    server.platform.seed_project("Sales", Some("00g1"), &[(ada, "Viewer")]);
    server.platform.seed_project("Engineering", Some("00G1"), &[]);
    let (owners, adas) = ("Platform's Project", "Given's Project");
    let cases = [
        ("", vec![owners, adas, "Sales", "Engineering"]),
        ("types=TEAM", vec!["Sales", "Engineering"]),
        ("types=PERSONAL", vec![owners, adas]),
        ("types=TEAM&types=PERSONAL", vec![owners, adas, "Sales", "Engineering"]),
        ("externalId=00g1", vec!["Sales"]),
        ("displayName=ENGIN", vec!["Engineering"]),
        ("externalUserId=00u1", vec![adas, "Sales"]),
        ("externalUserId=nobody", vec![]),
    ];
    for (query, expected) in cases {
        assert_eq!(names(&server, query).await, expected, "{query}");
    }
    assert_eq!(server.get("/api/v1/projects?types=X").await.status, 400);
}

#[tokio::test]
async fn following_cursors_sees_every_project_fifty_by_default() {
    let server = Server::start().await;
    for number in 0..60 {
        server.platform.seed_project(&format!("Team {number}"), None, &[]);
    }
    assert_eq!(server.get("/api/v1/projects").await.body["data"].as_array().unwrap().len(), 50);
    assert_eq!(followed(&server, "/api/v1/projects?", 7).await.len(), 61);
}

#[tokio::test]
async fn create_makes_a_team_project_that_scim_sees() {
    let server = Server::start().await;
    let body = json!({"displayName": "Team", "externalId": "00g1", "metadata": {"a": 1}});
    let answer = server.post("/api/v1/projects", &body).await;
    assert_eq!(
        (answer.status, &answer.body["type"], &answer.body["metadata"]),
        (201, &json!("TEAM"), &json!({"a": 1}))
    );
    let group = server.get(&format!("{SCIM}/Groups/{}", answer.id())).await;
    assert_eq!((&group.body["externalId"], group.body.get("metadata")), (&json!("00g1"), None));
    assert_eq!(server.post("/api/v1/projects", &body).await.failure().1, "23505");
}

#[tokio::test]
async fn names_with_dots_or_slashes_are_400() {
    let server = Server::start().await;
    let id = server.platform.seed_project("Team", None, &[]);
    for name in ["a.b", "a/b"] {
        assert_eq!(server.post("/api/v1/projects", &json!({"displayName": name})).await.status, 400);
        assert_eq!(server.post(&format!("/api/v1/projects/{id}"), &json!({"displayName": name})).await.status, 400);
    }
}

#[tokio::test]
async fn the_plans_limit_of_team_projects_is_obeyed() {
    let server = Server::start().await;
    let body = json!({"displayName": "Team"});
    server.platform.configure(|settings| settings.team_projects_limit = TeamProjectsLimit::None);
    let message = "Team projects are not available on your current plan";
    assert_eq!(server.post("/api/v1/projects", &body).await.failure(), (409, "VALIDATION", message));
    server.platform.configure(|settings| settings.team_projects_limit = TeamProjectsLimit::One);
    assert_eq!(server.post("/api/v1/projects", &body).await.status, 201);
    let answer = server.post("/api/v1/projects", &body).await;
    assert_eq!((answer.status, answer.failure().1), (402, "FEATURE_DISABLED"));
    assert!(answer.failure().2.starts_with("Maximum limit of 1 team project reached"));
}

#[tokio::test]
async fn update_adopts_a_project_without_touching_members() {
    let server = Server::start().await;
    let ada = server.seed("a@example.com", None);
    let id = server.platform.seed_project("Team", None, &[(ada.clone(), "Viewer")]);
    let answer = server.post(&format!("/api/v1/projects/{id}"), &json!({"externalId": "00g1"})).await;
    assert_eq!((answer.status, &answer.body["externalId"]), (200, &json!("00g1")));
    assert_eq!(server.roles(&id), [(ada, "Viewer".to_owned())]);
}

#[tokio::test]
async fn update_sets_name_and_metadata_and_leaves_the_external_id_when_blank() {
    let server = Server::start().await;
    let id = server.platform.seed_project("Team", Some("00g1"), &[]);
    let body = json!({"displayName": "New", "externalId": " ", "metadata": {"k": "v"}});
    server.post(&format!("/api/v1/projects/{id}"), &body).await;
    let project = server.get("/api/v1/projects?types=TEAM").await.body["data"][0].clone();
    assert_eq!((&project["displayName"], &project["externalId"]), (&json!("New"), &json!("00g1")));
    assert_eq!(project["metadata"], json!({"k": "v"}));
}

#[tokio::test]
async fn update_with_a_taken_external_id_is_409() {
    let server = Server::start().await;
    server.platform.seed_project("Other", Some("00g1"), &[]);
    let id = server.platform.seed_project("Team", None, &[]);
    let answer = server.post(&format!("/api/v1/projects/{id}"), &json!({"externalId": "00g1"})).await;
    let body = json!({"code": "PROJECT_EXTERNAL_ID_ALREADY_EXISTS", "params": {"externalId": "00g1"}});
    assert_eq!((answer.status, answer.body), (409, body));
}

#[tokio::test]
async fn delete_takes_team_projects_and_refuses_personal_ones() {
    let server = Server::start().await;
    let id = server.platform.seed_project("Team", None, &[]);
    assert_eq!(server.delete(&format!("/api/v1/projects/{id}")).await.status, 204);
    assert_eq!(server.delete(&format!("/api/v1/projects/{id}")).await.failure().1, "ENTITY_NOT_FOUND");
    let personal = server.get("/api/v1/projects?types=PERSONAL").await.body["data"][0]["id"].clone();
    let answer = server.delete(&format!("/api/v1/projects/{}", personal.as_str().unwrap())).await;
    assert_eq!(answer.failure(), (409, "VALIDATION", "Personal projects cannot be deleted"));
}

#[tokio::test]
async fn an_unknown_project_is_404() {
    let server = Server::start().await;
    let path = format!("/api/v1/projects/{UNKNOWN}");
    for answer in [server.get(&path).await, server.post(&path, &json!({})).await, server.delete(&path).await] {
        assert_eq!((answer.status, answer.failure().1), (404, "ENTITY_NOT_FOUND"));
    }
}
