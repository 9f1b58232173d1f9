//! The shapes of entities, as Okta sends them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::apps::{AppRow, Assignment, PROVISIONING, PushRow};
use super::search::texts;
use super::state::{GroupRow, Tables, UserRow};

/// The id of the one user type of the org.
pub const USER_TYPE: &str = "otyc04qb2rUDcq2YA4x6";
/// The id of its schema.
pub const USER_SCHEMA: &str = "oscc04qb2rUDcq2YA4x6";

/// `2026-01-31T12:34:56.000Z`
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// The text of a user as in a list, made once for all lists; see [`user`].
pub fn user_text(id: &str, row: &UserRow, host: &str, credentials: bool) -> String {
    let shown = row.shown.get_or_init(|| {
        let mut user = user(id, row, "", false);
        if let Some(members) = user.as_object_mut() {
            members.remove("_links");
        }
        user.to_string().trim_start_matches('{').into()
    });
    let credentials = if credentials { r#""credentials":{"provider":{"type":"OKTA","name":"OKTA"}},"# } else { "" };
    format!(r#"{{"_links":{{"self":{{"href":"{host}/api/v1/users/{id}"}}}},{credentials}{shown}"#)
}

/// What the `fields` of a request ask for: `id,status,profile:(firstName,city)`.
#[derive(Debug)]
pub struct Fields {
    own: Vec<String>,
    /// Of the profile; none where it's asked for whole, or not at all.
    profile: Option<Vec<String>>,
}

impl Fields {
    pub fn parse(text: &str) -> Self {
        let names = |text: &str| {
            text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect::<Vec<_>>()
        };
        match text.split_once("profile:(").map(|(before, rest)| (before, rest.split_once(')').unwrap_or((rest, "")))) {
            None => Self { own: names(text), profile: None },
            Some((before, (profile, after))) => {
                Self { own: names(&format!("{before},{after}")), profile: Some(names(profile)) }
            }
        }
    }
}

/// The text of a user as in a list, of which only these fields were asked for. The id is always there.
pub fn user_fields(id: &str, row: &UserRow, host: &str, fields: &Fields) -> String {
    let mut shown = outline(id, row, host);
    if let Some(members) = shown.as_object_mut() {
        members.retain(|name, _| name == "id" || fields.own.contains(name));
        let chosen = |names: &Vec<String>| {
            let values = names.iter().filter_map(|name| Some((name.clone(), row.profile.get(name)?.clone())));
            Value::Object(values.collect())
        };
        if let Some(profile) = &fields.profile {
            members.insert("profile".to_owned(), chosen(profile));
        } else if fields.own.iter().any(|name| name == "profile") {
            members.insert("profile".to_owned(), Value::Object(row.profile.clone()));
        }
    }
    shown.to_string()
}

/// The values of a user's attribute, for searches.
pub fn user_values(id: &str, row: &UserRow, attribute: &str) -> Vec<String> {
    match attribute {
        "id" => vec![id.to_owned()],
        "status" => vec![row.status.clone()],
        "created" => vec![time(row.created)],
        "activated" if row.status != "STAGED" => vec![time(row.created)],
        "statusChanged" => vec![time(row.status_changed)],
        "lastUpdated" => vec![time(row.last_updated)],
        "type.id" => vec![USER_TYPE.to_owned()],
        _ => texts(attribute.strip_prefix("profile.").and_then(|name| row.profile.get(name))),
    }
}

/// A user as in a list. `credentials` are left out where the request asks for it.
pub fn user(id: &str, row: &UserRow, host: &str, credentials: bool) -> Value {
    let mut user = outline(id, row, host);
    user["profile"] = Value::Object(row.profile.clone());
    if credentials {
        user["credentials"] = json!({"provider": {"type": "OKTA", "name": "OKTA"}});
    }
    user
}

/// A user without the profile.
fn outline(id: &str, row: &UserRow, host: &str) -> Value {
    json!({
        "id": id,
        "status": row.status,
        "created": time(row.created),
        "activated": if row.status == "STAGED" { Value::Null } else { time(row.created).into() },
        "statusChanged": time(row.status_changed),
        "lastLogin": null,
        "lastUpdated": time(row.last_updated),
        "passwordChanged": null,
        "type": {"id": USER_TYPE},
        "_links": {"self": {"href": format!("{host}/api/v1/users/{id}")}},
    })
}

/// A user that was asked for alone: with links to what can be done with it in its status.
pub fn user_alone(id: &str, row: &UserRow, host: &str) -> Value {
    let mut user = user(id, row, host, true);
    let operations: &[&str] = match row.status.as_str() {
        "STAGED" => &["activate"],
        "PROVISIONED" => &["suspend", "resetPassword", "reactivate", "resetFactors", "deactivate"],
        "ACTIVE" => &["suspend", "resetPassword", "expirePassword", "resetFactors", "deactivate"],
        "LOCKED_OUT" => &["unlock", "resetPassword", "resetFactors", "deactivate"],
        "SUSPENDED" => &["unsuspend", "resetFactors", "deactivate"],
        "DEPROVISIONED" => &["activate", "resetFactors"],
        _ => &["resetPassword", "resetFactors", "deactivate"],
    };
    let links = &mut user["_links"];
    links["schema"] = json!({"href": format!("{host}/api/v1/meta/schemas/user/{USER_SCHEMA}")});
    links["type"] = json!({"href": format!("{host}/api/v1/meta/types/user/{USER_TYPE}")});
    for operation in operations {
        let mut path = String::new();
        for character in operation.chars() {
            if character.is_ascii_uppercase() {
                path.push('_');
            }
            path.push(character.to_ascii_lowercase());
        }
        links[*operation] = json!({"href": format!("{host}/api/v1/users/{id}/lifecycle/{path}"), "method": "POST"});
    }
    user
}

pub fn group(id: &str, row: &GroupRow, host: &str) -> Value {
    let logo = ["medium", "large"]
        .map(|name| json!({"name": name, "href": format!("{host}/assets/okta-{name}.png"), "type": "image/png"}));
    let description = (row.kind == "BUILT_IN").then_some("All users in your organization");
    let mut profile = row.profile.clone();
    profile.insert("name".to_owned(), json!(row.name));
    profile.insert("description".to_owned(), json!(description));
    json!({
        "id": id,
        "created": time(row.created),
        "lastUpdated": time(row.last_updated),
        "lastMembershipUpdated": time(row.last_membership_updated),
        "objectClass": ["okta:user_group"],
        "type": row.kind,
        "profile": profile,
        "_links": {
            "logo": logo,
            "users": {"href": format!("{host}/api/v1/groups/{id}/users")},
            "apps": {"href": format!("{host}/api/v1/groups/{id}/apps")},
        },
    })
}

/// A group with `expand=stats`.
pub fn with_stats(mut group: Value, id: &str, tables: &Tables, host: &str) -> Value {
    let apps = tables.apps.values().filter(|app| app.groups.iter().any(|(group, _)| group == id)).count();
    let pushes = tables.apps.values().flat_map(|app| app.pushes.values()).filter(|push| push.source == id).count();
    group["_embedded"] = json!({"stats": {
        "usersCount": tables.members(id).count(), "appsCount": apps, "groupPushMappingsCount": pushes,
        "hasAdminPrivlege": false,
        "_links": {"self": {"href": format!("{host}/api/v1/groups/{id}/stats")}},
    }});
    group
}

pub fn app(id: &str, row: &AppRow, host: &str) -> Value {
    let features: &[&str] = match row.name.as_str() {
        PROVISIONING => &["PUSH_NEW_USERS", "PUSH_PROFILE_UPDATES", "PUSH_USER_DEACTIVATION", "GROUP_PUSH"],
        _ => &[],
    };
    json!({
        "id": id,
        "name": row.name,
        "label": row.label,
        "status": row.status,
        "created": time(row.created),
        "lastUpdated": time(row.created),
        "signOnMode": "SAML_2_0",
        "features": features,
        "credentials": {"userNameTemplate": {"template": "${source.email}", "type": "BUILT_IN"}},
        "_links": {"users": {"href": format!("{host}/api/v1/apps/{id}/users")}},
    })
}

/// The text of an assignment, with the user embedded where the request asks for it. Built-in apps have no profile.
pub fn app_user(tables: &Tables, app: &str, id: &str, assigned: Assignment, host: &str, expand: bool) -> String {
    let row = tables.users.get(id);
    let attribute = |name: &str| row.and_then(|row| row.profile.get(name)).cloned().unwrap_or(Value::Null);
    let profile = match tables.apps.get(app) {
        Some(app) if app.profiles.contains_key(id) => json!(app.profiles.get(id)),
        Some(app) if app.name == PROVISIONING => {
            json!({"email": attribute("email"), "givenName": attribute("firstName"), "platformRole": null})
        }
        _ => json!({}),
    };
    let at = time(assigned.at);
    let assignment = json!({
        "id": id,
        "externalId": null,
        "created": at,
        "lastUpdated": at,
        "scope": assigned.scope,
        "status": "ACTIVE",
        "statusChanged": at,
        "passwordChanged": null,
        "syncState": "DISABLED",
        "credentials": {"userName": attribute("login")},
        "profile": profile,
        "_links": {
            "app": {"href": format!("{host}/api/v1/apps/{app}")},
            "user": {"href": format!("{host}/api/v1/users/{id}")},
        },
    });
    let assignment = assignment.to_string();
    let (true, Some(row)) = (expand, row) else { return assignment };
    format!(r#"{},"_embedded":{{"user":{}}}}}"#, &assignment[..assignment.len() - 1], user_text(id, row, host, true))
}

/// A group's assignment.
pub fn app_group(app: &str, group: &str, priority: usize, assigned: Timestamp, host: &str) -> Value {
    json!({
        "id": group,
        "lastUpdated": time(assigned),
        "priority": priority,
        "profile": {},
        "_links": {
            "app": {"href": format!("{host}/api/v1/apps/{app}")},
            "self": {"href": format!("{host}/api/v1/apps/{app}/groups/{group}")},
            "group": {"href": format!("{host}/api/v1/groups/{group}")},
        },
    })
}

/// A pushed group. Its times have no fraction.
pub fn push(app: &str, id: &str, row: &PushRow, host: &str) -> Value {
    let at = row.created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({
        "id": id,
        "created": at,
        "lastUpdated": at,
        "sourceGroupId": row.source,
        "targetGroupId": row.target,
        "status": "ACTIVE",
        "_links": {
            "app": {"href": format!("{host}/api/v1/apps/{app}")},
            "sourceGroup": {"href": format!("{host}/api/v1/groups/{}", row.source)},
            "targetGroup": {"href": format!("{host}/api/v1/groups/{}", row.target)},
        },
    })
}

/// The mapping from the Okta user profile to an app's, or of an import the other way round; as in a list, that is
/// without its properties.
pub fn mapping(app: &str, row: &AppRow, host: &str, import: bool) -> Value {
    let id = mapping_id(app, import);
    let user = json!({
        "id": USER_TYPE, "name": "user", "type": "user",
        "_links": {
            "self": {"href": format!("{host}/api/v1/meta/types/user/{USER_TYPE}")},
            "schema": {"href": format!("{host}/api/v1/meta/schemas/user/{USER_SCHEMA}")},
        },
    });
    let app = json!({
        "id": app, "name": row.name, "type": "appuser",
        "_links": {
            "self": {"href": format!("{host}/api/v1/apps/{app}")},
            "schema": {"href": format!("{host}/api/v1/meta/schemas/apps/{app}/default")},
        },
    });
    let (source, target) = if import { (app, user) } else { (user, app) };
    json!({
        "id": id, "source": source, "target": target,
        "_links": {"self": {"href": format!("{host}/api/v1/mappings/{id}")}},
    })
}

/// A mapping that was asked for alone.
pub fn mapping_with_properties(app: &str, row: &AppRow, host: &str, import: bool) -> Value {
    let mut mapping = mapping(app, row, host, import);
    let push = |expression: &str| json!({"expression": expression, "pushStatus": "PUSH"});
    let keep = |expression: &str| json!({"expression": expression, "pushStatus": "DONT_PUSH"});
    mapping["properties"] = if import || row.name != PROVISIONING {
        json!({"email": keep(if import { "appuser.userName" } else { "user.email" })})
    } else {
        let role = r#"user.okta_role == "Master" ? "ADMIN" : user.okta_role == "op" ? "OPERATOR" : "MEMBER""#;
        json!({
            "givenName": push("user.firstName"), "familyName": push("user.lastName"), "email": push("user.email"),
            "displayName": push("user.displayName"), "platformRole": push(role), "title": keep(""),
        })
    };
    for (attribute, (expression, push_status)) in row.mapping.iter().filter(|_| !import) {
        mapping["properties"][attribute] = json!({"expression": expression, "pushStatus": push_status});
    }
    mapping
}

/// The id of one of an app's two mappings.
pub fn mapping_id(app: &str, import: bool) -> String {
    let rest = app.trim_start_matches("0oa");
    let rest: String = if import { rest.chars().rev().collect() } else { rest.to_owned() };
    format!("prm{rest}")
}

pub fn org(host: &str) -> Value {
    json!({"id": "00oc04qb2rUDcq2YA4x6", "companyName": "Example", "subdomain": "example", "status": "ACTIVE",
        "_links": {"contacts": {"href": format!("{host}/api/v1/org/contacts")}}})
}

pub fn well_known(host: &str) -> Value {
    json!({"id": "00oc04qb2rUDcq2YA4x6", "pipeline": "idx", "cell": "sandbox", "settings": {},
        "_links": {"organization": {"href": host}}})
}
