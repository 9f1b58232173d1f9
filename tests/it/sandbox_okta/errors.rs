//! The shapes of errors.

use reqwest::Method;
use serde_json::json;

use super::support::{Answer, Server, UNKNOWN, finish};

/// Status, code and summary; the shape is the same for all.
fn told(answer: &Answer) -> (u16, &str, &str) {
    let keys: Vec<_> = answer.body.as_object().unwrap_or_else(|| panic!("{answer:?}")).keys().collect();
    assert_eq!(keys, ["errorCauses", "errorCode", "errorId", "errorLink", "errorSummary"]);
    assert_eq!(answer.body["errorLink"], answer.body["errorCode"]);
    assert!(answer.body["errorId"].as_str().unwrap().starts_with("oae"));
    assert!(answer.header("content-type").starts_with("application/json"));
    let (status, code) = answer.failure();
    (status, code, answer.body["errorSummary"].as_str().unwrap())
}

#[tokio::test]
async fn what_isnt_there_is_e0000007_with_its_id_and_type() {
    let server = Server::start().await;
    for (path, kind) in
        [("users/", "User"), ("groups/", "UserGroup"), ("apps/", "AppInstance"), ("mappings/", "ProfileMapping")]
    {
        let answer = server.get(&format!("{path}{UNKNOWN}")).await;
        let summary = format!("Not found: Resource not found: {UNKNOWN} ({kind})");
        assert_eq!(told(&answer), (404, "E0000007", summary.as_str()));
        assert_eq!(answer.body["errorCauses"], json!([]));
    }
}

#[tokio::test]
async fn a_listing_below_what_isnt_there_is_e0000007_too() {
    let server = Server::start().await;
    for path in [format!("groups/{UNKNOWN}/users"), format!("groups/{UNKNOWN}/apps"), format!("users/{UNKNOWN}/groups")]
    {
        assert_eq!(server.get(&path).await.failure(), (404, "E0000007"), "{path}");
    }
}

#[tokio::test]
async fn a_path_that_isnt_there_is_e0000008() {
    let server = Server::start().await;
    let app = server.app(&[]);
    for path in ["nonsense".to_owned(), format!("apps/{app}/nonsense"), format!("{}/nonsense", server.url)] {
        let answer = server.get(&path).await;
        assert_eq!(told(&answer), (404, "E0000008", "The requested path was not found"), "{path}");
    }
}

#[tokio::test]
async fn a_wrong_or_missing_token_is_e0000011() {
    let server = Server::start().await;
    let token = server.org.token();
    let wrong = ["SSWS wrong".to_owned(), "SSWS ".to_owned(), token.clone(), format!("Bearer {token}")];
    for header in wrong {
        let answer = finish(server.bare(Method::GET, "users").header("authorization", &header)).await;
        assert_eq!(told(&answer), (401, "E0000011", "Invalid token provided"), "{header}");
    }
    let answer = finish(server.bare(Method::GET, "users")).await;
    assert_eq!(told(&answer), (401, "E0000011", "Invalid token provided"));
}

#[tokio::test]
async fn nothing_is_told_without_a_token() {
    let server = Server::start().await;
    for path in ["users/nobody", "nonsense", "users?search=x"] {
        assert_eq!(finish(server.bare(Method::GET, path)).await.failure(), (401, "E0000011"), "{path}");
    }
}

#[tokio::test]
async fn a_method_that_only_reads_is_all_there_is() {
    let server = Server::start().await;
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = finish(server.request(method.clone(), "users")).await;
        let summary = "The endpoint does not support the provided HTTP method";
        assert_eq!(told(&answer), (405, "E0000022", summary), "{method}");
    }
}

#[tokio::test]
async fn a_parameter_that_isnt_valid_is_e0000001_and_names_it() {
    let server = Server::start().await;
    let answer = server.get("groups?limit=x").await;
    assert_eq!(told(&answer), (400, "E0000001", "Api validation failed: limit"));
    assert!(answer.cause().starts_with("limit: "), "{}", answer.cause());
}

#[tokio::test]
async fn a_search_that_isnt_valid_is_e0000031_with_its_cause() {
    let server = Server::start().await;
    let answer = server.search("status").await;
    assert_eq!(told(&answer), (400, "E0000031", "Invalid search criteria."));
    assert!(!answer.cause().is_empty());
}

#[tokio::test]
async fn a_bad_cursor_of_a_plain_listing_is_e0000029() {
    let server = Server::start().await;
    let answer = server.get("apps?after=x").await;
    assert_eq!(told(&answer), (400, "E0000029", "Invalid paging request."));
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let server = Server::start().await;
    for path in ["users", "users/nobody", "nonsense"] {
        assert!(!server.get(path).await.header("x-okta-request-id").is_empty(), "{path}");
    }
}
