//! The rules between the folders, read off the `use` lines.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::support::files_below;

/// Which folders each folder may use, from the table in ARCHITECTURE.md. A folder without a row fails the test.
fn rules() -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let table = text.split("## Folders").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rules: BTreeMap<_, _> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').collect();
            (names(cells[1]).remove(0), names(cells[3]))
        })
        .collect();
    assert!(rules.len() > 15, "the table has {} rows", rules.len());
    rules
}

/// The folders that do no I/O, and what would be I/O, a clock or an environment.
const PURE: [&str; 4] = ["model", "expression", "mapping", "plan"];
const IMPURE: [&str; 9] =
    ["tokio", "reqwest", "axum", "std::fs", "std::env", "std::net", "std::process", "SystemTime", "Timestamp::now"];

fn sources() -> Vec<(PathBuf, String)> {
    let mut paths = files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    assert!(paths.len() > 40, "the sources weren't found");
    let read = |path: PathBuf| fs::read_to_string(&path).map(|text| (path, text)).unwrap();
    paths.into_iter().map(read).collect()
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
    let rules = rules();
    let mut checked = 0;
    for (path, text) in sources().iter().filter(|(path, _)| !is_test(path)) {
        let folder = folder_of(path);
        if folder == "main" {
            continue;
        }
        let allowed = rules.get(&folder).unwrap_or_else(|| panic!("no rule for the folder {folder}"));
        for name in used(text) {
            checked += 1;
            let breach = name != folder && rules.contains_key(&name) && !allowed.contains(&name);
            assert!(!breach, "{} uses {name}, which {folder} may not", path.display());
        }
    }
    assert!(checked > 100, "only {checked} uses were found");
}

/// The module path of a file below `src`: `plan/diff/mod.rs` is `plan::diff`.
fn module_of(path: &Path) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let below = path.strip_prefix(root).unwrap().with_extension("");
    let parts = below.components().map(|part| part.as_os_str().to_str().unwrap().to_owned());
    parts.filter(|part| part != "mod").collect()
}

/// The paths that a source names: `a::{b, c::D}` is `a::b` and `a::c::D`.
fn paths_of(code: &str) -> Vec<Vec<String>> {
    fn spread(prefix: &[String], rest: &str, found: &mut Vec<Vec<String>>) -> usize {
        let mut path = prefix.to_vec();
        let mut at = 0;
        loop {
            let word: String = rest[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            at += word.len();
            if !word.is_empty() {
                path.push(word);
            }
            if !rest[at..].starts_with("::") {
                break;
            }
            at += 2;
            if rest[at..].starts_with('{') {
                at += 1;
                loop {
                    at += rest[at..].len() - rest[at..].trim_start().len();
                    if rest[at..].starts_with('}') {
                        return at + 1;
                    }
                    at += spread(&path, &rest[at..], found);
                    let end = rest[at..].find([',', '}']).unwrap_or(rest.len() - at);
                    at += end + usize::from(rest[at + end..].starts_with(','));
                    if at >= rest.len() {
                        return at;
                    }
                }
            }
        }
        found.push(path);
        at
    }
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                spread(&[], &code[at..], &mut found);
            }
        }
    }
    found
}

/// The code of a source: without comments, and without the tests below it.
fn code_of(text: &str) -> String {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    product.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Which files each file of the product uses. A name that a `mod.rs` gives on with `pub use` is its own file's.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let sources: Vec<(Vec<String>, String)> = sources()
        .iter()
        .filter(|(path, _)| !is_test(path))
        .map(|(path, text)| (module_of(path), code_of(text)))
        .collect();
    let modules: BTreeSet<&[String]> = sources.iter().map(|(module, _)| module.as_slice()).collect();
    let mut given_on: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for (module, code) in &sources {
        for line in code.split(';').filter_map(|line| line.trim().strip_prefix("pub use ")) {
            let local = format!("super::{line}");
            for path in paths_of(&local).into_iter().chain(paths_of(line)) {
                if let ("super", Some((name, _))) = (path[0].as_str(), path[1..].split_last()) {
                    let target = module.iter().chain(&path[1..]).cloned().collect();
                    given_on.insert(module.iter().chain([name]).cloned().collect(), target);
                }
            }
        }
    }
    let mut graph = BTreeMap::new();
    for (module, code) in &sources {
        let used: &mut BTreeSet<String> = graph.entry(module.join("::")).or_default();
        let code: String = code.split_inclusive(';').filter(|line| !line.trim().starts_with("pub use ")).collect();
        for path in paths_of(&code) {
            let up = path.iter().take_while(|part| *part == "super").count();
            let base = if up == 0 { &[][..] } else { &module[..module.len().saturating_sub(up)] };
            let mut whole: Vec<String> = base.iter().chain(&path[up.max(1)..]).cloned().collect();
            while let Some(target) = (1..=whole.len()).find_map(|end| {
                given_on
                    .get(&whole[..end])
                    .filter(|_| !modules.contains(&whole[..end]))
                    .map(|target| target.iter().chain(&whole[end..]).cloned().collect())
            }) {
                whole = target;
            }
            let file = (0..=whole.len()).rev().map(|end| &whole[..end]).find(|part| modules.contains(part));
            if let Some(file) = file.filter(|file| *file != module.as_slice() && !file.is_empty()) {
                used.insert(file.join("::"));
            }
        }
    }
    graph
}

#[test]
fn no_file_uses_itself_through_others() {
    let mut left = uses();
    assert!(left.values().map(BTreeSet::len).sum::<usize>() > 300, "the uses weren't found");
    // Files that use nothing that is left can't be part of a circle, and so on, until only circles and their users stay.
    loop {
        let free: Vec<String> = left.iter().filter(|(_, used)| used.is_empty()).map(|(file, _)| file.clone()).collect();
        if free.is_empty() {
            break;
        }
        for file in &free {
            left.remove(file);
        }
        for used in left.values_mut() {
            used.retain(|file| !free.contains(file));
        }
    }
    // And files that no remaining file uses.
    loop {
        let used: BTreeSet<String> = left.values().flatten().cloned().collect();
        let before = left.len();
        left.retain(|file, _| used.contains(file));
        if left.len() == before {
            break;
        }
    }
    assert!(left.is_empty(), "circles among {left:#?}");
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
fn only_two_commands_know_the_sandbox_and_it_knows_nothing_of_the_product() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/sandbox/Cargo.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    let dependencies = manifest.split_once("[dependencies]").unwrap().1;
    assert!(dependencies.contains("axum") && !dependencies.contains("oktapieces"), "{dependencies}");
    let users: Vec<_> = sources().into_iter().filter(|(_, text)| text.contains("oktapieces_sandbox")).collect();
    let commands = |path: &Path| path.ends_with("cli/demo.rs") || path.ends_with("cli/sandbox.rs");
    assert!(!users.is_empty());
    for (path, _) in users.iter().filter(|(path, _)| !is_test(path)) {
        assert!(commands(path), "{} uses the sandbox", path.display());
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
