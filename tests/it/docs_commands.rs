//! Every command line of the guide and the how-to pages is run, in the order of its page.

#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Stage, files_below};

/// The command lines of a page's shell blocks, without the program's name.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut in_shell = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim_start) {
        match line {
            "```sh" => in_shell = true,
            _ if line.starts_with("```") => in_shell = false,
            _ if in_shell => {
                // Without comments, pipes and redirections.
                let line = line.split(['#', '|', '>']).next().unwrap_or_default();
                let mut words = line.split_whitespace().map(str::to_owned);
                let is_ours = words.next().as_deref() == Some("oktapieces");
                let command: Vec<String> = words.collect();
                // A sandbox serves until it is stopped.
                if is_ours && command.first().is_some_and(|name| name != "sandbox") {
                    found.push(command);
                }
            }
            _ => {}
        }
    }
    found
}

fn pages() -> Vec<PathBuf> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut pages: Vec<PathBuf> =
        ["guide", "howto"].iter().flat_map(|folder| files_below(&docs.join(folder))).collect();
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages
}

/// Runs the commands of a page after a plan and an apply, as its reader has them.
async fn follow(page: &Path) -> usize {
    let commands = commands(&fs::read_to_string(page).unwrap());
    if commands.is_empty() {
        return 0;
    }
    let stage = Stage::seeded().await;
    for name in ["staging.toml", "production.toml", "new.toml"] {
        fs::copy(stage.folder().join("config.toml"), stage.folder().join(name)).unwrap();
    }
    stage.run(&["plan"]).await;
    stage.run(&["apply", "--yes"]).await;
    if commands.iter().flatten().any(|word| word == "--target") {
        let staging = "[target.activepieces]\nurl = \"https://staging.invalid\"\napi_key_env = \"STAGING_API_KEY\"";
        let targets = format!("[[target]]\nname = \"production\"\n[[target]]\nname = \"staging\"\n{staging}");
        stage.configure(&format!("{}\n{targets}\n", stage.sandbox.config()));
    }
    for mut command in commands.clone() {
        if command == ["apply"] || command == ["adopt"] {
            // There is no terminal to ask on.
            command.push("--yes".to_owned());
        }
        if command == ["plan", "--interactive"] {
            // The same, where nothing is left out.
            command = ["plan", "--out", "plan.json"].map(str::to_owned).to_vec();
        }
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let outcome = stage.run(&words).await;
        assert!([0, 1, 2, 3, 5, 78].contains(&outcome.code), "{}: oktapieces {words:?}: {outcome:#?}", page.display());
    }
    commands.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_guide_and_the_howtos_runs() {
    let mut run = 0;
    for page in pages() {
        run += follow(&page).await;
    }
    assert!(run > 25, "only {run} commands were found");
}
