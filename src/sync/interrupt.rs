//! Ctrl-C, SIGTERM and SIGHUP: they end the program at once, unless it is writing; then what is in flight ends first.

#[cfg(unix)]
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(unix)]
use tokio::signal::unix::SignalKind;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Kind};
#[cfg(unix)]
use crate::files;

/// Whether the program writes, and what tells it to stop.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    writing: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Interrupt {
    /// Watches for signals from now on. A second one leaves at once, whatever goes on.
    pub fn watch() -> Self {
        let interrupt = Self::default();
        tokio::spawn(interrupt.clone().obey());
        interrupt
    }

    async fn obey(self) {
        loop {
            signal().await;
            if !self.writing.load(Ordering::SeqCst) || self.stop.is_cancelled() {
                std::process::exit(Kind::Interrupted.exit_code().into());
            }
            self.stop.cancel();
        }
    }

    /// Whether a signal has stopped the writing.
    pub fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// From now on a signal stops the writing instead of the program.
    pub fn begin_writing(&self) -> &CancellationToken {
        self.writing.store(true, Ordering::SeqCst);
        &self.stop
    }
}

/// Waits for Ctrl-C, for SIGTERM, or for SIGHUP, which a terminal that is closed sends.
pub async fn signal() {
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate() => {}
        () = hang_up() => {}
    }
}

#[cfg(unix)]
async fn terminate() {
    received(SignalKind::terminate()).await;
}

#[cfg(unix)]
async fn hang_up() {
    if is_hang_up_ignored() {
        std::future::pending::<()>().await;
    }
    received(SignalKind::hangup()).await;
}

#[cfg(unix)]
async fn received(kind: SignalKind) {
    match tokio::signal::unix::signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

/// Whether the program was started to outlive its terminal, as nohup does. Linux alone tells: by a mask in which SIGHUP (1)
/// is the lowest bit (proc(5), `SigIgn`).
#[cfg(unix)]
fn is_hang_up_ignored() -> bool {
    ignores_hang_up(&files::text(Path::new("/proc/self/status"), 1 << 16).unwrap_or_default())
}

#[cfg(unix)]
fn ignores_hang_up(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending::<()>().await;
}

#[cfg(not(unix))]
async fn hang_up() {
    std::future::pending::<()>().await;
}

/// A run that was stopped.
pub fn interrupted() -> Error {
    Error::new(Kind::Interrupted, "interrupted")
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_under_nohup_outlives_its_terminal() {
        let status = |ignored| format!("Name:\toktapieces\nSigBlk:\t0000000000000001\nSigIgn:\t{ignored}\n");
        assert!(ignores_hang_up(&status("0000000000000001")) && ignores_hang_up(&status("0000000000001001")));
        assert!(!ignores_hang_up(&status("0000000000001000")) && !ignores_hang_up(""));
    }
}
