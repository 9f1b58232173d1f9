//! The shapes of entities, as Okta sends them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::state::{AppRow, GroupRow, Tables, UserRow};

/// The id of the one user type of the org.
pub const USER_TYPE: &str = "otyc04qb2rUDcq2YA4x6";

/// `2026-01-31T12:34:56.000Z`
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// A user; in lists with fewer links. `credentials` are left out where the request asks for it.
pub fn user(id: &str, row: &UserRow, host: &str, credentials: bool) -> Value {
    let mut user = json!({
        "id": id,
        "status": row.status,
        "created": time(row.created),
        "activated": if row.status == "STAGED" { Value::Null } else { time(row.created).into() },
        "statusChanged": time(row.status_changed),
        "lastLogin": null,
        "lastUpdated": time(row.last_updated),
        "passwordChanged": null,
        "type": {"id": USER_TYPE},
        "profile": row.profile,
        "_links": {"self": {"href": format!("{host}/api/v1/users/{id}")}},
    });
    if credentials {
        user["credentials"] = json!({"provider": {"type": "OKTA", "name": "OKTA"}});
    }
    user
}

pub fn group(id: &str, row: &GroupRow, host: &str) -> Value {
    json!({
        "id": id,
        "created": time(row.created),
        "lastUpdated": time(row.last_updated),
        "lastMembershipUpdated": time(row.last_membership_updated),
        "objectClass": ["okta:user_group"],
        "type": row.kind,
        "profile": {"name": row.name, "description": null},
        "_links": {
            "users": {"href": format!("{host}/api/v1/groups/{id}/users")},
            "apps": {"href": format!("{host}/api/v1/groups/{id}/apps")},
        },
    })
}

/// A group with `expand=stats`.
pub fn group_with_stats(id: &str, row: &GroupRow, host: &str, members: usize) -> Value {
    let mut group = group(id, row, host);
    group["_embedded"] = json!({"stats": {
        "usersCount": members, "appsCount": 0, "groupPushMappingsCount": 0, "hasAdminPrivlege": false,
        "_links": {"self": {"href": format!("{host}/api/v1/groups/{id}/stats")}},
    }});
    group
}

pub fn app(id: &str, row: &AppRow, host: &str) -> Value {
    json!({
        "id": id,
        "name": row.name,
        "label": row.label,
        "status": "ACTIVE",
        "created": time(row.created),
        "lastUpdated": time(row.created),
        "signOnMode": "SAML_2_0",
        "features": ["PUSH_NEW_USERS", "PUSH_PROFILE_UPDATES", "PUSH_USER_DEACTIVATION", "GROUP_PUSH"],
        "_links": {"users": {"href": format!("{host}/api/v1/apps/{id}/users")}},
    })
}

/// An assignment, with the user embedded where the request asks for it.
pub fn app_user(tables: &Tables, app: &str, id: &str, assigned: Timestamp, host: &str, expand: bool) -> Value {
    let row = tables.users.get(id);
    let attribute = |name: &str| row.and_then(|row| row.profile.get(name)).cloned().unwrap_or(Value::Null);
    let mut assignment = json!({
        "id": id,
        "externalId": null,
        "created": time(assigned),
        "lastUpdated": time(assigned),
        "scope": "USER",
        "status": "ACTIVE",
        "statusChanged": time(assigned),
        "passwordChanged": null,
        "syncState": "DISABLED",
        "credentials": {"userName": attribute("login")},
        "profile": {"email": attribute("email"), "givenName": attribute("firstName"), "platformRole": null},
        "_links": {
            "app": {"href": format!("{host}/api/v1/apps/{app}")},
            "user": {"href": format!("{host}/api/v1/users/{id}")},
        },
    });
    if let (true, Some(row)) = (expand, row) {
        assignment["_embedded"] = json!({"user": user(id, row, host, true)});
    }
    assignment
}

/// The mapping from the Okta user profile to an app's; in lists without its properties.
pub fn mapping(app: &str, row: &AppRow, host: &str, properties: bool) -> Value {
    let id = mapping_id(app);
    let mut mapping = json!({
        "id": id,
        "source": {
            "id": USER_TYPE, "name": "user", "type": "user",
            "_links": {"self": {"href": format!("{host}/api/v1/meta/types/user/{USER_TYPE}")}},
        },
        "target": {
            "id": app, "name": row.name, "type": "appuser",
            "_links": {"self": {"href": format!("{host}/api/v1/apps/{app}")}},
        },
        "_links": {"self": {"href": format!("{host}/api/v1/mappings/{id}")}},
    });
    if properties {
        let role = r#"user.okta_role == "Master" ? "ADMIN" : user.okta_role == "op" ? "OPERATOR" : "MEMBER""#;
        let push = |expression: &str| json!({"expression": expression, "pushStatus": "PUSH"});
        mapping["properties"] = json!({
            "givenName": push("user.firstName"), "familyName": push("user.lastName"), "email": push("user.email"),
            "displayName": push("user.displayName"), "platformRole": push(role),
            "title": {"expression": "", "pushStatus": "DONT_PUSH"},
        });
    }
    mapping
}

/// The id of an app's mapping.
pub fn mapping_id(app: &str) -> String {
    format!("prm{}", app.trim_start_matches("0oa"))
}

/// The user schema: base attributes, and every custom one that a profile has.
pub fn user_schema(tables: &Tables, host: &str) -> Value {
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
    schema(host, "user/default", "user", &base, &custom)
}

/// The schema of an app's own profile.
pub fn app_schema(app: &str, row: &AppRow, host: &str) -> Value {
    let text = |name: &str| (name.to_owned(), json!({"title": name, "type": "string", "scope": "NONE"}));
    let base = Map::from_iter(["userName", "givenName", "familyName", "email", "displayName"].map(text));
    let mut custom = Map::new();
    custom.insert(
        "platformRole".to_owned(),
        json!({
            "title": "platformRole", "type": "string", "scope": "NONE", "externalName": "platformRole",
            "externalNamespace": "urn:ietf:params:scim:schemas:activepieces:1.0:CustomUserAttributes",
            "enum": ["ADMIN", "MEMBER", "OPERATOR"],
        }),
    );
    schema(host, &format!("apps/{app}/default"), &row.name, &base, &custom)
}

fn schema(host: &str, path: &str, name: &str, base: &Map<String, Value>, custom: &Map<String, Value>) -> Value {
    json!({
        "id": format!("{host}/meta/schemas/{path}"),
        "$schema": "http://json-schema.org/draft-04/schema#",
        "name": name,
        "type": "object",
        "definitions": {
            "base": {"id": "#base", "type": "object", "properties": base, "required": []},
            "custom": {"id": "#custom", "type": "object", "properties": custom, "required": []},
        },
    })
}

pub fn user_types(host: &str) -> Value {
    json!([{
        "id": USER_TYPE, "name": "user", "displayName": "User", "default": true,
        "_links": {"schema": {"href": format!("{host}/api/v1/meta/schemas/user/default")}},
    }])
}

pub fn org(host: &str) -> Value {
    json!({"id": "00oc04qb2rUDcq2YA4x6", "companyName": "Example", "subdomain": "example", "status": "ACTIVE",
        "_links": {"contacts": {"href": format!("{host}/api/v1/org/contacts")}}})
}

pub fn well_known(host: &str) -> Value {
    json!({"id": "00oc04qb2rUDcq2YA4x6", "pipeline": "idx", "cell": "sandbox", "settings": {},
        "_links": {"organization": {"href": host}}})
}
