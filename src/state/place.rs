//! The paths of the state files, and their permissions.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::files::{self, Refusal};

/// What `SQLite` puts next to its file.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The file's name for an org and a platform.
pub fn name(org: &str, platform: &str) -> String {
    format!("{}-{}.db", safe(org), safe(platform))
}

/// Makes the folder and the empty file where they aren't there yet, and takes from others the right to read them:
/// the names and roles of a whole company are in there. Gives the path without a link in it.
pub fn database(folder: &Path, name: &str) -> Result<PathBuf, Refusal> {
    files::own_folder(folder)?;
    let path = folder.canonicalize()?.join(name);
    files::open_own(&path)?;
    for companion in COMPANIONS {
        files::check_own(&path.with_file_name(format!("{name}{companion}")))?;
    }
    Ok(path)
}

/// A copy of the file in a temporary folder, or an empty one where there is none; with its log, which may hold what isn't in
/// the file yet.
pub fn copied(folder: &Path, name: &str) -> Result<TempDir, Refusal> {
    let copy = TempDir::with_prefix("oktapieces-")?;
    files::open_own(&copy.path().join(name))?;
    for file in [name.to_owned(), format!("{name}-wal")] {
        let path = folder.join(&file);
        files::check_own(&path)?;
        match files::open(&path) {
            Ok((mut from, _)) => drop(std::io::copy(&mut from, &mut files::open_own(&copy.path().join(&file))?)?),
            Err(refusal) if refusal.io_kind() == Some(ErrorKind::NotFound) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(copy)
}

/// A host, or a host with a path, as a part of a file's name: a port follows after `_`, and each part of a path after `+`.
fn safe(place: &str) -> String {
    let safe = |c: char| match c {
        '/' => '+',
        c if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') => c,
        _ => '_',
    };
    place.chars().map(safe).collect()
}
