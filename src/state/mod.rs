//! What outlives a run, in one database file for each org and platform: the journal of all runs, and what the next run
//! has to know of the last one. `docs/state.md` has the schema for those who look into it with the sqlite3 shell.
//!
//! - `place` names the files and keeps other users of the machine out of them.
//! - `lock` lets one run write at a time.
//! - `known` has what was read of groups.
//! - `journal` writes runs and their operations down, `history` reads them.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use backon::{BlockingRetryable, ConstantBuilder};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Kind, Result};
use crate::plan::Past;

pub mod history;
pub mod journal;
pub(crate) mod known;
pub mod lock;
mod place;

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

/// How long a write waits for that of another process.
const BUSY: Duration = Duration::from_secs(15);

/// The open state file of one org and platform.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl State {
    /// Opens or makes the file in `folder` that belongs to the org and the platform, which are named by their hosts, the
    /// platform with its path where it has one.
    pub fn open(folder: &Path, org: &str, platform: &str) -> Result<Self> {
        let path = place::database(folder, org, platform)?;
        let connection = Connection::open(&path).and_then(|mut connection| {
            connection.busy_timeout(BUSY)?;
            // One that reads before it writes isn't waited for when it writes.
            connection.set_transaction_behavior(TransactionBehavior::Immediate);
            // What is committed survives the death of the process, though perhaps not that of the machine: the file
            // is a record, and what has to be done is always read from the servers.
            write_ahead(&connection)?;
            connection.pragma_update(None, "synchronous", "normal")?;
            connection.pragma_update(None, "foreign_keys", "on")?;
            let version = migrate(&mut connection)?;
            Ok((connection, version))
        });
        let (connection, version) = connection.map_err(|error| failed(&path, error))?;
        if version > MIGRATIONS.len() {
            let message = format!("the state file {} was written by a newer version of oktapieces", path.display());
            return Err(Error::new(Kind::Failed, message).hint("use that version, or move the file away"));
        }
        Ok(Self { path, connection: Mutex::new(connection) })
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

/// Has the file use a write-ahead log. Of two processes that switch a new file at once, `SQLite` tells one that the other is
/// at it without waiting [`BUSY`], so this does.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let delay = Duration::from_millis(10);
    let times = usize::try_from(BUSY.as_millis() / delay.as_millis()).unwrap_or(usize::MAX);
    let again = ConstantBuilder::default().with_delay(delay).with_max_times(times);
    let is_busy = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
    (|| connection.pragma_update(None, "journal_mode", "wal")).retry(again).when(is_busy).call()
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
    let code = error.sqlite_error_code();
    let shown = path.display();
    let failed = Error::from_source(Kind::Failed, error);
    match code {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            failed.context(format!("the state file {shown} is damaged")).hint(format!(
                "move {shown} away to begin with an empty one; the history in it is what gets lost, nothing on the servers"
            ))
        }
        _ => failed.context(format!("using the state file {shown}")),
    }
}

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
