//! Schemas, types, and what the org says of itself.

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{Server, finish};

fn properties<'s>(schema: &'s Value, part: &str) -> &'s serde_json::Map<String, Value> {
    schema["definitions"][part]["properties"].as_object().unwrap()
}

#[tokio::test]
async fn the_user_schema_lists_base_and_custom_attributes_apart() {
    let server = Server::start().await;
    let custom = json!({
        "login": "a", "okta_role": "op", "level": 3, "quota": 1.5, "manages": true, "teams": ["x"], "nickName": "A",
    });
    server.person("ACTIVE", &custom);
    let schema = server.get("meta/schemas/user/default").await.body;
    assert_eq!(properties(&schema, "base").len(), 31);
    let custom: Vec<_> =
        properties(&schema, "custom").iter().map(|(name, property)| (name.as_str(), &property["type"])).collect();
    let expected = [
        ("level", &json!("integer")),
        ("manages", &json!("boolean")),
        ("okta_role", &json!("string")),
        ("quota", &json!("number")),
        ("teams", &json!("array")),
    ];
    assert_eq!(custom, expected);
}

#[tokio::test]
async fn names_of_attributes_are_case_sensitive() {
    let server = Server::start().await;
    server.person("ACTIVE", &json!({"login": "a", "role": "x", "Role": "y"}));
    let schema = server.get("meta/schemas/user/default").await.body;
    assert_eq!(properties(&schema, "custom").keys().collect::<Vec<_>>(), ["Role", "role"]);
}

#[tokio::test]
async fn the_schema_of_an_app_has_the_platform_role() {
    let server = Server::start().await;
    let app = server.app(&[]);
    let schema = server.get(&format!("meta/schemas/apps/{app}/default")).await.body;
    assert_eq!(properties(&schema, "custom")["platformRole"]["enum"], json!(["ADMIN", "MEMBER", "OPERATOR"]));
    assert!(properties(&schema, "base").contains_key("userName"));
}

#[tokio::test]
async fn the_schema_of_groups_has_name_and_description() {
    let server = Server::start().await;
    let schema = server.get("meta/schemas/group/default").await.body;
    assert_eq!(properties(&schema, "base").keys().collect::<Vec<_>>(), ["description", "name"]);
}

#[tokio::test]
async fn a_schema_of_no_app_is_not_found() {
    let server = Server::start().await;
    assert_eq!(server.get("meta/schemas/apps/none/default").await.failure(), (404, "E0000007"));
}

#[tokio::test]
async fn a_user_type_leads_to_its_schema_and_its_users() {
    let server = Server::start().await;
    server.user("ada@example.com", "ACTIVE");
    let types = server.get("meta/types/user").await;
    assert_eq!(types.body[0]["default"], true);
    let schema = server.get(types.body[0]["_links"]["schema"]["href"].as_str().unwrap()).await;
    assert_eq!(schema.body, server.get("meta/schemas/user/default").await.body);
    let search = format!(r#"type.id eq "{}""#, types.ids()[0]);
    assert_eq!(server.search(&search).await.items().len(), 1);
}

#[tokio::test]
async fn an_org_says_the_same_id_with_and_without_a_token() {
    let server = Server::start().await;
    let org = server.get("org").await;
    assert_eq!(org.body["status"], "ACTIVE");
    let public = finish(server.bare(Method::GET, &format!("{}/.well-known/okta-organization", server.url))).await;
    assert_eq!(public.body["id"], org.body["id"]);
    assert_eq!(public.body["pipeline"], "idx");
}
