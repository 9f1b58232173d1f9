//! Sets `VERSION_AND_COMMIT`: the version, and of a release build the commit with its date.

use std::path::Path;
use std::process::Command;

/// Gives the commit and its date where the sources are no checkout: `c811a2a 2026-11-26`.
const COMMIT: &str = "OKTAPIECES_COMMIT";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={COMMIT}");
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    println!("cargo:rustc-env=VERSION_AND_COMMIT={}", described(&version, commit().as_deref()));
}

fn described(version: &str, commit: Option<&str>) -> String {
    commit.map_or_else(|| version.to_owned(), |commit| format!("{version} ({commit})"))
}

/// The commit of a release build. Other builds don't ask, because each commit would then build everything again.
fn commit() -> Option<String> {
    let named = std::env::var(COMMIT).ok().filter(|commit| !commit.is_empty());
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    named.or_else(|| is_release.then(|| checked_out(Path::new(&std::env::var_os("CARGO_MANIFEST_DIR")?))).flatten())
}

/// The commit of this checkout. A folder inside another repository, such as a vendored crate, is none.
fn checked_out(folder: &Path) -> Option<String> {
    git(folder, &["rev-parse", "--show-prefix"]).filter(String::is_empty)?;
    for file in ["HEAD", "logs/HEAD"] {
        let path = folder.join(git(folder, &["rev-parse", "--git-path", file])?);
        // A file that isn't there would run this script in every build.
        if path.exists() {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    git(folder, &["log", "-1", "--abbrev=7", "--format=%h %cs"]).filter(|commit| !commit.is_empty())
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}
