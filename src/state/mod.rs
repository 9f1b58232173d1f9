//! The state file of an org and a platform: the journal of all runs, and the records for the next run. `docs/state.md`
//! has the schema for the sqlite3 shell.
//!
//! - `place`: paths and permissions.
//! - `lock`: one run writes at a time.
//! - `user`: which process has the file.
//! - `known`: groups as they were read last.
//! - `journal` writes runs and their operations, `history` reads them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use backon::{BlockingRetryable, ConstantBuilder};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

use crate::error::{Error, Kind, Result};
use crate::files::Refusal;
use crate::plan::Past;
use crate::plan::in_line::InLine;

pub mod history;
pub mod journal;
pub(crate) mod known;
pub mod lock;
mod place;
mod user;

pub use journal::Beginning;
pub use lock::{Lock, Taken};

/// The versions of the schema, oldest first. A file of version n has had the first n; a released one never changes.
const MIGRATIONS: [&str; 3] = [
    include_str!("migrations/1_journal.sql"),
    include_str!("migrations/2_known_groups.sql"),
    include_str!("migrations/3_diverged.sql"),
];

/// The name under which [`Past`] is kept.
const PAST: &str = "past";

/// The names under which [`InLine`] and its run are kept.
const IN_LINE: &str = "in_line";
const IN_LINE_RUN: &str = "in_line_run";

/// How long a write waits for that of another process.
const BUSY: Duration = Duration::from_secs(15);

/// The open state file of one org and platform.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    connection: Mutex<Connection>,
    /// Where the file can't be written: the folder of the copy that is open in its place, and why.
    copy: Option<(TempDir, String)>,
}

impl StateFile {
    /// Opens or makes the file in `folder` that belongs to the org and the platform, which are named by their hosts, the
    /// platform with its path where it has one.
    pub fn open(folder: &Path, org: &str, platform: &str) -> Result<Self> {
        let name = place::name(org, platform);
        let path = place::database(folder, &name).map_err(|refusal| unusable(folder, &name, refusal))?;
        let connection = connect(&path)?;
        Ok(Self { path, connection: Mutex::new(connection), copy: None })
    }

    /// The same for a command that writes nothing but its own record: where the disk is read-only, a copy is opened, which goes
    /// with this value.
    pub fn open_to_read(folder: &Path, org: &str, platform: &str) -> Result<Self> {
        let name = place::name(org, platform);
        match place::database(folder, &name) {
            Err(refusal) if refusal.io_kind() == Some(io::ErrorKind::ReadOnlyFilesystem) => {
                Self::copied(folder, &name, refusal.to_string())
            }
            _ => Self::open(folder, org, platform),
        }
    }

    fn copied(folder: &Path, name: &str, why: String) -> Result<Self> {
        let copy = place::copied(folder, name).map_err(|refusal| unusable(folder, name, refusal))?;
        let connection = connect(&copy.path().canonicalize().unwrap_or_default().join(name))?;
        Ok(Self { path: folder.join(name), connection: Mutex::new(connection), copy: Some((copy, why)) })
    }

    /// Why nothing that is written here is kept; none where it is.
    pub fn is_forgotten(&self) -> Option<&str> {
        self.copy.as_ref().map(|(_, why)| why.as_str())
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the last run left to be known; none before the first.
    pub fn past(&self) -> Result<Option<Past>> {
        self.kept(PAST)
    }

    /// Replaces what the last run left to be known.
    pub fn remember_past(&self, past: &Past) -> Result<()> {
        self.keep(PAST, past)
    }

    /// What the last run left in line; none before the first.
    pub fn in_line(&self) -> Result<Option<InLine>> {
        let in_line: Option<InLine> = self.kept(IN_LINE)?;
        let run = self.kept(IN_LINE_RUN)?;
        Ok(in_line.map(|in_line| InLine { run: run.unwrap_or(in_line.run), ..in_line }))
    }

    /// Replaces what the last run left in line. What is the same isn't written again: it is a line for each user.
    pub fn remember_in_line(&self, in_line: &InLine, past: &InLine) -> Result<()> {
        if !in_line.is_same_as(past) {
            self.keep(IN_LINE, in_line)?;
        }
        self.keep(IN_LINE_RUN, &in_line.run)
    }

    /// The value of this name that was kept last, if any.
    pub fn kept<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let select = "SELECT value FROM kept WHERE name = ?1";
        let value: Option<String> =
            self.with(|connection| connection.prepare_cached(select)?.query_row([name], |row| row.get(0)).optional())?;
        value.map(|value| serde_json::from_str(&value)).transpose().map_err(|error| {
            Error::from_source(Kind::Failed, error)
                .context(format!("reading {name} from the state file {}", self.path.display()))
        })
    }

    /// Keeps a value in place of the last one of this name.
    pub fn keep<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        let value = json(value);
        self.with(|connection| {
            let insert = "INSERT OR REPLACE INTO kept (name, value, at) VALUES (?1, ?2, ?3)";
            connection.prepare_cached(insert)?.execute([name, &value, &now()]).map(drop)
        })
    }

    /// Works on the file, and names it where that fails.
    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T> {
        work(&mut self.connection()).map_err(|error| failed(&self.path, error))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // Every change is one statement or a transaction, so that a panic in between leaves nothing half done.
        self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Opens the file of this path, which has no link in it, and brings it to the newest version.
fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).and_then(|mut connection| {
        // One that reads before it writes isn't waited for when it writes.
        connection.set_transaction_behavior(TransactionBehavior::Immediate);
        // What is committed survives the death of the process, though perhaps not that of the machine: the file
        // is a record, and what has to be done is always read from the servers.
        write_ahead(&connection)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "foreign_keys", "on")?;
        let version = migrate(&mut connection)?;
        Ok((connection, version))
    });
    let (connection, version) = connection.map_err(|error| failed(path, error))?;
    if version > MIGRATIONS.len() {
        let message = format!("the state file {} was written by a newer version of oktapieces", path.display());
        return Err(
            Error::new(Kind::Failed, message).hint(format!("use that version, or move the file away: {WITHOUT_IT}"))
        );
    }
    Ok(connection)
}

fn unusable(folder: &Path, name: &str, refusal: Refusal) -> Error {
    let hint = match refusal {
        Refusal::Io(_) | Refusal::Unreadable(_) => "XDG_STATE_HOME names another folder for it",
        _ => {
            "the folder and its files have to be plain ones of the user who runs this; XDG_STATE_HOME names another folder"
        }
    };
    Error::from_source(Kind::Failed, refusal)
        .context(format!("opening the state file {}", folder.join(name).display()))
        .hint(hint)
}

/// Has the file use a write-ahead log. `SQLite` doesn't wait by itself for every lock that this needs, so this tries again, and
/// for no longer than [`BUSY`] in all.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::ZERO)?;
    let delay = Duration::from_millis(10);
    let began = Instant::now();
    let again = ConstantBuilder::default().with_delay(delay).without_max_times();
    let is_busy = |error: &rusqlite::Error| is_busy(error) && began.elapsed() < BUSY;
    (|| connection.pragma_update(None, "journal_mode", "wal")).retry(again).when(is_busy).call()
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Brings the file to the newest version of the schema, and gives the version that it has then.
fn migrate(connection: &mut Connection) -> rusqlite::Result<usize> {
    let version = |connection: &Connection| connection.pragma_query_value(None, "user_version", |row| row.get(0));
    let standing: usize = version(connection)?;
    if standing >= MIGRATIONS.len() {
        return Ok(standing);
    }
    let transaction = connection.transaction()?;
    // Another process may have done it meanwhile.
    let standing: usize = version(&transaction)?;
    for migration in MIGRATIONS.iter().skip(standing) {
        transaction.execute_batch(migration)?;
    }
    let reached = standing.max(MIGRATIONS.len());
    transaction.pragma_update(None, "user_version", reached)?;
    transaction.commit()?;
    Ok(reached)
}

fn failed(path: &Path, error: rusqlite::Error) -> Error {
    if is_busy(&error) {
        let message = format!(
            "the state file {} is in use by {} for more than {} s",
            path.display(),
            user::of(path).unwrap_or_else(|| "another process".to_owned()),
            BUSY.as_secs()
        );
        return Error::new(Kind::Failed, message).hint("end that process, or wait for its end, and run this again");
    }
    let code = error.sqlite_error_code();
    let shown = path.display();
    let failed = match error {
        // The text of the code would only repeat this.
        rusqlite::Error::SqliteFailure(_, Some(message)) => Error::new(Kind::Failed, message),
        other => Error::from_source(Kind::Failed, other),
    };
    match code {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => failed
            .context(format!("the state file {shown} is damaged"))
            .hint(format!("put a copy of it back, or move it away: {WITHOUT_IT}")),
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => failed
            .context(format!("using the state file {shown}"))
            .hint("free space on its disk, or see what is wrong with that; XDG_STATE_HOME names another folder for it"),
        _ => failed.context(format!("using the state file {shown}")),
    }
}

/// What a run without the file's content is.
const WITHOUT_IT: &str = "without it the history is lost and the next run is a first run, which knows no grace and of whose default limits only that of deactivations counts";

/// JSON of a plain value, which always serialises.
fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The time as the file has it: `2026-11-24T01:43:39.120Z`.
fn now() -> String {
    time(Timestamp::now())
}

fn time(time: Timestamp) -> String {
    format!("{time:.3}")
}

#[cfg(test)]
mod tests;
