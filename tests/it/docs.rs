//! Links between the code, the documents and their headings.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::support::files_below;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All code and documents.
fn files() -> Vec<PathBuf> {
    let folders = ["src", "crates", "tests", "benches", "docs"].map(|name| root().join(name));
    let mut found: Vec<PathBuf> = folders.iter().flat_map(|folder| files_below(folder)).collect();
    found.extend(fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()));
    found.retain(|path| path.extension().is_some_and(|extension| extension == "rs" || extension == "md"));
    assert!(found.len() > 100, "the files weren't found");
    found
}

/// The anchors that GitHub gives the headings of a document.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut in_code = false;
    for line in text.lines() {
        in_code ^= line.starts_with("```");
        let Some(heading) = line.strip_prefix('#').filter(|_| !in_code) else { continue };
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        anchors.insert(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
    }
    anchors
}

/// What a text links to: the page and the anchor, as they are written.
fn links(text: &str, is_page: bool) -> Vec<(String, String)> {
    let is_part = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    let mut found = Vec::new();
    for (at, _) in text.match_indices('#') {
        let page: String =
            text[..at].chars().rev().take_while(|c| is_part(*c)).collect::<Vec<_>>().into_iter().rev().collect();
        let anchor: String = text[at + 1..].chars().take_while(|c| is_part(*c) && *c != '.').collect();
        let is_own = page.is_empty() && is_page && text[..at].ends_with("](");
        let names_page = Path::new(&page).extension().is_some_and(|extension| extension == "md");
        if (is_own || names_page) && !page.contains("//") && !anchor.is_empty() {
            found.push((page, anchor));
        }
    }
    found
}

#[test]
fn every_link_to_a_heading_has_its_heading() {
    let mut checked = 0;
    for file in files() {
        let text = fs::read_to_string(&file).unwrap();
        let is_page = file.extension().is_some_and(|extension| extension == "md");
        for (page, anchor) in links(&text, is_page) {
            let folder = if page.starts_with("docs/") { root() } else { file.parent().unwrap() };
            let target = if page.is_empty() { file.clone() } else { folder.join(&page) };
            let target_text = fs::read_to_string(&target);
            let target_text =
                target_text.unwrap_or_else(|_| panic!("{} links to {page}, which isn't there", file.display()));
            assert!(anchors(&target_text).contains(&anchor), "{} links to {page}#{anchor}", file.display());
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} links were found");
}

#[test]
fn a_heading_has_the_anchor_that_github_gives_it() {
    let text = "# PATCH of a user\n\n```\n# no heading\n```\n## `check`, and what it says";
    assert_eq!(anchors(text), BTreeSet::from(["patch-of-a-user", "check-and-what-it-says"].map(str::to_owned)));
}
