//! What a snapshot keeps of an answer: what a plan may rest on, and no credentials.

use Redaction::{Replaced, Stays};
use serde_json::{Map, Value};

/// What redaction does with a text of a member outside of profiles.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Redaction {
    /// It's an id, a time, a status, or a word of the servers themselves.
    Stays,
    Replaced,
}

/// The members that the program reads, at any depth, of both servers' entities.
const MEMBERS: [(&str, Redaction); 66] = [
    ("Resources", Replaced),
    ("_embedded", Replaced),
    ("_links", Replaced),
    ("activated", Stays),
    ("active", Replaced),
    ("analytics", Replaced),
    ("created", Stays),
    ("credentials", Replaced),
    ("data", Replaced),
    ("default", Stays),
    ("definitions", Stays),
    ("displayName", Replaced),
    ("email", Replaced),
    ("emails", Replaced),
    ("expression", Stays),
    ("externalId", Replaced),
    ("familyName", Replaced),
    ("firstName", Replaced),
    ("givenName", Replaced),
    ("href", Stays),
    ("id", Stays),
    ("isDefault", Replaced),
    ("label", Replaced),
    ("lastLogin", Stays),
    ("lastMembershipUpdated", Stays),
    ("lastName", Replaced),
    ("lastUpdated", Stays),
    ("members", Replaced),
    ("meta", Replaced),
    ("metadata", Replaced),
    ("name", Stays),
    ("next", Stays),
    ("objectClass", Stays),
    ("ownerId", Stays),
    ("passwordChanged", Stays),
    ("platformId", Stays),
    ("platformRole", Stays),
    ("previous", Stays),
    ("primary", Replaced),
    ("priority", Stays),
    ("profile", Replaced),
    ("projectId", Stays),
    ("projectRole", Stays),
    ("projectRoleId", Stays),
    ("properties", Stays),
    ("pushStatus", Stays),
    ("realmId", Stays),
    ("role", Stays),
    ("schema", Stays),
    ("scope", Stays),
    ("self", Replaced),
    ("source", Replaced),
    ("sourceGroupId", Stays),
    ("status", Stays),
    ("statusChanged", Stays),
    ("target", Replaced),
    ("template", Stays),
    ("totalFlows", Replaced),
    ("totalResults", Stays),
    ("type", Stays),
    ("urn:ietf:params:scim:schemas:activepieces:1.0:CustomUserAttributes", Replaced),
    ("user", Replaced),
    ("userId", Stays),
    ("userName", Replaced),
    ("userNameTemplate", Replaced),
    ("value", Replaced),
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
        (known, value) if redaction(known).is_some() => kept(value),
        _ => return None,
    };
    Some((name, value))
}

fn redaction(name: &str) -> Option<Redaction> {
    MEMBERS.iter().find(|(known, _)| *known == name).map(|(_, redaction)| *redaction)
}

/// Whether redaction leaves a text of the member as it is.
pub fn stays(name: &str) -> bool {
    redaction(name) == Some(Stays)
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
