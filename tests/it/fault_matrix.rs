//! Every kind of fault at every kind of request: each run ends, after at most one more, in the state of an undisturbed one.

#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use oktapieces::sandbox::Options;
use oktapieces::sandbox::company::Shape;
use oktapieces::sandbox::serve::{Chance, Fault, FaultKind};

use crate::faults::state;
use crate::support::Stage;

/// Small, and yet every kind of write is needed.
const COMPANY: Shape = Shape::Generated { users: 16, groups: 4, members: 6, existing: 0.5, drift: 0.8, seed: 11 };

/// What a request may end in. Hangs are below, where the run is killed in them.
const KINDS: [FaultKind; 13] = [
    FaultKind::Error500,
    FaultKind::BadGateway,
    FaultKind::Html,
    FaultKind::TooMany(1),
    FaultKind::TooManyUntil(2),
    FaultKind::TooManyBare,
    FaultKind::TooManyAtOnce,
    FaultKind::Slow(Duration::from_millis(20)),
    FaultKind::CutBefore,
    FaultKind::CutAfter,
    FaultKind::Error500After,
    FaultKind::Truncated,
    FaultKind::Unauthorized,
];

/// Which server, and a method with a path whose ids are replaced.
type Route = (bool, String, String);

async fn disturbed((is_okta, method, path): Route, kind: FaultKind, expected: &serde_json::Value) {
    let stage = Stage::of(COMPANY).await;
    let traffic = if is_okta { stage.sandbox.okta_traffic() } else { stage.sandbox.activepieces_traffic() };
    let what = format!("{kind:?} at {method} {path}");
    traffic.fault(Fault { method: Some(method), path, kind, after: 0, times: 1 });
    let first = stage.run(&["apply", "--yes"]).await;
    assert_eq!(traffic.befallen(), 1, "{what}: {first:#?}");
    if first.code != 0 {
        assert!([1, 3, 4].contains(&first.code), "{what}: {first:#?}");
        let second = stage.run(&["apply", "--yes"]).await;
        assert_eq!(second.code, 0, "{what}: {first:#?}\n{second:#?}");
    }
    assert_eq!(&state(&stage), expected, "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_at_every_request_ends_in_the_undisturbed_state() {
    let calm = Stage::of(COMPANY).await;
    assert_eq!(calm.run(&["apply", "--yes"]).await.code, 0);
    let expected = state(&calm);
    let mut routes: BTreeSet<Route> = BTreeSet::new();
    for (is_okta, traffic) in [(true, calm.sandbox.okta_traffic()), (false, calm.sandbox.activepieces_traffic())] {
        for route in traffic.counts().into_keys() {
            let (method, path) = route.split_once(' ').unwrap_or_default();
            routes.insert((is_okta, method.to_owned(), path.to_owned()));
        }
    }
    let writes = routes.iter().filter(|(_, method, _)| method != "GET").count();
    assert!(routes.len() >= 10 && writes >= 4, "{routes:?}");
    let cases = routes.into_iter().flat_map(|route| KINDS.map(|kind| (route.clone(), kind)));
    let runs = cases.map(|(route, kind)| disturbed(route, kind, &expected));
    futures_util::stream::iter(runs).buffer_unordered(6).collect::<Vec<()>>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_over_a_bad_line_converges() {
    let expected = {
        let calm = Stage::of(COMPANY).await;
        assert_eq!(calm.run(&["apply", "--yes"]).await.code, 0);
        state(&calm)
    };
    let kinds = [FaultKind::CutAfter, FaultKind::Error500, FaultKind::Truncated, FaultKind::TooManyAtOnce];
    let chances = kinds.map(|kind| Chance { kind, rate: 0.04 }).to_vec();
    for fault_seed in 1..=3 {
        let options = Options { company: COMPANY, chances: chances.clone(), fault_seed, ..Options::default() };
        let stage = Stage::with(options).await;
        let mut runs = 0;
        while stage.run(&["apply", "--yes"]).await.code != 0 {
            runs += 1;
            assert!(runs < 10, "it never comes to an end");
        }
        let met = stage.sandbox.activepieces_traffic().befallen();
        assert!(met > 0, "nothing happened");
        assert_eq!(state(&stage), expected, "seed {fault_seed}");
    }
}

/// Kills an apply at one write, before or after the server acted; whether there was such a write.
async fn killed(method: &str, after: usize, kind: FaultKind, expected: &serde_json::Value) -> bool {
    let stage = Stage::of(COMPANY).await;
    let traffic = stage.sandbox.activepieces_traffic();
    traffic.fault(Fault { method: Some(method.to_owned()), path: "/api/v1/scim/v2".to_owned(), kind, after, times: 1 });
    let mut child = stage.spawn(&["apply", "--yes"]);
    let ended = loop {
        if traffic.befallen() > 0 {
            child.kill().await.unwrap();
            break false;
        }
        if child.try_wait().unwrap().is_some() {
            break traffic.befallen() == 0;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    if ended {
        return false;
    }
    traffic.mend();
    let what = format!("killed at {method} {after}, {kind:?}");
    let next = stage.run(&["apply", "--yes"]).await;
    assert_eq!(next.code, 0, "{what}: {next:#?}");
    assert_eq!(&state(&stage), expected, "{what}");
    let runs = stage.run(&["history", "--json"]).await.json();
    assert_eq!(runs["runs"][1]["outcome"], "interrupted", "{what}: {runs}");
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_is_killed_at_any_write_is_completed_by_the_next() {
    let calm = Stage::of(COMPANY).await;
    assert_eq!(calm.run(&["apply", "--yes"]).await.code, 0);
    let expected = state(&calm);
    let long = Duration::from_secs(30);
    let mut cases = Vec::new();
    for method in ["POST", "PUT", "PATCH"] {
        let writes = usize::try_from(calm.sandbox.activepieces_traffic().count(method)).unwrap();
        assert!(writes > 2, "{writes} of {method}");
        for kind in [FaultKind::Hang(long), FaultKind::HangAfter(long)] {
            cases.extend((0..writes).map(|after| (method, after, kind)));
        }
    }
    let runs = cases.into_iter().map(|(method, after, kind)| killed(method, after, kind, &expected));
    let met: Vec<bool> = futures_util::stream::iter(runs).buffer_unordered(4).collect().await;
    assert!(met.iter().all(|met| *met), "{met:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_could_not_be_reactivated_becomes_a_member_later() {
    let calm = Stage::of(COMPANY).await;
    assert_eq!(calm.run(&["apply", "--yes"]).await.code, 0);
    let stage = Stage::of(COMPANY).await;
    let traffic = stage.sandbox.activepieces_traffic();
    let (method, path) = (Some("PUT".to_owned()), "/api/v1/scim/v2/Users".to_owned());
    traffic.fault(Fault { method, path, kind: FaultKind::Unauthorized, after: 0, times: usize::MAX });
    let first = stage.run(&["apply", "--yes"]).await;
    assert!([3, 4].contains(&first.code), "{first:#?}");
    traffic.mend();
    let second = stage.run(&["apply", "--yes"]).await;
    assert_eq!((second.code, state(&stage)), (0, state(&calm)), "{second:#?}");
}
