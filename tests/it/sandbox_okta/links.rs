//! The `Link` headers and the cursors in them.

use reqwest::Method;

use super::support::{Server, finish};

#[tokio::test]
async fn a_page_has_two_separate_link_values_self_first() {
    let server = Server::start().await;
    server.users(3);
    let page = server.get("users?limit=2").await;
    let links = page.links();
    assert_eq!(links.len(), 2);
    assert_eq!(links[0], format!("<{}/api/v1/users?limit=2>; rel=\"self\"", server.url));
    assert!(links[1].ends_with("; rel=\"next\""), "{links:?}");
}

#[tokio::test]
async fn the_last_page_has_self_alone() {
    let server = Server::start().await;
    server.users(4);
    let page = server.get("users?limit=2").await;
    let last = server.get(page.next()).await;
    assert_eq!(last.items().len(), 2);
    assert_eq!(last.links().len(), 1);
    assert_eq!(last.link("self").unwrap(), page.next());
}

#[tokio::test]
async fn an_empty_listing_has_self_alone() {
    let server = Server::start().await;
    let page = server.get("users").await;
    assert!(page.items().is_empty());
    assert_eq!(page.links(), [format!("<{}/api/v1/users?limit=200>; rel=\"self\"", server.url)]);
}

#[tokio::test]
async fn links_have_the_host_of_the_request() {
    let server = Server::start().await;
    server.users(2);
    let request = server.request(Method::GET, "users?limit=1").header("host", "other.example.com:8080");
    let page = finish(request).await;
    assert!(page.next().starts_with("http://other.example.com:8080/api/v1/users?"));
    let href = page.body[0]["_links"]["self"]["href"].as_str().unwrap();
    assert!(href.starts_with("http://other.example.com:8080/api/v1/users/"), "{href}");
}

#[tokio::test]
async fn an_entity_alone_has_no_link() {
    let server = Server::start().await;
    let id = server.user("ada@example.com", "ACTIVE");
    let group = server.everyone();
    for path in [format!("users/{id}"), format!("groups/{group}"), "org".to_owned(), "meta/types/user".to_owned()] {
        assert_eq!(server.get(&path).await.links(), Vec::<&str>::new(), "{path}");
    }
}

#[tokio::test]
async fn links_keep_search_filter_and_limit() {
    let server = Server::start().await;
    server.users(3);
    for parameter in ["search", "filter"] {
        let page = server.query("users", &[(parameter, r#"status eq "ACTIVE""#), ("limit", "1")]).await;
        let kept = format!("limit=1&{parameter}=status+eq+%22ACTIVE%22");
        for rel in ["self", "next"] {
            assert!(page.link(rel).unwrap().ends_with(&kept), "{:?}", page.links());
        }
    }
}

#[tokio::test]
async fn links_of_apps_keep_q_and_filter_and_lose_use_optimization() {
    let server = Server::start().await;
    let query = r#"apps?limit=1&q=o&filter=status+eq+"ACTIVE"&useOptimization=true&includeNonDeleted=true"#;
    let page = server.get(query).await;
    let next = page.next();
    assert!(next.contains("&q=o&filter=status+eq+%22ACTIVE%22"), "{next}");
    assert!(!next.contains("useOptimization") && !next.contains("includeNonDeleted"), "{next}");
}

#[tokio::test]
async fn links_of_app_users_lose_expand() {
    let server = Server::start().await;
    let app = server.app(&server.users(2));
    let page = server.get(&format!("apps/{app}/users?expand=user&limit=1")).await;
    assert!(!page.next().contains("expand"), "{}", page.next());
    let second = server.get(page.next()).await;
    assert!(second.body[0].get("_embedded").is_none());
    let asked = server.get(&format!("{}&expand=user", page.next())).await;
    assert_eq!(asked.body[0]["_embedded"]["user"]["id"], asked.body[0]["id"]);
}

#[tokio::test]
async fn links_of_mappings_lose_source_and_target() {
    let server = Server::start().await;
    server.app(&[]);
    let user_type = server.get("meta/types/user").await.body[0]["id"].as_str().unwrap().to_owned();
    for (parameter, end) in [("sourceId", "source"), ("targetId", "target")] {
        let page = server.query("mappings", &[(parameter, &user_type), ("limit", "1")]).await;
        assert_eq!(page.body[0][end]["id"], user_type.as_str());
        for link in page.links() {
            assert!(!link.contains(parameter), "{link}");
        }
        let rest = server.get(&page.next().replace("limit=1", "limit=200")).await;
        assert!(rest.items().iter().any(|item| item[end]["id"] != user_type.as_str()), "the filter is lost with it");
        let asked = server.get(&format!("{}&{parameter}={user_type}", page.next().replace("=1", "=200"))).await;
        assert_eq!(asked.items().len(), 2);
        assert!(asked.items().iter().all(|item| item[end]["id"] == user_type.as_str()));
    }
}

#[tokio::test]
async fn links_of_group_push_lose_the_source_group() {
    let server = Server::start().await;
    let (app, group) = (server.app(&[]), server.group("Sales", &[]));
    let page = server.get(&format!("apps/{app}/group-push/mappings?sourceGroupId={group}")).await;
    let expected = format!("<{}/api/v1/apps/{app}/group-push/mappings?limit=100>; rel=\"self\"", server.url);
    assert_eq!(page.links(), [expected]);
}

#[tokio::test]
async fn a_cursor_holds_a_plus_that_has_to_be_sent_back_as_given() {
    let server = Server::start().await;
    server.users(2);
    let page = server.get("users?limit=1").await;
    let next = page.next();
    assert!(next.contains("after=200%2B"), "{next}");
    assert_eq!(server.get(next).await.status, 200);
    let decoded = next.replace("%2B", "+");
    assert_eq!(server.get(&decoded).await.cause(), "Invalid cursor.");
}

#[tokio::test]
async fn a_cursor_is_no_id() {
    let server = Server::start().await;
    let ids = server.users(2);
    let page = server.get("users?limit=1").await;
    assert!(!page.next().contains(&ids[0]));
    assert_eq!(server.get(&format!("users?limit=1&after={}", ids[0])).await.status, 400);
}

#[tokio::test]
async fn an_invalid_cursor_is_e0000029_on_apps() {
    let server = Server::start().await;
    let app = server.app(&[]);
    for path in ["apps".to_owned(), format!("apps/{app}/users"), format!("apps/{app}/groups"), "mappings".to_owned()] {
        let answer = server.get(&format!("{path}?after=nonsense")).await;
        assert_eq!((answer.failure(), answer.cause()), ((400, "E0000029"), "Invalid cursor."), "{path}");
    }
}

#[tokio::test]
async fn an_invalid_cursor_is_e0000031_on_searches() {
    let server = Server::start().await;
    for path in ["users", "groups"] {
        let answer = server.query(path, &[("search", "id pr"), ("after", "nonsense")]).await;
        assert_eq!((answer.failure(), answer.cause()), ((400, "E0000031"), "Invalid cursor."), "{path}");
        assert_eq!(answer.body["errorSummary"], "Invalid search criteria.");
    }
}
