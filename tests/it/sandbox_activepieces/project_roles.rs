//! The REST routes of project roles (docs/activepieces.md#project-roles).

use serde_json::{Value, json};

use super::support::{Answer, SCIM, Server, UNKNOWN};

async fn make(server: &Server, name: &str) -> Answer {
    let body = json!({"name": name, "permissions": ["READ_FLOW"], "type": "CUSTOM"});
    server.post("/api/v1/project-roles", &body).await
}

async fn names(server: &Server) -> Vec<String> {
    let roles = server.get("/api/v1/project-roles").await.body["data"].clone();
    roles.as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_custom_role_is_made_changed_and_listed() {
    let server = Server::start().await;
    let made = make(&server, "Reviewer").await;
    assert_eq!(
        (made.status, &made.body["type"], &made.body["permissions"]),
        (201, &json!("CUSTOM"), &json!(["READ_FLOW"]))
    );
    let path = format!("/api/v1/project-roles/{}", made.id());
    let changed = server.post(&path, &json!({"name": "Auditor", "permissions": ["READ_RUN"]})).await;
    assert_eq!((changed.status, &changed.body["permissions"]), (200, &json!(["READ_RUN"])));
    assert_eq!(names(&server).await, ["Admin", "Editor", "Viewer", "Auditor"]);
}

#[tokio::test]
async fn a_name_that_is_taken_in_any_case_is_404() {
    let server = Server::start().await;
    let answer = make(&server, "eDITOR").await;
    assert_eq!(answer.failure(), (404, "ENTITY_NOT_FOUND", "Project Role name already exists"));
}

#[tokio::test]
async fn a_plan_without_custom_roles_lets_an_old_one_be_given() {
    let server = Server::start().await;
    make(&server, "Reviewer").await;
    server.platform.configure(|settings| settings.custom_roles_enabled = false);
    assert_eq!(make(&server, "Other").await.failure().1, "FEATURE_DISABLED");
    let ada = server.seed("a@example.com", None);
    let project = server.platform.seed_project("Team", None, &[(ada.clone(), "Viewer")]);
    let members = server.get(&format!("/api/v1/project-members?projectId={project}")).await.body["data"].clone();
    let path = format!("/api/v1/project-members/{}", members[0]["id"].as_str().unwrap());
    assert_eq!(server.post(&path, &json!({"role": "reviewer"})).await.status, 200);
    assert_eq!(server.roles(&project), [(ada, "Reviewer".to_owned())]);
}

#[tokio::test]
async fn a_role_is_deleted_by_its_name_with_all_its_memberships() {
    let server = Server::start().await;
    let role = make(&server, "Reviewer").await;
    let (ada, bob) = (server.seed("a@example.com", None), server.seed("b@example.com", None));
    let first = server.platform.seed_project("A", None, &[(ada.clone(), "Reviewer"), (bob.clone(), "Viewer")]);
    let second = server.platform.seed_project("B", None, &[(ada, "Reviewer")]);
    let by_id = server.delete(&format!("/api/v1/project-roles/{}", role.id())).await;
    assert_eq!((by_id.status, by_id.failure().1), (404, "ENTITY_NOT_FOUND"));
    assert_eq!(server.delete("/api/v1/project-roles/Reviewer").await.status, 200);
    assert_eq!(server.roles(&first), [(bob, "Viewer".to_owned())]);
    assert!(server.roles(&second).is_empty());
    assert_eq!(names(&server).await, ["Admin", "Editor", "Viewer"]);
}

#[tokio::test]
async fn the_members_of_a_role_are_ten_by_default_and_all_with_a_limit() {
    let server = Server::start().await;
    for project in ["A", "B"] {
        let members: Vec<_> =
            (0..6).map(|n| (server.seed(&format!("{project}{n}@example.com"), None), "Viewer")).collect();
        server.platform.seed_project(project, None, &members);
    }
    let roles = server.get("/api/v1/project-roles").await.body["data"].clone();
    let path = format!("/api/v1/project-roles/{}/project-members", roles[2]["id"].as_str().unwrap());
    let count = |body: Value| body["data"].as_array().unwrap().len();
    assert_eq!(count(server.get(&path).await.body), 10);
    assert_eq!(count(server.get(&format!("{path}?limit=1000000")).await.body), 12);
}

#[tokio::test]
async fn roles_are_listed_and_groups_written_without_project_roles_in_the_plan() {
    let server = Server::start().await;
    let ada = server.seed("a@example.com", None);
    let project = server.platform.seed_project("Team", None, &[]);
    server.platform.configure(|settings| settings.project_roles_enabled = false);
    assert_eq!(server.get("/api/v1/project-roles").await.status, 200);
    let set = server.post(&format!("/api/v1/project-members/{UNKNOWN}"), &json!({"role": "Viewer"})).await;
    assert_eq!(set.failure(), (402, "FEATURE_DISABLED", "Feature is disabled"));
    let add = json!([{"op": "add", "path": "members", "value": [{"value": ada}]}]);
    assert_eq!(server.patch(&format!("{SCIM}/Groups/{project}"), add).await.status, 200);
    assert_eq!(server.roles(&project), [(ada, "Editor".to_owned())]);
}

#[tokio::test]
async fn a_role_set_by_hand_is_kept_until_the_member_is_added_again() {
    let server = Server::start().await;
    let (ada, bob) = (server.seed("a@example.com", None), server.seed("b@example.com", None));
    let project = server.platform.seed_project("Team", Some("00g1"), &[(ada.clone(), "Viewer")]);
    let group = format!("{SCIM}/Groups/{project}");
    let role = |server: &Server| server.platform.projects()[0].members[&ada].clone();
    server.patch(&group, json!([{"op": "add", "path": "members", "value": [{"value": bob}]}])).await;
    server.patch(&group, json!([{"op": "replace", "path": "displayName", "value": "Other"}])).await;
    let link = json!({"displayName": "Third", "externalId": "00g2", "metadata": {"a": 1}});
    server.post(&format!("/api/v1/projects/{project}"), &link).await;
    for active in [false, true] {
        let change = json!([{"op": "replace", "value": {"active": active}}]);
        server.patch(&format!("{SCIM}/Users/{ada}"), change).await;
    }
    server.post(&format!("/api/v1/users/{ada}"), &json!({"platformRole": "ADMIN"})).await;
    assert_eq!(role(&server), "Viewer");
    server.patch(&group, json!([{"op": "add", "path": "members", "value": [{"value": ada}]}])).await;
    assert_eq!(role(&server), "Editor");
}
