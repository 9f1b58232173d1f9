//! The rules between the folders, read off the `use` lines.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Which folders each folder may use. A folder that isn't named here fails the test.
const MAY_USE: [(&str, &[&str]); 17] = [
    ("error", &[]),
    ("files", &[]),
    ("model", &[]),
    ("expression", &["model"]),
    ("mapping", &["model", "expression"]),
    ("plan", &["model"]),
    ("config", &["error", "files", "model", "expression", "mapping", "plan"]),
    ("http", &["error"]),
    ("okta", &["error", "model", "expression", "mapping", "http"]),
    ("activepieces", &["error", "model", "http"]),
    ("apply", &["model", "plan", "http", "activepieces"]),
    ("state", &["error", "files", "model", "plan", "apply"]),
    ("output", &["error", "model", "expression", "plan", "apply", "state"]),
    ("sandbox", &[]),
    (
        "cli",
        &[
            "error",
            "files",
            "model",
            "expression",
            "mapping",
            "plan",
            "config",
            "http",
            "okta",
            "activepieces",
            "apply",
            "state",
            "output",
            "sandbox",
        ],
    ),
    (
        "fuzzing",
        &["error", "model", "expression", "plan", "config", "http", "okta", "activepieces", "state", "output", "cli"],
    ),
    ("lib", &[]),
];

/// The folders that do no I/O, and what would be I/O, a clock or an environment.
const PURE: [&str; 4] = ["model", "expression", "mapping", "plan"];
const IMPURE: [&str; 9] =
    ["tokio", "reqwest", "axum", "std::fs", "std::env", "std::net", "std::process", "SystemTime", "Timestamp::now"];

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found.sort();
    assert!(found.len() > 40, "the sources weren't found");
    found
}

/// The folder of a file below `src`, or its stem for a file right there.
fn folder_of(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let first = path.strip_prefix(root).unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The folders that a source names by `crate::`. Tests may use more than what they test does.
fn used(text: &str) -> Vec<String> {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut used = Vec::new();
    for line in product.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for part in line.split("crate::").skip(1) {
            if let Some(list) = part.strip_prefix('{') {
                let names = list.split(['{', '}', ',', ';']).map(|name| name.split("::").next().unwrap().trim());
                used.extend(names.filter(|name| name.starts_with(char::is_lowercase)).map(str::to_owned));
            } else {
                used.push(part.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned());
            }
        }
    }
    used
}

fn is_test(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_str().unwrap();
    name.ends_with("tests")
        || ["testing", "scripted", "recordings"].contains(&name)
        || path.components().any(|part| part.as_os_str() == "tests")
}

#[test]
fn folders_use_only_what_they_may() {
    let rules: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    let mut checked = 0;
    for (path, text) in sources().iter().filter(|(path, _)| !is_test(path)) {
        let folder = folder_of(path);
        if folder == "main" {
            continue;
        }
        let allowed = rules.get(folder.as_str()).unwrap_or_else(|| panic!("no rule for the folder {folder}"));
        for name in used(text) {
            checked += 1;
            let breach = name != folder && rules.contains_key(name.as_str()) && !allowed.contains(&name.as_str());
            assert!(!breach, "{} uses {name}, which {folder} may not", path.display());
        }
    }
    assert!(checked > 100, "only {checked} uses were found");
}

#[test]
fn the_core_does_no_input_or_output_and_knows_no_clock() {
    for (path, text) in sources().iter().filter(|(path, _)| PURE.contains(&folder_of(path).as_str())) {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            for word in IMPURE {
                assert!(!line.contains(word), "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn only_the_printer_writes_to_the_terminal() {
    for (path, text) in sources().iter().filter(|(path, _)| !is_test(path)) {
        let printer = path.ends_with("output/printer.rs") || path.ends_with("cli/logging.rs");
        let writes = ["io::stdout", "io::stderr", "println!", "eprintln!"].iter().any(|word| text.contains(word));
        assert!(printer || !writes, "{} writes to the terminal", path.display());
    }
}

#[test]
fn each_test_that_is_named_for_a_claim_of_security_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = [root.join("tests/it"), root.join("tests/it/sandbox_okta")].into_iter().flat_map(|folder| {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap()).collect::<Vec<_>>()
    });
    let code = sources().into_iter().map(|(_, text)| text).chain(tests).collect::<Vec<_>>();
    let security = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let named = security.split('`').skip(1).step_by(2).filter(|word| word.matches('_').count() > 3);
    let named: Vec<&str> = named.collect();
    assert!(named.len() > 10, "{named:?}");
    for name in named {
        let function = format!("fn {name}(");
        assert!(code.iter().any(|text| text.contains(&function)), "SECURITY.md names {name}, which is no test");
    }
}
