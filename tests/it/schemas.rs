//! The published schemas: that real answers fit them, that their words are those of the code, and the page made from them.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::BTreeSet;
use std::fmt::Write;

use oktapieces::apply::report::ProjectOutcome;
use oktapieces::apply::{Outcome, Report};
use oktapieces::model::desired::Leave;
use oktapieces::model::problem::ProblemKind;
use oktapieces::output::document::Document;
use oktapieces::output::json;
use oktapieces::plan::Plan;
use oktapieces::plan::deferred::Because;
use oktapieces::plan::guard::Refusal;
use oktapieces::plan::hold::convergence::Divergence;
use oktapieces::plan::op::{Attribute, ProjectAction, Reason, UserAction};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::json_schema::Schemas;
use super::reference::is_current;

/// The names of an enum as serde lists them when it is given another one.
fn words<T: DeserializeOwned>(with: impl Fn(&str) -> Value) -> Vec<String> {
    let error = serde_json::from_value::<T>(with("?")).err().unwrap().to_string();
    let (_, list) = error.split_once("expected").unwrap_or_else(|| panic!("{error}"));
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn plain<T: DeserializeOwned>() -> Vec<String> {
    words::<T>(|word| json!(word))
}

/// The words of a schema's definition.
fn listed(schemas: &Schemas, file: &str, pointer: &str) -> Vec<String> {
    let found = schemas.file(file).pointer(pointer).unwrap_or_else(|| panic!("{file} has no {pointer}"));
    serde_json::from_value(found["enum"].clone()).unwrap()
}

#[test]
fn the_words_of_the_schemas_are_those_of_the_code() {
    let schemas = Schemas::read();
    let same = |pointer: &str, words: Vec<String>| {
        let listed: BTreeSet<_> = listed(&schemas, "plan.json", pointer).into_iter().collect();
        assert!(words.len() > 2, "{pointer}: {words:?}");
        assert_eq!(listed, words.into_iter().collect(), "{pointer}");
    };
    same("/$defs/user_action", plain::<UserAction>());
    same("/$defs/attribute", plain::<Attribute>());
    same("/$defs/leave", plain::<Leave>());
    same("/$defs/problem_kind", plain::<ProblemKind>());
    same("/$defs/because/properties/kind", words::<Because>(|word| json!({ "kind": word })));
    same("/$defs/refusal/properties/guard", words::<Refusal>(|word| json!({ "guard": word })));
    let with_value =
        |words: Vec<String>, names: &[&str]| words.into_iter().filter(|word| !names.contains(&&**word)).collect();
    same("/$defs/reason_word", with_value(plain::<Reason>(), &["left", "undo"]));
    same(
        "/$defs/project_action_word",
        with_value(plain::<ProjectAction>(), &["relink", "rename", "archive", "delete"]),
    );
}

/// A plan with every action, reason, problem and deferral that there is.
fn every_kind() -> (Plan, Vec<Refusal>) {
    let reasons = plain::<Reason>().into_iter().flat_map(|word| match word.as_str() {
        "left" => plain::<Leave>().into_iter().map(|leave| json!({ "left": leave })).collect(),
        "undo" => vec![json!({ "undo": 3 })],
        _ => vec![json!(word)],
    });
    let actions = plain::<UserAction>();
    let attributes =
        json!({"givenName": "A", "familyName": null, "platformRole": "ADMIN", "roleIsNull": true, "roleBecause": "x"});
    let changes = plain::<Attribute>().into_iter().map(|name| json!({"attribute": name, "from": null, "to": "x"}));
    let changes: Vec<Value> = changes.collect();
    let replaces = [json!("close"), json!("closed"), json!({"taken_over": {"by": "b"}})].map(|fate| {
        json!({"account": "a0", "user_name": "old@example.com", "link": "00u1", "fate": fate, "personal": {"flows": 1},
            "copies": [{"name": "Red", "project": "p2", "joins": true, "role": "Admin"}, {"name": "Blue", "project": "p3", "joins": false}]})
    });
    let invitations = [
        json!({"id": "i1", "user_name": "a", "okta_id": "00u1", "grant": {"to": "platform", "role": "ADMIN"}, "reason": "x", "left": "suspended"}),
        json!({"id": "i2", "user_name": "a", "okta_id": "00u1", "reason": "x",
            "grant": {"to": "project", "project": "p1", "name": "Sales", "role_id": "r1", "role": "Viewer"}}),
    ];
    let users = reasons.zip(actions.iter().cycle()).map(|(reason, action)| {
        json!({"action": action, "user_name": "a@example.com", "okta_id": "00u1", "account": "a1", "changes": changes,
            "reason": reason, "attributes": attributes, "replaces": replaces})
    });
    let values = json!({"from": "00g0", "flows": 1, "connections": 2, "tables": 3, "last_run": {"on": "2026-03-04"}});
    let projects = plain::<ProjectAction>().into_iter().map(|word| {
        let action = if ["relink", "rename", "delete", "archive"].contains(&&*word) { json!({ word: values }) } else { json!(word) };
        json!({"name": "Sales", "group": "00g1", "project": "p1", "action": action, "members": 2,
            "add": [{"user_name": "b", "okta_id": "00u2", "account": null, "role": "Admin", "role_reason": "group Leads"}],
            "remove": [{"user_name": "c", "account": "a3", "reason": "isn't in group Sales", "okta_id": "00u3", "role": "Editor"}],
            "roles": [{"user_name": "d", "account": "a4", "okta_id": "00u4", "from": "Viewer", "to": "admin", "reason": "rule", "by_absence": true}]})
    });
    let problem = |kind: String| json!({"subject": "a", "kind": kind, "message": "m", "location": "config.toml:3"});
    let problems = plain::<ProblemKind>().into_iter().map(problem);
    let held = words::<Because>(|word| json!({ "kind": word })).into_iter().map(|kind| {
        json!({"subject": "a", "what": "deactivate", "because": {"kind": kind, "since": "2026-03-04T00:00:00Z", "runs": 2, "about": "x", "leave": "suspended",
            "until": "2026-03-05T00:00:00Z"}})
    });
    let plan = json!({
        "users": users.collect::<Vec<_>>(), "projects": projects.collect::<Vec<_>>(), "invitations": invitations,
        "problems": problems.collect::<Vec<_>>(), "warnings": ["w"], "held": held.collect::<Vec<_>>(),
        "accepted": [{"subject": "a", "kind": "two_accounts", "message": "m", "why": "known", "until": "2027-01-31"}],
        "shrunk": [{"which": "users in scope", "before": 9, "now": 1}], "expressions": {"platformRole": "Okta"},
        "standing": {"in_scope": 1, "scope_is_incomplete": true, "without_account": {"staged": 2}, "unchanged_users": 1, "unchanged_projects": 1, "managed_active": 1,
            "missing": {"00u5": "a5"}, "local": ["l"], "foreign": ["f"], "embedded": ["e"], "waiting_admins": ["w"], "deleted": ["00u5"], "stated": {"00u6": "suspended"}, "operators": ["a6"],
            "accounts": {"ADMIN": {"active": 1, "inactive": 2}}},
    });
    let refusal = |guard| {
        json!({"guard": guard, "approved": "a", "plan": "b", "user_name": "c", "admins": 1, "deactivations": 1, "deletions": 1,
            "number": 2, "changes": 2, "allowed": 1, "limit": "1", "of": 4, "project": "Sales"})
    };
    let refusals = words::<Refusal>(|word| json!({ "guard": word })).into_iter().map(refusal);
    (serde_json::from_value(plan).unwrap(), refusals.map(|refusal| serde_json::from_value(refusal).unwrap()).collect())
}

#[test]
fn every_kind_of_operation_and_outcome_fits_the_schemas() {
    let schemas = Schemas::read();
    let (plan, refusals) = every_kind();
    let document = Document::of_plan(&plan, "0123456789ab", ("acme.okta.com", "flows.acme.com"));
    let answer = json::plan(&Document { refusals: &refusals, ..document });
    assert_eq!(schemas.faults("plan.json", &answer), [""; 0]);
    let why = || "why".to_owned();
    let outcomes =
        [Outcome::Done, Outcome::Kept(why()), Outcome::Failed(why()), Outcome::Stale(why()), Outcome::Skipped(why())];
    let users = plan.users.iter().zip(outcomes.iter().cloned().cycle()).collect();
    let all = |outcome: &Outcome| ProjectOutcome {
        project: Some(outcome.clone()),
        add: Some(outcome.clone()),
        remove: None,
        roles: Some(outcome.clone()),
    };
    let projects = plan.projects.iter().zip(outcomes.iter().map(all).cycle()).collect();
    let invitations = plan.invitations.iter().zip(outcomes.iter().cloned().cycle()).collect();
    let diverged = vec![Divergence { subject: "a".to_owned(), what: "b".to_owned(), change: None }];
    let report =
        Report { invitations, users, projects, diverged, stale: vec!["a: create".to_owned()], ..Report::default() };
    let answer = json::report(7, &answer, &report);
    assert_eq!(schemas.faults("apply.json", &answer), [""; 0]);
    let wrong = json!({"format_version": 1, "run": "7", "more": 1});
    assert!(!schemas.faults("apply.json", &wrong).is_empty(), "the checker finds faults");
    assert!(
        !schemas
            .faults("check.json", &json!({"format_version": 1, "lines": [], "warnings": -1, "failed": 0}))
            .is_empty()
    );
}

#[test]
fn every_field_is_described() {
    fn fields<'a>(schema: &'a Value, found: &mut Vec<(&'a str, &'a Value)>) {
        if let Some(properties) = schema["properties"].as_object() {
            found.extend(properties.iter().map(|(name, field)| (name.as_str(), field)));
        }
        match schema {
            Value::Object(parts) => parts.values().for_each(|part| fields(part, found)),
            Value::Array(parts) => parts.iter().for_each(|part| fields(part, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    let schemas = Schemas::read();
    schemas.files().for_each(|(_, schema)| fields(schema, &mut found));
    assert!(found.len() > 150, "{}", found.len());
    let undescribed = |field: &&(&str, &Value)| field.1.get("description").is_none() && field.1.get("$ref").is_none();
    let only_wraps = ["relink", "rename", "archive", "taken_over"];
    let undescribed: Vec<_> = found.iter().filter(undescribed).filter(|(name, _)| !only_wraps.contains(name)).collect();
    assert!(undescribed.is_empty(), "{undescribed:#?}");
}

/// The type of a field as the page says it.
fn kind(schema: &Value) -> String {
    let plain = |name: &str| match name {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" if schema.get("additionalProperties").is_some() => {
            format!("object by name, of {}", kind(&schema["additionalProperties"]))
        }
        name => name.to_owned(),
    };
    if let Some(target) = schema["$ref"].as_str() {
        let name = target.rsplit('/').next().unwrap();
        let anchor: String = name.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect();
        return format!("[{name}](#{anchor})");
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(|word| format!("`{}`", word.as_str().unwrap())).collect::<Vec<_>>().join(", ");
    }
    if let Some(choices) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        return choices.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    match (&schema["type"], &schema["const"]) {
        (Value::Array(names), _) => {
            names.iter().map(|name| plain(name.as_str().unwrap())).collect::<Vec<_>>().join(" or ")
        }
        (Value::String(name), _) if name == "object" && schema.get("properties").is_some() => {
            let parts = schema["properties"].as_object().unwrap();
            let parts = parts.iter().map(|(name, part)| format!("`{name}`: {}", kind(part)));
            format!("object with {}", parts.collect::<Vec<_>>().join(", "))
        }
        (Value::String(name), _) => plain(name),
        (_, Value::Null) => String::new(),
        (_, value) => format!("`{value}`"),
    }
}

/// A heading, what is said of it, and its fields or words.
fn part(page: &mut String, marks: &str, name: &str, schema: &Value) {
    let description = schema["description"].as_str().unwrap_or_default();
    write!(page, "\n{marks} {name}\n\n{description}").unwrap();
    if let Some(fields) = schema["properties"].as_object() {
        page.push_str("\n\n| field | type | meaning |\n|---|---|---|\n");
        let required: Vec<&str> =
            schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        for (field, schema) in fields {
            let optional = if required.contains(&field.as_str()) { "" } else { " May be missing." };
            let described = schema["description"].as_str().unwrap_or_default();
            let row = format!("| `{field}` | {} | {described}{optional} |", kind(schema).replace('|', "\\|"));
            writeln!(page, "{}", row.replace("  ", " ")).unwrap();
        }
    } else {
        writeln!(page, "\n\n{}", kind(schema)).unwrap();
    }
}

#[test]
fn the_page_about_json_follows_from_the_schemas() {
    const MARK: &str = "<!-- What follows is made from docs/reference/schema: UPDATE_REFERENCE=1 cargo test --test it the_page_about_json -->\n";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/json.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut page = format!("{}{MARK}", text.split_once(MARK).unwrap().0);
    let schemas = Schemas::read();
    for name in ["plan.json", "apply.json", "show.json", "history.json", "check.json", "targets.json"] {
        let schema = schemas.file(name);
        part(&mut page, "##", name, schema);
        for (name, schema) in schema["$defs"].as_object().unwrap() {
            part(&mut page, "###", name, schema);
        }
    }
    is_current("docs/reference/json.md", &page);
}

#[cfg(feature = "sandbox")]
mod real {
    use oktapieces_sandbox::company::Shape;

    use super::*;
    use crate::support::Stage;

    async fn fits(stage: &Stage, file: &str, arguments: &[&str]) -> Value {
        let outcome = stage.run(&[arguments, &["--json"]].concat()).await;
        let answer = outcome.json();
        assert_eq!(Schemas::read().faults(file, &answer), [""; 0], "{arguments:?}");
        answer
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_answer_of_a_company_fits_its_schema() {
        let stage = Stage::seeded().await;
        fits(&stage, "check.json", &["check"]).await;
        let plan = fits(&stage, "plan.json", &["plan", "--out", "plan.json"]).await;
        assert!(plan["problems"].as_array().unwrap().len() > 5, "{plan}");
        fits(&stage, "show.json", &["show", "plan.json"]).await;
        stage.run(&["export", "snapshot.json"]).await;
        fits(&stage, "plan.json", &["plan", "--from", "snapshot.json"]).await;
        let applied = fits(&stage, "apply.json", &["apply", "--yes"]).await;
        let run = applied["run"].to_string();
        let shown = fits(&stage, "show.json", &["show", &run]).await;
        assert_eq!(shown["record"]["outcome"], "done");
        fits(&stage, "show.json", &["show", "1"]).await;
        fits(&stage, "apply.json", &["undo", &run, "--dry-run"]).await;
        fits(&stage, "apply.json", &["undo", &run, "--yes"]).await;
        let history = fits(&stage, "history.json", &["history"]).await;
        assert!(history["runs"].as_array().unwrap().len() > 4, "{history}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_refused_plan_and_a_failed_check_fit_too() {
        let stage =
            Stage::of(Shape::Generated { users: 40, groups: 3, members: 25, existing: 1.0, drift: 0.0, seed: 5 }).await;
        stage.run(&["apply", "--yes"]).await;
        stage.reconfigure("max_deactivations = \"100%\"", "max_deactivations = 1");
        for user in stage.people().iter().take(3) {
            stage.sandbox.org().set_status(user, "SUSPENDED");
        }
        let refused = fits(&stage, "apply.json", &["apply", "--yes"]).await;
        assert!(!refused["refusals"].as_array().unwrap().is_empty(), "{refused}");
        stage.reconfigure("ACTIVEPIECES_API_KEY", "NOT_SET");
        let failed = fits(&stage, "check.json", &["check"]).await;
        assert!(failed["failed"].as_u64() > Some(0), "{failed}");
    }
}
