//! What a project holds, who reaches it, and which group it belongs to (docs/activepieces.md#contents-of-a-project).

use oktapieces_sandbox::activepieces::Contents;
use serde_json::{Value, json};

use super::support::{Server, UNKNOWN};

const LISTS: [&str; 4] = ["flows", "app-connections", "flow-runs", "tables"];

fn rows(body: &Value) -> usize {
    body["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn each_kind_is_counted_by_a_listing_of_its_own() {
    let server = Server::start().await;
    let project = server.platform.seed_project("Team", None, &[]);
    let last_run = Some("2026-03-04T05:06:07Z".parse().unwrap());
    let contents = Contents { flows: 12, connections: 3, tables: 2, last_run, broken_connection: false };
    server.platform.fill_project(&project, contents);
    for (list, count) in LISTS.into_iter().zip([12, 3, 1, 2]) {
        let answer = server.get(&format!("/api/v1/{list}?projectId={project}&limit=1000000")).await;
        assert_eq!((answer.status, rows(&answer.body)), (200, count), "{list}");
    }
    assert_eq!(server.get(&format!("/api/v1/flows/count?projectId={project}")).await.body, json!(12));
    let runs = server.get(&format!("/api/v1/flow-runs?projectId={project}&limit=1")).await.body;
    assert_eq!(runs["data"][0]["created"], "2026-03-04T05:06:07.000Z");
    let listed = server.get("/api/v1/projects?types=TEAM").await.body;
    assert_eq!(listed["data"][0]["analytics"]["totalFlows"], 12);
}

#[tokio::test]
async fn a_listing_needs_a_project() {
    let server = Server::start().await;
    for list in LISTS.into_iter().chain(["flows/count"]) {
        let answer = server.get(&format!("/api/v1/{list}")).await;
        assert_eq!((answer.status, answer.failure().1), (400, "FST_ERR_VALIDATION"), "{list}");
    }
}

#[tokio::test]
async fn one_connection_that_cannot_be_decrypted_fails_the_listing() {
    let server = Server::start().await;
    let project = server.platform.seed_project("Team", None, &[]);
    server.platform.fill_project(&project, Contents { connections: 3, broken_connection: true, ..Contents::default() });
    let answer = server.get(&format!("/api/v1/app-connections?projectId={project}")).await;
    assert_eq!((answer.status, answer.failure().1), (500, "ERR_INVALID_ARG_TYPE"));
    assert_eq!(server.get(&format!("/api/v1/tables?projectId={project}")).await.status, 200);
}

async fn reached(server: &Server, external_id: &str) -> usize {
    rows(&server.get(&format!("/api/v1/projects?externalUserId={external_id}&limit=1000")).await.body)
}

/// docs/activepieces.md#changed-addresses
#[tokio::test]
async fn the_projects_that_an_account_reaches_are_found_by_its_external_id() {
    let server = Server::start().await;
    let ada = server.seed("a@example.com", Some("00u1"));
    server.platform.seed_project("A", None, &[(ada.clone(), "Viewer")]);
    server.platform.seed_project("B", None, &[]);
    assert_eq!(reached(&server, "00u1").await, 2);
    assert_eq!(reached(&server, "00u2").await, 0);
    let moved = server.post(&format!("/api/v1/users/{ada}"), &json!({"externalId": "00u1-replaced"})).await;
    assert_eq!((moved.status, &moved.body["externalId"]), (200, &json!("00u1-replaced")));
    assert_eq!((reached(&server, "00u1").await, reached(&server, "00u1-replaced").await), (0, 2));
    server.platform.set_role(&ada, "OPERATOR");
    assert_eq!(reached(&server, "00u1-replaced").await, 4);
}

/// docs/activepieces.md#linking-a-project
#[tokio::test]
async fn a_swap_of_two_projects_needs_a_third_value() {
    let server = Server::start().await;
    let (a, b) =
        (server.platform.seed_project("A", Some("00g1"), &[]), server.platform.seed_project("B", Some("00g2"), &[]));
    let link = async |id: &str, group: Value| {
        server.post(&format!("/api/v1/projects/{id}"), &json!({"externalId": group})).await.status
    };
    assert_eq!(link(&a, json!("00g2")).await, 409);
    assert_eq!(link(&a, Value::Null).await, 400);
    assert_eq!(link(&a, json!("")).await, 200);
    for (id, group) in [(&a, "swap"), (&b, "00g1"), (&a, "00g2"), (&a, "00g2")] {
        assert_eq!(link(id, json!(group)).await, 200);
    }
    let groups: Vec<_> = server.platform.projects().into_iter().map(|project| project.external_id.unwrap()).collect();
    assert_eq!(groups, ["00g2", "00g1"]);
    assert_eq!(server.post(&format!("/api/v1/projects/{a}"), &json!({})).await.status, 200);
    assert_eq!(link(UNKNOWN, json!("x")).await, 404);
}

/// docs/activepieces.md#deleted-accounts
#[tokio::test]
async fn a_deleted_account_leaves_its_identity_alone() {
    let server = Server::start().await;
    let ada = server.seed_inactive("a@example.com", Some("00u1"));
    let project = server.platform.seed_project("Team", None, &[(ada.clone(), "Viewer")]);
    let path = format!("/api/v1/users/{ada}");
    assert_eq!(server.delete(&path).await.failure().1, "23503");
    assert_eq!(server.delete(&path).await.status, 204);
    assert!(server.roles(&project).is_empty());
    let mut body = super::support::user("a@example.com", Some("00u1"));
    body["name"]["givenName"] = json!("Other");
    let again = server.post(&format!("{}/Users", super::support::SCIM), &body).await;
    assert_eq!((again.status, &again.body["name"]["givenName"]), (201, &json!("Given")));
}
