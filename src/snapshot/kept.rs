//! What a snapshot keeps of an answer: what a plan may rest on, and no credentials.

use serde_json::{Map, Value};

/// The members that the program reads, at any depth, of both servers' entities.
const MEMBERS: [&str; 64] = [
    "Resources",
    "_embedded",
    "_links",
    "activated",
    "active",
    "analytics",
    "created",
    "credentials",
    "data",
    "default",
    "definitions",
    "displayName",
    "email",
    "emails",
    "expression",
    "externalId",
    "familyName",
    "firstName",
    "givenName",
    "href",
    "id",
    "isDefault",
    "label",
    "lastLogin",
    "lastMembershipUpdated",
    "lastName",
    "lastUpdated",
    "members",
    "meta",
    "metadata",
    "name",
    "next",
    "objectClass",
    "ownerId",
    "passwordChanged",
    "platformId",
    "platformRole",
    "previous",
    "primary",
    "priority",
    "profile",
    "projectId",
    "projectRole",
    "properties",
    "pushStatus",
    "realmId",
    "role",
    "schema",
    "scope",
    "self",
    "source",
    "status",
    "statusChanged",
    "target",
    "template",
    "totalFlows",
    "totalResults",
    "type",
    "urn:ietf:params:scim:schemas:activepieces:1.0:CustomUserAttributes",
    "user",
    "userId",
    "userName",
    "userNameTemplate",
    "value",
];
/// Members of which all is kept: attributes have any name.
const WHOLE: [&str; 3] = ["profile", "definitions", "properties"];
/// Parts of the names of attributes that may hold a secret.
const SECRETS: [&str; 5] = ["password", "secret", "token", "privatekey", "apikey"];

/// What is kept of an answer, or of an entity in a listing.
pub fn kept(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(members.into_iter().filter_map(member).collect()),
        Value::Array(items) => items.into_iter().map(kept).collect(),
        plain => plain,
    }
}

fn member((name, value): (String, Value)) -> Option<(String, Value)> {
    let value = match (name.as_str(), value) {
        // A schema has its own address as its id.
        ("href" | "id", Value::String(url)) if url.contains("://") => Value::String(path(&url).to_owned()),
        (whole, value) if WHOLE.contains(&whole) => without_secrets(value),
        (known, value) if MEMBERS.contains(&known) => kept(value),
        _ => return None,
    };
    Some((name, value))
}

fn without_secrets(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    Value::Object(members.into_iter().filter(|(name, _)| !may_be_secret(name)).collect::<Map<_, _>>())
}

/// Whether an attribute is left out, since it may hold a secret.
pub fn may_be_secret(attribute: &str) -> bool {
    let name = attribute.to_lowercase();
    // A time of the user, which an attribute of the same name doesn't hide.
    name != "passwordchanged" && SECRETS.iter().any(|secret| name.contains(secret))
}

/// The path of a link: its host is never used.
fn path(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    url[after_scheme..].find('/').map_or("", |at| &url[after_scheme + at..])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attributes_are_kept_whole_and_credentials_are_not() {
        let user = json!({
            "id": "00u1", "status": "ACTIVE", "profile": {"login": "ada@x.io", "apiToken": "sk-1", "team": {"a": [1]}},
            "credentials": {"password": {"hash": "x"}, "recovery_question": {"question": "first pet"},
                "userNameTemplate": {"template": "${source.email}", "suffix": "s"}},
            "settings": {"oauthClient": {"client_secret": "x"}},
            "_links": {"self": {"href": "https://x.okta.com/api/v1/users/00u1", "hints": {"allow": ["GET"]}}},
        });
        let expected = json!({
            "id": "00u1", "status": "ACTIVE", "profile": {"login": "ada@x.io", "team": {"a": [1]}},
            "credentials": {"userNameTemplate": {"template": "${source.email}"}},
            "_links": {"self": {"href": "/api/v1/users/00u1"}},
        });
        assert_eq!(kept(json!([user])), json!([expected]));
    }

    #[test]
    fn the_host_of_a_link_is_left_out() {
        for (url, expected) in [("https://x.io/a/b", "/a/b"), ("http://x.io:80/", "/"), ("https://x.io", "")] {
            assert_eq!(path(url), expected);
        }
    }
}
