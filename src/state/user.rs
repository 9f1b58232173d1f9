//! Names the process that has the state file locked, where the system tells.

use std::path::Path;

use crate::files;

/// More than the list of all locks of a machine.
const LONGEST: u64 = 1 << 20;

/// The process that has a lock on the file: `sqlite3 (process 4711)`. None where the system doesn't tell: Linux does.
pub fn of(path: &Path) -> Option<String> {
    let locks = String::from_utf8(files::read(Path::new("/proc/locks"), LONGEST).ok()?).ok()?;
    let here = std::process::id();
    let id = holders(&locks, inode(path)?).find(|id| *id != here)?;
    let name = files::read(Path::new(&format!("/proc/{id}/comm")), LONGEST).ok();
    let name = name.and_then(|name| String::from_utf8(name).ok()).map(|name| name.trim().to_owned());
    Some(format!("{} (process {id})", name.unwrap_or_else(|| "another program".to_owned())))
}

/// The processes with a lock on a file of this inode, of a text such as `1: POSIX ADVISORY WRITE 4711 08:01:123456 0 EOF`
/// (proc(5)). One that waits has `->` before its kind.
fn holders(locks: &str, inode: u64) -> impl Iterator<Item = u32> {
    locks.lines().filter_map(move |line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["POSIX", _, _, id, file, ..] = words.get(1..)? else { return None };
        let is_it = file.rsplit(':').next()?.parse() == Ok(inode);
        is_it.then(|| id.parse().ok()).flatten()
    })
}

#[cfg(unix)]
fn inode(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|metadata| std::os::unix::fs::MetadataExt::ino(&metadata))
}

#[cfg(not(unix))]
fn inode(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_found_by_the_inode() {
        let locks = "1: FLOCK  ADVISORY  WRITE 11 00:38:77 0 EOF\n\
                     2: POSIX  ADVISORY  READ 12 00:38:77 1073741826 1073742335\n\
                     2: -> POSIX  ADVISORY  WRITE 13 00:38:77 0 EOF\n\
                     3: POSIX  ADVISORY  WRITE 14 00:38:78 0 EOF\n\
                     4: POSIX  ADVISORY  WRITE -1 00:38:77 0 EOF\n";
        assert_eq!(holders(locks, 77).collect::<Vec<_>>(), [12]);
        assert_eq!(holders(locks, 9).count(), 0);
    }
}
