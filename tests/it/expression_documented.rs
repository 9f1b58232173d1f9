//! Every example of Okta's documentation that was collected, and real expressions. They are read where they are.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test's helpers fail the test, or say why they skip it"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use oktapieces::expression::check::{AttributeType, Schema, Severity, Wants, check};
use oktapieces::expression::{Context, ErrorKind, Expression};
use oktapieces::model::okta::{Group, GroupType, Times, User};
use oktapieces::model::org::{Extra, Instances, Relation};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

/// An example: `kind` says what is documented of it.
#[derive(Deserialize)]
struct Row {
    expression: String,
    context: Map<String, Json>,
    result: Json,
    kind: String,
}

/// Where the documentation contradicts itself: the expression, what is right, and why.
const CONTRADICTIONS: [(&str, &str, &str); 4] = [
    ("user.created.plusDays(2)", "2015-08-01T23:58:32Z", PLUS),
    ("user.created.plusHours(-1)", "2015-07-30T22:58:32Z", PLUS),
    ("user.created.plusMinutes(0)", "2015-07-30T23:58:32Z", PLUS),
    ("user.created.plusSeconds(0)", "2015-07-30T23:58:32Z", PLUS),
];
const PLUS: &str =
    "a time without milliseconds is printed with .000 here, without it for .toString() and .parseStringTime()";

fn shared(name: &str) -> Option<String> {
    let path = format!("{}/../shared/reference/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("skipped: {path} isn't there");
    }
    text
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

/// Why a row isn't as documented, if it isn't.
fn difference(row: &Row) -> Option<String> {
    let expression = match Expression::parse(&row.expression) {
        Ok(expression) => expression,
        Err(faults) => return Some(format!("doesn't parse: {}", faults[0])),
    };
    let world = World::new(&row.context);
    let value = expression.evaluate(&world.context()).map(|value| value.to_json());
    let contradiction = CONTRADICTIONS.iter().find(|(source, ..)| *source == row.expression);
    let expected = contradiction.map_or_else(|| row.result.clone(), |(_, right, _)| Json::from(*right));
    match (row.kind.as_str(), value) {
        ("value", Ok(value)) => (!same(&value, &expected)).then(|| format!("gives {value}, not {expected}")),
        ("groups", Ok(value)) => {
            let ids: Json = value.as_array().unwrap().iter().map(|group| group["id"].clone()).collect();
            (ids != expected).then(|| format!("gives {ids}, not {expected}"))
        }
        ("value" | "groups", Err(error)) => Some(format!("fails: {error}")),
        ("error", Err(error)) => (error.kind != ErrorKind::Failed).then(|| format!("can't be evaluated: {error}")),
        // A name in other letters is an error of the org's schema, which only the check knows.
        ("error", Ok(Json::Null)) => (!found(&expression, &world, Wants::Text)).then(|| "isn't found wrong".to_owned()),
        ("error", Ok(value)) => Some(format!("gives {value}, not an error")),
        ("syntax-only", _) => None,
        ("invalid-in-group-rules", _) => {
            (!found(&expression, &world, Wants::GroupRule)).then(|| "isn't refused in group rules".to_owned())
        }
        (kind, _) => Some(format!("is of the unknown kind {kind}")),
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
fn every_documented_example_is_as_documented() {
    let Some(text) = shared("expressions-documented.json") else { return };
    let rows: Vec<Row> = serde_json::from_str(&text).unwrap();
    assert_eq!(rows.len(), 200);
    let differences: Vec<String> = rows
        .iter()
        .enumerate()
        .filter_map(|(at, row)| Some(format!("{at}: {} {}", row.expression, difference(row)?)))
        .collect();
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
    for (source, right, why) in CONTRADICTIONS {
        let row = rows.iter().find(|row| row.expression == source).unwrap();
        let documented = row.result.as_str().unwrap();
        let instant = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
        assert_ne!(documented, right, "{source} is no contradiction: {why}");
        assert_eq!(instant(documented), instant(right), "{source}");
    }
}

#[test]
fn every_real_expression_parses_or_is_refused_by_name() {
    /// Real expressions that aren't valid, and a part of the reason.
    const REFUSED: [(&str, &str); 0] = [];
    let Some(text) = shared("expressions-real-world.txt") else { return };
    let mut parsed = 0;
    let mut unexpected = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let source = line.split("  # source:").next().unwrap();
        let refused = REFUSED.iter().find(|(refused, _)| *refused == source);
        match (Expression::parse(source), refused) {
            (Ok(_), None) => parsed += 1,
            (Err(faults), Some((_, reason))) => assert!(faults[0].message.contains(reason), "{source}: {}", faults[0]),
            (Ok(_), Some(_)) => drop(unexpected.insert(source, "parses, but is listed as refused".to_owned())),
            (Err(faults), None) => drop(unexpected.insert(source, faults[0].to_string())),
        }
    }
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    assert!(parsed > 80, "only {parsed} were found");
}
