//! Where the files are, and who may read them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};

/// Makes the folder and the empty file where they aren't there yet, and takes from others the right to read them:
/// the names and roles of a whole company are in there.
pub fn database(folder: &Path, org: &str, platform: &str) -> Result<PathBuf> {
    let path = folder.join(format!("{}-{}.db", safe(org), safe(platform)));
    let make = || {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        private(folder, 0o700)?;
        open(&path).map(drop)
    };
    make().map_err(|error| {
        Error::from_source(Kind::Failed, error)
            .context(format!("making the state file {}", path.display()))
            .hint("XDG_STATE_HOME names another folder for it")
    })?;
    Ok(path)
}

/// Opens a file that only its owner may read, and makes it where there is none.
pub fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    private(path, 0o600)?;
    Ok(file)
}

/// Sets the mode where it's another one.
#[cfg(unix)]
fn private(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let standing = std::fs::metadata(path)?.permissions().mode() & 0o777;
    if standing == mode { Ok(()) } else { std::fs::set_permissions(path, PermissionsExt::from_mode(mode)) }
}

#[cfg(not(unix))]
fn private(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

/// A host, or a host with a path, as a part of a file's name: a port stands behind `_`, and each part of a path behind `+`.
fn safe(place: &str) -> String {
    let safe = |c: char| match c {
        '/' => '+',
        c if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') => c,
        _ => '_',
    };
    place.chars().map(safe).collect()
}
