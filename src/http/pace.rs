//! Keeps within a server's rate limits, which it learns from the headers of its answers.
//!
//! Each bucket has a window: its limit, what is left of it, and when it resets by the server's clock. A request is sent
//! when the window, including requests in flight, stays within the share that oktapieces may use. One request alone explores
//! an unknown bucket. A server without such headers is limited only by the number of requests in flight.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::signals::Signals;
use super::waits::{For, WORTH_SAYING, Waits};

/// From a path to the name of the bucket that its requests count for.
pub type BucketOf = fn(&str) -> &'static str;

/// After this many answers in a row one of the lost places in flight is taken back.
const ANSWERS_TO_RECOVER: usize = 50;
/// The server's clock shows whole seconds, and so may its reset.
const CLOCK_MARGIN: Duration = Duration::from_secs(1);
/// One part in so many of the places in flight is given up at once.
const GIVEN_UP: usize = 8;
/// No window is believed to last longer than this.
const LONGEST_WINDOW: Duration = Duration::from_mins(5);

/// The pace of all requests to one server.
#[derive(Debug)]
pub struct Pace {
    share: f64,
    most: usize,
    bucket_of: BucketOf,
    waits: Waits,
    state: Mutex<PaceState>,
    changed: Notify,
}

#[derive(Debug)]
struct PaceState {
    /// How many requests may be in flight.
    parallel: usize,
    /// How often that was lowered: what was sent before the last time says nothing about it.
    lowered: u64,
    in_flight: usize,
    good_answers: usize,
    buckets: BTreeMap<&'static str, Bucket>,
}

#[derive(Debug, Default)]
struct Bucket {
    sent: u64,
    in_flight: u32,
    /// Whether any answer came, with or without headers.
    answered: bool,
    window: Option<Window>,
    closed_until: Option<Instant>,
    /// Until when it was last told that it's waited for.
    told: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    limit: u32,
    remaining: u32,
    /// In seconds by the server's clock.
    reset: i64,
    /// When `reset` is here; none after it has passed, until an answer tells of the next window.
    ends: Option<Instant>,
}

/// What a request has to wait for.
enum Gate {
    Open,
    /// An answer to another request.
    Answer,
    /// An answer or this moment, whichever comes first.
    Until(Instant),
}

impl Pace {
    /// At most a `share` (0 to 1) of `parallelism` requests in flight, and of each bucket's limit, in each case at least one.
    pub fn new(parallelism: u32, share: f64, bucket_of: BucketOf) -> Self {
        let most = allowed(parallelism, share) as usize;
        let state = PaceState { parallel: most, lowered: 0, in_flight: 0, good_answers: 0, buckets: BTreeMap::new() };
        let waits = Waits::of("the server");
        Self { share, most, bucket_of, waits, state: Mutex::new(state), changed: Notify::new() }
    }

    /// Tells these of each wait.
    pub(super) fn telling(self, waits: Waits) -> Self {
        Self { waits, ..self }
    }

    /// What its requests wait for.
    pub fn waits(&self) -> &Waits {
        &self.waits
    }

    /// Waits for the turn of a request to this path.
    pub async fn turn(&self, path: &str) -> Turn<'_> {
        let bucket = (self.bucket_of)(path);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed, also one before the wait below.
            changed.as_mut().enable();
            let (gate, lowered) = {
                let mut state = self.state();
                (state.admit(bucket, self.share, Instant::now()), state.lowered)
            };
            match gate {
                Gate::Open => return Turn { pace: self, bucket, lowered },
                Gate::Answer => changed.await,
                Gate::Until(moment) => {
                    self.tell(bucket, moment);
                    let _waiting = self.waits.begin(For::RateLimit(bucket), moment);
                    tokio::select! {
                        () = changed => {}
                        () = sleep_until(moment) => {}
                    }
                }
            }
        }
    }

    /// Tells the log once that requests to this bucket wait until then.
    fn tell(&self, bucket: &'static str, moment: Instant) {
        let wait = moment.saturating_duration_since(Instant::now());
        let is_new = {
            let mut state = self.state();
            let told = &mut state.buckets.entry(bucket).or_default().told;
            let is_new = wait >= WORTH_SAYING && told.is_none_or(|told| moment > told + CLOCK_MARGIN);
            if is_new {
                *told = Some(moment);
            }
            is_new
        };
        if is_new {
            tracing::info!("waiting {} s for the server's rate limit of {bucket:?}", wait.as_secs());
        }
    }

    /// Sends nothing to this path's bucket for a while.
    pub fn close(&self, path: &str, wait: Duration) {
        let until = Instant::now() + wait;
        let mut state = self.state();
        let bucket = state.buckets.entry((self.bucket_of)(path)).or_default();
        bucket.closed_until = bucket.closed_until.max(Some(until));
    }

    /// Allows fewer requests in flight, but at least one: once for all that were sent before it was `lowered` again.
    pub fn less_parallel(&self, lowered: u64) {
        let mut state = self.state();
        if state.lowered == lowered {
            state.lowered += 1;
            state.parallel = (state.parallel - (state.parallel / GIVEN_UP).max(1)).max(1);
            state.good_answers = 0;
        }
    }

    /// How many requests may be in flight now.
    pub fn parallelism(&self) -> usize {
        self.state().parallel
    }

    /// How many requests were sent so far, repetitions included.
    pub fn requests(&self) -> u64 {
        self.state().buckets.values().map(|bucket| bucket.sent).sum()
    }

    /// The same by bucket.
    #[cfg(test)]
    pub(crate) fn requests_by_bucket(&self) -> BTreeMap<&'static str, u64> {
        self.state().buckets.iter().map(|(name, bucket)| (*name, bucket.sent)).collect()
    }

    fn state(&self) -> MutexGuard<'_, PaceState> {
        // No code that holds the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PaceState {
    fn admit(&mut self, name: &'static str, share: f64, now: Instant) -> Gate {
        let bucket = self.buckets.entry(name).or_default();
        bucket.age(now);
        if self.in_flight >= self.parallel {
            return Gate::Answer;
        }
        let gate = bucket.gate(share);
        if matches!(gate, Gate::Open) {
            bucket.sent += 1;
            bucket.in_flight += 1;
            self.in_flight += 1;
        }
        gate
    }
}

impl Bucket {
    /// Forgets what has passed.
    fn age(&mut self, now: Instant) {
        self.closed_until = self.closed_until.filter(|until| *until > now);
        if let Some(window) = &mut self.window
            && window.ends.is_some_and(|ends| ends <= now)
        {
            window.ends = None;
            window.remaining = window.limit;
        }
    }

    fn gate(&self, share: f64) -> Gate {
        if let Some(until) = self.closed_until {
            return Gate::Until(until);
        }
        let Some(window) = self.window else {
            // The first request finds out what the bucket allows; the others wait for its answer.
            return if self.answered || self.in_flight == 0 { Gate::Open } else { Gate::Answer };
        };
        // Some of those in flight may be in `remaining` already; counting them twice errs on the safe side.
        let used = window.limit.saturating_sub(window.remaining).saturating_add(self.in_flight);
        if used < allowed(window.limit, share) {
            return Gate::Open;
        }
        match window.ends {
            Some(ends) => Gate::Until(ends),
            None => Gate::Answer,
        }
    }

    fn learn(&mut self, signals: &Signals, now: Instant) {
        self.answered = true;
        let (Some(limit), Some(remaining), Some(reset)) = (signals.limit, signals.remaining, signals.reset) else {
            return;
        };
        if signals.is_concurrency() {
            return;
        }
        // Where the end can't be told it's taken for near: better a 429 than waiting for ever.
        let left = signals.window_left().unwrap_or_default().min(LONGEST_WINDOW);
        let fresh = Window { limit, remaining, reset, ends: Some(now + left + CLOCK_MARGIN) };
        match &mut self.window {
            None => self.window = Some(fresh),
            Some(known) if reset > known.reset => *known = fresh,
            // Answers overtake each other: within one window the smallest remainder is the newest.
            Some(known) if reset == known.reset && known.ends.is_some() => {
                known.remaining = known.remaining.min(remaining);
                known.limit = limit;
                // The one that came just before the server's clock moved on tells most exactly.
                if signals.window_left().is_some() {
                    known.ends = known.ends.min(fresh.ends);
                }
            }
            // We took the window for over, and by the server's clock it isn't.
            Some(known) if reset == known.reset && !left.is_zero() => *known = fresh,
            Some(_) => {}
        }
    }
}

fn allowed(limit: u32, share: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a u32 is within its range, and casts from floats saturate"
    )]
    let allowed = (f64::from(limit) * share).floor() as u32;
    allowed.clamp(1, limit.max(1))
}

/// A request's turn, which ends when it's dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    pace: &'a Pace,
    bucket: &'static str,
    lowered: u64,
}

impl Turn<'_> {
    /// How often the places in flight had been lowered when it began, for [`Pace::less_parallel`].
    pub fn lowered(&self) -> u64 {
        self.lowered
    }

    /// Takes note of what the answer's headers say, before its body is there.
    pub fn learn(&self, signals: &Signals) {
        let mut state = self.pace.state();
        state.buckets.entry(self.bucket).or_default().learn(signals, Instant::now());
        state.good_answers += 1;
        if state.good_answers >= ANSWERS_TO_RECOVER {
            state.good_answers = 0;
            state.parallel = (state.parallel + 1).min(self.pace.most);
        }
        drop(state);
        self.pace.changed.notify_waiters();
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        state.in_flight -= 1;
        state.buckets.entry(self.bucket).or_default().in_flight -= 1;
        drop(state);
        self.pace.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::http::scripted::Log;

    const START: i64 = 1_700_000_000;

    impl Turn<'_> {
        /// Ends the turn with an answer.
        fn answered(self, signals: &Signals) {
            self.learn(signals);
        }
    }

    fn one_bucket(_: &str) -> &'static str {
        "all"
    }

    fn by_path(path: &str) -> &'static str {
        if path.starts_with("/apps") { "apps" } else { "users" }
    }

    /// An Okta that counts, with windows of 60 s that started 20 s before the test did.
    struct CountingOkta {
        limit: u32,
        started: Instant,
        window: i64,
        used: u32,
        most_used: u32,
    }

    impl CountingOkta {
        fn new(limit: u32) -> Self {
            Self { limit, started: Instant::now(), window: 0, used: 0, most_used: 0 }
        }

        fn answer(&mut self) -> Signals {
            let date = START + 20 + i64::try_from(self.started.elapsed().as_secs()).unwrap();
            let window = (date - START) / 60;
            if window > self.window {
                (self.window, self.used) = (window, 0);
            }
            self.used += 1;
            self.most_used = self.most_used.max(self.used);
            Signals {
                limit: Some(self.limit),
                remaining: Some(self.limit.saturating_sub(self.used)),
                reset: Some(START + (window + 1) * 60),
                date: Some(date),
                retry_after: None,
            }
        }
    }

    fn signals(limit: u32, remaining: u32, reset: i64, date: i64) -> Signals {
        let (reset, date) = (Some(START + reset), Some(START + date));
        Signals { limit: Some(limit), remaining: Some(remaining), reset, date, retry_after: None }
    }

    async fn waited(pace: &Pace, path: &str) -> u64 {
        let start = Instant::now();
        drop(pace.turn(path).await);
        start.elapsed().as_secs()
    }

    async fn is_stuck(pace: &Pace, path: &str) -> bool {
        tokio::time::timeout(Duration::from_hours(1), pace.turn(path)).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn many_at_once_never_pass_the_share_of_the_limit() {
        let pace = Arc::new(Pace::new(10, 0.8, one_bucket));
        let server = Arc::new(Mutex::new(CountingOkta::new(50)));
        let start = Instant::now();
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let (pace, server) = (Arc::clone(&pace), Arc::clone(&server));
                tokio::spawn(async move {
                    let turn = pace.turn("/x").await;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    let signals = server.lock().unwrap().answer();
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    turn.answered(&signals);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(server.lock().unwrap().most_used, 40, "80 % of 50, and all of it");
        assert_eq!(pace.requests(), 100);
        // 40 in the first 40 s, 40 in the next window, 20 in the third.
        let took = start.elapsed().as_secs();
        assert!((100..110).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_bucket_is_tried_by_one_request_alone() {
        let pace = Pace::new(10, 1.0, one_bucket);
        let first = pace.turn("/x").await;
        assert!(is_stuck(&pace, "/x").await);
        first.answered(&Signals::default());
        let _second = pace.turn("/x").await;
        assert_eq!(waited(&pace, "/x").await, 0, "a server without limits is bounded by parallelism alone");
    }

    #[tokio::test(start_paused = true)]
    async fn parallelism_bounds_what_is_in_flight() {
        let pace = Pace::new(2, 1.0, one_bucket);
        pace.turn("/x").await.answered(&Signals::default());
        let (_first, second) = (pace.turn("/x").await, pace.turn("/x").await);
        assert!(is_stuck(&pace, "/x").await);
        drop(second);
        assert_eq!(waited(&pace, "/x").await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_spent_window_waits_for_the_servers_reset_and_buckets_are_apart() {
        let pace = Pace::new(10, 0.5, by_path);
        // The server's clock is years off; only the difference counts.
        pace.turn("/apps").await.answered(&signals(100, 50, 30, 0));
        assert_eq!(waited(&pace, "/users").await, 0);
        assert_eq!(waited(&pace, "/apps").await, 31);
        assert_eq!(pace.requests_by_bucket(), BTreeMap::from([("apps", 2), ("users", 1)]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stale_answer_is_ignored_and_a_larger_reset_opens_a_new_window() {
        let pace = Pace::new(10, 1.0, one_bucket);
        let (early, late, next) = {
            pace.turn("/x").await.answered(&signals(10, 6, 60, 0));
            (pace.turn("/x").await, pace.turn("/x").await, pace.turn("/x").await)
        };
        late.answered(&signals(10, 0, 60, 2));
        early.answered(&signals(10, 5, 60, 1));
        assert_eq!(waited(&pace, "/x").await, 59, "the overtaken answer gave nothing back");
        next.answered(&signals(10, 0, 120, 61));
        assert_eq!(waited(&pace, "/x").await, 60, "the new window counts");
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_a_share_would_round_to_nothing_still_lets_one_through() {
        let pace = Pace::new(10, 0.1, one_bucket);
        pace.turn("/x").await.answered(&signals(5, 5, 60, 0));
        assert_eq!(waited(&pace, "/x").await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_spent_window_whose_end_cannot_be_told_is_not_waited_for_for_ever() {
        for odd in
            [Signals { date: None, ..signals(10, 0, 60, 0) }, signals(10, 0, 0, 60), signals(10, 0, i64::MAX / 2, 0)]
        {
            let pace = Pace::new(10, 1.0, one_bucket);
            pace.turn("/x").await.answered(&odd);
            assert!(waited(&pace, "/x").await <= LONGEST_WINDOW.as_secs() + 1, "{odd:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_that_goes_on_longer_than_thought_is_taken_up_again() {
        let pace = Pace::new(10, 1.0, one_bucket);
        pace.turn("/x").await.answered(&signals(10, 5, 2, 0));
        tokio::time::sleep(Duration::from_secs(5)).await;
        pace.turn("/x").await.answered(&signals(10, 0, 2, 1));
        assert_eq!(waited(&pace, "/x").await, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_wait_is_told_once_and_a_short_one_is_not() {
        let (log, logged) = Log::of_this_thread();
        let pace = Pace::new(10, 1.0, by_path);
        pace.turn("/apps").await.answered(&Signals::default());
        pace.close("/apps", Duration::from_secs(3));
        pace.turn("/apps").await.answered(&Signals::default());
        assert_eq!(log.text(), "");
        pace.close("/apps", Duration::from_secs(23));
        tokio::join!(waited(&pace, "/apps"), waited(&pace, "/apps"));
        drop(logged);
        assert_eq!(
            log.text().matches("waiting 23 s for the server's rate limit of \"apps\"").count(),
            1,
            "{}",
            log.text()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_bucket_stays_closed_for_all() {
        let pace = Pace::new(10, 1.0, by_path);
        pace.turn("/apps").await.answered(&Signals::default());
        pace.close("/apps", Duration::from_secs(49));
        pace.close("/apps", Duration::from_secs(10));
        assert_eq!(waited(&pace, "/users").await, 0);
        assert_eq!(waited(&pace, "/apps").await, 49);
    }

    #[tokio::test(start_paused = true)]
    async fn the_concurrency_kind_lowers_parallelism_to_one_at_least_and_closes_nothing() {
        let pace = Pace::new(3, 1.0, one_bucket);
        for _ in 0..5 {
            let turn = pace.turn("/x").await;
            let lowered = turn.lowered();
            turn.answered(&signals(0, 0, 120, 0));
            pace.less_parallel(lowered);
        }
        assert_eq!(pace.parallelism(), 1);
        assert_eq!(waited(&pace, "/x").await, 0);
        for _ in 0..ANSWERS_TO_RECOVER {
            pace.turn("/x").await.answered(&signals(100, 100, 60, 0));
        }
        assert_eq!(pace.parallelism(), 2, "it recovers slowly");
    }

    #[tokio::test(start_paused = true)]
    async fn many_that_are_refused_together_lower_parallelism_once() {
        let pace = Pace::new(28, 1.0, one_bucket);
        pace.turn("/x").await.answered(&Signals::default());
        for expected in [25, 22] {
            let mut turns = Vec::new();
            for _ in 0..expected {
                turns.push(pace.turn("/x").await);
            }
            for turn in turns {
                let lowered = turn.lowered();
                turn.answered(&signals(0, 0, 120, 0));
                pace.less_parallel(lowered);
            }
            assert_eq!(pace.parallelism(), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_window_is_told_more_exactly_by_each_answer() {
        let pace = Pace::new(10, 1.0, one_bucket);
        // The first answer comes just after the server's clock moved on, the second just before.
        pace.turn("/x").await.answered(&signals(10, 5, 60, 0));
        tokio::time::sleep(Duration::from_millis(100)).await;
        pace.turn("/x").await.answered(&signals(10, 1, 60, 1));
        tokio::time::sleep(Duration::from_millis(100)).await;
        pace.turn("/x").await.answered(&Signals { date: None, ..signals(10, 0, 60, 0) });
        let start = Instant::now();
        drop(pace.turn("/x").await);
        assert_eq!(start.elapsed().as_millis(), 59_900);
    }

    #[tokio::test(start_paused = true)]
    async fn headers_count_before_the_body_is_there() {
        let pace = Pace::new(10, 1.0, one_bucket);
        let first = pace.turn("/x").await;
        first.learn(&signals(10, 9, 60, 0));
        assert_eq!(waited(&pace, "/x").await, 0, "the bucket is known");
        drop(first);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_is_dropped_frees_its_place() {
        let pace = Pace::new(1, 1.0, one_bucket);
        drop(pace.turn("/x").await);
        assert_eq!(waited(&pace, "/x").await, 0);
    }
}
