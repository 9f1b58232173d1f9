//! Adapts write concurrency to what the server processes in parallel.
//!
//! The limit is set again after each round of answers. While answers take as long as they did with few requests in
//! flight, the server has room, and the limit doubles. When they take longer, the limit becomes what the server
//! processed in parallel (by Little's law the limit × the shortest time ÷ the current one) plus its square root, so
//! that new room is found. A server whose CPUs all hash passwords for a few requests (docs/activepieces.md#throughput) doesn't get
//! 64 requests, most of which would only wait, come nearer to their timeouts and delay other clients.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::report::Outcome;
use crate::activepieces::Activepieces;
use crate::http::Failure;

/// What each limit starts with.
const START: usize = 4;
/// One part in so many that answers may take longer by chance: the fastest of many rounds is a lucky one.
const SCATTER: u32 = 5;
/// After this many rounds below the maximum it starts again: the network or the server may have changed.
const ROUNDS: usize = 100;

/// A kind of request, of which each takes about as long as any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Write {
    CreateUser,
    PatchUser,
    PutUser,
    Project,
    /// A change of members; the binary logarithm of what it costs.
    Members(u32),
}

impl Write {
    /// A request that changes so many members of a group.
    pub fn members(changed: usize, standing: usize) -> Self {
        Self::Members(cost_of_members(changed, standing).max(1).ilog2())
    }
}

/// What a change of members costs the server, in members that are added: one that is only shown in the answer costs a quarter
/// of that (docs/activepieces.md#throughput).
pub fn cost_of_members(changed: usize, standing: usize) -> usize {
    changed + standing / 4
}

/// The platform, the limit of what is written to it here, and whether it still answers.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    pub activepieces: &'a Activepieces,
    pub limit: &'a Limit,
    pub contact: &'a Contact,
    /// A turn for each project role that is set at the same time, in all projects.
    pub roles: &'a Semaphore,
}

/// Whether a server still answers: an apply doesn't try all its operations one by one on a server that is gone.
#[derive(Debug, Default)]
pub struct Contact {
    /// Operations in a row that failed because no request was answered.
    unanswered: AtomicUsize,
    /// Accounts that were made though their welcome e-mails failed.
    unsent_mails: AtomicUsize,
}

impl Contact {
    /// Notes an account whose welcome e-mail failed.
    pub fn mail_failed(&self) {
        self.unsent_mails.fetch_add(1, Ordering::Relaxed);
    }

    /// How many welcome e-mails failed.
    pub fn unsent_mails(&self) -> usize {
        self.unsent_mails.load(Ordering::Relaxed)
    }

    /// So many operations in a row without an answer mean that the server is gone.
    const GONE: usize = 3;

    /// Whether the server is taken for gone.
    pub fn is_lost(&self) -> bool {
        self.unanswered.load(Ordering::Relaxed) >= Self::GONE
    }

    fn answered(&self) {
        // A server that came back late doesn't revive a run that has begun to leave operations out.
        if !self.is_lost() {
            self.unanswered.store(0, Ordering::Relaxed);
        }
    }

    fn unanswered(&self) {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
    }
}

impl Writer<'_> {
    /// The outcome of an operation that ends with this failure.
    pub fn failed(self, failure: &Failure) -> Outcome {
        if failure.is_unanswered() {
            self.contact.unanswered();
        }
        Outcome::Failed(failure.to_string())
    }

    /// Reads something that an operation needs.
    pub async fn see<T>(self, request: impl Future<Output = Result<T, Failure>>) -> Result<T, Outcome> {
        match request.await {
            Ok(answer) => {
                self.contact.answered();
                Ok(answer)
            }
            Err(failure) => Err(self.failed(&failure)),
        }
    }

    /// Sends a request from which no limit learns.
    pub async fn send<T>(self, request: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let answer = request.await;
        if !answer.as_ref().is_err_and(Failure::is_unanswered) {
            self.contact.answered();
        }
        answer
    }

    /// Lets the limit learn from the answer to a request.
    pub async fn learn<T>(self, write: Write, request: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let (set, start) = (self.limit.state().set, Instant::now());
        let answer = request.await;
        if !answer.as_ref().is_err_and(Failure::is_unanswered) {
            self.contact.answered();
        }
        if answer.as_ref().is_err_and(Failure::is_overload) {
            self.limit.overloaded(set);
        } else {
            self.limit.answered(write, set, start.elapsed());
        }
        answer
    }
}

/// The limit of one kind of operations.
#[derive(Debug)]
pub struct Limit {
    most: usize,
    state: Mutex<Concurrency>,
}

#[derive(Debug)]
struct Concurrency {
    now: usize,
    /// How often it was set: what was sent before the last time tells nothing about it.
    set: u64,
    /// No answer took longer yet for the number of requests.
    has_room: bool,
    rounds: usize,
    times: BTreeMap<Write, Times>,
}

/// How long the answers to one kind of request took.
#[derive(Debug, Default)]
struct Times {
    /// The mean of the fastest round.
    shortest: Option<Duration>,
    /// Of the present round.
    sum: Duration,
    count: u32,
}

impl Times {
    /// Takes the mean of a whole round, and begins another.
    fn round(&mut self) -> Duration {
        let mean = self.sum / self.count.max(1);
        (self.sum, self.count) = (Duration::ZERO, 0);
        mean
    }
}

impl Limit {
    /// `most` is never exceeded.
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        let state = Concurrency { now: START.min(most), set: 0, has_room: true, rounds: 0, times: BTreeMap::new() };
        Self { most, state: Mutex::new(state) }
    }

    /// How many operations may be under way.
    pub fn now(&self) -> usize {
        self.state().now
    }

    /// Does the work for each item, as many in parallel as the limit allows at the time, and begins it in the order of the
    /// items. The results are in that order too.
    pub async fn each<T, R>(&self, items: impl IntoIterator<Item = T>, work: impl AsyncFn(T) -> R) -> Vec<R> {
        let work = &work;
        let mut waiting = items.into_iter().enumerate();
        let mut running = FuturesUnordered::new();
        let mut ended = Vec::new();
        loop {
            while running.len() < self.now() {
                let Some((at, item)) = waiting.next() else { break };
                running.push(async move { (at, work(item).await) });
            }
            let Some(result) = running.next().await else { break };
            ended.push(result);
        }
        ended.sort_by_key(|(at, _)| *at);
        ended.into_iter().map(|(_, result)| result).collect()
    }

    /// One answer to a request that was sent when the limit had been `set` so often.
    fn answered(&self, write: Write, set: u64, took: Duration) {
        let mut state = self.state();
        if state.set != set {
            return;
        }
        let now = state.now;
        let times = state.times.entry(write).or_default();
        times.sum += took;
        times.count += 1;
        if usize::try_from(times.count).is_ok_and(|count| count < now) {
            return;
        }
        let mean = times.round();
        let shortest = times.shortest.map_or(mean, |shortest| shortest.min(mean));
        times.shortest = Some(shortest);
        state.rounds = if now < self.most { state.rounds + 1 } else { 0 };
        if state.rounds >= ROUNDS {
            (state.rounds, state.has_room) = (0, true);
            state.times.clear();
            self.set(&mut state, now.min(START));
            return;
        }
        let unhurried = shortest + shortest / SCATTER;
        state.has_room &= mean <= unhurried;
        let next = if state.has_room { now * 2 } else { busy(now, unhurried, mean) + now.isqrt() };
        self.set(&mut state, next);
    }

    /// The server had too much to do, or didn't answer in time: half as many, once for all that were sent together.
    fn overloaded(&self, set: u64) {
        let mut state = self.state();
        if state.set == set {
            state.has_room = false;
            let half = state.now / 2;
            self.set(&mut state, half);
        }
    }

    fn set(&self, state: &mut Concurrency, limit: usize) {
        let limit = limit.clamp(1, self.most);
        if limit == state.now {
            return;
        }
        tracing::debug!(from = state.now, to = limit, "writes side by side");
        state.now = limit;
        state.set += 1;
        for times in state.times.values_mut() {
            times.round();
        }
    }

    fn state(&self) -> MutexGuard<'_, Concurrency> {
        // No code that holds the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many of `now` the server does at the same time, while the others wait: no less than a half, since one slow round may
/// have had other reasons.
fn busy(now: usize, unhurried: Duration, mean: Duration) -> usize {
    let work = u128::try_from(now).unwrap_or(u128::MAX).saturating_mul(unhurried.as_nanos());
    let busy = work / mean.as_nanos().max(1);
    usize::try_from(busy).unwrap_or(now).clamp(now / 2, now)
}

#[cfg(test)]
#[path = "adapt_tests.rs"]
mod tests;
