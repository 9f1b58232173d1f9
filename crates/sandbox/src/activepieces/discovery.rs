//! SCIM's discovery routes (docs/activepieces.md#discovery; for generation A section 9).

use serde_json::{Value, json};

use super::errors::Failure;
use super::platform::Platform;
use super::settings::Generation;
use super::transport::Reply;
use super::validate::{CUSTOM_USER_ATTRIBUTES, PLATFORM_ROLES};

const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
const USER_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// `maxResults` is 100, and not obeyed.
pub(super) fn service_provider_config() -> Result<Reply, Failure> {
    Reply::ok(&json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "documentationUri": "https://www.activepieces.com/docs",
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": 100},
        "changePassword": {"supported": false},
        "sort": {"supported": false},
        "etag": {"supported": false},
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "Authentication scheme using the OAuth Bearer Token Standard",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "documentationUri": "https://www.activepieces.com/docs",
        }],
        "meta": {"resourceType": "ServiceProviderConfig", "location": "/scim/v2/ServiceProviderConfig"},
    }))
}

pub(super) fn resource_types(platform: &Platform) -> Result<Reply, Failure> {
    let resource_type = |name: &str, endpoint: &str, schema: &str| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": name,
            "name": name,
            "endpoint": endpoint,
            "schema": schema,
            "meta": {"resourceType": "ResourceType", "location": format!("/scim/v2/ResourceTypes/{name}")},
        })
    };
    let types = [resource_type("User", "/Users", USER_SCHEMA), resource_type("Group", "/Groups", GROUP_SCHEMA)];
    two(platform, &types)
}

pub(super) fn schemas(platform: &Platform) -> Result<Reply, Failure> {
    let mut user = vec![
        attribute("userName", "string", true, &[]),
        attribute(
            "name",
            "complex",
            false,
            &[attribute("givenName", "string", false, &[]), attribute("familyName", "string", false, &[])],
        ),
        attribute(
            "emails",
            "complex",
            false,
            &[attribute("value", "string", true, &[]), attribute("primary", "boolean", false, &[])],
        ),
        attribute("active", "boolean", false, &[]),
        attribute("externalId", "string", false, &[]),
    ];
    if platform.settings().generation != Generation::A {
        let mut role = attribute("platformRole", "string", false, &[]);
        role["canonicalValues"] = json!(PLATFORM_ROLES);
        user.push(attribute(CUSTOM_USER_ATTRIBUTES, "complex", false, &[role]));
    }
    let members = [attribute("value", "string", true, &[]), attribute("display", "string", false, &[])];
    let group = [
        attribute("displayName", "string", true, &[]),
        attribute("members", "complex", false, &members),
        attribute("externalId", "string", false, &[]),
    ];
    two(platform, &[schema(USER_SCHEMA, "User", &user), schema(GROUP_SCHEMA, "Group", &group)])
}

fn schema(id: &str, name: &str, attributes: &[Value]) -> Value {
    json!({
        "schemas": [SCHEMA],
        "id": id,
        "name": name,
        "description": name,
        "attributes": attributes,
        "meta": {"resourceType": "Schema", "location": format!("/scim/v2/Schemas/{id}")},
    })
}

fn attribute(name: &str, kind: &str, required: bool, sub_attributes: &[Value]) -> Value {
    let mut attribute = json!({
        "name": name,
        "type": kind,
        "multiValued": name == "emails" || name == "members",
        "required": required,
    });
    if !sub_attributes.is_empty() {
        attribute["subAttributes"] = json!(sub_attributes);
    }
    attribute
}

/// Two resources: as a list response, or as the bare array of generation A.
fn two(platform: &Platform, resources: &[Value; 2]) -> Result<Reply, Failure> {
    match platform.settings().generation {
        Generation::A => Reply::ok(resources),
        Generation::Current | Generation::HidesEmbedded => Reply::ok(&json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": 2,
            "startIndex": 1,
            "itemsPerPage": 2,
            "Resources": resources,
        })),
    }
}
