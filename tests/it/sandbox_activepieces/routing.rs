//! Paths, methods and headers (docs/activepieces.md#routes and docs/activepieces.md#response-headers).

use reqwest::Method;
use serde_json::json;

use super::support::{SCIM, Server, UNKNOWN, finish, user};

#[tokio::test]
async fn unknown_paths_are_404() {
    let server = Server::start().await;
    let long = format!("{SCIM}/Users/{}", "a".repeat(101));
    let paths = [
        "/api/v1/scim/v2/Nothing",
        "/api/v1/scim/v2/Me",
        "/api/v1/scim/v2/ResourceTypes/User",
        "/api/v1/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
        "/api/v1/scim/v2/users",
        "/api/v1/scim/v2//Users",
        "/api/v1/scim/v2/Users//",
        "/api/v2/users",
        &long,
    ];
    for path in paths {
        let answer = server.get(path).await;
        let body = json!({"statusCode": 404, "error": "Not Found", "message": "Route not found"});
        assert_eq!((answer.status, answer.body), (404, body), "{path}");
    }
}

#[tokio::test]
async fn unknown_methods_are_404() {
    let server = Server::start().await;
    let cases = [
        (Method::POST, "/api/v1/scim/v2/Bulk"),
        (Method::POST, "/api/v1/scim/v2/Users/.search"),
        (Method::PUT, "/api/v1/scim/v2/Users"),
        (Method::PATCH, "/api/v1/scim/v2/Users"),
        (Method::DELETE, "/api/v1/scim/v2/Users"),
        (Method::PUT, "/api/v1/scim/v2/Groups"),
        (Method::POST, "/api/v1/project-members"),
    ];
    for (method, path) in cases {
        let answer = server.send(method.clone(), path, &json!({})).await;
        assert_eq!(answer.failure(), (404, "", "Route not found"), "{method} {path}");
    }
}

#[tokio::test]
async fn a_trailing_slash_is_accepted() {
    let server = Server::start().await;
    assert_eq!(server.get(&format!("{SCIM}/Users/")).await.body["totalResults"], 1);
}

#[tokio::test]
async fn head_works() {
    let server = Server::start().await;
    let answer = finish(server.request(Method::HEAD, &format!("{SCIM}/Users"))).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
}

#[tokio::test]
async fn without_the_api_prefix_get_and_post_are_200_html() {
    let server = Server::start().await;
    for method in [Method::GET, Method::POST] {
        let answer = server.send(method, "/v1/scim/v2/Users", &user("a@example.com", None)).await;
        assert_eq!(answer.status, 200);
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/html"));
        assert!(answer.text.starts_with("<!doctype html>"));
    }
    assert_eq!(server.platform.users().len(), 1);
}

#[tokio::test]
async fn an_id_of_a_hundred_characters_is_still_an_id() {
    let server = Server::start().await;
    let answer = server.get(&format!("{SCIM}/Users/{}", "a".repeat(100))).await;
    assert_eq!(answer.failure(), (404, "", "User not found"));
}

#[tokio::test]
async fn a_nul_byte_is_500() {
    let server = Server::start().await;
    let mut body = user("a@example.com", None);
    body["name"]["givenName"] = json!("a\0b");
    let answers = [
        server.get(&format!("{SCIM}/Users/abc%00")).await,
        server.post(&format!("{SCIM}/Users"), &body).await,
        server.filtered("Users", "userName eq \"a\0\"").await,
    ];
    for answer in answers {
        assert_eq!((answer.status, &answer.body["code"]), (500, &json!("22021")));
    }
}

#[tokio::test]
async fn the_headers_are_these_and_no_others() {
    let server = Server::start().await;
    let answer = server.post(&format!("{SCIM}/Users"), &user("a@example.com", None)).await;
    let mut names: Vec<_> = answer.headers.keys().map(reqwest::header::HeaderName::as_str).collect();
    names.sort_unstable();
    let expected = [
        "access-control-allow-origin",
        "access-control-expose-headers",
        "connection",
        "content-length",
        "content-security-policy",
        "content-type",
        "date",
        "keep-alive",
        "strict-transport-security",
        "x-content-type-options",
    ];
    assert_eq!(names, expected);
    assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(answer.headers["keep-alive"], "timeout=72");
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn errors_are_never_scim_errors() {
    let server = Server::start().await;
    let answers = [
        server.get(&format!("{SCIM}/Users/{UNKNOWN}")).await,
        server.post(&format!("{SCIM}/Users"), &json!({})).await,
        finish(server.bare(Method::GET, &format!("{SCIM}/Users"))).await,
    ];
    for answer in answers {
        assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
        for word in ["scim:api:messages", "detail", "scimType"] {
            assert!(!answer.text.contains(word), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn three_hundred_requests_meet_no_rate_limit() {
    let server = Server::start().await;
    for _ in 0..300 {
        assert_eq!(server.get(&format!("{SCIM}/Users?count=1")).await.status, 200);
    }
}

#[tokio::test]
async fn the_same_calls_give_the_same_ids() {
    let (one, other) = (Server::start().await, Server::start().await);
    assert_eq!(one.seed("a@example.com", None), other.seed("a@example.com", None));
    assert_eq!(one.platform.api_key(), other.platform.api_key());
    assert!(one.platform.api_key().starts_with("sk-"));
    let id = one.owner_id();
    assert!(id.len() == 21 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
}
