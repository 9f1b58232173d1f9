//! How long a plan has been shown: what it was made from may have changed since.

use std::time::{Duration, Instant, SystemTime};

/// Since when a plan is shown.
#[derive(Clone, Copy, Debug)]
pub struct ShownSince {
    instant: Instant,
    /// The monotonic clock stands still while a machine sleeps.
    time: SystemTime,
}

impl ShownSince {
    /// After so long the plan is made again: another client may have changed what it touches.
    const LONG: Duration = Duration::from_mins(1);

    pub fn now() -> Self {
        Self { instant: Instant::now(), time: SystemTime::now() }
    }

    /// Whether the plan has to be made again.
    pub fn for_long(&self) -> bool {
        // A clock that was set back or far ahead costs no more than another read.
        let by_clock = self.time.elapsed().unwrap_or(Self::LONG);
        self.instant.elapsed() >= Self::LONG || by_clock >= Self::LONG
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_was_open_for_a_minute_is_followed_by_another_look() {
        let ago = |seconds| ShownSince {
            instant: Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap(),
            time: SystemTime::now(),
        };
        assert!(!ShownSince::now().for_long() && !ago(50).for_long() && ago(60).for_long());
        // The monotonic clock stood still while the machine slept, or the clock was set back.
        for time in [SystemTime::now() - Duration::from_secs(61), SystemTime::now() + Duration::from_hours(1)] {
            assert!(ShownSince { instant: Instant::now(), time }.for_long());
        }
    }
}
