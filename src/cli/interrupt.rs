//! Ctrl-C and SIGTERM: they end the program at once, unless it is writing; then what is in flight ends first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

use crate::error::{Error, Kind};

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

    /// From now on a signal stops the writing instead of the program.
    pub fn begin_writing(&self) -> &CancellationToken {
        self.writing.store(true, Ordering::SeqCst);
        &self.stop
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn signal() {
    let terminate = async {
        #[cfg(unix)]
        if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            signal.recv().await;
            return;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

/// A run that was stopped.
pub fn interrupted() -> Error {
    Error::new(Kind::Interrupted, "interrupted")
}
