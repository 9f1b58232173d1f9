//! POST, GET by id, PUT and DELETE of groups (docs/activepieces.md#groups, docs/activepieces.md#creating-a-group,
//! docs/activepieces.md#put-of-a-group and docs/activepieces.md#deletion-of-a-group).

use oktapieces_sandbox::activepieces::TeamProjectsLimit;
use serde_json::json;

use super::support::{Answer, SCIM, Server, UNKNOWN, group};

async fn create(server: &Server, name: &str, external_id: Option<&str>, members: &[&str]) -> Answer {
    server.post(&format!("{SCIM}/Groups"), &group(name, external_id, members)).await
}

async fn put(server: &Server, id: &str, body: &serde_json::Value) -> Answer {
    server.put(&format!("{SCIM}/Groups/{id}"), body).await
}

async fn stored(server: &Server, id: &str) -> Answer {
    server.get(&format!("{SCIM}/Groups/{id}")).await
}

fn pairs(roles: &[(&String, &str)]) -> Vec<(String, String)> {
    let mut roles: Vec<_> = roles.iter().map(|(id, role)| ((*id).clone(), (*role).to_owned())).collect();
    roles.sort();
    roles
}

#[tokio::test]
async fn a_group_looks_like_this() {
    let server = Server::start().await;
    let ada = server.seed("ada@example.com", None);
    let answer = create(&server, "Eng Team", Some("00g1"), &[&ada]).await;
    assert_eq!(answer.status, 201);
    let (id, meta) = (answer.id(), &answer.body["meta"]);
    let expected = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": id,
        "externalId": "00g1",
        "displayName": "Eng Team",
        "members": [{"value": ada, "display": "ada@example.com", "$ref": format!("/scim/v2/Users/{ada}")}],
        "meta": {
            "resourceType": "Group",
            "created": meta["created"],
            "lastModified": meta["lastModified"],
            "location": format!("/scim/v2/Groups/{id}"),
        },
    });
    assert_eq!(answer.body, expected);
    assert_eq!(stored(&server, id).await.body, expected);
}

#[tokio::test]
async fn a_group_without_an_external_id_has_no_such_key() {
    let server = Server::start().await;
    let answer = create(&server, "Team", None, &[]).await;
    assert!(answer.body.get("externalId").is_none());
    assert_eq!(answer.body["members"], json!([]));
}

#[tokio::test]
async fn the_project_belongs_to_the_platforms_owner() {
    let server = Server::start().await;
    let id = create(&server, "Team", None, &[]).await.id().to_owned();
    assert_eq!(server.get(&format!("/api/v1/projects/{id}")).await.body["ownerId"], json!(server.owner_id()));
}

#[tokio::test]
async fn names_are_free_and_may_be_repeated() {
    let server = Server::start().await;
    for name in ["", "a/b.c <x>", "Team", "Team"] {
        assert_eq!(create(&server, name, None, &[]).await.status, 201, "{name}");
    }
    assert_eq!(server.platform.projects().len(), 4);
}

#[tokio::test]
async fn a_taken_external_id_is_500_and_nothing_is_created() {
    let server = Server::start().await;
    for external_id in ["00g1", ""] {
        create(&server, "Team", Some(external_id), &[]).await;
        let answer = create(&server, "Other", Some(external_id), &[]).await;
        let message = "duplicate key value violates unique constraint \"idx_project_platform_id_external_id\"";
        assert_eq!(answer.failure(), (500, "23505", message));
    }
    assert_eq!(create(&server, "Other", Some("00G1"), &[]).await.status, 201);
    assert_eq!(server.platform.projects().len(), 3);
}

#[tokio::test]
async fn new_members_get_the_default_role() {
    let server = Server::start().await;
    let ada = server.seed("ada@example.com", None);
    for role in ["Editor", "Viewer"] {
        server.platform.configure(|settings| settings.default_project_role = role.to_owned());
        let id = create(&server, role, None, &[&ada]).await.id().to_owned();
        assert_eq!(server.roles(&id), pairs(&[(&ada, role)]));
    }
}

#[tokio::test]
async fn the_answer_lists_members_that_are_none() {
    let server = Server::start().await;
    let active = server.seed("a@example.com", None);
    let inactive = server.seed_inactive("b@example.com", None);
    let elsewhere = server.platform.seed_user_elsewhere("c@example.com", "C", "C");
    let answer = create(&server, "Team", None, &[&active, &inactive, &elsewhere, UNKNOWN]).await;
    let mut claimed = [active.as_str(), &inactive, &elsewhere];
    claimed.sort_unstable();
    assert_eq!(answer.members(), claimed);
    assert!(answer.text.contains("c@example.com"));
    assert_eq!(stored(&server, answer.id()).await.members(), [&active]);
}

#[tokio::test]
async fn the_same_new_member_twice_is_500_and_the_project_stays_with_the_member() {
    let server = Server::start().await;
    let ada = server.seed("ada@example.com", None);
    let answer = create(&server, "Team", Some("00g1"), &[&ada, &ada]).await;
    assert_eq!((answer.status, answer.failure().1), (500, ""));
    assert!(answer.failure().2.starts_with("Could not find any entity of type \"project_member\" matching: {"));
    let projects = server.platform.projects();
    assert_eq!(projects[0].members.keys().collect::<Vec<_>>(), [&ada]);
    assert_eq!(create(&server, "Team", Some("00g1"), &[&ada, &ada]).await.failure().1, "23505");
}

#[tokio::test]
async fn the_same_new_member_twice_sometimes_works() {
    let server = Server::start().await;
    let ada = server.seed("ada@example.com", None);
    let mut statuses = Vec::new();
    for _ in 0..14 {
        statuses.push(create(&server, "Team", None, &[&ada, &ada]).await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 2);
    assert_eq!(server.platform.projects().len(), 14);
}

#[tokio::test]
async fn an_inactive_member_twice_is_just_skipped() {
    let server = Server::start().await;
    let bob = server.seed_inactive("bob@example.com", None);
    assert_eq!(create(&server, "Team", None, &[&bob, &bob]).await.status, 201);
}

#[tokio::test]
async fn the_plans_limit_of_team_projects_doesnt_matter() {
    let server = Server::start().await;
    for limit in [TeamProjectsLimit::None, TeamProjectsLimit::One] {
        server.platform.configure(|settings| settings.team_projects_limit = limit);
        for _ in 0..2 {
            assert_eq!(create(&server, "Team", None, &[]).await.status, 201);
        }
    }
}

#[tokio::test]
async fn a_plan_without_project_roles_doesnt_matter() {
    let server = Server::start().await;
    server.platform.configure(|settings| settings.project_roles_enabled = false);
    let ada = server.seed("ada@example.com", None);
    assert_eq!(create(&server, "Team", None, &[&ada]).await.status, 201);
}

#[tokio::test]
async fn unknown_deleted_and_personal_projects_are_404() {
    let server = Server::start().await;
    let personal = server.get("/api/v1/projects?types=PERSONAL").await.body["data"][0]["id"].clone();
    let deleted = create(&server, "Team", None, &[]).await.id().to_owned();
    server.delete(&format!("{SCIM}/Groups/{deleted}")).await;
    for id in [UNKNOWN, &deleted, personal.as_str().unwrap()] {
        let path = format!("{SCIM}/Groups/{id}");
        let answers = [
            server.get(&path).await,
            server.put(&path, &group("X", None, &[])).await,
            server.patch(&path, json!([])).await,
            server.delete(&path).await,
        ];
        for answer in answers {
            let body = json!({"statusCode": 404, "error": "Not Found", "message": "Project not found"});
            assert_eq!((answer.status, answer.body), (404, body), "{id}");
        }
    }
}

#[tokio::test]
async fn projects_made_by_hand_are_groups_too() {
    let server = Server::start().await;
    let id = server.platform.seed_project("By hand", None, &[]);
    assert_eq!(stored(&server, &id).await.body["displayName"], "By hand");
}

#[tokio::test]
async fn put_resets_the_roles_of_all_listed_members_and_keeps_their_rows() {
    let server = Server::start().await;
    let [a, b, c] = ["a", "b", "c"].map(|name| server.seed(&format!("{name}@example.com"), None));
    let id = server.platform.seed_project("Team", None, &[(a.clone(), "Viewer"), (b.clone(), "Admin")]);
    let rows = async || {
        let members = server.get(&format!("/api/v1/project-members?limit=100&projectId={id}")).await.body;
        members["data"].as_array().unwrap().iter().map(|m| m["id"].to_string()).collect::<Vec<_>>()
    };
    let before = rows().await;
    assert_eq!(put(&server, &id, &group("Team", None, &[&a, &b, &c])).await.status, 200);
    assert_eq!(server.roles(&id), pairs(&[(&a, "Editor"), (&b, "Editor"), (&c, "Editor")]));
    assert_eq!(rows().await[..2], before);
}

#[tokio::test]
async fn put_removes_who_isnt_listed_and_without_members_everybody() {
    let server = Server::start().await;
    let [a, b] = ["a", "b"].map(|name| server.seed(&format!("{name}@example.com"), None));
    let id = create(&server, "Team", None, &[&a, &b]).await.id().to_owned();
    put(&server, &id, &group("Team", None, &[&b])).await;
    assert_eq!(stored(&server, &id).await.members(), [&b]);
    let mut body = group("Team", None, &[]);
    body.as_object_mut().unwrap().remove("members");
    put(&server, &id, &body).await;
    assert!(stored(&server, &id).await.members().is_empty());
}

#[tokio::test]
async fn put_renames_and_a_blank_external_id_stays_as_it_was() {
    let server = Server::start().await;
    let id = create(&server, "Team", Some("00g1"), &[]).await.id().to_owned();
    for external_id in [None, Some(""), Some("  ")] {
        let answer = put(&server, &id, &group("New", external_id, &[])).await;
        assert_eq!((&answer.body["displayName"], &answer.body["externalId"]), (&json!("New"), &json!("00g1")));
    }
    assert_eq!(put(&server, &id, &group("New", Some("00g2"), &[])).await.body["externalId"], "00g2");
}

#[tokio::test]
async fn put_with_a_taken_external_id_is_409_and_nothing_changes() {
    let server = Server::start().await;
    create(&server, "Other", Some("00g1"), &[]).await;
    server.platform.seed_project_elsewhere("00g9");
    let ada = server.seed("ada@example.com", None);
    let id = create(&server, "Team", Some("00g2"), &[&ada]).await.id().to_owned();
    let before = server.platform.projects();
    for taken in ["00g1", "00g9"] {
        let answer = put(&server, &id, &group("New", Some(taken), &[])).await;
        let body = json!({"code": "PROJECT_EXTERNAL_ID_ALREADY_EXISTS", "params": {"externalId": taken}});
        assert_eq!((answer.status, answer.body), (409, body));
        assert_eq!(server.platform.projects(), before);
    }
}

#[tokio::test]
async fn put_keeps_a_listed_inactive_member_with_the_role_and_removes_an_unlisted_one() {
    let server = Server::start().await;
    let bob = server.seed_inactive("bob@example.com", None);
    let id = server.platform.seed_project("Team", None, &[(bob.clone(), "Viewer")]);
    put(&server, &id, &group("Team", None, &[&bob])).await;
    assert_eq!(server.roles(&id), pairs(&[(&bob, "Viewer")]));
    put(&server, &id, &group("Team", None, &[])).await;
    assert!(server.roles(&id).is_empty());
}

#[tokio::test]
async fn puts_answer_lies_about_members_and_repeats_them() {
    let server = Server::start().await;
    let (ada, bob) = (server.seed("a@example.com", None), server.seed_inactive("b@example.com", None));
    let id = create(&server, "Team", None, &[&ada]).await.id().to_owned();
    let answer = put(&server, &id, &group("Team", None, &[&bob, &ada, &ada])).await;
    assert_eq!((answer.status, answer.members().len()), (200, 3));
    assert_eq!(stored(&server, &id).await.members(), [&ada]);
}

#[tokio::test]
async fn put_with_a_new_member_twice_can_fail_and_then_removes_nobody() {
    let server = Server::start().await;
    let [a, b] = ["a", "b"].map(|name| server.seed(&format!("{name}@example.com"), None));
    let id = create(&server, "Team", None, &[&a]).await.id().to_owned();
    let answer = put(&server, &id, &group("New", None, &[&b, &b])).await;
    assert_eq!(answer.status, 500);
    assert!(answer.failure().2.starts_with("Could not find any entity of type \"project_member\""));
    let group = stored(&server, &id).await;
    assert_eq!((group.members().len(), &group.body["displayName"]), (2, &json!("New")));
}

#[tokio::test]
async fn last_modified_moves_with_puts_and_renames_but_not_with_members() {
    let server = Server::start().await;
    let ada = server.seed("ada@example.com", None);
    let path = format!("{SCIM}/Groups/{}", create(&server, "Team", None, &[]).await.id());
    let last_modified = async || server.get(&path).await.body["meta"]["lastModified"].clone();
    let pause = || tokio::time::sleep(std::time::Duration::from_millis(3));
    let first = last_modified().await;
    pause().await;
    server.patch(&path, json!([])).await;
    server.patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": ada}]}])).await;
    server.patch(&path, json!([{"op": "remove", "path": format!("members[value eq \"{ada}\"]")}])).await;
    assert_eq!(last_modified().await, first);
    server.put(&path, &group("Team", None, &[])).await;
    let second = last_modified().await;
    assert_ne!(second, first);
    pause().await;
    server.patch(&path, json!([{"op": "replace", "path": "displayName", "value": "New"}])).await;
    assert_ne!(last_modified().await, second);
}

#[tokio::test]
async fn delete_takes_the_project_away_and_frees_the_external_id() {
    let server = Server::start().await;
    let ada = server.seed("ada@example.com", None);
    let id = create(&server, "Team", Some("00g1"), &[&ada]).await.id().to_owned();
    let answer = server.delete(&format!("{SCIM}/Groups/{id}")).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(create(&server, "Team", Some("00g1"), &[]).await.status, 201);
    assert_eq!(server.platform.projects().len(), 1);
}
