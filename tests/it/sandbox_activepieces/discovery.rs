//! The discovery routes (docs/activepieces.md#discovery).

use serde_json::{Value, json};

use super::support::{SCIM, Server, URN};

#[tokio::test]
async fn the_service_provider_config_is_this() {
    let server = Server::start().await;
    let body = server.get(&format!("{SCIM}/ServiceProviderConfig")).await.body;
    assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"]));
    assert_eq!(body["patch"], json!({"supported": true}));
    assert_eq!(body["bulk"], json!({"supported": false, "maxOperations": 0, "maxPayloadSize": 0}));
    assert_eq!(body["filter"], json!({"supported": true, "maxResults": 100}));
    for part in ["changePassword", "sort", "etag"] {
        assert_eq!(body[part], json!({"supported": false}), "{part}");
    }
    assert_eq!(body["authenticationSchemes"][0]["type"], "oauthbearertoken");
    assert_eq!(body["authenticationSchemes"][0]["name"], "OAuth Bearer Token");
    assert_eq!(body["meta"]["location"], "/scim/v2/ServiceProviderConfig");
    assert!(body["documentationUri"].is_string());
}

#[tokio::test]
async fn resource_types_and_schemas_are_list_responses() {
    let server = Server::start().await;
    for path in ["ResourceTypes", "Schemas"] {
        let body = server.get(&format!("{SCIM}/{path}")).await.body;
        assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"]));
        assert_eq!(body["totalResults"], 2);
        assert_eq!(body["startIndex"], 1);
        assert_eq!(body["itemsPerPage"], 2);
        assert_eq!(body["Resources"][0]["name"], "User");
        assert_eq!(body["Resources"][1]["name"], "Group");
    }
}

fn attributes(schema: &Value) -> Vec<&str> {
    schema["attributes"].as_array().unwrap().iter().map(|attribute| attribute["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn schemas_advertise_these_attributes() {
    let server = Server::start().await;
    let body = server.get(&format!("{SCIM}/Schemas")).await.body;
    assert_eq!(attributes(&body["Resources"][0]), ["userName", "name", "emails", "active", "externalId", URN]);
    assert_eq!(attributes(&body["Resources"][1]), ["displayName", "members", "externalId"]);
    assert_eq!(body["Resources"][0]["attributes"][5]["subAttributes"][0]["name"], "platformRole");
}
