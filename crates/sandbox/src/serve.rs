//! What both servers have in common: latency, counts of requests, and faults that tests switch on.

use std::collections::BTreeMap;
use std::fmt;
use std::future::ready;
use std::io::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use tokio::task::{spawn, yield_now};
use tokio::time::sleep;

/// A fault, and the requests that it affects.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// `GET`; none for any method.
    pub method: Option<String>,
    /// What the path begins with; or, with ids replaced, the whole of it: `/api/v1/users/{id}`.
    pub path: String,
    pub kind: FaultKind,
    /// How many of these requests pass before the fault begins.
    pub after: usize,
    /// How many requests it affects then.
    pub times: usize,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// 500 without acting.
    Error500,
    /// 502 with a proxy's page, without acting.
    BadGateway,
    /// 200 with a web page, without acting.
    Html,
    /// 429 with `Retry-After` in seconds, without acting.
    TooMany(u64),
    /// 429 with `Retry-After` as a date this many seconds ahead, without acting.
    TooManyUntil(u64),
    /// 429 that doesn't say when to come again, without acting.
    TooManyBare,
    /// 429 as Okta has it for too many requests at once, whose limit is 0 and whose reset a mere estimate, without acting
    /// (Okta API: concurrency limits).
    TooManyAtOnce,
    /// The connection is cut before the server acts.
    CutBefore,
    /// The server acts, and the connection is cut before the answer.
    CutAfter,
    /// The server acts, and the answer is a 500 all the same.
    Error500After,
    /// The server acts, and the answer breaks off in the middle.
    Truncated,
    /// The server acts, and the answer comes in ten parts, each so long after the one before.
    Slow(Duration),
    /// The server acts, and a half of the answer comes at once, the rest after so long.
    Stall(Duration),
    /// Nothing for so long; then the server acts, whether the client still waits or not, and answers.
    Hang(Duration),
    /// The server acts at once, and answers after so long.
    HangAfter(Duration),
    /// 401 as Okta has it for a token that was revoked, without acting.
    Unauthorized,
    /// 403 as each server has it for a key without the right to this, without acting.
    Forbidden,
    /// 400 as Okta has it for a cursor that expired, without acting; a request without a cursor passes.
    ExpiredCursor,
}

impl FaultKind {
    /// The kinds by name, as the command line has them.
    pub const NAMED: [(&str, Self); 17] = [
        ("500", Self::Error500),
        ("502", Self::BadGateway),
        ("html", Self::Html),
        ("401", Self::Unauthorized),
        ("429", Self::TooMany(1)),
        ("429-date", Self::TooManyUntil(2)),
        ("429-bare", Self::TooManyBare),
        ("429-at-once", Self::TooManyAtOnce),
        ("cut-before", Self::CutBefore),
        ("cut-after", Self::CutAfter),
        ("500-after", Self::Error500After),
        ("truncated", Self::Truncated),
        ("slow", Self::Slow(Duration::from_millis(100))),
        ("stall", Self::Stall(Duration::from_secs(5))),
        ("hang", Self::Hang(Duration::from_secs(5))),
        ("hang-after", Self::HangAfter(Duration::from_secs(5))),
        ("expired-cursor", Self::ExpiredCursor),
    ];
}

/// A fault that affects requests by chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    pub kind: FaultKind,
    /// The share of requests, 0 to 1.
    pub rate: f64,
}

/// How a server's requests are delayed, counted and disturbed.
#[derive(Debug)]
pub struct Traffic {
    latency: Duration,
    state: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    counts: BTreeMap<String, u64>,
    faults: Vec<Fault>,
    chances: Vec<Chance>,
    random: fastrand::Rng,
    befallen: u64,
    hooks: Vec<Hook>,
}

/// What a test does before one request. It gets the request's method and path.
type Act = Box<dyn FnOnce(&str, &str) + Send>;

/// An act, and the request that it comes before.
struct Hook {
    method: Option<String>,
    path: String,
    after: usize,
    act: Act,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").field("method", &self.method).field("path", &self.path).finish_non_exhaustive()
    }
}

impl Traffic {
    /// Every answer takes at least this long, and `seed` decides which requests the faults by chance affect.
    pub fn new(latency: Duration, chances: Vec<Chance>, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        let state =
            Seen { counts: BTreeMap::new(), faults: Vec::new(), chances, random, befallen: 0, hooks: Vec::new() };
        Self { latency, state: Mutex::new(state) }
    }

    /// Requests so far by method and path, ids replaced: `GET /api/v1/users/{id}`.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.locked().counts.clone()
    }

    /// Requests so far.
    pub fn total(&self) -> u64 {
        self.locked().counts.values().sum()
    }

    /// Requests so far whose method and path begin like this.
    pub fn count(&self, prefix: &str) -> u64 {
        self.locked().counts.iter().filter(|(route, _)| route.starts_with(prefix)).map(|(_, count)| count).sum()
    }

    /// How many requests a fault befell so far.
    pub fn befallen(&self) -> u64 {
        self.locked().befallen
    }

    /// Switches a fault on.
    pub fn fault(&self, fault: Fault) {
        self.locked().faults.push(fault);
    }

    /// Does something once, before the server sees a request: the first whose method is this one (with none any) and whose
    /// path begins like this, after this many of them have passed. This is how a test changes something in the middle of a
    /// run. A fault of that request comes after it.
    pub fn before(
        &self,
        method: Option<&str>,
        path: &str,
        after: usize,
        act: impl FnOnce(&str, &str) + Send + 'static,
    ) {
        let (method, path) = (method.map(str::to_owned), path.to_owned());
        self.locked().hooks.push(Hook { method, path, after, act: Box::new(act) });
    }

    /// Switches all faults and hooks off.
    pub fn mend(&self) {
        let state = &mut *self.locked();
        state.faults.clear();
        state.chances.clear();
        state.hooks.clear();
    }

    /// The acts that come before this request. They are called without the lock, since they may use the server.
    fn due(&self, method: &str, path: &str) -> Vec<Act> {
        let mut due = Vec::new();
        let state = &mut *self.locked();
        let is_due = |hook: &mut Hook| {
            if !path.starts_with(&hook.path) || hook.method.as_deref().is_some_and(|wanted| wanted != method) {
                return false;
            }
            let is_due = hook.after == 0;
            hook.after = hook.after.saturating_sub(1);
            is_due
        };
        due.extend(state.hooks.extract_if(.., is_due).map(|hook| hook.act));
        due
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request, and says what happens to it.
    fn meet(&self, method: &str, path: &str, has_cursor: bool) -> Option<FaultKind> {
        let state = &mut *self.locked();
        let route = template(path);
        *state.counts.entry(format!("{method} {route}")).or_default() += 1;
        for fault in &mut state.faults {
            let concerned = fault.method.as_deref().is_none_or(|wanted| wanted == method)
                && (path.starts_with(&fault.path) || route == fault.path)
                && (has_cursor || fault.kind != FaultKind::ExpiredCursor);
            if !concerned || fault.times == 0 {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
                continue;
            }
            fault.times -= 1;
            state.befallen += 1;
            return Some(fault.kind);
        }
        let mut chances = state.chances.iter().filter(|chance| has_cursor || chance.kind != FaultKind::ExpiredCursor);
        let met = chances.find(|chance| state.random.f64() < chance.rate).map(|chance| chance.kind);
        state.befallen += u64::from(met.is_some());
        met
    }
}

/// The path segments that an id follows.
const COLLECTIONS: [&str; 10] = [
    "users",
    "groups",
    "apps",
    "mappings",
    "Users",
    "Groups",
    "projects",
    "project-members",
    "project-roles",
    "user-invitations",
];

/// A path with its ids replaced.
fn template(path: &str) -> String {
    let mut before = "";
    let segments = path.split('/').map(|segment| {
        let is_id = COLLECTIONS.contains(&before) && !segment.is_empty() && segment != "role";
        before = segment;
        if is_id { "{id}" } else { segment }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Puts the traffic in front of all routes.
pub fn layer(router: Router, traffic: Arc<Traffic>) -> Router {
    router.layer(from_fn_with_state(traffic, pass))
}

/// Okta's answer to a token that doesn't count any more.
const INVALID_TOKEN: &str = r#"{"errorCode":"E0000011","errorSummary":"Invalid token provided","errorLink":"E0000011",
"errorId":"sandbox","errorCauses":[]}"#;
/// Activepieces' answer to a key that doesn't count any more.
const INVALID_KEY: &str = r#"{"code":"AUTHENTICATION","params":{"message":"invalid api key"}}"#;
/// The answers of Okta and of Activepieces to a key without the right to a route.
const NOT_ALLOWED: &str = r#"{"errorCode":"E0000006","errorSummary":"You do not have permission to perform the requested action",
"errorLink":"E0000006","errorId":"sandbox","errorCauses":[]}"#;
const NOT_OF_PLATFORM: &str = r#"{"code":"AUTHORIZATION","params":{"message":"invalid route for principal type"}}"#;
/// Okta's answer to a cursor that expired.
const EXPIRED_CURSOR: &str = r#"{"errorCode":"E0000031","errorSummary":"Invalid search criteria.","errorLink":"E0000031",
"errorId":"sandbox","errorCauses":[{"errorSummary":"Invalid cursor."}]}"#;

async fn pass(State(traffic): State<Arc<Traffic>>, request: Request, next: Next) -> Response {
    let key = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_activepieces = key.starts_with("Bearer sk-");
    let has_cursor = request.uri().query().is_some_and(|query| query.contains("after="));
    for act in traffic.due(request.method().as_str(), request.uri().path()) {
        act(request.method().as_str(), request.uri().path());
    }
    let fault = traffic.meet(request.method().as_str(), request.uri().path(), has_cursor);
    sleep(traffic.latency).await;
    match fault {
        None => next.run(request).await,
        Some(FaultKind::Error500) => {
            text(StatusCode::INTERNAL_SERVER_ERROR, "application/json", r#"{"statusCode":500}"#)
        }
        Some(FaultKind::BadGateway) => {
            text(StatusCode::BAD_GATEWAY, "text/html", "<html><h1>502 Bad Gateway</h1></html>")
        }
        Some(FaultKind::Html) => text(StatusCode::OK, "text/html", "<!doctype html><html>Sign in</html>"),
        Some(FaultKind::TooMany(seconds)) => too_many([(RETRY_AFTER, HeaderValue::from(seconds))]),
        Some(FaultKind::TooManyUntil(seconds)) => too_many(date_in(seconds).map(|date| (RETRY_AFTER, date))),
        Some(FaultKind::TooManyBare) => too_many([]),
        Some(FaultKind::TooManyAtOnce) => too_many(at_once()),
        Some(FaultKind::CutBefore) => cut(),
        Some(FaultKind::CutAfter) => {
            drop(next.run(request).await);
            cut()
        }
        Some(FaultKind::Error500After) => {
            drop(next.run(request).await);
            text(StatusCode::INTERNAL_SERVER_ERROR, "application/json", r#"{"statusCode":500,"code":"ESOCKET"}"#)
        }
        Some(FaultKind::Truncated) => truncated(next.run(request).await).await,
        Some(FaultKind::Slow(pause)) => slow(next.run(request).await, pause).await,
        Some(FaultKind::Stall(time)) => stalled(next.run(request).await, time).await,
        Some(FaultKind::Hang(time)) => {
            let late = async move {
                sleep(time).await;
                next.run(request).await
            };
            spawn(late).await.unwrap_or_else(|_| cut())
        }
        Some(FaultKind::HangAfter(time)) => {
            let response = next.run(request).await;
            sleep(time).await;
            response
        }
        Some(FaultKind::Unauthorized) if is_activepieces => {
            text(StatusCode::UNAUTHORIZED, "application/json", INVALID_KEY)
        }
        Some(FaultKind::Forbidden) => {
            let body = if is_activepieces { NOT_OF_PLATFORM } else { NOT_ALLOWED };
            text(StatusCode::FORBIDDEN, "application/json", body)
        }
        Some(FaultKind::Unauthorized) => text(StatusCode::UNAUTHORIZED, "application/json", INVALID_TOKEN),
        Some(FaultKind::ExpiredCursor) => text(StatusCode::BAD_REQUEST, "application/json", EXPIRED_CURSOR),
    }
}

fn text(status: StatusCode, content_type: &'static str, body: &'static str) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn too_many(headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Response {
    let mut response = text(StatusCode::TOO_MANY_REQUESTS, "application/json", "{}");
    response.headers_mut().extend(headers);
    response
}

/// The date this many seconds from now, as headers have it.
fn date_in(seconds: u64) -> Option<HeaderValue> {
    let now = jiff::Timestamp::now().as_second();
    let then = jiff::Timestamp::from_second(now.saturating_add_unsigned(seconds)).ok()?;
    HeaderValue::try_from(then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

fn at_once() -> [(HeaderName, HeaderValue); 3] {
    let reset = jiff::Timestamp::now().as_second().saturating_add(60);
    [("x-rate-limit-limit", 0), ("x-rate-limit-remaining", 0), ("x-rate-limit-reset", reset)]
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from(value)))
}

/// The answer in ten parts with a pause before each.
async fn slow(response: Response, pause: Duration) -> Response {
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let part = body.len().div_ceil(10).max(1);
    let parts = stream::unfold(body, move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        sleep(pause).await;
        let sent = left.split_to(part.min(left.len()));
        Some((Ok::<_, Error>(sent), left))
    });
    Response::from_parts(head, Body::from_stream(parts))
}

/// The head of an answer and a half of its body, and the rest after a time.
async fn stalled(response: Response, time: Duration) -> Response {
    let (head, body) = response.into_parts();
    let mut body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let half = stream::once(ready(Ok::<_, Error>(body.split_to(body.len() / 2))));
    let rest = stream::once(async move {
        sleep(time).await;
        Ok(body)
    });
    Response::from_parts(head, Body::from_stream(half.chain(rest)))
}

/// An answer of which nothing is sent: the connection is closed instead.
fn cut() -> Response {
    Response::new(Body::from_stream(stream::once(async { Err::<Bytes, _>(Error::other("cut")) })))
}

/// The head of an answer and a half of its body, and then the end of the connection. An answer without a body is
/// not sent at all.
async fn truncated(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    if body.is_empty() {
        return cut();
    }
    head.headers.insert(CONTENT_LENGTH, body.len().into());
    let half = stream::once(ready(Ok(body.slice(..body.len() / 2))));
    // The half is on its way only once the stream makes the server wait.
    let end = stream::once(async {
        yield_now().await;
        Err(Error::other("cut"))
    });
    Response::from_parts(head, Body::from_stream(half.chain(end)))
}
