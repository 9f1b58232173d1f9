//! Says what a run waits for while it waits.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::http::Waits;
use crate::output::Printer;
use crate::output::progress::Progress;

/// How often the waits are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Does the work, and tells on the way what it waits for: the progress line, or else a line now and then.
pub async fn told<T>(work: impl Future<Output = T>, waits: [&Waits; 2], progress: &Progress, printer: &Printer) -> T {
    let mut work = pin!(work);
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            done = &mut work => {
                progress.waits(None);
                return done;
            }
            _ = looks.tick() => {
                let told = waits.iter().find_map(|waits| waits.told());
                if let Some(told) = &told {
                    printer.waits(told);
                }
                progress.waits(told);
            }
        }
    }
}
