//! Tests of the write concurrency against servers with known capacities.

use std::cell::Cell;

use tokio::time::sleep;

use super::*;

const NETWORK: Duration = Duration::from_millis(50);
const HASH: Duration = Duration::from_millis(110);

/// What an imitated server saw.
#[derive(Debug, Default)]
struct Seen {
    in_flight: Cell<usize>,
    /// The most in flight after the first fifth of the requests.
    most: Cell<usize>,
    refused: Cell<usize>,
}

/// Sends so many requests to a server that does `cpus` of them at a time, of `cost` each, and refuses whatever is beyond
/// `room`. Gives the time until all were done, and what the server saw.
async fn run(limit: &Limit, requests: usize, cpus: usize, cost: Duration, room: usize) -> (Duration, Seen) {
    let (cpus, seen, begin) = (Semaphore::new(cpus), Seen::default(), Instant::now());
    let send = async |number: usize| {
        loop {
            let (set, start) = (limit.state().set, Instant::now());
            sleep(NETWORK).await;
            if seen.in_flight.get() >= room {
                seen.refused.set(seen.refused.get() + 1);
                limit.overloaded(set);
                continue;
            }
            seen.in_flight.set(seen.in_flight.get() + 1);
            if number > requests / 5 {
                seen.most.set(seen.most.get().max(seen.in_flight.get()));
            }
            let cpu = cpus.acquire().await.unwrap();
            sleep(cost).await;
            drop(cpu);
            seen.in_flight.set(seen.in_flight.get() - 1);
            limit.answered(Write::CreateUser, set, start.elapsed());
            return number;
        }
    };
    let done = limit.each(0..requests, send).await;
    assert_eq!(done, (0..requests).collect::<Vec<_>>(), "the order is kept");
    (begin.elapsed(), seen)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_only_far_away_gets_all_that_is_allowed() {
    let limit = Limit::new(32);
    let (took, _) = run(&limit, 10_000, 10_000, Duration::ZERO, usize::MAX).await;
    assert_eq!(limit.now(), 32);
    assert!(took < NETWORK * 10_000 / 32 * 105 / 100, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_takes_now_short_and_now_long_is_no_busy_server() {
    let (limit, start, mut random) = (Limit::new(32), Instant::now(), fastrand::Rng::with_seed(1));
    let times: Vec<u64> = (0..5_000).map(|_| random.u64(30..100)).collect();
    let fewest = Duration::from_millis(times.iter().sum::<u64>()) / 32;
    let send = async |time| {
        let (set, start) = (limit.state().set, Instant::now());
        sleep(Duration::from_millis(time)).await;
        limit.answered(Write::PutUser, set, start.elapsed());
    };
    limit.each(times, send).await;
    assert!(start.elapsed() < fewest * 110 / 100, "{:?}, and {fewest:?} at best", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_with_two_cpus_is_kept_busy_and_gets_no_queue() {
    for cpus in [1, 2, 8] {
        let limit = Limit::new(64);
        let (took, seen) = run(&limit, 2_000, cpus, HASH, usize::MAX).await;
        let fewest = HASH * 2_000 / u32::try_from(cpus).unwrap();
        assert!(took < fewest * 105 / 100, "{cpus} CPUs: {took:?}");
        assert!(seen.most.get() <= 8.max(5 * cpus / 2), "{cpus} CPUs: {seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_what_is_too_much_for_it_is_used_to_its_limit() {
    let limit = Limit::new(64);
    let (took, seen) = run(&limit, 5_000, 1_000, NETWORK, 10).await;
    // With the network before it, twenty on their way are ten at the server.
    assert!(took < NETWORK * 5_000 / 10 * 2, "{took:?}");
    assert!(seen.refused.get() < 500, "{seen:?}");
}

#[test]
fn failures_of_what_was_sent_together_count_once_and_one_always_remains() {
    let limit = Limit::new(8);
    for _ in 0..4 {
        limit.overloaded(0);
    }
    assert_eq!(limit.now(), 2);
    limit.overloaded(1);
    limit.overloaded(2);
    assert_eq!(limit.now(), 1);
    limit.answered(Write::PutUser, 2, NETWORK);
    assert_eq!(limit.now(), 2, "it comes back one by one");
}

#[test]
fn kinds_are_compared_only_with_themselves() {
    let limit = Limit::new(16);
    let round = |write, took| {
        let set = limit.state().set;
        (0..limit.now()).for_each(|_| limit.answered(write, set, took));
    };
    round(Write::CreateUser, HASH);
    round(Write::members(1_000, 0), HASH * 10);
    assert_eq!(limit.now(), 16, "a slow kind is no slow answer");
    round(Write::CreateUser, HASH * 4);
    assert_eq!(limit.now(), 8 + 4);
    assert_eq!(Write::members(500, 2_000), Write::members(1_000, 0));
}
