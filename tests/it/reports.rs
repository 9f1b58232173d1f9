//! Plans and runs in every format, by the real binary against the sandbox.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::{BTreeMap, BTreeSet};

use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::serve::{Fault, FaultKind};
use serde_json::Value;

use crate::support::Stage;

const SMALL: Shape = Shape::Generated { users: 12, groups: 2, members: 4, existing: 0.5, drift: 0.5, seed: 11 };
const FORMATS: [&str; 6] = ["text", "json", "jsonl", "csv", "markdown", "html"];

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
    for wrong in [&["--format", "html", "--json"][..], &["--csv", "--format", "csv"], &["--format", "pdf"]] {
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
    assert!(in_format(&stage, &["show", "2"], "html").await.contains("The run wrote nothing."));
    assert!(in_format(&stage, &["plan"], "markdown").await.contains("**No changes.**"));
    assert!(in_format(&stage, &["plan"], "html").await.contains("No changes</h2>"));
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
    let servers = format!("{} → {}", host(stage.sandbox.okta_url()), host(stage.sandbox.activepieces_url()));
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

/// Elements of HTML without an end.
const VOID: [&str; 4] = ["meta", "input", "br", "img"];

/// An element of a page, with its attributes.
#[derive(Debug)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    /// The names of the elements around it.
    within: Vec<String>,
}

/// Reads a page that our own serialiser wrote: every attribute of its body has quotes. An element that isn't closed where it
/// should be fails the test.
fn elements(page: &str) -> Vec<Element> {
    let tag = regex::Regex::new(r#"<(/?)([a-z0-9]+)((?: [a-zA-Z-]+(?:="[^"<>]*")?)*)>"#).unwrap();
    let attribute = regex::Regex::new(r#" ([a-zA-Z-]+)(?:="([^"]*)")?"#).unwrap();
    let (head, rest) = page.split_once("<style>").unwrap();
    let body = rest.split_once("</style>").unwrap().1.split_once("<script>").unwrap().0;
    let text = format!("{}{body}", head.split_once("<!doctype html>").unwrap().1);
    let (mut open, mut found): (Vec<String>, Vec<Element>) = (Vec::new(), Vec::new());
    let mut matched = 0;
    for tag in tag.captures_iter(&text) {
        matched += 1;
        let name = tag[2].to_owned();
        if &tag[1] == "/" {
            assert_eq!(open.pop().as_ref(), Some(&name), "closed in the wrong place");
            continue;
        }
        let attributes = attribute.captures_iter(&tag[3]);
        let attributes =
            attributes.map(|found| (found[1].to_owned(), found.get(2).map_or("", |value| value.as_str()).to_owned()));
        found.push(Element { name: name.clone(), attributes: attributes.collect(), within: open.clone() });
        if !VOID.contains(&&*name) {
            open.push(name);
        }
    }
    assert_eq!(text.matches('<').count(), matched, "a < that is no element");
    assert_eq!(open, ["html", "body"], "what the script and the end of the page close");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_whole_and_readable_without_eyes_or_mouse() {
    let stage = Stage::seeded().await;
    stage.run(&["apply", "--yes"]).await;
    for (arguments, title) in [(&["plan"][..], "Plan"), (&["show", "1"], "Run 1: apply, done")] {
        let page = in_format(&stage, arguments, "html").await;
        assert!(page.starts_with("<!doctype html>") && page.contains(&format!("<h1>{title}</h1>")), "{page}");
        let elements = elements(&page);
        let all = |name: &'static str| elements.iter().filter(move |element| element.name == name);
        let has = |element: &Element, attribute: &str| element.attributes.contains_key(attribute);
        for landmark in ["header", "nav", "main", "footer", "h1"] {
            assert_eq!(all(landmark).count(), 1, "{landmark}");
        }
        assert!(all("th").count() > 5 && all("th").all(|cell| has(cell, "scope")));
        assert_eq!(all("table").count(), all("caption").count());
        assert!(
            all("input")
                .chain(all("select"))
                .all(|field| { all("label").any(|label| label.attributes.get("for") == field.attributes.get("id")) })
        );
        let ids: Vec<&String> = elements.iter().filter_map(|element| element.attributes.get("id")).collect();
        assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "an id is there twice: {ids:?}");
        let named = elements.iter().filter_map(|element| element.attributes.get("aria-labelledby"));
        let jumps = all("a").map(|link| &link.attributes["href"]).inspect(|to| assert!(to.starts_with('#'), "{to}"));
        for to in named.map(String::as_str).chain(jumps.map(|to| &to[1..])) {
            assert!(ids.iter().any(|id| *id == to), "{to} names nothing");
        }
        assert!(elements.iter().all(|element| {
            let forbidden =
                |name: &String| name.starts_with("on") || ["src", "style", "action"].contains(&name.as_str());
            !element.attributes.keys().any(forbidden)
        }));
        assert!(all("rect").count() > 3 && all("svg").all(|svg| svg.within.contains(&"figure".to_owned())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_lists_each_change_and_each_name_as_text() {
    let stage = hostile("<script>alert(1)</script>\"><img onerror=x>{{changes}}\u{202e}\u{2066}").await;
    let page = in_format(&stage, &["plan"], "html").await;
    let shown = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&gt;&lt;img onerror=x&gt;{{changes}}\\u{202e}\\u{2066}";
    assert!(page.contains(&format!("<td>{shown}</td>")), "{page}");
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains('\u{202e}') && !page.contains('\u{2066}'), "{page}");
    let rows = table(&in_format(&stage, &["plan"], "csv").await);
    let changes = rows.iter().filter(|row| ["user", "project"].contains(&&*row["kind"])).count();
    let filtered = elements(&page).iter().filter(|element| element.attributes.contains_key("data-kind")).count();
    assert_eq!(filtered, changes);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chart_counts_the_accounts_that_are_there_before_and_after() {
    let stage = Stage::seeded().await;
    let counted = || {
        let mut counts: BTreeMap<String, [usize; 2]> = BTreeMap::new();
        for user in stage.sandbox.platform().users() {
            counts.entry(user.role).or_default()[usize::from(!user.active)] += 1;
        }
        counts
    };
    let has = |page: &str, when: &str, counts: &BTreeMap<String, [usize; 2]>| {
        for (role, [active, inactive]) in counts {
            let row = format!(
                "<th scope=\"row\">{role} {when}</th><td class=\"number\">{active}</td><td class=\"number\">{inactive}</td>"
            );
            assert!(page.contains(&row), "{row} isn't in {page}");
        }
    };
    let before = counted();
    let page = in_format(&stage, &["plan"], "html").await;
    assert!(before.len() > 1, "{before:?}");
    has(&page, "before", &before);
    stage.run(&["apply", "--yes"]).await;
    has(&page, "after", &counted());
}
