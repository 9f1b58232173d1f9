//! The locks: one writing run at a time for each state file, and for each platform on this machine. The operating
//! system holds a lock and releases it when the process ends: a dead process never blocks.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use backon::{BlockingRetryable, ConstantBuilder};

use super::{StateFile, now};
use crate::error::{Error, Kind, Result};
use crate::files::{self, Refusal};

/// The longest id that is a part of a file's name as it is.
const LONGEST_NAME: usize = 64;
/// More than any holder writes about itself.
const LONGEST_HOLDER: u64 = 1024;
/// So many times the lock file may be unlinked between its opening and its locking.
const TRIES: usize = 10_000;

/// A lock, for as long as this value lives.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    /// Whether the file goes with the lock.
    passing: bool,
}

/// The result of an attempt to take a lock.
#[derive(Debug)]
pub enum Taken {
    Mine(Lock),
    /// Who has it: `oktapieces apply, process 4711 on host.example.com, since 2026-11-24T01:43:39.120Z`.
    Held(String),
    /// This machine has no place for it, and why.
    Nowhere(String),
}

impl StateFile {
    /// Takes the lock of this state file for a command, unless another process has it.
    pub fn lock(&self, command: &str) -> Result<Taken> {
        let path = self.path.with_extension("lock");
        take(&path, command).map_err(|refusal| failed(&path, refusal))
    }

    /// Whether a process has the lock now.
    pub fn is_locked(&self) -> bool {
        let held = |(file, _): (File, _)| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        files::open(&self.path.with_extension("lock")).is_ok_and(held)
    }
}

/// Takes the lock of a platform for a command, unless another process of this user on this machine has it, whatever its
/// environment, config and state folder. A platform is known by what it says it is.
pub fn platform(id: &str, command: &str) -> Result<Taken> {
    let folder = folder();
    if let Err(refusal) = files::own_folder(&folder) {
        return match refusal.io_kind() {
            Some(_) => Ok(Taken::Nowhere(format!("{} {refusal}", folder.display()))),
            None => Err(failed(&folder, refusal).hint(format!("as root, remove {}", folder.display()))),
        };
    }
    let path = folder.join(name(id));
    let taken = take(&path, command).map_err(|refusal| failed(&path, refusal))?;
    Ok(match taken {
        Taken::Mine(mut lock) => {
            lock.passing = true;
            Taken::Mine(lock)
        }
        taken => taken,
    })
}

/// The same folder for a login and for cron, which has another environment: nothing of it hangs on a variable.
#[cfg(unix)]
fn folder() -> PathBuf {
    PathBuf::from(format!("/tmp/oktapieces-{}", files::me()))
}

#[cfg(not(unix))]
fn folder() -> PathBuf {
    std::env::temp_dir().join("oktapieces")
}

/// The file's name for a platform's id, which is the server's word: one that a name can't have is hashed.
fn name(id: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if (1..=LONGEST_NAME).contains(&id.len()) && id.chars().all(plain) {
        return format!("{id}.lock");
    }
    let hash = digest(&SHA256, id.as_bytes());
    // No plain id begins with a dot.
    format!(".{}.lock", hash.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}

/// Locks the file of this path. A file that was unlinked meanwhile isn't the lock any more: another process would lock the new
/// one of its name.
fn take(path: &Path, command: &str) -> std::result::Result<Taken, Refusal> {
    // A process that only looks whether it's taken has it for a moment.
    let again = ConstantBuilder::default().with_delay(Duration::from_millis(10)).with_max_times(5);
    let is_held = |error: &TryLockError| matches!(error, TryLockError::WouldBlock);
    for _ in 0..TRIES {
        let mut file = files::open_own(path)?;
        match (|| file.try_lock()).retry(again).when(is_held).call() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Taken::Held(holder(&mut file))),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        if !files::is_still(&file, path)? {
            continue;
        }
        let text = format!("oktapieces {command}, process {}{}, since {}\n", std::process::id(), on_host(), now());
        file.set_len(0)?;
        file.write_all(text.as_bytes())?;
        return Ok(Taken::Mine(Lock { file, path: path.to_owned(), passing: false }));
    }
    Err(std::io::Error::other("it is removed again and again").into())
}

fn failed(path: &Path, refusal: Refusal) -> Error {
    Error::from_source(Kind::Failed, refusal).context(format!("locking {}", path.display()))
}

impl Lock {
    /// Says that the lock holds no longer if its file was unlinked or replaced: another process may have the new one.
    pub fn holds(&self) -> Result<()> {
        match files::is_still(&self.file, &self.path) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let message = format!("the lock file {} was removed while this run had it", self.path.display());
                Err(Error::new(Kind::Failed, message).hint("see that no other run goes on, and run this again"))
            }
            Err(error) => Err(failed(&self.path, error.into())),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Another process that has the file open finds that it isn't the one of its name, and takes the new one.
        if self.passing && self.holds().is_ok() {
            drop(std::fs::remove_file(&self.path));
        }
        // An old name in it does no harm.
        drop(self.file.set_len(0));
    }
}

/// What the holder wrote about itself.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().is_ok() && file.take(LONGEST_HOLDER).read_to_string(&mut text).is_ok();
    let text = text.trim();
    if read && !text.is_empty() { text.to_owned() } else { "another process".to_owned() }
}

/// The name of this machine, where it's known: the folder may be one that machines share.
fn on_host() -> String {
    let names = ["/proc/sys/kernel/hostname", "/etc/hostname"].map(Path::new);
    let name = names.into_iter().find_map(|path| files::read(path, LONGEST_HOLDER).ok());
    name.and_then(|name| String::from_utf8(name).ok()).map(|name| format!(" on {}", name.trim())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_never_leads_out_of_the_folder() {
        assert_eq!(name("aB3-x_9"), "aB3-x_9.lock");
        for id in ["", "..", "../x", "a/b", "a\0b", ".hidden", "é", &"x".repeat(100_000)] {
            let name = name(id);
            assert!(name.len() == 70 && name.starts_with('.') && !name.contains('/'), "{name}");
        }
        assert_ne!(name("../x"), name("../y"));
    }

    #[test]
    fn a_lock_whose_file_was_removed_is_none() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("x.lock");
        let Taken::Mine(mut first) = take(&path, "apply").unwrap() else { panic!("it was free") };
        let Taken::Held(holder) = take(&path, "undo 1").unwrap() else { panic!("it was taken") };
        assert!(holder.starts_with(&format!("oktapieces apply, process {}", std::process::id())), "{holder}");
        let waiting = files::open_own(&path).unwrap();
        first.passing = true;
        first.holds().unwrap();
        drop(first);
        assert!(!path.exists());
        waiting.try_lock().unwrap();
        let Taken::Mine(next) = take(&path, "apply").unwrap() else { panic!("the old file is no lock") };
        std::fs::remove_file(&path).unwrap();
        assert!(next.holds().unwrap_err().to_string().ends_with("was removed while this run had it"));
        assert!(!files::is_still(&waiting, &path).unwrap());
    }

    #[test]
    fn one_process_has_the_lock_of_a_platform_however_often_it_is_given_back() {
        let id = format!("test-{}-{}", std::process::id(), fastrand::u64(..));
        let at_once = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let Taken::Mine(lock) = platform(&id, "apply").unwrap() else { continue };
                        assert_eq!(at_once.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        at_once.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert!(!folder().join(name(&id)).exists());
    }
}
