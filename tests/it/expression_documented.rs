//! The expressions that are supported, each with what it gives: `tests/fixtures/expressions.txt`.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::sync::Arc;

use oktapieces::expression::check::{AttributeType, Schema, Severity, Wants, check};
use oktapieces::expression::{Context, ErrorKind, Expression};
use oktapieces::model::okta::{Group, GroupType, Times, User};
use oktapieces::model::org::{Extra, Instances, Relation};
use serde_json::{Map, Value as Json};

const TABLE: &str = include_str!("../fixtures/expressions.txt");

/// What the table says of an expression.
enum Expected {
    Value(Json),
    Groups(Json),
    Error,
    Parses,
    NotInGroupRules,
}

impl Expected {
    fn parse(text: &str) -> Self {
        match text {
            "error" => Self::Error,
            "parses" => Self::Parses,
            "not in group rules" => Self::NotInGroupRules,
            _ => match text.strip_prefix("groups ") {
                Some(ids) => Self::Groups(serde_json::from_str(ids).unwrap()),
                None => Self::Value(serde_json::from_str(text).unwrap()),
            },
        }
    }
}

/// What the rows' contexts say, as the evaluation takes it.
struct World {
    user: User,
    groups: Vec<Arc<Group>>,
    extra: Extra,
    now: Option<jiff::Timestamp>,
}

fn objects(json: Option<&Json>) -> Option<Vec<Map<String, Json>>> {
    json.map(|list| list.as_array().unwrap().iter().map(|item| item.as_object().unwrap().clone()).collect())
}

impl World {
    fn new(row: &Map<String, Json>) -> Self {
        let status = row.get("userInternal").and_then(|user| user.get("status")).and_then(Json::as_str);
        let mut user = serde_json::json!({"id": "00u1", "status": status.unwrap_or("ACTIVE"), "profile": {}});
        let mut profile = Map::new();
        let mut extra = Extra::default();
        let object = |key: &str| row.get(key).and_then(Json::as_object).cloned().unwrap_or_default();
        for (key, value) in object("user").into_iter().chain(object("source")) {
            match value {
                Json::Object(inner) if key == "profile" => profile.extend(inner),
                value if Times::NAMES.contains(&key.as_str()) => user[key] = value,
                value => drop(profile.insert(key, value)),
            }
        }
        for (name, profile) in object("linkedObjects") {
            let profile = profile.as_object().cloned().map(Arc::new);
            let people = profile.map(|profile| ("00u1".into(), profile)).into_iter().collect();
            extra.related.insert(Relation::LinkedObject(name), people);
        }
        for (name, app) in [("directoryUsers", "active_directory"), ("workdayUsers", "workday")] {
            let assigned = objects(row.get(name)).map(|assigned| [("00u1".into(), assigned)].into());
            extra.assignments.extend(assigned.map(|assigned| (Instances::All(app), assigned)));
        }
        let listed = objects(row.get("groups")).unwrap_or_default();
        let groups = listed.iter().enumerate().map(|(at, group)| {
            let text = |key: &str| group.get(key).and_then(Json::as_str).map(str::to_owned);
            let id = text("id").unwrap_or_else(|| format!("00g{at}"));
            let source = serde_json::json!({"source": {"id": group.get("sourceId")}});
            extra.group_objects.insert(id.as_str().into(), source.as_object().unwrap().clone());
            let kind = GroupType::from(text("type").unwrap_or_else(|| "OKTA_GROUP".to_owned()));
            Arc::new(Group { id: id.as_str().into(), name: text("name").unwrap(), kind })
        });
        let groups = groups.collect();
        let taken =
            ["user", "source", "linkedObjects", "directoryUsers", "workdayUsers", "groups", "userInternal", "now"];
        extra.names = row.clone().into_iter().filter(|(key, _)| !taken.contains(&key.as_str())).collect();
        let now = row.get("now").map(|now| now.as_str().unwrap().parse().unwrap());
        user["profile"] = profile.into();
        Self { user: serde_json::from_value(user).unwrap(), groups, extra, now }
    }

    fn context(&self) -> Context<'_> {
        let context = Context::new(&self.user, &self.groups).with_extra(&self.extra);
        self.now.map_or(context, |now| context.at(now))
    }
}

fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        _ => a == b,
    }
}

/// Why an expression doesn't do what the table says, if it doesn't.
fn difference(source: &str, context: &Map<String, Json>, expected: &Expected) -> Option<String> {
    let expression = match Expression::parse(source) {
        Ok(expression) => expression,
        Err(faults) => return Some(format!("doesn't parse: {}", faults[0])),
    };
    let world = World::new(context);
    let value = expression.evaluate(&world.context()).map(|value| value.to_json());
    match (expected, value) {
        (Expected::Value(expected), Ok(value)) => {
            (!same(&value, expected)).then(|| format!("gives {value}, not {expected}"))
        }
        (Expected::Groups(expected), Ok(value)) => {
            let ids: Json = value.as_array().unwrap().iter().map(|group| group["id"].clone()).collect();
            (ids != *expected).then(|| format!("gives {ids}, not {expected}"))
        }
        (Expected::Value(_) | Expected::Groups(_), Err(error)) => Some(format!("fails: {error}")),
        (Expected::Error, Err(error)) => {
            (error.kind != ErrorKind::Failed).then(|| format!("can't be evaluated: {error}"))
        }
        // A name in other letters is an error of the org's schema, which only the check knows.
        (Expected::Error, Ok(Json::Null)) => {
            (!found(&expression, &world, Wants::Text)).then(|| "isn't found wrong".to_owned())
        }
        (Expected::Error, Ok(value)) => Some(format!("gives {value}, not an error")),
        (Expected::Parses, _) => None,
        (Expected::NotInGroupRules, _) => {
            (!found(&expression, &world, Wants::GroupRule)).then(|| "isn't refused in group rules".to_owned())
        }
    }
}

/// Whether the check finds an error, with a schema of the user's attributes.
fn found(expression: &Expression, world: &World, wants: Wants) -> bool {
    let mut schema: Schema =
        world.user.profile.keys().map(|name| (name.clone(), AttributeType::String.into())).collect();
    schema.insert("yearJoined".to_owned(), AttributeType::Integer.into());
    check(expression, &schema, wants).iter().any(|finding| finding.severity == Severity::Error)
}

#[test]
fn every_supported_expression_gives_what_the_table_says() {
    let mut context = Map::new();
    let (mut count, mut differences) = (0, Vec::new());
    for line in TABLE.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        if let Some(json) = line.strip_prefix('@') {
            context = serde_json::from_str(json).unwrap();
            continue;
        }
        let (source, expected) = line.split_once("  =>  ").unwrap_or_else(|| panic!("no `  =>  ` in: {line}"));
        count += 1;
        differences
            .extend(difference(source, &context, &Expected::parse(expected)).map(|found| format!("{source}: {found}")));
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
    assert!(count >= 200, "the table has {count} expressions only");
}
