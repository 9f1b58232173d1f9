//! Checks answers against the published schemas: the part of JSON Schema 2020-12 that they use, and more strictly, as no answer may
//! have a field that its schema doesn't name.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// The keywords that are checked, or that say nothing about an answer. Any other fails the test.
const KEYWORDS: [&str; 16] = [
    "$schema",
    "$id",
    "$defs",
    "$ref",
    "title",
    "description",
    "type",
    "enum",
    "const",
    "pattern",
    "minimum",
    "oneOf",
    "anyOf",
    "items",
    "properties",
    "required",
];

/// The files of docs/reference/schema by their names.
pub struct Schemas(BTreeMap<String, Value>);

/// A schema, and the file that its references start from.
#[derive(Clone, Copy)]
struct Place<'a> {
    file: &'a str,
    schema: &'a Value,
}

impl Schemas {
    pub fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/schema");
        let read = |name: &str| {
            let text = std::fs::read_to_string(folder.join(name)).unwrap();
            (name.to_owned(), serde_json::from_str(&text).unwrap())
        };
        Self(["plan.json", "apply.json", "show.json", "history.json", "check.json", "targets.json"].map(read).into())
    }

    pub fn file(&self, name: &str) -> &Value {
        &self.0[name]
    }

    /// Every file with its name.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, schema)| (name.as_str(), schema))
    }

    /// Where an answer breaks a schema; empty where it doesn't.
    pub fn faults(&self, file: &str, answer: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(Place { file, schema: &self.0[file] }, answer, "", &mut faults);
        faults
    }

    fn check(&self, place: Place<'_>, value: &Value, path: &str, faults: &mut Vec<String>) {
        let Place { file, schema } = place;
        let of = |schema| Place { file, schema };
        let mut fault = |what: String| faults.push(format!("{path}: {what}"));
        for (keyword, wanted) in schema.as_object().unwrap() {
            let holds = match keyword.as_str() {
                "type" => {
                    let names = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
                    names.iter().any(|name| is_of_type(value, name.as_str().unwrap()))
                }
                "enum" => wanted.as_array().unwrap().contains(value),
                "const" => wanted == value,
                "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().unwrap()),
                "pattern" => {
                    let pattern = regex::Regex::new(wanted.as_str().unwrap()).unwrap();
                    value.as_str().is_none_or(|text| pattern.is_match(text))
                }
                "required" => {
                    let missing = |name: &Value| value.get(name.as_str().unwrap()).is_none();
                    !value.is_object() || !wanted.as_array().unwrap().iter().any(missing)
                }
                known => {
                    assert!(KEYWORDS.contains(&known) || known == "additionalProperties", "{file}: {known}");
                    true
                }
            };
            if !holds {
                fault(format!("{value} isn't of {keyword} {wanted}"));
            }
        }
        if let Some(name) = schema["$ref"].as_str() {
            self.check(self.resolved(file, name), value, path, faults);
        }
        for (keyword, choices) in ["oneOf", "anyOf"].map(|keyword| (keyword, schema[keyword].as_array())) {
            let Some(choices) = choices else { continue };
            let tried: Vec<Vec<String>> = choices
                .iter()
                .map(|choice| {
                    let mut faults = Vec::new();
                    self.check(of(choice), value, path, &mut faults);
                    faults
                })
                .collect();
            let fitting = tried.iter().filter(|faults| faults.is_empty()).count();
            if fitting == 0 || (keyword == "oneOf" && fitting > 1) {
                faults.push(format!("{path}: {fitting} of {keyword} fit: {tried:#?}"));
            }
        }
        for (at, item) in value.as_array().into_iter().flatten().enumerate() {
            if let Some(items) = schema.get("items") {
                self.check(of(items), item, &format!("{path}[{at}]"), faults);
            }
        }
        self.check_properties(place, value, path, faults);
    }

    fn check_properties(&self, Place { file, schema }: Place<'_>, value: &Value, path: &str, faults: &mut Vec<String>) {
        let (known, others) = (schema.get("properties"), schema.get("additionalProperties"));
        if known.is_none() && others.is_none() {
            return;
        }
        for (name, item) in value.as_object().into_iter().flatten() {
            match known.and_then(|known| known.get(name)).or(others) {
                Some(schema) => self.check(Place { file, schema }, item, &format!("{path}.{name}"), faults),
                None => faults.push(format!("{path}.{name} isn't in the schema")),
            }
        }
    }

    /// What a reference names: `#/$defs/user`, `plan.json`, or both.
    fn resolved<'a>(&'a self, file: &'a str, name: &'a str) -> Place<'a> {
        let (other, pointer) = name.split_once('#').unwrap_or((name, ""));
        let file = if other.is_empty() { file } else { other };
        let schema = self.0.get(file).and_then(|schema| schema.pointer(pointer));
        Place { file, schema: schema.unwrap_or_else(|| panic!("{file} has no {name}")) }
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the type {other} isn't checked"),
    }
}
