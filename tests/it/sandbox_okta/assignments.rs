//! Who is assigned to an app, by itself or through a group.

use serde_json::{Value, json};

use super::support::{APP, Server, UNKNOWN};

/// Each assigned login with its scope, sorted.
fn scopes(items: &[Value]) -> Vec<(&str, &str)> {
    let mut scopes: Vec<_> = items
        .iter()
        .map(|item| (item["credentials"]["userName"].as_str().unwrap(), item["scope"].as_str().unwrap()))
        .collect();
    scopes.sort_unstable();
    scopes
}

/// Ada is assigned individually and through the group, Bob individually, Cy through the group. Gives the app and the
/// group with Ada, Cy, and Don, who is deactivated.
async fn scene() -> (Server, String, String) {
    let server = Server::start().await;
    let (ada, bob, cy) = (server.user("ada", "ACTIVE"), server.user("bob", "ACTIVE"), server.user("cy", "SUSPENDED"));
    let group = server.group("Sales", &[ada.clone(), cy, server.user("don", "DEPROVISIONED")]);
    let app = server.app(&[ada, bob]);
    server.org.assign_group(APP, &group);
    (server, app, group)
}

#[tokio::test]
async fn an_assignment_is_of_scope_user_or_group() {
    let (server, app, _) = scene().await;
    let page = server.get(&format!("apps/{app}/users")).await;
    assert_eq!(scopes(page.items()), [("ada", "USER"), ("bob", "USER"), ("cy", "GROUP")]);
}

#[tokio::test]
async fn who_is_assigned_both_ways_is_there_once() {
    let (server, app, _) = scene().await;
    let ada = server.org.user_id("ada").unwrap();
    let page = server.get(&format!("apps/{app}/users")).await;
    assert_eq!(page.ids().iter().filter(|id| **id == ada).count(), 1);
    server.org.unassign(APP, &ada);
    let page = server.get(&format!("apps/{app}/users")).await;
    assert_eq!(scopes(page.items())[0], ("ada", "GROUP"), "the group's assignment stays");
}

#[tokio::test]
async fn a_new_member_of_an_assigned_group_is_assigned() {
    let (server, app, group) = scene().await;
    let eve = server.user("eve", "ACTIVE");
    let path = format!("apps/{app}/users/{eve}");
    assert_eq!(server.get(&path).await.failure(), (404, "E0000007"));
    server.org.add_member(&group, &eve);
    assert_eq!(server.get(&path).await.body["scope"], "GROUP");
    server.org.remove_member(&group, &eve);
    assert_eq!(server.get(&path).await.status, 404);
}

#[tokio::test]
async fn everyone_assigned_is_everybody_but_who_is_deactivated() {
    let (server, app, _) = scene().await;
    server.user("eve", "STAGED");
    server.org.assign_group(APP, &server.everyone());
    let page = server.get(&format!("apps/{app}/users")).await;
    assert_eq!(scopes(page.items()).iter().map(|(login, _)| *login).collect::<Vec<_>>(), ["ada", "bob", "cy", "eve"]);
}

#[tokio::test]
async fn deactivation_takes_an_assignment_through_a_group_away_and_reactivation_gives_it_back() {
    let (server, app, _) = scene().await;
    let cy = server.org.user_id("cy").unwrap();
    let path = format!("apps/{app}/users/{cy}");
    for (status, answer) in [("DEPROVISIONED", 404), ("ACTIVE", 200), ("SUSPENDED", 200)] {
        server.org.set_status(&cy, status);
        assert_eq!(server.get(&path).await.status, answer, "{status}");
    }
}

#[tokio::test]
async fn a_group_can_be_unassigned() {
    let (server, app, group) = scene().await;
    server.org.unassign_group(APP, &group);
    let page = server.get(&format!("apps/{app}/users")).await;
    assert_eq!(scopes(page.items()), [("ada", "USER"), ("bob", "USER")]);
    assert_eq!(server.get(&format!("apps/{app}/groups")).await.items().len(), 0);
}

#[tokio::test]
async fn assigned_groups_come_by_priority_whichever_their_ids() {
    let (server, app, first) = scene().await;
    let mut groups = vec![first];
    groups.extend(server.groups(4));
    for group in &groups {
        server.org.assign_group(APP, group);
    }
    let page = server.get(&format!("apps/{app}/groups")).await;
    assert_eq!(page.ids(), groups);
    let priorities: Vec<_> = page.items().iter().map(|item| item["priority"].as_u64().unwrap()).collect();
    assert_eq!(priorities, [0, 1, 2, 3, 4]);
    assert_eq!(page.body[0]["profile"], json!({}));
}

#[tokio::test]
async fn q_finds_assigned_groups_by_a_prefix_of_the_name() {
    let (server, app, group) = scene().await;
    server.org.assign_group(APP, &server.everyone());
    assert_eq!(server.get(&format!("apps/{app}/groups?q=sal")).await.ids(), [&group]);
    assert_eq!(server.get(&format!("apps/{app}/groups?q=ales")).await.items().len(), 0);
}

#[tokio::test]
async fn a_group_lists_its_apps() {
    let (server, app, group) = scene().await;
    assert_eq!(server.get(&format!("groups/{group}/apps")).await.ids(), [&app]);
    let everyone = server.everyone();
    assert_eq!(server.get(&format!("groups/{everyone}/apps")).await.items().len(), 0);
}

#[tokio::test]
async fn expand_embeds_the_user_as_it_is_alone_or_in_a_list() {
    let (server, app, _) = scene().await;
    let plain = server.get(&format!("apps/{app}/users")).await;
    assert!(plain.items().iter().all(|item| item.get("_embedded").is_none()));
    let page = server.get(&format!("apps/{app}/users?expand=user")).await;
    for item in page.items() {
        let id = item["id"].as_str().unwrap();
        let user = server.search(&format!(r#"id eq "{id}""#)).await;
        assert_eq!(item["_embedded"]["user"], user.body[0]);
        let alone = server.get(&format!("apps/{app}/users/{id}?expand=user")).await;
        assert_eq!(alone.body, *item);
    }
}

#[tokio::test]
async fn q_finds_assigned_users_by_a_prefix() {
    let (server, app, _) = scene().await;
    let page = server.get(&format!("apps/{app}/users?q=BO")).await;
    assert_eq!(scopes(page.items()), [("bob", "USER")]);
    assert!(page.link("self").unwrap().ends_with("&q=BO"));
}

#[tokio::test]
async fn who_isnt_assigned_is_not_found() {
    let (server, app, _) = scene().await;
    let don = server.org.user_id("don").unwrap();
    for id in [don.as_str(), UNKNOWN] {
        assert_eq!(server.get(&format!("apps/{app}/users/{id}")).await.failure(), (404, "E0000007"), "{id}");
    }
}

#[tokio::test]
async fn apps_without_a_schema_of_their_own_have_empty_profiles() {
    let (server, app, _) = scene().await;
    let ada = server.org.user_id("ada").unwrap();
    server.org.assign("Okta Dashboard", &ada);
    let builtin = server.get("apps?q=Okta+Dashboard").await.ids()[0].to_owned();
    assert_eq!(server.get(&format!("apps/{builtin}/users/{ada}")).await.body["profile"], json!({}));
    assert_ne!(server.get(&format!("apps/{app}/users/{ada}")).await.body["profile"], json!({}));
}
