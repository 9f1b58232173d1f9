//! The REST routes of project members, project roles and invitations (docs/activepieces.md#rest).

use serde_json::{Value, json};

use super::rest_users::followed;
use super::support::{Answer, SCIM, Server, UNKNOWN, group};

async fn members(server: &Server, project: &str) -> Value {
    server.get(&format!("/api/v1/project-members?limit=1000&projectId={project}")).await.body["data"].clone()
}

async fn role(server: &Server, member: &Value, role: &str) -> Answer {
    server.post(&format!("/api/v1/project-members/{}", member.as_str().unwrap()), &json!({"role": role})).await
}

#[tokio::test]
async fn a_member_has_these_fields() {
    let server = Server::start().await;
    let ada = server.seed("a@example.com", Some("00u1"));
    let project = server.platform.seed_project("Team", None, &[(ada.clone(), "Viewer")]);
    let member = members(&server, &project).await[0].clone();
    assert_eq!((&member["userId"], &member["projectId"]), (&json!(ada), &json!(project)));
    assert_eq!(member["projectRole"]["name"], "Viewer");
    assert_eq!(member["projectRole"]["id"], member["projectRoleId"]);
    assert!(member["projectRole"]["permissions"].is_array());
    for (key, value) in [("email", "a@example.com"), ("status", "ACTIVE"), ("externalId", "00u1")] {
        assert_eq!(member["user"][key], value);
    }
    assert_eq!(member["project"]["displayName"], "Team");
}

#[tokio::test]
async fn the_list_needs_a_known_project() {
    let server = Server::start().await;
    let answer = server.get("/api/v1/project-members").await;
    assert_eq!((answer.status, answer.failure().1), (400, "FST_ERR_VALIDATION"));
    let answer = server.get(&format!("/api/v1/project-members?projectId={UNKNOWN}")).await;
    assert_eq!((answer.status, answer.failure().1), (404, "ENTITY_NOT_FOUND"));
}

#[tokio::test]
async fn the_list_is_oldest_first_ten_by_default_and_can_be_asked_for_one_role() {
    let server = Server::start().await;
    let ids: Vec<_> = (0..12).map(|n| server.seed(&format!("{n}@example.com"), None)).collect();
    let seeds: Vec<_> =
        ids.iter().rev().map(|id| (id.clone(), if *id == ids[0] { "Admin" } else { "Editor" })).collect();
    let project = server.platform.seed_project("Team", None, &seeds);
    let first = server.get(&format!("/api/v1/project-members?projectId={project}")).await.body;
    assert_eq!(first["data"].as_array().unwrap().len(), 10);
    assert_eq!(first["data"][0]["userId"], json!(ids[11]));
    let admin = members(&server, &project).await[11]["projectRoleId"].clone();
    let path = format!("/api/v1/project-members?projectId={project}&projectRoleId={}", admin.as_str().unwrap());
    assert_eq!(server.get(&path).await.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn following_cursors_loses_members_of_one_second() {
    let server = Server::start().await;
    let ids: Vec<_> = (0..50).map(|n| server.seed(&format!("{n}@example.com"), None)).collect();
    let project = server.platform.seed_project("Team", None, &[]);
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    server.put(&format!("{SCIM}/Groups/{project}"), &group("Team", None, &ids)).await;
    let path = format!("/api/v1/project-members?projectId={project}");
    for limit in [10, 25, 49] {
        assert!(followed(&server, &path, limit).await.len() < 50, "{limit}");
    }
    assert_eq!(followed(&server, &path, 50).await.len(), 50);
}

#[tokio::test]
async fn a_role_is_set_by_its_name_in_any_case_and_may_be_a_custom_one() {
    let server = Server::start().await;
    server.platform.add_project_role("Reviewer");
    let ada = server.seed("a@example.com", None);
    let project = server.platform.seed_project("Team", None, &[(ada.clone(), "Admin")]);
    let member = members(&server, &project).await[0]["id"].clone();
    for (spelling, name) in [("Viewer", "Viewer"), ("eDITOR", "Editor"), ("reviewer", "Reviewer")] {
        let answer = role(&server, &member, spelling).await;
        let keys: Vec<_> = answer.body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["created", "id", "platformId", "projectId", "projectRoleId", "updated", "userId"]);
        assert_eq!(server.roles(&project), [(ada.clone(), name.to_owned())]);
    }
}

#[tokio::test]
async fn an_unknown_role_or_member_is_404() {
    let server = Server::start().await;
    let ada = server.seed("a@example.com", None);
    let project = server.platform.seed_project("Team", None, &[(ada, "Admin")]);
    let member = members(&server, &project).await[0]["id"].clone();
    let unknown_role = role(&server, &member, "Nonsense").await;
    assert_eq!((unknown_role.status, &unknown_role.body["params"]["entityType"]), (404, &json!("project_role")));
    assert_eq!(role(&server, &json!(UNKNOWN), "Viewer").await.failure().1, "ENTITY_NOT_FOUND");
}

#[tokio::test]
async fn delete_removes_a_member_once() {
    let server = Server::start().await;
    let ada = server.seed("a@example.com", None);
    let project = server.platform.seed_project("Team", None, &[(ada, "Admin")]);
    let path = format!("/api/v1/project-members/{}", members(&server, &project).await[0]["id"].as_str().unwrap());
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(server.delete(&path).await.failure().1, "ENTITY_NOT_FOUND");
    assert!(server.roles(&project).is_empty());
}

#[tokio::test]
async fn a_plan_without_project_roles_is_402() {
    let server = Server::start().await;
    let project = server.platform.seed_project("Team", None, &[]);
    server.platform.configure(|settings| settings.project_roles_enabled = false);
    let answer = server.get(&format!("/api/v1/project-members?projectId={project}")).await;
    assert_eq!(answer.failure(), (402, "FEATURE_DISABLED", "Feature is disabled"));
}

#[tokio::test]
async fn the_callers_own_role_is_not_for_keys() {
    let server = Server::start().await;
    let answer = server.get("/api/v1/project-members/role").await;
    assert_eq!(answer.failure(), (403, "AUTHORIZATION", "principal is not allowed for this route"));
}

#[tokio::test]
async fn roles_are_listed_with_their_users() {
    let server = Server::start().await;
    server.platform.add_project_role("Reviewer");
    let ada = server.seed("a@example.com", None);
    let project = server.platform.seed_project("Team", None, &[(ada.clone(), "Viewer")]);
    let roles = server.get("/api/v1/project-roles").await.body["data"].clone();
    let counts: Vec<_> = roles
        .as_array()
        .unwrap()
        .iter()
        .map(|role| (role["name"].as_str().unwrap(), role["userCount"].as_u64().unwrap()))
        .collect();
    assert_eq!(counts, [("Admin", 0), ("Editor", 0), ("Viewer", 1), ("Reviewer", 0)]);
    let path = format!("/api/v1/project-roles/{}/project-members", roles[2]["id"].as_str().unwrap());
    let members = server.get(&path).await.body["data"].clone();
    assert_eq!((&members[0]["userId"], &members[0]["projectId"]), (&json!(ada), &json!(project)));
    assert_eq!(server.get(&format!("/api/v1/project-roles/{UNKNOWN}/project-members")).await.status, 404);
}

async fn invite(server: &Server, body: &Value) -> Answer {
    server.post("/api/v1/user-invitations", body).await
}

#[tokio::test]
async fn an_invited_user_is_a_member_with_the_chosen_role_at_once() {
    let server = Server::start().await;
    let ada = server.seed("a@example.com", None);
    let project = server.platform.seed_project("Team", None, &[]);
    for role in ["Viewer", "Admin"] {
        let body = json!({"type": "PROJECT", "email": "A@example.com", "projectId": project, "projectRole": role});
        let answer = invite(&server, &body).await;
        assert_eq!((answer.status, &answer.body["status"]), (201, &json!("ACCEPTED")));
        assert_eq!(server.roles(&project), [(ada.clone(), role.to_owned())]);
    }
}

#[tokio::test]
async fn inviting_an_unknown_address_makes_no_user() {
    let server = Server::start().await;
    let project = server.platform.seed_project("Team", None, &[]);
    let body = json!({"type": "PROJECT", "email": "x@example.com", "projectId": project, "projectRole": "Viewer"});
    assert_eq!(invite(&server, &body).await.body["status"], "ACCEPTED");
    assert_eq!(server.platform.users().len(), 1);
    assert!(server.roles(&project).is_empty());
}

#[tokio::test]
async fn inviting_to_the_platform_sets_the_platform_role() {
    let server = Server::start().await;
    server.seed("a@example.com", None);
    invite(&server, &json!({"type": "PLATFORM", "email": "a@example.com", "platformRole": "OPERATOR"})).await;
    assert_eq!(server.platform.user("a@example.com").unwrap().role, "OPERATOR");
    let bad = json!({"type": "PLATFORM", "email": "a@example.com", "platformRole": "X"});
    assert_eq!(invite(&server, &bad).await.status, 400);
}
