//! Random walks: things happen on both sides, runs come between them, and after every run the laws of docs/safety.md are
//! checked by a model that knows only the servers' state, the plan and the exit code.
//!
//! `cargo test walks` does some hundreds of them; `OKTAPIECES_WALKS=20000 cargo test --test it walks` goes on for hours, and
//! has waiting invitations and changed addresses too. A walk that breaks a law is printed with as few events as still break it, and its
//! seed is kept in `proptest-regressions`.
//! Each kind of fault also has a walk of its own, by name, which doesn't depend on chance.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

mod event;
mod fixed;
mod laws;
mod runs;
mod world;

use event::{Event, Setup};
use proptest::test_runner::{Config, FileFailurePersistence, TestError, TestRunner};
use tokio::runtime::Runtime;

/// How many walks there are without a wish.
const WALKS: u32 = 200;
/// Walks that are done at the same time.
const SIDE_BY_SIDE: u32 = 4;

/// The first breach of a law in a walk; with everything that led to it.
fn breach(runtime: &Runtime, setup: &Setup, events: &[Event]) -> Option<String> {
    runtime.block_on(runs::walk(setup.clone(), events))
}

/// The law behind a breach: shrinking must not end in another one.
fn law(breach: &str) -> &str {
    breach.split(':').next().unwrap_or_default()
}

/// The events without which the walk would not break the same law.
fn shrunk(runtime: &Runtime, setup: &Setup, events: &[Event], first: &str) -> (Vec<Event>, String) {
    let (mut events, mut told) = (events.to_vec(), first.to_owned());
    loop {
        let before = events.len();
        for at in (0..before).rev() {
            let mut fewer = events.clone();
            fewer.remove(at);
            if let Some(breach) = breach(runtime, setup, &fewer).filter(|breach| law(breach) == law(first)) {
                (events, told) = (fewer, breach);
            }
        }
        if events.len() == before {
            return (events, told);
        }
    }
}

/// One of the strands that walks are done in.
fn strand(number: u32, walks: u32) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let source = FileFailurePersistence::Direct("proptest-regressions/walks.txt");
    let config = Config {
        cases: walks,
        // A walk is shrunk below, event by event.
        max_shrink_iters: 0,
        // Kept walks are walked once.
        failure_persistence: (number == 0).then(|| Box::new(source) as _),
        ..Config::default()
    };
    let walk = |(setup, events): (Setup, Vec<Event>)| match breach(&runtime, &setup, &events) {
        None => Ok(()),
        Some(breach) => Err(proptest::test_runner::TestCaseError::fail(breach)),
    };
    match TestRunner::new(config).run(&(event::setup(), event::walk()), walk) {
        Ok(()) => None,
        Err(TestError::Abort(why)) => Some(why.to_string()),
        Err(TestError::Fail(why, (setup, events))) => {
            let (events, told) = shrunk(&runtime, &setup, &events, &why.to_string());
            Some(format!("{told}\n{setup:?}\n{events:#?}"))
        }
    }
}

#[test]
fn no_walk_breaks_a_law() {
    let walks = std::env::var("OKTAPIECES_WALKS").ok().map_or(WALKS, |walks| walks.parse().unwrap());
    let strands: Vec<_> = (0..SIDE_BY_SIDE)
        .map(|number| std::thread::spawn(move || strand(number, walks.div_ceil(SIDE_BY_SIDE))))
        .collect();
    let found: Vec<String> = strands.into_iter().filter_map(|strand| strand.join().unwrap()).collect();
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}
