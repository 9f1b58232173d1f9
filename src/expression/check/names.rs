//! Unknown names: attributes that the schema lacks, and other names.

use super::finding::{Finding, Wants};
use super::parts::attribute;
use super::schema::Schema;
use crate::expression::ast::{Kind, Node, Root};
use crate::model::similar::most_similar;

/// Names that an evaluation knows in addition to the user.
const KNOWN: [&str; 4] = ["app", "appUser", "appuser", "org"];

/// The attributes of every user in every org (Okta API: default user profile properties), and the realm.
const BASE: [&str; 32] = [
    "city",
    "costCenter",
    "countryCode",
    "department",
    "displayName",
    "division",
    "email",
    "employeeNumber",
    "firstName",
    "honorificPrefix",
    "honorificSuffix",
    "lastName",
    "locale",
    "login",
    "manager",
    "managerId",
    "middleName",
    "mobilePhone",
    "nickName",
    "organization",
    "postalAddress",
    "preferredLanguage",
    "primaryPhone",
    "profileUrl",
    "realmId",
    "secondEmail",
    "state",
    "streetAddress",
    "timezone",
    "title",
    "userType",
    "zipCode",
];

/// Names that Okta doesn't know in a mapping to an app, and where it knows them (Okta Expression Language: reference of each).
const ELSEWHERE: [(&str, &str); 9] = [
    ("access", "the request of a token"),
    ("accessRequest", "an access request"),
    ("device", "a sign-in"),
    ("global", "a template"),
    ("idpuser", "a sign-in through another identity provider"),
    ("login", "a sign-in"),
    ("security", "a sign-in"),
    ("session", "a sign-in"),
    ("target_app", "an app's own settings"),
];

pub fn check(root: &Node, schema: &Schema, wants: Wants, findings: &mut Vec<Finding>) {
    // Roots with a property. A node is visited before its parts.
    let mut owners = Vec::new();
    root.visit(&mut |node| {
        if let Some(name) = attribute(node) {
            findings.extend(unknown_attribute(name, node, schema));
        }
        match &node.kind {
            Kind::Property { object, .. } => {
                owners.extend(matches!(object.kind, Kind::Root(_)).then(|| object.span.clone()));
            }
            Kind::Root(Root::Name(name)) => {
                let may_be_app = owners.contains(&node.span);
                findings.extend(unknown_name(name, may_be_app, node, schema));
            }
            _ => {}
        }
        if wants == Wants::GroupRule {
            findings.extend(not_in_group_rules(node));
        }
    });
}

fn unknown_attribute(name: &str, node: &Node, schema: &Schema) -> Option<Finding> {
    if schema.is_empty() || schema.contains_key(name) || BASE.contains(&name) {
        return None;
    }
    let mut finding = Finding::error(format!("the user schema has no attribute {name}"), node);
    finding.missing = Some(name.to_owned());
    Some(match most_similar(name, schema.keys().map(String::as_str)) {
        Some(near) => finding.hint(format!("a similar one is {near}; names are case-sensitive")),
        None => finding.hint("Okta lists its attributes under Directory → Profile Editor → User (default)"),
    })
}

fn unknown_name(name: &str, may_be_app: bool, node: &Node, schema: &Schema) -> Option<Finding> {
    if KNOWN.contains(&name) {
        return None;
    }
    if let Some((_, place)) = ELSEWHERE.iter().find(|(known, _)| *known == name) {
        return Some(Finding::error(format!("{name} exists only in {place} and can't be evaluated here"), node));
    }
    let finding = Finding::error(format!("unknown name {name}"), node);
    if schema.contains_key(name) {
        return Some(finding.hint(format!("an attribute of the user is written user.{name}")));
    }
    Some(match most_similar(name, KNOWN.into_iter().chain(["user", "source"])) {
        Some(near) => finding.hint(format!("a similar name is {near}")),
        None if may_be_app => return None,
        None => finding.hint(format!("put quotes around a text: \"{name}\"")),
    })
}

/// Reports what Okta refuses in the condition of a group rule (Okta Expression Language: group rules).
fn not_in_group_rules(node: &Node) -> Option<Finding> {
    let refused = |what: &str| Finding::error(format!("{what} isn't allowed in a group rule"), node);
    match &node.kind {
        Kind::Call { function, .. } if !function.in_group_rules => Some(refused(function.name)),
        Kind::Property { object, name, .. } if name == "status" && matches!(object.kind, Kind::Root(Root::User)) => {
            Some(refused("user.status").hint("write user.getInternalProperty(\"status\")"))
        }
        _ => None,
    }
}
