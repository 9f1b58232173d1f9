//! Invitations that wait, and the e-mails that requests send (docs/activepieces.md#invitations and docs/activepieces.md#mail).

use serde_json::{Value, json};

use super::support::{Answer, SCIM, Server, UNKNOWN, user};

async fn to_project(server: &Server, email: &str, project: &str, role: &str) -> Answer {
    let body = json!({"type": "PROJECT", "email": email, "projectId": project, "projectRole": role});
    server.post("/api/v1/user-invitations", &body).await
}

async fn waiting(server: &Server, kind: &str) -> Vec<Value> {
    let list = server.get(&format!("/api/v1/user-invitations?type={kind}&limit=1000")).await;
    list.body["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_invitation_without_account_waits_through_a_creation_by_scim() {
    let server = Server::start().await;
    let project = server.platform.seed_project("Team", None, &[]);
    to_project(&server, "X@example.com", &project, "Viewer").await;
    server.post(&format!("{SCIM}/Users"), &user("x@example.com", None)).await;
    assert!(server.roles(&project).is_empty());
    let rows = waiting(&server, "PROJECT").await;
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(
        (&row["email"], &row["status"], &row["type"]),
        (&json!("x@example.com"), &json!("ACCEPTED"), &json!("PROJECT"))
    );
    assert_eq!(row["projectId"], json!(project));
    assert!(waiting(&server, "PLATFORM").await.is_empty());
}

#[tokio::test]
async fn any_other_invitation_of_the_address_applies_those_that_wait() {
    let server = Server::start().await;
    server.platform.leave_invitation("x@example.com", "ADMIN");
    let (first, second) = (server.platform.seed_project("A", None, &[]), server.platform.seed_project("B", None, &[]));
    server.platform.leave_project_invitation("x@example.com", &first, "Admin");
    let id = server.post(&format!("{SCIM}/Users"), &user("x@example.com", None)).await.id().to_owned();
    assert_eq!(server.platform.user("x@example.com").unwrap().role, "MEMBER");
    to_project(&server, "x@example.com", &second, "Viewer").await;
    assert_eq!(server.platform.user("x@example.com").unwrap().role, "ADMIN");
    assert_eq!(server.roles(&first), [(id.clone(), "Admin".to_owned())]);
    assert_eq!(server.roles(&second), [(id, "Viewer".to_owned())]);
    assert!(server.platform.invitations().is_empty());
}

#[tokio::test]
async fn the_list_needs_a_type_and_is_oldest_first() {
    let server = Server::start().await;
    let answer = server.get("/api/v1/user-invitations").await;
    assert_eq!((answer.status, answer.failure().1), (400, "FST_ERR_VALIDATION"));
    let ids: Vec<_> =
        ["a", "b"].map(|name| server.platform.leave_invitation(&format!("{name}@example.com"), "ADMIN")).into();
    let rows = waiting(&server, "PLATFORM").await;
    assert_eq!(rows.iter().map(|row| row["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    assert_eq!(rows[0]["platformRole"], "ADMIN");
}

#[tokio::test]
async fn a_deleted_invitation_is_never_applied() {
    let server = Server::start().await;
    let id = server.platform.leave_invitation("a@example.com", "ADMIN");
    server.seed("a@example.com", None);
    assert_eq!(server.delete(&format!("/api/v1/user-invitations/{id}")).await.status, 204);
    let project = server.platform.seed_project("Team", None, &[]);
    to_project(&server, "a@example.com", &project, "Viewer").await;
    assert_eq!(server.platform.user("a@example.com").unwrap().role, "MEMBER");
}

#[tokio::test]
async fn an_inactive_account_is_enrolled() {
    let server = Server::start().await;
    let id = server.seed_inactive("a@example.com", None);
    let project = server.platform.seed_project("Team", None, &[]);
    to_project(&server, "a@example.com", &project, "Viewer").await;
    assert_eq!(server.roles(&project), [(id, "Viewer".to_owned())]);
}

#[tokio::test]
async fn unknown_roles_and_projects_and_personal_projects_are_refused() {
    let server = Server::start().await;
    let project = server.platform.seed_project("Team", None, &[]);
    let entity = |answer: &Answer| (answer.status, answer.body["params"]["entityType"].as_str().map(str::to_owned));
    let role = to_project(&server, "a@example.com", &project, "Nonsense").await;
    assert_eq!(entity(&role), (404, Some("project_role".to_owned())));
    let unknown = to_project(&server, "a@example.com", UNKNOWN, "Viewer").await;
    assert_eq!(entity(&unknown), (404, Some("project".to_owned())));
    let personal = server.get("/api/v1/projects?types=PERSONAL").await.body["data"][0]["id"].clone();
    let refused = to_project(&server, "a@example.com", personal.as_str().unwrap(), "Viewer").await;
    assert_eq!(refused.failure(), (409, "VALIDATION", "Project must be a team project"));
    server.platform.configure(|settings| settings.project_roles_enabled = false);
    assert_eq!(to_project(&server, "a@example.com", &project, "Viewer").await.status, 402);
    let body = json!({"type": "PLATFORM", "email": "x@example.com", "platformRole": "MEMBER"});
    assert_eq!(server.post("/api/v1/user-invitations", &body).await.status, 201);
}

#[tokio::test]
async fn creations_and_invitations_send_mail_and_nothing_else_does() {
    let server = Server::start().await;
    let project = server.platform.seed_project("Team", Some("00g1"), &[]);
    let mut body = user("a@example.com", None);
    body["active"] = json!(false);
    let id = server.post(&format!("{SCIM}/Users"), &body).await.id().to_owned();
    assert_eq!(server.platform.mails(), ["a@example.com"]);
    body["active"] = json!(true);
    server.put(&format!("{SCIM}/Users/{id}"), &body).await;
    let group = format!("{SCIM}/Groups/{project}");
    server.patch(&group, json!([{"op": "add", "path": "members", "value": [{"value": id}]}])).await;
    let members = server.get(&format!("/api/v1/project-members?projectId={project}")).await.body["data"].clone();
    let path = format!("/api/v1/project-members/{}", members[0]["id"].as_str().unwrap());
    server.post(&path, &json!({"role": "Viewer"})).await;
    server.delete(&format!("{SCIM}/Users/{id}")).await;
    assert_eq!(server.platform.mails().len(), 1);
    for _ in 0..2 {
        to_project(&server, "a@example.com", &project, "Admin").await;
    }
    to_project(&server, "x@example.com", &project, "Admin").await;
    assert_eq!(server.platform.mails()[1..], ["a@example.com", "a@example.com", "x@example.com"]);
}
