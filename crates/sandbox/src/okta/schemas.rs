//! The shapes of schemas and of the user type.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::apps::AppRow;
use super::render::{USER_SCHEMA, USER_TYPE, time};
use super::state::Tables;

/// The attributes that every user profile has.
const BASE: [&str; 31] = [
    "login",
    "firstName",
    "lastName",
    "middleName",
    "honorificPrefix",
    "honorificSuffix",
    "email",
    "title",
    "displayName",
    "nickName",
    "profileUrl",
    "secondEmail",
    "mobilePhone",
    "primaryPhone",
    "streetAddress",
    "city",
    "state",
    "zipCode",
    "countryCode",
    "postalAddress",
    "preferredLanguage",
    "locale",
    "timezone",
    "userType",
    "employeeNumber",
    "costCenter",
    "organization",
    "division",
    "department",
    "managerId",
    "manager",
];

/// The user schema: base attributes, and every custom one that a profile has.
pub fn user_schema(tables: &Tables, host: &str) -> Value {
    let property =
        |title: &str, kind: &str| json!({"title": title, "type": kind, "scope": "NONE", "mutability": "READ_WRITE"});
    let base: Map<String, Value> = BASE.iter().map(|name| ((*name).to_owned(), property(name, "string"))).collect();
    let mut custom = Map::new();
    for row in tables.users.values().take(1000) {
        for (name, value) in row.profile.iter().filter(|(name, _)| !base.contains_key(*name)) {
            let kind = match value {
                Value::Bool(_) => "boolean",
                Value::Number(number) if number.is_i64() => "integer",
                Value::Number(_) => "number",
                Value::Array(_) => "array",
                _ => "string",
            };
            custom.entry(name.clone()).or_insert_with(|| property(name, kind));
        }
    }
    let mut schema =
        schema(host, "user/default", ["user", "User", "Okta user profile template"], tables.created(), &base);
    schema["definitions"]["base"]["required"] = json!(["login", "firstName", "lastName", "email"]);
    schema["definitions"]["custom"]["properties"] = custom.into();
    schema["_links"] = json!({
        "self": {"rel": "self", "href": format!("{host}/api/v1/meta/schemas/user/{USER_SCHEMA}"), "method": "GET"},
        "type": {"rel": "type", "href": format!("{host}/api/v1/meta/types/user/{USER_TYPE}"), "method": "GET"},
    });
    schema
}

/// The schema of an app's own profile.
pub fn app_schema(app: &str, row: &AppRow, host: &str) -> Value {
    let base = Map::from_iter(["userName", "givenName", "familyName", "email", "displayName"].map(text));
    let title = format!("{} User", row.label);
    let mut schema = schema(host, &format!("apps/{app}/default"), [&row.name, &title, ""], row.created, &base);
    schema["definitions"]["custom"]["properties"] = json!({"platformRole": {
        "title": "platformRole", "type": "string", "scope": "NONE", "externalName": "platformRole",
        "externalNamespace": "urn:ietf:params:scim:schemas:activepieces:1.0:CustomUserAttributes",
        "enum": ["ADMIN", "MEMBER", "OPERATOR"],
    }});
    schema
}

/// The schema of groups.
pub fn group_schema(tables: &Tables, host: &str) -> Value {
    let names = ["group", "Okta group", "Okta group profile template"];
    let base = Map::from_iter(["name", "description"].map(text));
    let mut schema = schema(host, "group/default", names, tables.created(), &base);
    schema["_links"] = json!({
        "self": {"rel": "self", "href": format!("{host}/api/v1/meta/schemas/group/default"), "method": "GET"},
    });
    schema
}

/// A text attribute of this name.
fn text(name: &str) -> (String, Value) {
    (name.to_owned(), json!({"title": name, "type": "string", "scope": "NONE"}))
}

/// A schema without custom attributes; `names` are its name, title and description, which may be empty.
fn schema(host: &str, path: &str, names: [&str; 3], created: Timestamp, base: &Map<String, Value>) -> Value {
    let [name, title, description] = names;
    let mut schema = json!({
        "id": format!("{host}/meta/schemas/{path}"),
        "$schema": "http://json-schema.org/draft-04/schema#",
        "name": name,
        "title": title,
        "lastUpdated": time(created),
        "created": time(created),
        "definitions": {
            "custom": {"id": "#custom", "type": "object", "properties": {}, "required": []},
            "base": {"id": "#base", "type": "object", "properties": base, "required": []},
        },
        "type": "object",
        "properties": {"profile": {"allOf": [{"$ref": "#/definitions/custom"}, {"$ref": "#/definitions/base"}]}},
    });
    if !description.is_empty() {
        schema["description"] = description.into();
    }
    schema
}

/// What the associated name of a linked object ends in, whose beginning is the primary name.
pub const ASSOCIATED: &str = "_associated";

/// The definitions of linked objects.
pub fn linked_objects(tables: &Tables) -> Value {
    let end = |name: String| json!({"name": name, "title": name, "description": "", "type": "USER"});
    let definition = |primary: &String| json!({"primary": end(primary.clone()), "associated": end(format!("{primary}{ASSOCIATED}"))});
    tables.linked.keys().map(definition).collect()
}

/// The list of the one user type.
pub fn user_types(tables: &Tables, host: &str) -> Value {
    let created = time(tables.created());
    json!([{
        "id": USER_TYPE,
        "displayName": "User",
        "name": "user",
        "description": "Okta user profile template",
        "createdBy": "sprc04qb2rUDcq2YA4x6",
        "lastUpdatedBy": "sprc04qb2rUDcq2YA4x6",
        "created": created,
        "lastUpdated": created,
        "default": true,
        "_links": {
            "schema": {
                "rel": "schema", "href": format!("{host}/api/v1/meta/schemas/user/{USER_SCHEMA}"), "method": "GET",
            },
            "self": {"rel": "self", "href": format!("{host}/api/v1/meta/types/user/{USER_TYPE}"), "method": "GET"},
        },
    }])
}
