//! Content types and bodies (docs/activepieces.md#request-bodies), and the words of the validation.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::{Answer, SCIM, Server, URN, finish, group, user};

async fn posted(server: &Server, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = server.request(Method::POST, &format!("{SCIM}/Users")).body(body);
    finish(if content_type.is_empty() { request } else { request.header("content-type", content_type) }).await
}

#[tokio::test]
async fn both_json_types_are_taken_with_a_charset_too() {
    let server = Server::start().await;
    for (number, kind) in
        ["application/json", "application/scim+json", "application/json; charset=utf-8"].iter().enumerate()
    {
        let body = user(&format!("{number}@example.com"), None).to_string();
        assert_eq!(posted(&server, kind, body).await.status, 201, "{kind}");
    }
}

#[tokio::test]
async fn text_and_forms_get_as_far_as_validation() {
    let server = Server::start().await;
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        let answer = posted(&server, kind, "userName=a").await;
        assert_eq!((answer.status, answer.failure().1), (400, "FST_ERR_VALIDATION"), "{kind}");
    }
}

#[tokio::test]
async fn xml_or_no_type_is_415() {
    let server = Server::start().await;
    for kind in ["application/xml", ""] {
        let answer = posted(&server, kind, "<a/>").await;
        assert_eq!((answer.status, answer.failure().1), (415, "FST_ERR_CTP_INVALID_MEDIA_TYPE"), "{kind}");
    }
}

#[tokio::test]
async fn compressed_bodies_and_byte_order_marks_are_400() {
    let server = Server::start().await;
    for kind in ["application/json", "application/scim+json"] {
        assert_eq!(posted(&server, kind, vec![0x1f, 0x8b, 8, 0]).await.status, 400);
        assert_eq!(posted(&server, kind, "\u{feff}{}").await.status, 400);
    }
}

#[tokio::test]
async fn bad_scim_json_has_the_plain_shape() {
    let server = Server::start().await;
    let answer = posted(&server, "application/scim+json", "{\"a\":").await;
    let body = json!({"statusCode": 400, "error": "Bad Request", "message": "Unexpected end of JSON input"});
    assert_eq!(answer.body, body);
    assert_eq!(posted(&server, "application/scim+json", "{a}").await.body["code"], Value::Null);
}

#[tokio::test]
async fn bad_json_has_the_coded_shape() {
    let server = Server::start().await;
    let answer = posted(&server, "application/json", "{\"a\":").await;
    let message = "Body is not valid JSON but content-type is set to 'application/json'";
    assert_eq!(answer.failure(), (400, "FST_ERR_CTP_INVALID_JSON_BODY", message));
}

#[tokio::test]
async fn an_empty_or_blank_scim_body_is_an_empty_object() {
    let server = Server::start().await;
    for body in ["", "  \n"] {
        let answer = posted(&server, "application/scim+json", body).await;
        assert_eq!((answer.status, answer.failure().1), (400, "FST_ERR_VALIDATION"));
        assert!(answer.failure().2.contains("body/userName Invalid input: expected string, received undefined"));
    }
}

#[tokio::test]
async fn delete_without_a_body_is_400_with_the_json_type_and_fine_with_scims() {
    let server = Server::start().await;
    let id = server.seed("a@example.com", None);
    let request = || server.request(Method::DELETE, &format!("{SCIM}/Users/{id}"));
    let answer = finish(request().header("content-type", "application/json")).await;
    assert_eq!((answer.status, answer.failure().1), (400, "FST_ERR_CTP_EMPTY_JSON_BODY"));
    assert_eq!(finish(request().header("content-type", "application/scim+json")).await.status, 204);
}

#[tokio::test]
async fn unknown_attributes_are_ignored() {
    let server = Server::start().await;
    let mut body = user("a@example.com", None);
    body["nickName"] = json!({"any": ["thing"]});
    assert_eq!(server.post(&format!("{SCIM}/Users"), &body).await.status, 201);
}

#[tokio::test]
async fn proto_keys_are_tolerated_in_scim_json_and_400_in_json() {
    let server = Server::start().await;
    let body = r#"{"schemas":[],"userName":"a@example.com","__proto__":{"a":1}}"#;
    assert_eq!(posted(&server, "application/json", body).await.failure().1, "FST_ERR_CTP_INVALID_JSON_BODY");
    assert_eq!(posted(&server, "application/scim+json", body).await.status, 201);
}

#[tokio::test]
async fn a_body_above_54_mib_is_413() {
    let server = Server::start().await;
    // Only announced, since a client that is still sending may not get to read the answer.
    let request = |length: usize| {
        format!(
            "POST {SCIM}/Users HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n"
        )
    };
    let mut socket = tokio::net::TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    socket.write_all(request(54 * 1024 * 1024 + 1).as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("\"FST_ERR_CTP_BODY_TOO_LARGE\"") && answer.contains("\"Request body is too large\""));
}

#[tokio::test]
async fn a_body_of_many_mib_is_taken() {
    let server = Server::start().await;
    let mut body = user("a@example.com", None);
    body["title"] = json!("x".repeat(20 * 1024 * 1024));
    assert_eq!(server.post(&format!("{SCIM}/Users"), &body).await.status, 201);
}

#[tokio::test]
async fn user_bodies_are_checked() {
    let server = Server::start().await;
    let role = |role: Value| json!({"schemas": [], "userName": "a", URN: {"platformRole": role}});
    let bad_role = format!("body/{URN}/platformRole Invalid option: expected one of \"ADMIN\"|\"MEMBER\"|\"OPERATOR\"");
    let cases = [
        (json!([]), "body Invalid input: expected object, received array"),
        (json!({"schemas": []}), "body/userName Invalid input: expected string, received undefined"),
        (json!({"userName": "a"}), "body/schemas Invalid input: expected array, received undefined"),
        (json!({"schemas": [1], "userName": "a"}), "body/schemas/0 Invalid input: expected string, received number"),
        (json!({"schemas": [], "userName": null}), "body/userName Invalid input: expected string, received null"),
        (
            json!({"schemas": [], "userName": "a", "externalId": null}),
            "body/externalId Invalid input: expected string, received null",
        ),
        (
            json!({"schemas": [], "userName": "a", "name": null}),
            "body/name Invalid input: expected object, received null",
        ),
        (
            json!({"schemas": [], "userName": "a", "name": {"givenName": null}}),
            "body/name/givenName Invalid input: expected string, received null",
        ),
        (
            json!({"schemas": [], "userName": "a", "active": "true"}),
            "body/active Invalid input: expected boolean, received string",
        ),
        (
            json!({"schemas": [], "userName": "a", "active": null}),
            "body/active Invalid input: expected boolean, received null",
        ),
        (
            json!({"schemas": [], "userName": "a", "emails": [{}]}),
            "body/emails/0/value Invalid input: expected string, received undefined",
        ),
        (
            json!({"schemas": [], "userName": "a", "emails": [{"value": "a", "primary": "yes"}]}),
            "body/emails/0/primary Invalid input",
        ),
        (role(json!("admin")), &bad_role),
        (role(json!("")), &bad_role),
        (role(json!("ROOT")), &bad_role),
        (json!({"schemas": [], "userName": "a", URN: {}}), &bad_role),
    ];
    for (body, message) in cases {
        let owner = format!("{SCIM}/Users/{}", server.owner_id());
        for answer in [server.post(&format!("{SCIM}/Users"), &body).await, server.put(&owner, &body).await] {
            assert_eq!(answer.failure(), (400, "FST_ERR_VALIDATION", message), "{body}");
        }
    }
    assert_eq!(server.platform.users().len(), 1);
}

#[tokio::test]
async fn several_problems_are_joined_by_commas() {
    let server = Server::start().await;
    let answer = server.post(&format!("{SCIM}/Users"), &json!({})).await;
    let message = "body/schemas Invalid input: expected array, received undefined, body/userName Invalid input: \
                   expected string, received undefined";
    assert_eq!(answer.failure().2, message);
}

#[tokio::test]
async fn group_bodies_are_checked() {
    let server = Server::start().await;
    let cases = [
        (json!({"schemas": []}), "body/displayName Invalid input: expected string, received undefined"),
        (json!({"displayName": "a"}), "body/schemas Invalid input: expected array, received undefined"),
        (
            json!({"schemas": [], "displayName": "a", "externalId": null}),
            "body/externalId Invalid input: expected string, received null",
        ),
        (
            json!({"schemas": [], "displayName": "a", "members": null}),
            "body/members Invalid input: expected array, received null",
        ),
        (
            json!({"schemas": [], "displayName": "a", "members": [{}]}),
            "body/members/0/value Invalid input: expected string, received undefined",
        ),
        (
            json!({"schemas": [], "displayName": "a", "members": [{"value": "b", "display": null}]}),
            "body/members/0/display Invalid input: expected string, received null",
        ),
    ];
    let id = server.post(&format!("{SCIM}/Groups"), &group("Team", None, &[])).await.id().to_owned();
    for (body, message) in cases {
        let one = format!("{SCIM}/Groups/{id}");
        for answer in [server.post(&format!("{SCIM}/Groups"), &body).await, server.put(&one, &body).await] {
            assert_eq!(answer.failure(), (400, "FST_ERR_VALIDATION", message), "{body}");
        }
    }
}

#[tokio::test]
async fn patch_bodies_are_checked() {
    let server = Server::start().await;
    let cases = [
        (json!({"schemas": []}), "body/Operations Invalid input: expected array, received undefined"),
        (json!({"Operations": []}), "body/schemas Invalid input: expected array, received undefined"),
        (json!({"schemas": [], "operations": []}), "body/Operations Invalid input: expected array, received undefined"),
        (json!({"schemas": [], "Operations": [{"op": "REPLACE"}]}), "body/Operations/0/op Invalid input"),
        (json!({"schemas": [], "Operations": [{}]}), "body/Operations/0/op Invalid input"),
    ];
    for (body, message) in cases {
        for resource in ["Users", "Groups"] {
            let path = format!("{SCIM}/{resource}/{}", server.owner_id());
            let answer = server.send(Method::PATCH, &path, &body).await;
            assert_eq!(answer.failure(), (400, "FST_ERR_VALIDATION", message), "{body}");
        }
    }
}
