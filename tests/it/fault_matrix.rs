//! Every kind of fault at every kind of request: each run ends, after at most one more, in the state of an undisturbed one.

#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use oktapieces_sandbox::Options;
use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::serve::{Chance, Fault, FaultKind};

use crate::access::{configure, ec_key};
use crate::faults::{state, state_but_roles};
use crate::ledger::{Standing, nothing_is_lost};
use crate::support::{Outcome, Stage};

/// Small, and yet every kind of write is needed.
const COMPANY: Shape = Shape::Generated { users: 16, groups: 4, members: 6, existing: 0.5, drift: 0.8, seed: 11 };

/// A company in which certain requests are needed.
#[derive(Clone, Copy, Debug)]
enum Scene {
    /// Most of them, with listings of several pages.
    Usual,
    /// Projects are adopted, and Okta is asked by id for users that its listings don't hold.
    Seeded,
    /// Two projects are deleted.
    Deletions,
    /// A service app asks for a token.
    ServiceApp,
}

const SCENES: [Scene; 4] = [Scene::Usual, Scene::Seeded, Scene::Deletions, Scene::ServiceApp];

impl Scene {
    async fn stage(self) -> Stage {
        let small = |existing| Shape::Generated { users: 6, groups: 3, members: 3, existing, drift: 0.0, seed: 5 };
        match self {
            Self::Usual => {
                let stage = Stage::of(COMPANY).await;
                stage.sandbox.org().limit_pages(6);
                stage
            }
            Self::Seeded => Stage::seeded().await,
            Self::Deletions => {
                let stage = Stage::of(small(1.0)).await;
                stage.reconfigure("'^AP (.+)$'", "'^AP (Team 001)$'");
                stage.reconfigure("[safety]", "[projects_policy]\ndelete_unpushed = true\n\n[safety]");
                stage.delete_groups_but("Team 001");
                stage
            }
            Self::ServiceApp => {
                let (stage, (pem, public)) = (Stage::of(small(0.5)).await, ec_key());
                configure(&stage, &pem, public, |_| ());
                stage
            }
        }
    }

    /// The arguments of an apply, as things stand.
    fn apply(self, stage: &Stage) -> Vec<String> {
        let mut arguments = vec!["apply".to_owned(), "--yes".to_owned()];
        if let Self::Deletions = self {
            let doomed = stage.sandbox.platform().projects().len() - 1;
            arguments.extend(["--allow-project-deletions".to_owned(), doomed.to_string()]);
        }
        arguments
    }

    async fn run(self, stage: &Stage) -> Outcome {
        let arguments = self.apply(stage);
        stage.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    /// What an undisturbed run needs and makes.
    async fn calm(self) -> Calm {
        let stage = self.stage().await;
        let start = Standing::of(&stage);
        let outcome = self.run(&stage).await;
        assert!([0, 3].contains(&outcome.code), "{self:?}: {outcome:#?}");
        assert!(nothing_is_lost(&stage, &start, "undisturbed") > 1, "{self:?}: {outcome:#?}");
        let mut routes = BTreeSet::new();
        for (is_okta, traffic) in [(true, stage.sandbox.okta_traffic()), (false, stage.sandbox.activepieces_traffic())]
        {
            for route in traffic.counts().into_keys() {
                let (method, path) = route.split_once(' ').unwrap_or_default();
                routes.insert((is_okta, method.to_owned(), path.to_owned()));
            }
        }
        Calm { scene: self, code: outcome.code, routes, stage }
    }
}

/// Which server, and a method with a path whose ids are replaced.
type Route = (bool, String, String);

/// An undisturbed run.
struct Calm {
    scene: Scene,
    /// 3 if an account is left alone.
    code: i32,
    routes: BTreeSet<Route>,
    stage: Stage,
}

impl Calm {
    /// The run that comes after one that didn't end well. A member who is added from now on gets another project role than one who
    /// was, so that it shows if the same people are added again.
    async fn completes(&self, stage: &Stage, what: &str) {
        stage.sandbox.platform().configure(|settings| "Viewer".clone_into(&mut settings.default_project_role));
        let start = Standing::of(stage);
        let next = self.scene.run(stage).await;
        assert_eq!(next.code, self.code, "{what}: {next:#?}");
        assert_eq!(state_but_roles(stage), state_but_roles(&self.stage), "{what}");
        nothing_is_lost(stage, &start, what);
    }
}

/// The most seconds that a run waits for a server which hangs.
const PATIENCE: &str = "2";
/// Longer than that, so that the server acts after the run has stopped waiting.
const LATE: Duration = Duration::from_millis(2900);
const FOR_EVER: Duration = Duration::from_mins(10);

/// What a request may end in, and how often.
const KINDS: [(FaultKind, usize); 18] = [
    (FaultKind::Error500, 1),
    (FaultKind::BadGateway, 1),
    (FaultKind::Html, 1),
    (FaultKind::TooMany(1), 1),
    (FaultKind::TooManyUntil(2), 1),
    (FaultKind::TooManyBare, 1),
    (FaultKind::TooManyAtOnce, 1),
    (FaultKind::Slow(Duration::from_millis(20)), 1),
    (FaultKind::CutBefore, 1),
    (FaultKind::CutAfter, 1),
    (FaultKind::Error500After, 1),
    (FaultKind::Truncated, 1),
    (FaultKind::Stall(FOR_EVER), 1),
    (FaultKind::Hang(LATE), 1),
    (FaultKind::HangAfter(FOR_EVER), 1),
    (FaultKind::Unauthorized, 1),
    (FaultKind::Unauthorized, usize::MAX),
    (FaultKind::ExpiredCursor, 1),
];

/// Whether the server acts before it fails. On a read that is nothing else than a failure before.
fn is_after(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::CutAfter | FaultKind::Error500After | FaultKind::HangAfter(_))
}

/// Whether the fault was met.
async fn disturbed(calm: &Calm, (is_okta, method, path): Route, (kind, times): (FaultKind, usize)) -> bool {
    let mut stage = calm.scene.stage().await;
    let waits = matches!(kind, FaultKind::Stall(_) | FaultKind::Hang(_) | FaultKind::HangAfter(_));
    stage.patience = waits.then_some(PATIENCE);
    let start = Standing::of(&stage);
    let traffic = if is_okta { stage.sandbox.okta_traffic() } else { stage.sandbox.activepieces_traffic() };
    let what = format!("{:?}, {kind:?} at {method} {path}", calm.scene);
    traffic.fault(Fault { method: Some(method), path, kind, after: 0, times });
    let first = calm.scene.run(&stage).await;
    let met = traffic.befallen();
    assert!((met > 0 && met <= times as u64) || kind == FaultKind::ExpiredCursor, "{what}: {first:#?}");
    traffic.mend();
    if kind == FaultKind::Hang(LATE) {
        tokio::time::sleep(LATE).await;
    }
    nothing_is_lost(&stage, &start, &what);
    if first.code != 0 {
        assert!([1, 3, 4].contains(&first.code), "{what}: {first:#?}");
        calm.completes(&stage, &format!("{what}: {first:#?}")).await;
    } else {
        assert_eq!(state(&stage), state(&calm.stage), "{what}");
    }
    met > 0
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_at_every_request_ends_in_the_undisturbed_state() {
    let calms = futures_util::future::join_all(SCENES.map(Scene::calm)).await;
    let mut seen: BTreeSet<Route> = BTreeSet::new();
    let mut cases = Vec::new();
    for calm in &calms {
        for route in calm.routes.difference(&seen) {
            let kinds = KINDS.into_iter().filter(|(kind, _)| route.1 != "GET" || !is_after(*kind));
            cases.extend(kinds.map(|kind| (calm, route.clone(), kind)));
        }
        seen.extend(calm.routes.iter().cloned());
    }
    for needed in [
        "DELETE /api/v1/scim/v2/Groups/{id}",
        "POST /api/v1/projects/{id}",
        "POST /oauth2/v1/token",
        "GET /api/v1/users/{id}",
        "GET /api/v1/apps/{id}/users/{id}",
    ] {
        assert!(seen.iter().any(|(_, method, path)| format!("{method} {path}") == needed), "{needed}: {seen:?}");
    }
    let runs = cases.into_iter().map(async |(calm, route, kind)| (kind.0, disturbed(calm, route, kind).await));
    let met: Vec<_> = futures_util::stream::iter(runs).buffer_unordered(16).collect().await;
    let cursors = met.iter().filter(|(kind, met)| *kind == FaultKind::ExpiredCursor && *met).count();
    assert!(cursors >= 2, "{cursors} listings had a cursor");
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
    let runs = [1, 2, 3].map(async |fault_seed| {
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
    });
    futures_util::future::join_all(runs).await;
}

/// Kills an apply at one write, before or after the server acted.
async fn killed(calm: &Calm, (method, path): (&str, &str), after: usize, kind: FaultKind) {
    let stage = calm.scene.stage().await;
    let start = Standing::of(&stage);
    let traffic = stage.sandbox.activepieces_traffic();
    let what = format!("{:?}, killed at {method} {path} {after}, {kind:?}", calm.scene);
    traffic.fault(Fault { method: Some(method.to_owned()), path: path.to_owned(), kind, after, times: 1 });
    let arguments = calm.scene.apply(&stage);
    let mut child = stage.spawn(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    while traffic.befallen() == 0 {
        assert!(child.try_wait().unwrap().is_none(), "{what}: the run ended first");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // A request is counted before the server acts on it.
    while kind == FaultKind::HangAfter(FOR_EVER) && Standing::of(&stage) == start {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // As long as the server needs for what else is in flight.
    tokio::time::sleep(Duration::from_millis(30)).await;
    child.kill().await.unwrap();
    traffic.mend();
    let changes = nothing_is_lost(&stage, &start, &what);
    assert!(changes > 0 || kind == FaultKind::Hang(FOR_EVER), "{what}: the server did nothing");
    calm.completes(&stage, &what).await;
    let runs = stage.run(&["history", "--json"]).await.json();
    assert_eq!(runs["runs"][1]["outcome"], "interrupted", "{what}: {runs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_is_killed_at_any_write_is_completed_by_the_next() {
    const SCIM: &str = "/api/v1/scim/v2";
    let writes = [
        (Scene::Usual, &[("POST", SCIM), ("PATCH", SCIM)][..], 3),
        (Scene::Seeded, &[("POST", "/api/v1/projects")], 1),
        (Scene::Deletions, &[("DELETE", SCIM)], 2),
    ];
    for (scene, writes, least) in writes {
        let calm = &scene.calm().await;
        let mut cases = Vec::new();
        for &(method, path) in writes {
            let all =
                usize::try_from(calm.stage.sandbox.activepieces_traffic().count(&format!("{method} {path}"))).unwrap();
            assert!(all >= least, "{all} of {method} {path}");
            for kind in [FaultKind::Hang(FOR_EVER), FaultKind::HangAfter(FOR_EVER)] {
                cases.extend((0..all).map(|after| killed(calm, (method, path), after, kind)));
            }
        }
        futures_util::stream::iter(cases).buffer_unordered(4).collect::<Vec<()>>().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_could_not_be_reactivated_becomes_a_member_later() {
    let calm = Stage::of(COMPANY).await;
    assert_eq!(calm.run(&["apply", "--yes"]).await.code, 0);
    let stage = Stage::of(COMPANY).await;
    let traffic = stage.sandbox.activepieces_traffic();
    let (method, path) = (Some("PATCH".to_owned()), "/api/v1/scim/v2/Users".to_owned());
    traffic.fault(Fault { method, path, kind: FaultKind::Unauthorized, after: 0, times: usize::MAX });
    let first = stage.run(&["apply", "--yes"]).await;
    assert!([3, 4].contains(&first.code), "{first:#?}");
    traffic.mend();
    let second = stage.run(&["apply", "--yes"]).await;
    assert_eq!((second.code, state(&stage)), (0, state(&calm)), "{second:#?}");
}
