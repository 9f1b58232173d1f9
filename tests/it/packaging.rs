//! The files of `packaging`, the workflows and the pages about installing, against the program: commands, variables, versions.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use oktapieces::config::keys::{PREFIX, SECTIONS};

use super::support::files_below;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files of all packages, and the pages about them.
fn files() -> Vec<PathBuf> {
    let pages =
        ["guide/install.md", "howto/kubernetes.md", "howto/systemd.md", "howto/cron.md", "howto/github-action.md"];
    let mut files = files_below(&root().join("packaging"));
    files.extend(pages.map(|page| root().join("docs").join(page)));
    files.extend(files_below(&root().join(".github/workflows")));
    files
}

/// The command line is one that the program takes.
fn parses(words: &[&str], place: &str) {
    let arguments = std::iter::once("oktapieces").chain(words.iter().copied());
    let parsed = oktapieces::cli::command().try_get_matches_from(arguments);
    if let Err(error) = parsed {
        assert!(!error.use_stderr(), "{place}: oktapieces {}\n{error}", words.join(" "));
    }
}

/// The strings of a list such as `["plan", "--json"]`.
fn list<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("there is no {before:?}"));
    rest.split_once(']').unwrap().0.split('"').skip(1).step_by(2).collect()
}

#[test]
fn the_unit_the_chart_and_the_image_run_commands_that_exist() {
    let service = text("packaging/systemd/oktapieces.service");
    let line = service.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/oktapieces ")).unwrap();
    parses(&line.split_whitespace().collect::<Vec<_>>(), "oktapieces.service");
    let values = text("packaging/helm/oktapieces/values.yaml");
    parses(&list(&values, "\nargs: ["), "values.yaml");
    parses(&list(&text("packaging/docker/Dockerfile"), "\nCMD ["), "Dockerfile");
    for (path, before) in
        [("packaging/static/files", "\"$binary\" "), (".github/workflows/packages.yml", "oktapieces:test ")]
    {
        let text = text(path);
        let mut checked = 0;
        for line in text.lines().filter_map(|line| line.split_once(before)).map(|(_, words)| words) {
            let words = line.split_whitespace().take_while(|word| !["|", ">", "."].contains(word));
            let words: Vec<&str> = words.collect();
            if !words.is_empty() {
                parses(&words, path);
                checked += 1;
            }
        }
        assert!(checked > 1, "{path}");
    }
}

#[test]
fn each_command_in_the_pages_exists() {
    let mut checked = 0;
    for path in files().into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("```").skip(1).step_by(2).flat_map(str::lines);
        for line in code.filter_map(command_of) {
            let words = line.split_whitespace().take_while(|word| !word.starts_with(['|', '>', '#', '&', ';', '\\']));
            let words: Vec<&str> = words.map(|word| word.trim_matches(['"', '\''])).collect();
            parses(&words, &path.display().to_string());
            checked += 1;
        }
    }
    assert!(checked > 12, "only {checked} commands were found");
}

/// What follows the name of the program in a line that runs it.
fn command_of(line: &str) -> Option<&str> {
    let name = "oktapieces ";
    let found = line.match_indices(name).map(|(at, _)| (&line[..at], &line[at + name.len()..]));
    let mut commands = found.filter(|(before, after)| {
        let is_user =
            after.starts_with('/') || after.split(' ').next().is_some_and(|word| word == "env" || word.contains('='));
        !is_user && (before.ends_with("/usr/bin/") || before.split_whitespace().all(is_prompt))
    });
    commands.next().map(|(_, after)| after)
}

/// Whether a word may precede the name of the program: a variable, or what runs it as another user.
fn is_prompt(word: &str) -> bool {
    word.contains('=') || ["sudo", "-u", "oktapieces"].contains(&word)
}

#[test]
fn each_variable_of_ours_is_one_that_the_program_reads() {
    let overrides = SECTIONS.iter().flat_map(|section| section.keys.iter().filter_map(|key| section.variable(key)));
    let mut known: BTreeSet<String> = overrides.collect();
    known.extend(["OKTAPIECES_CONFIG", "OKTAPIECES_TIMEOUT", "OKTAPIECES_COMMIT"].map(str::to_owned));
    let mut checked = 0;
    for path in files() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices(PREFIX) {
            let name: String = text[at..].chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
            assert!(known.contains(&name), "{}: {name}", path.display());
            checked += 1;
        }
    }
    assert!(checked > 5, "only {checked} variables were found");
}

#[test]
fn each_package_has_the_version_of_the_program() {
    let has = |path: &str, line: String| assert!(text(path).contains(&line), "{path}: {line}");
    has("packaging/helm/oktapieces/Chart.yaml", format!("\nversion: {VERSION}\n"));
    has("packaging/helm/oktapieces/Chart.yaml", format!("\nappVersion: \"{VERSION}\"\n"));
    has("packaging/homebrew/oktapieces.rb.in", format!("\n  version \"{VERSION}\"\n"));
    has("packaging/github-action/action.yml", format!("\n    default: {VERSION}\n"));
    has("packaging/docker/Dockerfile", format!("FROM rust:{}-alpine", env!("CARGO_PKG_RUST_VERSION")));
}

#[test]
fn state_and_config_are_where_the_packages_keep_them() {
    for path in ["packaging/docker/Dockerfile", "packaging/helm/oktapieces/templates/cronjob.yaml"] {
        let text = text(path);
        assert!(text.contains("XDG_STATE_HOME") && text.contains("/var/lib/oktapieces"), "{path}");
        assert!(text.contains("OKTAPIECES_CONFIG") && text.contains("/etc/oktapieces/config.toml"), "{path}");
        assert!(text.contains("65532"), "{path} runs as another user than the image's");
    }
    let service = text("packaging/systemd/oktapieces.service");
    // The folder is $XDG_STATE_HOME/oktapieces.
    assert!(
        service.contains("\nEnvironment=XDG_STATE_HOME=/var/lib\n")
            && service.contains("\nStateDirectory=oktapieces\n")
    );
    let manifest = text("Cargo.toml");
    for file in ["packaging/systemd/oktapieces.sysusers", "packaging/debian/", "config.example.toml"] {
        assert!(manifest.contains(&format!("\"{file}\"")) && root().join(file).exists(), "{file}");
    }
}

/// What the build context of the image holds is what cargo needs: each target that the manifest names.
#[test]
fn the_image_is_built_from_all_that_cargo_needs() {
    let kept = text(".dockerignore");
    for path in ["Cargo.toml", "Cargo.lock", "build.rs", "src", "crates", "benches", "tests/it/main.rs"] {
        assert!(kept.lines().any(|line| line == format!("!{path}")), "{path}");
        assert!(root().join(path).exists(), "{path}");
    }
}

#[test]
fn the_formula_is_filled_in_whole() {
    let fill = root().join("packaging/homebrew/fill");
    let folder = tempfile::tempdir().unwrap();
    let sums = folder.path().join("SHA256SUMS");
    let targets =
        ["aarch64-apple-darwin", "x86_64-apple-darwin", "aarch64-unknown-linux-musl", "x86_64-unknown-linux-musl"];
    let lines =
        targets.iter().enumerate().map(|(n, target)| format!("{n:064}  oktapieces-{VERSION}-{target}.tar.gz\n"));
    std::fs::write(&sums, lines.collect::<String>()).unwrap();
    let filled = |sums: &Path| Command::new("bash").arg(&fill).arg("acme/oktapieces").arg(sums).output().unwrap();
    let formula = filled(&sums);
    let text = String::from_utf8(formula.stdout).unwrap();
    assert!(formula.status.success() && !text.contains('@'), "{text}");
    for (n, target) in targets.iter().enumerate() {
        let (_, after) = text.split_once(&format!("{target}.tar.gz\"\n")).unwrap();
        assert!(after.trim_start().starts_with(&format!("sha256 \"{n:064}\"")), "{target}: {text}");
    }
    std::fs::write(&sums, "").unwrap();
    assert!(!filled(&sums).status.success(), "a formula without checksums");
}

/// The build script in a repository of its own: a release build names the commit, any other doesn't ask.
#[test]
fn the_version_of_a_release_build_names_the_commit() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    let rustc =
        Command::new("rustc").args(["--edition", "2024", "-o"]).arg(&script).arg(root().join("build.rs")).status();
    assert!(rustc.unwrap().success());
    let checkout = folder.path().join("checkout");
    std::fs::create_dir_all(checkout.join("inner")).unwrap();
    let run = |folder: &Path, profile: &str, commit: &str| {
        let mut command = Command::new(&script);
        command.env("CARGO_PKG_VERSION", "1.2.3").env("CARGO_MANIFEST_DIR", folder).env("PROFILE", profile);
        let output = command.env("OKTAPIECES_COMMIT", commit).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let version = text.lines().find_map(|line| line.strip_prefix("cargo:rustc-env=VERSION_AND_COMMIT="));
        (version.unwrap().to_owned(), text.matches("rerun-if-changed").count())
    };
    assert_eq!(run(&checkout, "release", ""), ("1.2.3".to_owned(), 1), "no checkout");
    assert_eq!(run(&checkout, "debug", "abc 2026-01-02").0, "1.2.3 (abc 2026-01-02)");
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(&checkout).args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments);
        command.env("GIT_COMMITTER_DATE", "2026-11-26T12:00:00Z").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let has_git = git(&["init"]) && git(&["commit", "--allow-empty", "-m", "first"]);
    let (version, watched) = run(&checkout, "release", "");
    assert_eq!(version.ends_with(" 2026-11-26)") && version.starts_with("1.2.3 ("), has_git, "{version}");
    assert_eq!(watched > 1, has_git, "it watches HEAD");
    assert_eq!(run(&checkout, "debug", ""), ("1.2.3".to_owned(), 1), "a debug build asked");
    assert_eq!(run(&checkout.join("inner"), "release", "").0, "1.2.3", "the commit of another project");
}

/// As systemd reads them, where there is a systemd; the program is the one of this build.
#[cfg(target_os = "linux")]
#[test]
fn systemd_takes_the_units() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["oktapieces.service", "oktapieces.timer"] {
        let unit = text(&format!("packaging/systemd/{name}"));
        let unit =
            unit.replace("/usr/bin/oktapieces", env!("CARGO_BIN_EXE_oktapieces")).replace("=oktapieces\n", "=root\n");
        let unit = unit.replace("StateDirectory=root", "StateDirectory=oktapieces").replace("Documentation=man:", "#");
        assert!(
            unit.lines().all(|line| line.is_empty() || line.starts_with(['[', '#']) || line.contains('=')),
            "{unit}"
        );
        std::fs::write(folder.path().join(name), unit).unwrap();
    }
    let units = ["oktapieces.service", "oktapieces.timer"].map(|name| folder.path().join(name));
    if let Ok(verified) = Command::new("systemd-analyze").arg("verify").args(units).output() {
        let told = String::from_utf8_lossy(&verified.stderr).into_owned();
        assert!(verified.status.success() && !told.contains("oktapieces.service:"), "{told}");
    }
}
