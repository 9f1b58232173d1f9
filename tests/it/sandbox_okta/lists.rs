//! Sizes of pages; and paging neither loses nor doubles a user.

use std::collections::BTreeSet;

use super::support::{APP, Server};

/// The size of the page that a limit leads to, as the `self` link has it.
async fn size(server: &Server, path: &str, limit: Option<&str>) -> usize {
    let query = limit.map(|limit| format!("?limit={limit}")).unwrap_or_default();
    let page = server.get(&format!("{path}{query}")).await;
    page.link("self").unwrap_or_else(|| panic!("{path}: {page:?}")).rsplit_once("limit=").unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn every_listing_has_its_default_and_its_most() {
    let server = Server::start().await;
    let user = server.user("ada@example.com", "ACTIVE");
    let (app, group) = (server.app(&[]), server.everyone());
    let listings = [
        ("users".to_owned(), 200, 200),
        (format!("users/{user}/groups"), 200, 200),
        ("groups".to_owned(), 10_000, 10_000),
        (format!("groups/{group}/users"), 1000, 1000),
        (format!("groups/{group}/apps"), 20, 200),
        ("groups/rules".to_owned(), 50, 200),
        ("apps".to_owned(), 20, 200),
        (format!("apps/{app}/users"), 50, 500),
        (format!("apps/{app}/groups"), 20, 200),
        (format!("apps/{app}/group-push/mappings"), 100, 1000),
        ("mappings".to_owned(), 20, 200),
    ];
    for (path, default, most) in listings {
        assert_eq!(size(&server, &path, None).await, default, "{path}");
        assert_eq!(size(&server, &path, Some("100000")).await, most, "{path}");
    }
}

#[tokio::test]
async fn a_limit_is_kept_to() {
    let server = Server::start().await;
    let ids = server.users(5);
    let (app, group) = (server.app(&ids), server.group("Sales", &ids));
    for path in ["users".to_owned(), format!("groups/{group}/users"), format!("apps/{app}/users")] {
        assert_eq!(server.get(&format!("{path}?limit=2")).await.items().len(), 2, "{path}");
    }
}

#[tokio::test]
async fn groups_of_an_app_come_by_twenty_at_least() {
    let server = Server::start().await;
    let app = server.app(&[]);
    assert_eq!(size(&server, &format!("apps/{app}/groups"), Some("1")).await, 20);
}

#[tokio::test]
async fn a_limit_of_minus_one_is_the_default() {
    let server = Server::start().await;
    assert_eq!(size(&server, "apps", Some("-1")).await, 20);
}

#[tokio::test]
async fn a_limit_has_to_be_a_number() {
    let server = Server::start().await;
    assert_eq!(server.get("users?limit=many").await.failure(), (400, "E0000001"));
}

#[tokio::test]
async fn the_plain_listing_of_users_ends_at_200_a_page() {
    let server = Server::start().await;
    let ids = server.users(201);
    let page = server.get("users").await;
    assert_eq!(page.items().len(), 200);
    assert_eq!(server.get(page.next()).await.ids(), [&ids[200]]);
}

#[tokio::test]
async fn paging_loses_and_doubles_nobody() {
    let server = Server::start().await;
    let ids = server.users(23);
    let (app, group) = (server.app(&ids), server.group("Sales", &ids));
    let everyone = server.everyone();
    for path in [
        "users".to_owned(),
        format!("groups/{group}/users"),
        format!("groups/{everyone}/users"),
        format!("apps/{app}/users"),
    ] {
        for limit in [1, 2, 22, 23, 24] {
            let found = server.all_ids(&format!("{path}?limit={limit}")).await;
            assert_eq!(found, ids, "{path}, {limit} a page");
        }
    }
}

#[tokio::test]
async fn paging_a_search_and_a_filter_keeps_the_criterion() {
    let server = Server::start().await;
    let ids = server.users(5);
    for id in &ids[1..4] {
        server.org.set_status(id, "SUSPENDED");
    }
    for parameter in ["search", "filter"] {
        let found = server.all_ids(&format!("users?{parameter}=status+eq+%22SUSPENDED%22&limit=1")).await;
        assert_eq!(found, ids[1..4], "{parameter}");
    }
}

#[tokio::test]
async fn groups_of_a_user_page_at_200() {
    let server = Server::start().await;
    let user = server.user("ada@example.com", "ACTIVE");
    let mut expected: BTreeSet<String> = server.groups(204).into_iter().collect();
    for group in &expected {
        server.org.add_member(group, &user);
    }
    let page = server.get(&format!("users/{user}/groups")).await;
    assert_eq!(page.items().len(), 200);
    assert!(page.link("next").is_some());
    let found = server.all_ids(&format!("users/{user}/groups")).await;
    expected.insert(server.everyone());
    assert_eq!(found.len(), 205);
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[tokio::test]
async fn groups_apps_assigned_groups_pushes_and_mappings_page_too() {
    let server = Server::start().await;
    let app = server.app(&[]);
    for group in server.groups(25) {
        server.org.assign_group(APP, &group);
        server.org.push_group(APP, &group);
    }
    for (path, count) in [
        ("groups?limit=4".to_owned(), 26),
        ("apps?limit=1".to_owned(), 3),
        (format!("apps/{app}/groups"), 25),
        (format!("apps/{app}/group-push/mappings?limit=7"), 25),
        ("mappings?limit=4".to_owned(), 6),
    ] {
        assert!(server.get(&path).await.link("next").is_some(), "{path}");
        let found = server.all_ids(&path).await;
        let distinct: BTreeSet<_> = found.iter().collect();
        assert_eq!((found.len(), distinct.len()), (count, count), "{path}");
    }
}

#[tokio::test]
async fn a_listing_is_no_snapshot() {
    let server = Server::start().await;
    let ids = server.users(6);
    let page = server.get("users?limit=3").await;
    server.org.set_status(&ids[0], "DEPROVISIONED");
    server.org.set_status(&ids[4], "DEPROVISIONED");
    let rest = server.get(page.next()).await;
    assert_eq!(page.ids(), ids[..3]);
    assert_eq!(rest.ids(), [&ids[3], &ids[5]]);
}
