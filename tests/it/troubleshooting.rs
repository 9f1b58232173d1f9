//! docs/troubleshooting.md has a heading for each name that the program prints, and no other.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use oktapieces::error::{EXIT_CODES, Topic};
use oktapieces::model::problem::ProblemKind;
use oktapieces::plan::deferred::Because;
use oktapieces::plan::guard::Refusal;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::support::files_below;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap()
}

/// The names that a type knows, as the error lists them that an unknown one gives.
fn names<T: DeserializeOwned + std::fmt::Debug>(unknown: serde_json::Value) -> BTreeSet<String> {
    let error = serde_json::from_value::<T>(unknown).unwrap_err().to_string();
    let (_, list) = error.split_once("expected one of ").unwrap_or_else(|| panic!("{error}"));
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The headings of a section of the page.
fn headings(section: &str) -> BTreeSet<String> {
    let page = page();
    let (_, rest) = page.split_once(&format!("\n## {section}\n")).unwrap_or_else(|| panic!("no section {section}"));
    let own = rest.split("\n## ").next().unwrap_or_default();
    own.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_owned).collect()
}

#[test]
fn each_name_has_its_heading_and_each_heading_its_name() {
    let topics = Topic::ALL.iter().map(|topic| topic.as_str().to_owned()).collect();
    assert_eq!(headings("Errors"), topics);
    assert_eq!(headings("Problems"), names::<ProblemKind>(json!("?")));
    assert_eq!(headings("Refusals"), names::<Refusal>(json!({ "guard": "?" })));
    // What an error or a problem explains isn't explained again.
    let mut deferred = names::<Because>(json!({ "kind": "?" }));
    assert!(deferred.remove("source_not_trusted") && deferred.remove("scope_not_found"));
    assert_eq!(headings("Deferred operations"), deferred);
}

#[test]
fn each_exit_code_of_the_help_is_explained() {
    let codes: BTreeSet<String> = EXIT_CODES.iter().map(|(code, _)| format!("Exit code {code}")).collect();
    assert_eq!(codes.len(), 11, "{codes:?}");
    assert_eq!(headings("Exit codes"), codes);
}

/// The texts of the warnings of the page: each is a part of what is printed, with `…` for what differs.
fn warnings() -> Vec<String> {
    let page = page();
    let (_, rest) = page.split_once("\n## Warnings\n").unwrap();
    let rows = rest.split("\n## ").next().unwrap().lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| row.split(" | ").next().unwrap().to_owned());
    cells.flat_map(|cell| cell.split('`').step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The code, with lines that a string continues on joined.
fn code() -> Vec<(String, String)> {
    let files =
        files_below(&root().join("src")).into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
    files
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            let joined =
                text.split("\\\n").enumerate().map(|(at, part)| if at == 0 { part } else { part.trim_start() });
            (path.display().to_string(), joined.collect())
        })
        .collect()
}

/// The parts of a text between what differs.
fn fixed<'a>(text: &'a str, gaps: &[char]) -> Vec<&'a str> {
    text.split(gaps).map(str::trim).filter(|part| part.split_whitespace().count() > 1).collect()
}

#[test]
fn each_warning_of_the_page_is_one_that_is_printed() {
    let code: String = code().into_iter().map(|(_, text)| text).collect();
    let warnings = warnings();
    assert!(warnings.len() > 35, "{warnings:?}");
    for warning in warnings.iter().filter(|warning| warning.split_whitespace().count() > 1) {
        for part in fixed(warning, &['…']) {
            assert!(code.contains(part), "no warning says {part:?}");
        }
    }
}

/// The first string in what follows a call, if the call begins with one.
fn literal(call: &str) -> Option<&str> {
    let start =
        call.find('"').filter(|at| call[..*at].chars().all(|c| c.is_whitespace() || "&!(formate".contains(c)))?;
    let text = &call[start + 1..];
    let end = text.match_indices('"').map(|(at, _)| at).find(|at| !text[..*at].ends_with('\\'))?;
    Some(&text[..end])
}

#[test]
fn each_warning_that_is_printed_is_on_the_page() {
    let (warnings, mut found) = (warnings(), 0);
    for (path, text) in code() {
        for call in ["warnings.push(", "printer.warning(", ".warning(", "self.warn("] {
            for (at, _) in text.match_indices(call) {
                let Some(literal) = literal(&text[at + call.len()..]) else { continue };
                let literal = literal.replace("\\\"", "\"");
                let parts: Vec<&str> = literal.split(['{', '}']).step_by(2).map(str::trim).collect();
                if parts.iter().all(|part| part.split_whitespace().count() < 2) {
                    // It is made of texts from elsewhere.
                    continue;
                }
                let explained = |warning: &String| {
                    fixed(warning, &['…']).iter().any(|wanted| parts.iter().any(|part| part.contains(wanted)))
                };
                assert!(warnings.iter().any(explained), "{path}: docs/troubleshooting.md doesn't explain {literal:?}");
                found += 1;
            }
        }
    }
    assert!(found > 20, "only {found} warnings were found");
}
