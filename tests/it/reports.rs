//! Plans and runs in every format, by the real binary against the sandbox.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::{BTreeMap, BTreeSet};

use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::serve::{Fault, FaultKind};
use serde_json::Value;

use crate::support::Stage;

const SMALL: Shape = Shape::Generated { users: 12, groups: 2, members: 4, existing: 0.5, drift: 0.5, seed: 11 };
const FORMATS: [&str; 5] = ["text", "json", "jsonl", "csv", "markdown"];

/// A table of CSV by its column names.
fn table(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let row =
        |row: csv::StringRecord| columns.iter().zip(row.iter()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
    reader.records().map(|record| row(record.unwrap())).collect()
}

async fn in_format(stage: &Stage, arguments: &[&str], format: &str) -> String {
    let outcome = stage.run(&[arguments, &["--format", format]].concat()).await;
    assert!([0, 3].contains(&outcome.code), "{outcome:#?}");
    outcome.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_is_shown_as_it_was_planned_in_every_format() {
    let stage = Stage::seeded().await;
    for format in FORMATS {
        let planned = in_format(&stage, &["plan", "--out", "plan.json"], format).await;
        assert_eq!(in_format(&stage, &["show", "plan.json"], format).await, planned, "{format}");
        assert!(planned.len() > 1000, "{planned}");
    }
    let show = async |flag: &str| stage.run(&["show", "plan.json", flag]).await.stdout;
    assert_eq!(show("--json").await, in_format(&stage, &["show", "plan.json"], "json").await);
    assert_eq!(show("--csv").await, in_format(&stage, &["show", "plan.json"], "csv").await);
    for wrong in [&["--format", "csv", "--json"][..], &["--csv", "--format", "csv"], &["--format", "pdf"]] {
        assert_eq!(stage.run(&[&["plan"], wrong].concat()).await.code, 64, "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_and_json_lines_have_the_same_rows_with_outcome_and_run() {
    let stage = Stage::of(SMALL).await;
    let fault = Fault {
        method: Some("PATCH".to_owned()),
        path: "/api/v1/scim/v2/Groups".to_owned(),
        kind: FaultKind::Error500,
        after: 0,
        times: usize::MAX,
    };
    stage.sandbox.activepieces_traffic().fault(fault);
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!(applied.code, 3, "{applied:#?}");
    let csv = in_format(&stage, &["show", "1"], "csv").await;
    assert!(csv.starts_with("\u{feff}\"kind\","), "a spreadsheet knows UTF-8 by the mark: {csv}");
    let rows = table(&csv);
    let lines = in_format(&stage, &["show", "1"], "jsonl").await;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), lines.len());
    for (row, line) in rows.iter().zip(&lines) {
        for (column, cell) in row {
            let value = match &line[column] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(&value, cell.trim_start_matches('\''), "{column} of {line}");
        }
    }
    let changes: Vec<_> = rows.iter().filter(|row| ["user", "project"].contains(&&*row["kind"])).collect();
    assert!(changes.iter().all(|row| row["run"] == "1" && row["okta_id"].starts_with("00")), "{changes:#?}");
    let outcomes: BTreeSet<&str> = changes.iter().map(|row| row["outcome"].as_str()).collect();
    assert_eq!(outcomes, BTreeSet::from(["done", "failed"]), "{changes:#?}");
    let failed: Vec<_> = changes.iter().filter(|row| row["outcome"] == "failed").collect();
    assert!(
        failed.iter().all(|row| row["outcome_reason"].contains("500") && row["action"] == "add member"),
        "{failed:#?}"
    );
    let words = |lines: &[Value]| lines.iter().filter_map(|line| Some(line["code"].as_str()?.to_owned())).collect();
    let codes: BTreeSet<String> = words(&lines);
    assert!(codes.contains("assigned"), "{codes:?}");
    // A plan has neither.
    let planned = table(&in_format(&stage, &["plan"], "csv").await);
    assert!(planned.iter().all(|row| row["run"].is_empty() && row["outcome"].is_empty()), "{planned:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_wrote_nothing_has_no_rows() {
    let stage =
        Stage::of(Shape::Generated { users: 40, groups: 3, members: 25, existing: 1.0, drift: 0.0, seed: 5 }).await;
    stage.run(&["apply", "--yes"]).await;
    stage.run(&["plan"]).await;
    assert_eq!(in_format(&stage, &["show", "2"], "jsonl").await, "");
    assert_eq!(table(&in_format(&stage, &["show", "2"], "csv").await).len(), 0);
    assert!(in_format(&stage, &["show", "2"], "markdown").await.contains("It wrote nothing."));
    assert!(in_format(&stage, &["plan"], "markdown").await.contains("**No changes.**"));
}

/// The names that a plan takes something from or gives a high role, as its JSON has them.
fn named(plan: &Value) -> BTreeSet<String> {
    let users = plan["users"].as_array().unwrap().iter().filter(|op| {
        let changes = op["changes"].as_array().unwrap();
        let high = |value: &Value| value == "ADMIN" || value == "OPERATOR";
        let role = changes.iter().find(|change| change["attribute"] == "platformRole");
        op["action"] == "deactivate" || role.is_some_and(|role| high(&role["from"]) || high(&role["to"]))
    });
    let removed = plan["projects"].as_array().unwrap().iter().flat_map(|op| op["remove"].as_array().unwrap());
    users.chain(removed).map(|named| named["user_name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn markdown_lists_every_change_of_access_and_folds_the_rest() {
    let stage = Stage::seeded().await;
    let plan = stage.plan().await;
    let markdown = in_format(&stage, &["plan"], "markdown").await;
    let (open, folded) = markdown.split_once("<details>").unwrap();
    let host = |url: String| url.trim_start_matches("http://").to_owned();
    let servers = format!("{} → {}", host(stage.sandbox.okta_url()), host(stage.sandbox.activepieces_url().to_owned()));
    assert!(open.starts_with(&format!("## Plan: {servers}\n\nmade 20")), "{open}");
    assert!(open.contains(concat!("oktapieces ", env!("CARGO_PKG_VERSION"))), "{open}");
    assert!(open.contains(&format!("plan {}", plan["hash"].as_str().unwrap())), "{open}");
    let names = named(&plan);
    assert!(names.len() > 8, "{names:?}");
    for name in &names {
        let escaped = name.replace('_', "\\_");
        assert!(open.contains(&format!("| {escaped} |")), "{name} isn't in {open}");
    }
    for problem in plan["problems"].as_array().unwrap() {
        let kind = problem["kind"].as_str().unwrap().replace('_', "\\_");
        assert!(open.contains(&format!(" | {kind} | ")), "{problem} isn't in {open}");
    }
    let deactivated = plan["totals"]["deactivate"].as_u64().unwrap();
    assert!(open.contains(&format!("\n| deactivated accounts | {deactivated} |\n")), "{open}");
    assert!(folded.contains("routine changes") && folded.ends_with("</details>\n"), "{folded}");
}

/// A stage with a change of a user whose first name would be markup, a mention or a formula, and that of a project.
async fn hostile(name: &str) -> Stage {
    let stage = Stage::of(SMALL).await;
    let user = stage.sandbox.platform().users().into_iter().find_map(|user| user.external_id).unwrap();
    stage.sandbox.org().set_profile(&user, "firstName", name.into());
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_no_markup_of_a_comment() {
    let stage = hostile("</details>|`@acme/admins` [x](https://evil.example)\u{202e}<img src=x>\nfixes #1").await;
    let markdown = in_format(&stage, &["plan"], "markdown").await;
    let shown = "&lt;/details&gt;\\|\\`@&#8203;acme/admins\\` \\[x\\](https\\://evil.example)\\\\u\\{202e\\}&lt;img src=x&gt;\\\\u\\{a\\}fixes \\#&#8203;1";
    assert!(markdown.contains(&format!(" | {shown} | ")), "{markdown}");
    assert!(!markdown.contains("<img") && !markdown.contains('\u{202e}'), "{markdown}");
}
