//! The files that follow from the table of config keys: the example, the reference page and the JSON schema.
//!
//! `UPDATE_REFERENCE=1 cargo test --test it reference` writes them.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::fmt::Write;
use std::path::Path;

use oktapieces::config;
use oktapieces::config::keys::{Key, SECTIONS, Section};
use serde_json::{Map, Value, json};

pub fn is_current(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{} doesn't follow from src/config/keys.rs: run UPDATE_REFERENCE=1 cargo test --test it reference",
        path.display()
    );
}

const INTRODUCTION: &str = "\
# Config keys

This page lists every key of the config file. [config.example.toml](../../config.example.toml) is a file with all of them, and
[config.schema.json](config.schema.json) is a JSON schema for editors.

## Environment variables

The environment variable `OKTAPIECES_SECTION_KEY` overrides a key of the file. Lists of tables (`[[projects]]`, `[[accepted]]`, `[[target]]`)
can only be set in the file. The value is written without the quotes of TOML: `OKTAPIECES_SAFETY_MAX_DEACTIVATIONS=5%`. A list
is written in TOML (`[\"a\", \"b\"]`) or with commas (`a, b`). A relative path starts at the folder of the config file, as in the
file. An empty variable counts as not set. A mistake in a variable is shown with the variable's name, and a variable that starts
with `OKTAPIECES_` and has an unknown name is a warning. A variable overrides the key of every target.

Secrets have their own variables: `OKTA_API_TOKEN` and `ACTIVEPIECES_API_KEY`, or those that `token_env` and `api_key_env`
name. `OKTAPIECES_CONFIG` names the config file, and `OKTAPIECES_TIMEOUT` limits the seconds to wait for a server.
";

fn entry(section: &Section, key: &Key) -> String {
    let code = |text: &str| format!("`{text}`");
    let default = match (key.default, key.absent) {
        (Some(default), _) => code(default),
        (None, Some(words)) => words.to_owned(),
        (None, None) if key.required => "none, the key is required".to_owned(),
        (None, None) => "none".to_owned(),
    };
    let mut text = format!("### `{}`\n\n{}\n\n- Type: {}\n- Default: {default}\n", key.name, key.docs, key.type_name());
    if let Some(variable) = section.variable(key) {
        writeln!(text, "- Variable: `{variable}`").unwrap();
    }
    if let Some(bundle) = key.bundle {
        writeln!(text, "- Inherited by targets: with the other keys of the {bundle}, or not at all").unwrap();
    }
    writeln!(text, "- Example: `{} = {}`", key.name, key.example).unwrap();
    text
}

fn page() -> String {
    let sections = SECTIONS.iter().map(|section| {
        let keys: Vec<String> = section.keys.iter().map(|key| entry(section, key)).collect();
        format!("\n## {}: `{}`\n\n{}\n\n{}", section.title, section.header(), section.docs, keys.join("\n"))
    });
    INTRODUCTION.to_owned() + &sections.collect::<String>()
}

fn schema_of(key: &Key) -> Value {
    let mut schema: Map<String, Value> = serde_json::from_str(key.schema()).unwrap();
    schema.insert("description".to_owned(), key.docs.into());
    let value = |text: &str| {
        let table: toml::Table = format!("value = {text}").parse().unwrap();
        serde_json::to_value(&table["value"]).unwrap()
    };
    schema.extend(key.default.map(|default| ("default".to_owned(), value(default))));
    // A date of TOML has no form in JSON.
    let example = if key.type_name() == "a date" { key.example.into() } else { value(key.example) };
    schema.insert("examples".to_owned(), json!([example]));
    schema.into()
}

/// Only entries of lists have required keys: a variable can set any other.
fn schema() -> String {
    let sections: Vec<(String, Value)> = SECTIONS.iter().map(schema_of_section).collect();
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "The config file of oktapieces",
        "type": "object",
        "additionalProperties": false,
        "properties": sections.into_iter().collect::<Map<String, Value>>(),
    });
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

fn schema_of_section(section: &Section) -> (String, Value) {
    let mut keys: Map<String, Value> = section.keys.iter().map(|key| (key.name.to_owned(), schema_of(key))).collect();
    if section.holds_sections() {
        let inner = SECTIONS.iter().filter(|inner| !inner.holds_sections());
        keys.extend(
            inner.map(|inner| (inner.name.to_owned(), json!({"$ref": format!("#/properties/{}", inner.name)}))),
        );
    }
    let mut table = json!({"type": "object", "additionalProperties": false, "properties": keys});
    if !section.is_list {
        table["description"] = section.docs.into();
        return (section.name.to_owned(), table);
    }
    let required: Vec<&str> = section.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    table["required"] = required.into();
    (section.name.to_owned(), json!({"type": "array", "description": section.docs, "items": table}))
}

#[test]
fn the_example_follows_from_the_keys() {
    is_current("config.example.toml", &config::example::whole());
}

#[test]
fn the_page_follows_from_the_keys() {
    is_current("docs/reference/config.md", &page());
}

#[test]
fn the_schema_follows_from_the_keys() {
    is_current("docs/reference/config.schema.json", &schema());
}

/// The least config with a value for one key, and the keys that this one needs.
fn with(section: &Section, key: &Key, value: &str) -> String {
    let needed: &[(&str, &[&str])] = match (section.name, key.name) {
        ("okta", "client_id" | "key_id" | "key_file" | "scopes") => &[("okta", &["client_id", "key_id", "key_file"])],
        ("projects", "groups") => &[("projects", &["project"])],
        ("projects", key) if !["group", "match", "group_push"].contains(&key) => &[("projects", &["match"])],
        ("accepted", _) => &[("accepted", &["kind", "who", "why"])],
        _ => &[],
    };
    let least: [(&str, &[&str]); 3] = [("okta", &["org_url"]), ("activepieces", &["url"]), ("scope", &["app"])];
    let mut text = String::new();
    for other in SECTIONS {
        let names = least.iter().chain(needed).filter(|(name, _)| *name == other.name).flat_map(|(_, keys)| *keys);
        let names: Vec<&str> = names.copied().collect();
        let mut lines = Vec::new();
        for known in other.keys {
            if other.name == section.name && known.name == key.name {
                lines.push(format!("{} = {value}\n", known.name));
            } else if names.contains(&known.name) {
                lines.push(format!("{} = {}\n", known.name, known.example));
            }
        }
        if !lines.is_empty() {
            write!(text, "{}\n{}", other.header(), lines.concat()).unwrap();
        }
    }
    text
}

#[test]
fn every_example_and_every_default_is_valid() {
    for section in SECTIONS {
        for key in section.keys {
            for value in [Some(key.example), key.default].into_iter().flatten() {
                let text = with(section, key, value);
                config::parse(&text, "config.toml").unwrap_or_else(|error| panic!("{text}\n{error}"));
            }
        }
    }
}

#[test]
fn a_default_is_what_a_key_means_that_is_not_there() {
    let settings = |text: &str| {
        let config::Settings { okta, activepieces, scope, mapping, from_okta, projects, policy, monitoring, .. } =
            config::parse(text, "config.toml").unwrap();
        let expressions = mapping.expressions().into_values().map(|mapped| mapped.expression.source().to_owned());
        let expressions: Vec<String> = expressions.collect();
        let statuses = (&mapping.closing, mapping.prepares);
        let told = format!(
            "{okta:?} {activepieces:?} {scope:?} {expressions:?} {from_okta} {projects:?} {policy:?} {monitoring:?} {statuses:?}"
        );
        // A line more moves those after it.
        regex::Regex::new(r"config\.toml:\d+").unwrap().replace_all(&told, "config.toml").into_owned()
    };
    let (okta, org_url) = (&SECTIONS[0], &SECTIONS[0].keys[0]);
    let least = settings(&with(okta, org_url, org_url.example));
    for section in SECTIONS {
        for key in section.keys {
            if let Some(default) = key.default {
                assert_eq!(settings(&with(section, key, default)), least, "{} {}", section.name, key.name);
            }
            // These only change what other keys may say.
            let silent = ["allow_insecure", "allow_shared_secret_file"].contains(&key.name);
            if key.default.is_some_and(|default| default != key.example) && !silent {
                assert_ne!(settings(&with(section, key, key.example)), least, "{} {}", section.name, key.name);
            }
        }
    }
}
