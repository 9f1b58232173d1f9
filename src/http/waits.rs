//! Knows what requests wait for at the moment, and how long they waited for rate limits in all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A wait of this length is worth a word.
pub const WORTH_SAYING: Duration = Duration::from_secs(5);

/// The waits of the requests to one server. Clones share them.
#[derive(Clone, Debug)]
pub struct Waits {
    server: &'static str,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    open: BTreeMap<u64, Wait>,
    begun: u64,
    /// Since when at least one request has waited for a rate limit without a break.
    since: Option<Instant>,
    total: Duration,
}

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// The rate limit of this bucket; `all` where the server has one for all paths.
    RateLimit(&'static str),
    /// The pause before it is sent again after trouble.
    Pause,
}

/// One wait that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    pub what: For,
    began: Instant,
    until: Instant,
}

/// A wait, which ends when it's dropped.
#[derive(Debug)]
pub(super) struct Waiting<'w> {
    waits: &'w Waits,
    number: u64,
}

impl Waits {
    /// Those for the server of this name.
    pub fn of(server: &'static str) -> Self {
        Self { server, state: Arc::default() }
    }

    pub(super) fn begin(&self, what: For, until: Instant) -> Waiting<'_> {
        let began = Instant::now();
        let mut state = self.state();
        state.begun += 1;
        let number = state.begun;
        state.open.insert(number, Wait { what, began, until });
        if matches!(what, For::RateLimit(_)) {
            state.since.get_or_insert(began);
        }
        Waiting { waits: self, number }
    }

    /// What is waited for longest, in words, where it's worth any: `waiting 23 s for Okta's rate limit (/users)`.
    pub fn told(&self) -> Option<String> {
        let now = Instant::now();
        let long = |wait: &&Wait| wait.until.saturating_duration_since(wait.began) >= WORTH_SAYING && wait.until > now;
        let wait = *self.state().open.values().filter(long).max_by_key(|wait| wait.until)?;
        let seconds = wait.until.saturating_duration_since(now).as_secs_f64().ceil();
        let server = self.server;
        Some(match wait.what {
            For::RateLimit("all") => format!("waiting {seconds} s for {server}'s rate limit"),
            For::RateLimit(bucket) => format!("waiting {seconds} s for {server}'s rate limit (/{bucket})"),
            For::Pause => format!("waiting {seconds} s before {server} is asked again"),
        })
    }

    /// For how long at least one request has waited for a rate limit, in all.
    pub fn for_rate_limits(&self) -> Duration {
        let state = self.state();
        state.total + state.since.map(|since| since.elapsed()).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let state = &mut *self.waits.state();
        state.open.remove(&self.number);
        let still = state.open.values().any(|wait| matches!(wait.what, For::RateLimit(_)));
        if !still && let Some(since) = state.since.take() {
            state.total += since.elapsed();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_wait_is_told_and_short_ones_are_not() {
        let waits = Waits::of("Okta");
        let at = |seconds| Instant::now() + Duration::from_secs(seconds);
        let short = waits.begin(For::RateLimit("users"), at(4));
        assert_eq!(waits.told(), None);
        let long = waits.begin(For::RateLimit("users"), at(23));
        let pause = waits.begin(For::Pause, at(12));
        assert_eq!(waits.told().unwrap(), "waiting 23 s for Okta's rate limit (/users)");
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(waits.told().unwrap(), "waiting 20 s for Okta's rate limit (/users)");
        drop((short, long));
        assert_eq!(waits.told().unwrap(), "waiting 9 s before Okta is asked again");
        drop(pause);
        assert_eq!(waits.told(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_at_the_same_time_count_once() {
        let waits = Waits::of("Okta");
        let until = Instant::now() + Duration::from_secs(10);
        let (one, two) = (waits.begin(For::RateLimit("all"), until), waits.begin(For::RateLimit("all"), until));
        tokio::time::advance(Duration::from_secs(6)).await;
        assert_eq!(waits.for_rate_limits().as_secs(), 6);
        drop(one);
        tokio::time::advance(Duration::from_secs(4)).await;
        drop(two);
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(waits.for_rate_limits().as_secs(), 10);
        drop(waits.begin(For::Pause, until));
        assert_eq!(waits.for_rate_limits().as_secs(), 10, "a pause is no rate limit");
    }
}
