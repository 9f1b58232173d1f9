//! Who may call what, and in which order it is checked (docs/activepieces.md#order-of-checks and docs/activepieces.md#authentication).

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use oktapieces_sandbox::activepieces::Outage;
use reqwest::Method;
use serde_json::json;
use tokio::time::timeout;

use crate::state::until;

use super::support::{Answer, SCIM, Server, finish, group};

const FORBIDDEN: (u16, &str, &str) = (403, "AUTHORIZATION", "principal is not allowed for this route");

async fn asked_with(server: &Server, authorization: &str, path: &str) -> Answer {
    finish(server.bare(Method::GET, path).header("authorization", authorization)).await
}

#[tokio::test]
async fn an_unknown_key_is_401() {
    let server = Server::start().await;
    let answer = asked_with(&server, "Bearer sk-unknown", "/api/v1/scim/v2/Users").await;
    assert_eq!(answer.failure(), (401, "AUTHENTICATION", "invalid api key"));
}

#[tokio::test]
async fn a_deleted_key_is_401() {
    let server = Server::start().await;
    server.platform.configure(|settings| settings.api_key_deleted = true);
    let answer = server.get("/api/v1/users").await;
    assert_eq!(answer.failure(), (401, "AUTHENTICATION", "invalid api key"));
}

#[tokio::test]
async fn what_is_neither_a_key_nor_a_session_is_401() {
    let server = Server::start().await;
    let two_spaces = format!("Bearer  {}", server.platform.api_key());
    for authorization in ["Bearer nonsense", &two_spaces] {
        let answer = asked_with(&server, authorization, "/api/v1/scim/v2/Users").await;
        let expected = (401, "INVALID_BEARER_TOKEN", "invalid access token or session expired");
        assert_eq!(answer.failure(), expected, "{authorization}");
    }
}

#[tokio::test]
async fn without_exactly_bearer_and_a_space_it_is_403() {
    let server = Server::start().await;
    let key = server.platform.api_key();
    for authorization in [format!("bearer {key}"), format!("Basic {key}"), key.to_owned()] {
        let answer = asked_with(&server, &authorization, "/api/v1/scim/v2/Users").await;
        assert_eq!(answer.failure(), FORBIDDEN, "{authorization}");
    }
    let answer = finish(server.bare(Method::GET, "/api/v1/scim/v2/Users")).await;
    assert_eq!(answer.failure(), FORBIDDEN);
}

#[tokio::test]
async fn a_session_is_refused_on_users_and_groups() {
    let server = Server::start().await;
    let session = format!("Bearer {}", server.platform.admin_token());
    for path in ["Users", "Groups"] {
        let answer = asked_with(&server, &session, &format!("{SCIM}/{path}")).await;
        assert_eq!(answer.failure(), FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn a_session_is_taken_on_discovery() {
    let server = Server::start().await;
    let session = format!("Bearer {}", server.platform.admin_token());
    for path in ["ServiceProviderConfig", "ResourceTypes", "Schemas"] {
        assert_eq!(asked_with(&server, &session, &format!("{SCIM}/{path}")).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn another_platforms_key_is_401() {
    let (one, other) = (Server::start().await, oktapieces_sandbox::activepieces::Platform::new(8));
    let answer = asked_with(&one, &format!("Bearer {}", other.api_key()), "/api/v1/users").await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn a_plan_without_scim_is_402_on_all_of_scim_and_not_on_rest() {
    let server = Server::start().await;
    server.platform.configure(|settings| settings.scim_enabled = false);
    for path in ["ServiceProviderConfig", "ResourceTypes", "Schemas", "Users", "Groups"] {
        let answer = server.get(&format!("{SCIM}/{path}")).await;
        assert_eq!(answer.failure(), (402, "FEATURE_DISABLED", "Feature is disabled"), "{path}");
    }
    assert_eq!(server.get("/api/v1/users").await.status, 200);
}

#[tokio::test]
async fn an_unknown_route_is_404_before_the_token_is_looked_at() {
    let server = Server::start().await;
    assert_eq!(asked_with(&server, "Bearer sk-unknown", "/api/v1/scim/v2/Nothing").await.status, 404);
}

#[tokio::test]
async fn an_invalid_body_is_400_before_the_token_and_the_plan_are_looked_at() {
    let server = Server::start().await;
    server.platform.configure(|settings| settings.scim_enabled = false);
    let path = format!("{SCIM}/Users");
    assert_eq!(server.post(&path, &json!({})).await.status, 400);
    let request = server.bare(Method::POST, &path).header("authorization", "Bearer sk-unknown");
    let answer = finish(request.header("content-type", "application/scim+json").body("{}")).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn a_bad_token_is_401_before_the_plan_is_looked_at() {
    let server = Server::start().await;
    server.platform.configure(|settings| settings.scim_enabled = false);
    assert_eq!(asked_with(&server, "Bearer sk-unknown", "/api/v1/scim/v2/Users").await.status, 401);
}

#[tokio::test]
async fn while_shutting_down_it_is_503_and_the_connection_is_closed() {
    let server = Server::start().await;
    server.platform.configure(|settings| settings.outage = Outage::ShuttingDown);
    let answer = server.get("/api/v1/users").await;
    let body = json!({"error": "Service Unavailable", "message": "Service Unavailable", "statusCode": 503});
    assert_eq!((answer.status, &answer.body), (503, &body));
    assert_eq!(answer.headers["connection"], "close");
}

#[tokio::test]
async fn without_the_database_it_is_500_with_the_place_leaking() {
    let server = Server::start().await;
    server.platform.configure(|settings| settings.outage = Outage::Database);
    let answer = server.get("/api/v1/scim/v2/Users").await;
    assert_eq!(answer.failure(), (500, "ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:5432"));
}

#[tokio::test]
async fn without_redis_a_group_is_deleted_but_never_answered() {
    let server = Server::start().await;
    let id = server.post(&format!("{SCIM}/Groups"), &group("Team", None, &[])).await.id().to_owned();
    server.platform.configure(|settings| settings.outage = Outage::Redis);
    let path = format!("{SCIM}/Groups/{id}");
    let request = pin!(server.request(Method::DELETE, &path).send());
    let deleted = pin!(until(async || server.get(&path).await.status == 404));
    let Either::Right(((), request)) = select(request, deleted).await else { panic!("it answered") };
    assert!(timeout(Duration::from_millis(300), request).await.is_err(), "it answered");
    assert_eq!(server.get(&path).await.failure(), (404, "", "Project not found"));
}
