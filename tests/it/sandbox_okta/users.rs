//! Users: who is listed, and how one is found.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::support::{Server, UNKNOWN, finish};

/// One user of each status that is known.
const STATUSES: [&str; 8] =
    ["STAGED", "PROVISIONED", "ACTIVE", "PASSWORD_EXPIRED", "RECOVERY", "LOCKED_OUT", "SUSPENDED", "DEPROVISIONED"];

/// The statuses that a listing holds, sorted.
fn statuses(items: &[Value]) -> Vec<&str> {
    let mut statuses: Vec<_> = items.iter().map(|user| user["status"].as_str().unwrap()).collect();
    statuses.sort_unstable();
    statuses
}

async fn with_every_status() -> Server {
    let server = Server::start().await;
    for status in STATUSES {
        server.user(&format!("{}@example.com", status.to_lowercase()), status);
    }
    server
}

#[tokio::test]
async fn the_plain_listing_has_every_status_but_deprovisioned() {
    let server = with_every_status().await;
    let page = server.get("users").await;
    let mut expected = STATUSES[..7].to_vec();
    expected.sort_unstable();
    assert_eq!(statuses(page.items()), expected);
}

#[tokio::test]
async fn status_pr_finds_everybody_and_is_pageable() {
    let server = with_every_status().await;
    let mut expected = STATUSES.to_vec();
    expected.sort_unstable();
    assert_eq!(statuses(server.search("status pr").await.items()), expected);
    assert_eq!(server.all_ids("users?search=status+pr&limit=3").await.len(), 8);
}

#[tokio::test]
async fn a_filter_of_ids_finds_those_that_there_are_of_any_status() {
    let server = with_every_status().await;
    let (gone, here) = (server.user("gone@example.com", "DEPROVISIONED"), server.user("here@example.com", "ACTIVE"));
    let filter = [&here, UNKNOWN, &gone, &here].map(|id| format!("id eq \"{id}\"")).join(" or ");
    let mut expected = [gone.as_str(), here.as_str()];
    expected.sort_unstable();
    let page = server.query("users", &[("filter", &filter)]).await;
    assert_eq!(page.ids(), expected);
    let page = server.query("users", &[("filter", &filter), ("limit", "1")]).await;
    assert_eq!((page.ids(), page.link("next").is_some()), (vec![expected[0]], true));
}

#[tokio::test]
async fn search_and_filter_find_deprovisioned_users() {
    let server = with_every_status().await;
    for parameter in ["search", "filter"] {
        let page = server.query("users", &[(parameter, r#"status eq "DEPROVISIONED""#)]).await;
        assert_eq!(page.logins(), ["deprovisioned@example.com"], "{parameter}");
    }
}

#[tokio::test]
async fn q_leaves_deprovisioned_users_out() {
    let server = with_every_status().await;
    assert_eq!(server.get("users?q=deprovisioned").await.items().len(), 0);
    assert_eq!(server.get("users?q=suspended").await.items().len(), 1);
}

#[tokio::test]
async fn q_is_a_prefix_of_first_name_last_name_or_address_in_any_case() {
    let server = Server::start().await;
    server
        .person("ACTIVE", &json!({"login": "x1", "email": "ada@example.com", "firstName": "Grace", "lastName": "Lo"}));
    for (q, found) in [("gra", 1), ("LO", 1), ("ada@", 1), ("race", 0), ("example", 0)] {
        assert_eq!(server.query("users", &[("q", q)]).await.items().len(), found, "{q}");
    }
}

#[tokio::test]
async fn q_gives_ten_and_no_further_page() {
    let server = Server::start().await;
    server.users(12);
    let page = server.get("users?q=user").await;
    assert_eq!((page.items().len(), page.links().len()), (10, 0));
    let more = server.get("users?q=user&limit=11").await;
    assert_eq!((more.items().len(), more.links().len()), (11, 0));
}

#[tokio::test]
async fn a_user_is_found_by_id_and_by_login_in_any_case() {
    let server = Server::start().await;
    let id = server.user("Ada.Adler@example.com", "ACTIVE");
    for key in [id.as_str(), "Ada.Adler@example.com", "ada.adler@EXAMPLE.com", "ada.adler%40example.com"] {
        let user = server.get(&format!("users/{key}")).await;
        assert_eq!((user.status, user.body["id"].as_str()), (200, Some(id.as_str())), "{key}");
    }
}

#[tokio::test]
async fn a_user_is_not_found_by_an_address_that_is_no_login() {
    let server = Server::start().await;
    server.person("ACTIVE", &json!({"login": "ada", "email": "ada@example.com"}));
    assert_eq!(server.get("users/ada").await.status, 200);
    assert_eq!(server.get("users/ada@example.com").await.failure(), (404, "E0000007"));
}

#[tokio::test]
async fn a_deprovisioned_user_is_found_by_id_and_login() {
    let server = Server::start().await;
    let id = server.user("ada@example.com", "DEPROVISIONED");
    for key in [id.as_str(), "ada@example.com"] {
        assert_eq!(server.get(&format!("users/{key}")).await.body["status"], "DEPROVISIONED", "{key}");
    }
}

#[tokio::test]
async fn a_deleted_user_is_gone_from_everywhere() {
    let server = Server::start().await;
    let id = server.user("ada@example.com", "DEPROVISIONED");
    let group = server.group("Sales", std::slice::from_ref(&id));
    server.org.delete_user(&id);
    for key in [id.as_str(), "ada@example.com"] {
        assert_eq!(server.get(&format!("users/{key}")).await.failure(), (404, "E0000007"), "{key}");
    }
    assert_eq!(server.search("status pr").await.items().len(), 0);
    assert_eq!(server.get(&format!("groups/{group}/users")).await.items().len(), 0);
}

#[tokio::test]
async fn an_unknown_status_is_given_as_it_is() {
    let server = Server::start().await;
    let id = server.user("ada@example.com", "ACTIVATING");
    assert_eq!(server.get(&format!("users/{id}")).await.body["status"], "ACTIVATING");
    assert_eq!(statuses(server.get("users").await.items()), ["ACTIVATING"]);
    assert_eq!(statuses(server.search(r#"status eq "activating""#).await.items()), ["ACTIVATING"]);
}

#[tokio::test]
async fn profiles_have_numbers_booleans_arrays_and_nulls_as_they_are() {
    let server = Server::start().await;
    let profile = json!({
        "login": "ada@example.com", "email": "ada@example.com", "mobilePhone": null, "level": 3, "quota": 1.5,
        "manages": true, "teams": ["a", "b"], "nickName": "",
    });
    let id = server.person("ACTIVE", &profile);
    assert_eq!(server.get(&format!("users/{id}")).await.body["profile"], profile);
    assert_eq!(server.get("users").await.body[0]["profile"], profile);
}

#[tokio::test]
async fn lists_leave_credentials_out_on_request() {
    let server = Server::start().await;
    let id = server.user("ada@example.com", "ACTIVE");
    let group = server.group("Sales", &[id]);
    for path in ["users".to_owned(), format!("groups/{group}/users")] {
        let ask = |header: &'static str| finish(server.request(Method::GET, &path).header(CONTENT_TYPE, header));
        for (header, left_out) in [
            (
                r#"application/json; okta-response="omitCredentials,omitCredentialsLinks,omitTransitioningToStatus""#,
                true,
            ),
            ("application/json; okta-response=omitCredentials", true),
            (r#"application/json; okta-response="omitCredentialsLinks""#, false),
            (r#"application/json; okta-response="nonsense""#, false),
            ("application/json", false),
        ] {
            let page = ask(header).await;
            assert_eq!(page.body[0].get("credentials").is_none(), left_out, "{path}, {header}");
        }
    }
}

#[tokio::test]
async fn a_user_alone_has_an_etag_that_moves_with_the_user() {
    let server = Server::start().await;
    let id = server.user("ada@example.com", "ACTIVE");
    let path = format!("users/{id}");
    let first = server.get(&path).await.header("etag").to_owned();
    assert!(first.starts_with("W/\""), "{first}");
    assert_eq!(server.get(&path).await.header("etag"), first);
    server.org.set_profile(&id, "title", json!("Boss"));
    assert_ne!(server.get(&path).await.header("etag"), first);
    assert!(!server.get("users").await.headers.contains_key("etag"));
}

#[tokio::test]
async fn a_user_alone_links_to_what_can_be_done_with_it() {
    let server = Server::start().await;
    for (status, link) in [("SUSPENDED", "unsuspend"), ("DEPROVISIONED", "activate"), ("PROVISIONED", "reactivate")] {
        let id = server.user(&format!("{status}@example.com"), status);
        let user = server.get(&format!("users/{id}")).await;
        let href = user.body["_links"][link]["href"].as_str().unwrap();
        assert_eq!(href, format!("{}/api/v1/users/{id}/lifecycle/{link}", server.url));
    }
}

#[tokio::test]
async fn groups_of_a_user_have_everyone() {
    let server = Server::start().await;
    let id = server.user("ada@example.com", "ACTIVE");
    server.group("Sales", std::slice::from_ref(&id));
    server.group("Support", &[]);
    assert_eq!(server.get(&format!("users/{id}/groups")).await.names(), ["Everyone", "Sales"]);
}

#[tokio::test]
async fn groups_of_nobody_are_not_found() {
    let server = Server::start().await;
    assert_eq!(server.get(&format!("users/{UNKNOWN}/groups")).await.failure(), (404, "E0000007"));
}
