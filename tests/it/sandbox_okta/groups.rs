//! Groups and their members.

use serde_json::json;

use super::support::{APP, Server};

#[tokio::test]
async fn everyone_is_built_in_and_holds_every_user() {
    let server = Server::start().await;
    let mut ids = server.users(2);
    ids.push(server.user("gone@example.com", "DEPROVISIONED"));
    ids.sort();
    let everyone = server.everyone();
    assert_eq!(server.get(&format!("groups/{everyone}")).await.body["type"], "BUILT_IN");
    assert_eq!(server.get(&format!("groups/{everyone}/users")).await.ids(), ids);
}

#[tokio::test]
async fn members_include_deactivated_and_suspended_users() {
    let server = Server::start().await;
    let members: Vec<String> = ["ACTIVE", "SUSPENDED", "DEPROVISIONED", "STAGED"]
        .into_iter()
        .map(|status| server.user(&format!("{status}@example.com"), status))
        .collect();
    let group = server.group("Sales", &members);
    let page = server.get(&format!("groups/{group}/users")).await;
    let expected = ["ACTIVE@example.com", "DEPROVISIONED@example.com", "STAGED@example.com", "SUSPENDED@example.com"];
    assert_eq!(page.logins(), expected);
}

#[tokio::test]
async fn members_are_whole_users() {
    let server = Server::start().await;
    let id = server.user("ada@example.com", "ACTIVE");
    let group = server.group("Sales", &[id]);
    let members = server.get(&format!("groups/{group}/users")).await;
    assert_eq!(members.body, server.get("users").await.body);
}

#[tokio::test]
async fn a_member_who_is_deactivated_stays_a_member() {
    let server = Server::start().await;
    let id = server.user("ada@example.com", "ACTIVE");
    let group = server.group("Sales", std::slice::from_ref(&id));
    server.org.set_status(&id, "DEPROVISIONED");
    assert_eq!(server.get(&format!("groups/{group}/users")).await.ids(), [&id]);
    assert_eq!(server.get(&format!("users/{id}/groups")).await.names(), ["Everyone", "Sales"]);
}

#[tokio::test]
async fn q_is_a_prefix_and_not_equality() {
    let server = Server::start().await;
    for name in ["Admin", "Administrators", "Super Admin"] {
        server.group(name, &[]);
    }
    assert_eq!(server.get("groups?q=Admin").await.names(), ["Admin", "Administrators"]);
    assert_eq!(server.get("groups?q=admin").await.names(), ["Admin", "Administrators"]);
}

#[tokio::test]
async fn q_has_no_link_and_300_groups_at_most() {
    let server = Server::start().await;
    server.groups(301);
    let page = server.get("groups?q=Group").await;
    assert_eq!((page.items().len(), page.links().len()), (300, 0));
    let few = server.get("groups?q=Group&limit=2").await;
    assert_eq!((few.items().len(), few.links().len()), (2, 0));
}

#[tokio::test]
async fn imported_groups_may_have_any_name_again() {
    let server = Server::start().await;
    server.group("Sales", &[]);
    server.org.seed_group(None, "Sales", "APP_GROUP", &[]);
    server.org.seed_group(None, "Sales", "APP_GROUP", &[]);
    assert_eq!(server.get("groups?q=Sales").await.names(), ["Sales", "Sales", "Sales"]);
    let own = server.query("groups", &[("search", r#"profile.name eq "sales" and type eq "OKTA_GROUP""#)]).await;
    assert_eq!(own.items().len(), 1);
}

#[tokio::test]
async fn search_finds_by_name_and_filter_by_type() {
    let server = Server::start().await;
    server.group("Sales", &[]);
    let found = server.query("groups", &[("search", r#"profile.name sw "sal""#)]).await;
    assert_eq!(found.names(), ["Sales"]);
    let found = server.query("groups", &[("filter", r#"type eq "BUILT_IN""#)]).await;
    assert_eq!(found.names(), ["Everyone"]);
}

#[tokio::test]
async fn filter_doesnt_know_names() {
    let server = Server::start().await;
    let answer = server.query("groups", &[("filter", r#"profile.name eq "Everyone""#)]).await;
    assert_eq!(answer.failure(), (400, "E0000031"));
}

#[tokio::test]
async fn filter_finds_groups_whose_members_changed() {
    let server = Server::start().await;
    server.group("Sales", &[]);
    for (when, found) in [("2020-01-01T00:00:00.000Z", 2), ("2999-01-01T00:00:00.000Z", 0)] {
        let filter = format!(r#"lastMembershipUpdated gt "{when}""#);
        assert_eq!(server.query("groups", &[("filter", &filter)]).await.items().len(), found, "{when}");
    }
}

#[tokio::test]
async fn stats_come_on_request_only() {
    let server = Server::start().await;
    let members = server.users(3);
    let group = server.group("Sales", &members[..2]);
    server.app(&[]);
    server.org.assign_group(APP, &group);
    server.org.push_group(APP, &group);
    let plain = server.get("groups?q=Sales").await;
    assert!(plain.body[0].get("_embedded").is_none());
    let page = server.query("groups", &[("search", r#"profile.name eq "Sales""#), ("expand", "stats")]).await;
    let stats = &page.body[0]["_embedded"]["stats"];
    let counts = [&stats["usersCount"], &stats["appsCount"], &stats["groupPushMappingsCount"]];
    assert_eq!(counts, [&json!(2), &json!(1), &json!(1)]);
    assert_eq!(stats["hasAdminPrivlege"], false, "with Okta's own spelling");
}

#[tokio::test]
async fn stats_of_everyone_count_all_users() {
    let server = Server::start().await;
    server.users(3);
    let page = server.get("groups?q=Everyone&expand=stats").await;
    assert_eq!(page.body[0]["_embedded"]["stats"]["usersCount"], 3);
}

#[tokio::test]
async fn an_org_without_rules_lists_none() {
    let server = Server::start().await;
    let rules = server.get("groups/rules").await;
    assert_eq!((rules.status, rules.items().len()), (200, 0));
}
