//! One run that writes at a time, for each org and platform. The operating system holds the lock and lets go of it when
//! the process ends, in whatever way: a dead process never blocks.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use backon::{BlockingRetryable, ConstantBuilder};

use super::{State, now, place};
use crate::error::{Error, Kind, Result};

/// The lock, for as long as this value lives.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// What became of an attempt to take the lock.
#[derive(Debug)]
pub enum Taken {
    Mine(Lock),
    /// Who has it: `oktapieces apply, process 4711 on host.example.com, since 2026-11-24T01:43:39.120Z`.
    Held(String),
}

impl State {
    /// Takes the lock for a command, unless another process has it.
    pub fn lock(&self, command: &str) -> Result<Taken> {
        let path = self.path.with_extension("lock");
        let failed = |error: std::io::Error| {
            Error::from_source(Kind::Failed, error).context(format!("locking {}", path.display()))
        };
        let mut file = place::open(&path).map_err(failed)?;
        // Whoever only looks whether it's taken has it for a moment.
        let again = ConstantBuilder::default().with_delay(Duration::from_millis(10)).with_max_times(5);
        let is_held = |error: &TryLockError| matches!(error, TryLockError::WouldBlock);
        match (|| file.try_lock()).retry(again).when(is_held).call() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Taken::Held(holder(&mut file))),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let text = format!("oktapieces {command}, process {}{}, since {}\n", std::process::id(), on_host(), now());
        file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).map_err(failed)?;
        Ok(Taken::Mine(Lock { file }))
    }

    /// Whether a process has the lock now.
    pub fn is_locked(&self) -> bool {
        let held = |file: File| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        File::open(self.path.with_extension("lock")).is_ok_and(held)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The file stays: who removed it could remove that of the next process. An old name in it does no harm.
        drop(self.file.set_len(0));
    }
}

/// What the holder wrote about itself.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.read_to_string(&mut text).is_ok();
    let text = text.trim();
    if read && !text.is_empty() { text.to_owned() } else { "another process".to_owned() }
}

/// The name of this machine, where it's known: the folder may be one that machines share.
fn on_host() -> String {
    let name = [Path::new("/proc/sys/kernel/hostname"), Path::new("/etc/hostname")];
    let name = name.map(PathBuf::from).into_iter().find_map(|path| std::fs::read_to_string(path).ok());
    name.map(|name| format!(" on {}", name.trim())).unwrap_or_default()
}
