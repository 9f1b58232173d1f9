//! The groups that an app pushes.

use super::support::{APP, Server};

#[tokio::test]
async fn an_app_lists_the_groups_that_it_pushes() {
    let server = Server::start().await;
    let (app, group) = (server.app(&[]), server.group("Sales", &[]));
    let path = format!("apps/{app}/group-push/mappings");
    assert_eq!(server.get(&path).await.items().len(), 0);
    server.org.push_group(APP, &group);
    let pushes = server.get(&path).await;
    let push = &pushes.body[0];
    assert_eq!(pushes.items().len(), 1);
    assert_eq!(push["sourceGroupId"], group.as_str());
    assert_ne!(push["targetGroupId"], push["sourceGroupId"]);
    assert_eq!(push["status"], "ACTIVE");
    assert!(push["id"].as_str().unwrap().starts_with("gPm"));
}

#[tokio::test]
async fn times_of_a_push_have_no_fraction() {
    let server = Server::start().await;
    let (app, group) = (server.app(&[]), server.group("Sales", &[]));
    server.org.push_group(APP, &group);
    let pushes = server.get(&format!("apps/{app}/group-push/mappings")).await;
    let created = pushes.body[0]["created"].as_str().unwrap();
    assert_eq!((created.len(), created.contains('.')), ("2026-01-31T12:34:56Z".len(), false), "{created}");
}

#[tokio::test]
async fn pushes_are_found_by_source_group_and_status() {
    let server = Server::start().await;
    let app = server.app(&[]);
    let groups = server.groups(3);
    for group in &groups {
        server.org.push_group(APP, group);
    }
    let ask = async |query: &str| server.get(&format!("apps/{app}/group-push/mappings?{query}")).await;
    let found = ask(&format!("sourceGroupId={}", groups[1])).await;
    assert_eq!(found.items().len(), 1);
    assert_eq!(found.body[0]["sourceGroupId"], groups[1].as_str());
    assert_eq!(ask("status=ACTIVE").await.items().len(), 3);
    assert_eq!(ask("status=ERROR").await.items().len(), 0);
}

#[tokio::test]
async fn a_pushed_group_isnt_an_assigned_one() {
    let server = Server::start().await;
    let member = server.user("ada@example.com", "ACTIVE");
    let (app, group) = (server.app(&[]), server.group("Sales", &[member]));
    server.org.push_group(APP, &group);
    assert_eq!(server.get(&format!("apps/{app}/groups")).await.items().len(), 0);
    assert_eq!(server.get(&format!("apps/{app}/users")).await.items().len(), 0);
}
