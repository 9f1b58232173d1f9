//! The send loop: resolves the URL, waits for its turn, sends, reads, and retries where that is safe.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Certificate, NoProxy, Proxy, StatusCode, Url};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::answers::{Snapshot, Source};
use super::authorize::{Authorization, Signed};
use super::body::{AnyValue, Body, Limits, Shape};
use super::cause::Cause;
use super::certificate::{self, Insecure};
use super::connect::{Way, chain};
use super::error_body::ErrorBody;
use super::failure::{Failure, GivenUp};
use super::mask::{Echo, Mask, shortened};
use super::pace::{BucketOf, Pace};
use super::request::{Reply, Request};
use super::retry::{Attempt, Decision, Policy, decide};
use super::server::{ProxyName, Server, proxy_url};
use super::signals::Signals;
use super::waits::{For, WORTH_SAYING, Waits};
use crate::error::{Error, Kind, Topic};

/// What a client is made from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scheme, host, port and an optional path that all requests' paths are put behind.
    pub base_url: String,
    pub authorization: Authorization,
    /// What messages say about it.
    pub server: Arc<Server>,
    /// The proxy that the environment names, and by which variable.
    pub proxy: Option<(&'static str, OsString)>,
    /// CAs that are trusted in addition to those of the system.
    pub authorities: Vec<Certificate>,
    /// The most requests that the server wants in flight.
    pub parallelism: u32,
    /// The share of that and of each rate limit that may be used, from 0 to 1.
    pub share: f64,
    pub bucket_of: BucketOf,
    pub connect_timeout: Duration,
    /// The longest wait for an answer to begin, where a request would wait longer.
    pub answer_timeout: Duration,
    /// The longest wait for the next part of an answer that has begun.
    pub idle_timeout: Duration,
    /// The longest that an answer may take from its headers to its end.
    pub body_timeout: Duration,
    pub retry: Policy,
    /// What no error and no log may show. Clients of the same server share it.
    pub mask: Mask,
    /// Whether errors and the log show of each URL its origin only, since the paths are secrets.
    pub hides_paths: bool,
    /// Where the answers to reads come from.
    pub source: Source,
    /// What hears of each wait, and the name of the server.
    pub waits: Waits,
}

impl Settings {
    /// Eight in flight, the whole of each limit, one bucket for all paths.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            authorization: Authorization::None,
            server: Arc::default(),
            proxy: None,
            authorities: Vec::new(),
            parallelism: 8,
            share: 1.0,
            bucket_of: |_| "all",
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::MAX,
            idle_timeout: Duration::from_mins(1),
            body_timeout: Duration::from_mins(30),
            retry: Policy::default(),
            mask: Mask::default(),
            hides_paths: false,
            source: Source::Server,
            waits: Waits::of("the server"),
        }
    }

    /// Waits no longer than this for anything.
    #[must_use]
    pub fn within(self, most: Duration) -> Self {
        Self {
            connect_timeout: self.connect_timeout.min(most),
            answer_timeout: self.answer_timeout.min(most),
            idle_timeout: self.idle_timeout.min(most),
            ..self
        }
    }
}

/// A client of one server. Cloning is cheap, and clones share pace, connections and counts.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    base: Url,
    server: Arc<Server>,
    /// The proxy of the environment, unless this server isn't reached through any.
    proxy: Option<(Proxy, ProxyName)>,
    authorization: Authorization,
    pace: Pace,
    connect_timeout: Duration,
    answer_timeout: Duration,
    limits: Limits,
    retry: Policy,
    mask: Mask,
    hides_paths: bool,
    source: Source,
    /// How many requests were repeated after trouble.
    repeated: AtomicU64,
    /// Whether the last answer was 401.
    refused: AtomicBool,
    /// The `Date` of the last answer that had one, in seconds since the epoch; 0 before it.
    date: AtomicI64,
    /// How far that was ahead of this machine's clock, in seconds.
    ahead: AtomicI64,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.shown(&self.0.base)).finish_non_exhaustive()
    }
}

/// How often one request is sent again at once because what lets it in was renewed: a token, a nonce, the clock.
const MOST_RENEWALS: u32 = 4;

/// What came of one attempt.
struct Attempted {
    outcome: Result<(AnyValue, Reply), Cause>,
    signals: Signals,
    /// See [`super::pace::Turn::lowered`].
    lowered: u64,
    /// It was refused for something that is mended by now.
    mended: bool,
}

impl Client {
    /// Makes the client; nothing is sent yet. A base URL or a token that can't be used is a config error.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let base = parse_base(&settings.base_url)?;
        let fixed = settings.authorization.fixed().map_err(|message| Error::new(Kind::Config, message))?;
        fixed.secrets.iter().for_each(|secret| settings.mask.keep(secret));
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("oktapieces/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(settings.connect_timeout)
            // Shorter than the servers' own (72 s, docs/activepieces.md#response-headers), so that no request meets a closing connection.
            .pool_idle_timeout(Duration::from_secs(30));
        if !settings.authorities.is_empty() {
            builder = builder.tls_certs_merge(settings.authorities);
        }
        let proxy = settings.proxy.as_ref().filter(|_| !is_loopback(&base));
        let proxy = proxy.map(|(variable, value)| named_proxy(variable, value)).transpose()?;
        builder = match &proxy {
            Some((proxy, _)) => builder.proxy(proxy.clone()),
            None if is_loopback(&base) => builder.no_proxy(),
            None => builder,
        };
        if is_loopback(&base) && base.scheme() == "http" {
            // No certificate is ever looked at, and reading the system's takes longer than a small run.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| Error::new(Kind::Failed, chain(&error)))?;
        let pace = Pace::new(settings.parallelism, settings.share, settings.bucket_of).telling(settings.waits.clone());
        let Settings {
            authorization,
            server,
            connect_timeout,
            answer_timeout,
            idle_timeout,
            body_timeout,
            retry,
            mask,
            hides_paths,
            source,
            ..
        } = settings;
        Ok(Self(Arc::new(Inner {
            http,
            base,
            server,
            proxy,
            authorization,
            pace,
            connect_timeout,
            answer_timeout,
            limits: Limits { idle: idle_timeout, whole: body_timeout },
            retry,
            mask,
            hides_paths,
            source,
            repeated: AtomicU64::new(0),
            refused: AtomicBool::new(false),
            date: AtomicI64::new(0),
            ahead: AtomicI64::new(0),
        })))
    }

    /// The server's clock, by its last answer; none where it doesn't say.
    pub fn server_time(&self) -> Option<Timestamp> {
        if let Source::Snapshot(snapshot) = &self.0.source {
            return snapshot.time;
        }
        let date = self.0.date.load(Ordering::Relaxed);
        (date > 0).then(|| Timestamp::from_second(date).ok()).flatten()
    }

    /// By how many seconds the server's clock was ahead of this machine's at its last answer; 0 where it didn't say, and with
    /// recorded answers.
    pub fn seconds_ahead(&self) -> i64 {
        self.0.ahead.load(Ordering::Relaxed)
    }

    /// The server that all requests go to.
    pub fn base(&self) -> &Url {
        &self.0.base
    }

    /// Where the answers to reads come from.
    pub fn source(&self) -> &Source {
        &self.0.source
    }

    /// How many requests were sent so far, repetitions included.
    pub fn requests(&self) -> u64 {
        self.0.pace.requests()
    }

    /// Whether the last answer was 401: the key or token was not accepted.
    pub fn is_refused(&self) -> bool {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// The pace, for its counts by bucket.
    pub fn pace(&self) -> &Pace {
        &self.0.pace
    }

    /// Sends a request; the reply is complete and has any body but a web page. Nothing of it is kept.
    pub async fn send(&self, request: &Request) -> Result<Reply, Failure> {
        Ok(self.run(request, None).await?.1)
    }

    /// Sends a request that is to be answered in JSON, which is parsed as it arrives: of a large answer no more is kept than
    /// the value. Answers that break off, or that aren't JSON, are repeated like other failures.
    pub async fn json<T: DeserializeOwned + Send + 'static>(&self, request: &Request) -> Result<(T, Reply), Failure> {
        match &self.0.source {
            Source::Server => {
                let (value, reply) = self.run(request, Some(Shape::of::<T>())).await?;
                Ok((Shape::take(value), reply))
            }
            Source::Recorded(recorder) => {
                let outcome = self.run(request, Some(Shape::of::<Value>())).await;
                let outcome = outcome.map(|(value, reply)| (Shape::take::<Value>(value), reply));
                recorder.note(request, outcome.as_ref().map(|(value, _)| value).map_err(Failure::cause));
                let (value, reply) = outcome?;
                let typed = serde_json::from_value(value);
                typed.map(|typed| (typed, reply.clone())).map_err(|error| reply.implausible(error.to_string()))
            }
            Source::Snapshot(snapshot) => self.recorded(request, snapshot),
        }
    }

    /// The recorded answer to a request.
    fn recorded<T: DeserializeOwned>(&self, request: &Request, snapshot: &Snapshot) -> Result<(T, Reply), Failure> {
        let failed = |url: &Url, cause| Failure::new(&request.method, self.shown(url), cause, 1);
        let url = self.resolve(request).map_err(|cause| failed(&self.0.base, cause))?;
        let body = snapshot.body(request).map_err(|cause| failed(&url, cause))?;
        let typed = serde_json::from_str(&body);
        let typed = typed.map_err(|error| failed(&url, Cause::Unreadable(error.to_string())))?;
        let (method, mask) = (request.method.clone(), self.0.mask.clone());
        let url = self.shown(&url);
        let reply = Reply { status: StatusCode::OK, headers: HeaderMap::new(), method, url, mask };
        Ok((typed, reply))
    }

    /// One copy of this loop serves all types of answers. Boxed, so that it isn't a part of each caller's future.
    fn run<'a>(
        &'a self,
        request: &'a Request,
        shape: Option<Shape>,
    ) -> BoxFuture<'a, Result<(AnyValue, Reply), Failure>> {
        Box::pin(self.attempts(request, shape))
    }

    async fn attempts(&self, request: &Request, shape: Option<Shape>) -> Result<(AnyValue, Reply), Failure> {
        let began = tokio::time::Instant::now();
        let failed = |url: &Url, cause, attempts| {
            let failure = Failure::new(&request.method, self.shown(url), cause, attempts);
            failure.at(&self.0.server, began.elapsed())
        };
        let url = self.resolve(request).map_err(|cause| failed(&self.0.base, cause, 1))?;
        let (mut pauses, mut rate_pauses) = (self.0.retry.pauses(), self.0.retry.rate_pauses());
        let (mut number, mut renewals, mut waited) = (1, 0, Duration::ZERO);
        loop {
            let Attempted { outcome, signals, lowered, mended } = self.attempt(request, &url, shape).await?;
            let cause = match outcome {
                Ok(done) => return Ok(done),
                Err(cause) => cause,
            };
            if mended && renewals < MOST_RENEWALS {
                renewals += 1;
                continue;
            }
            let pause = if cause.status() == Some(429) { rate_pauses.next() } else { pauses.next() };
            let handed_back = request.hand_back.is_some_and(|status| cause.status() == Some(status.as_u16()));
            let attempt = Attempt { repeat: request.repeat, cause: &cause, signals: &signals, number, waited, pause };
            let decision = decide(&self.0.retry, attempt);
            let failure = |cause| failed(&url, cause, number);
            match decision {
                _ if handed_back => return Err(failure(cause)),
                Decision::GiveUp => return Err(failure(cause)),
                Decision::TooLong(wait) => return Err(failure(cause).given_up(GivenUp::TooLong(wait))),
                Decision::Again(_) if !self.may_repeat(&cause) => {
                    let repeated = self.0.repeated.load(Ordering::Relaxed);
                    return Err(failure(cause).given_up(GivenUp::Trouble(repeated)));
                }
                Decision::CloseBucket(wait) => waited += wait,
                Decision::Again(_) | Decision::LessParallel(_) => {}
            }
            self.prepare(&url, decision, lowered).await;
            number += 1;
        }
    }

    /// Whether the budget of the whole run allows one more repetition. A 429 takes nothing of it: it's waited for as the
    /// server says.
    fn may_repeat(&self, cause: &Cause) -> bool {
        if cause.status() == Some(429) {
            return true;
        }
        let spent = self.0.repeated.load(Ordering::Relaxed);
        let allowed = spent < self.0.retry.of_run(self.requests());
        if allowed {
            self.0.repeated.fetch_add(1, Ordering::Relaxed);
        }
        allowed
    }

    /// Waits as decided.
    async fn prepare(&self, url: &Url, decision: Decision, lowered: u64) {
        tracing::debug!(url = self.shown(url), ?decision, "trying again");
        match decision {
            Decision::GiveUp | Decision::TooLong(_) => {}
            Decision::Again(pause) => {
                if pause >= WORTH_SAYING {
                    tracing::info!("waiting {} s before {} is asked again", pause.as_secs(), self.0.base.authority());
                }
                let _waiting = self.0.pace.waits().begin(For::Pause, tokio::time::Instant::now() + pause);
                sleep(pause).await;
            }
            Decision::CloseBucket(wait) => self.0.pace.close(url.path(), wait),
            Decision::LessParallel(pause) => {
                self.0.pace.less_parallel(lowered);
                sleep(pause).await;
            }
        }
    }

    async fn attempt(&self, request: &Request, url: &Url, shape: Option<Shape>) -> Result<Attempted, Failure> {
        let turn = self.0.pace.turn(url.path()).await;
        let lowered = turn.lowered();
        // Not before its turn has come: what lets it in may be valid for a short time only.
        let signed = self.0.authorization.sign(&request.method, url).await?;
        self.0.mask.keep_for_a_while(&signed.secrets);
        let start = Instant::now();
        let response = match self.dispatch(request, url, &signed).await {
            Ok(response) => response,
            Err(cause) => {
                let cause = cause.masked(&self.0.mask);
                tracing::debug!(method = %request.method, url = self.shown(url), %cause, "no answer");
                return Ok(Attempted { outcome: Err(cause), signals: Signals::default(), lowered, mended: false });
            }
        };
        let (status, headers) = (response.status(), response.headers().clone());
        self.0.refused.store(status == StatusCode::UNAUTHORIZED, Ordering::Relaxed);
        let signals = Signals::read(&headers);
        if let Some(date) = signals.date {
            self.0.date.store(date, Ordering::Relaxed);
            self.0.ahead.store(date - Timestamp::now().as_second(), Ordering::Relaxed);
        }
        turn.learn(&signals);
        let body = Body::new(response, self.0.limits, request.size, Echo::of(&signed.secrets), request.confidential);
        let outcome = match () {
            () if !status.is_success() => {
                body.text().await.and_then(|text| Err(self.refusal(url, status, &headers, &text)))
            }
            () if request.complete.contains(&status) && !headers.contains_key(CONTENT_RANGE) => body.read(shape).await,
            () => Err(Cause::Incomplete(status)),
        };
        let outcome = outcome.map_err(|cause| cause.masked(&self.0.mask));
        drop(turn);
        let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(method = %request.method, url = self.shown(url), status = status.as_u16(), milliseconds, "answer");
        let mended = self.0.authorization.learn(&signed, &headers, outcome.as_ref().err());
        let (method, mask) = (request.method.clone(), self.0.mask.clone());
        let reply = Reply { status, headers, method, url: self.shown(url), mask };
        Ok(Attempted { outcome: outcome.map(|value| (value, reply)), signals, lowered, mended })
    }

    /// Sends it and waits for the headers of the answer.
    async fn dispatch(&self, request: &Request, url: &Url, signed: &Signed) -> Result<reqwest::Response, Cause> {
        let mut builder = self.0.http.request(request.method.clone(), url.clone());
        builder = builder.headers(request.headers.clone()).headers(signed.headers.clone());
        if let Some((content_type, bytes)) = &request.body {
            let own = signed.body.as_ref().map(|body| body.expose_secret().as_bytes().to_vec());
            builder = builder.header(CONTENT_TYPE, *content_type).body(own.unwrap_or_else(|| bytes.clone()));
        }
        let longest = request.timeout.min(self.0.answer_timeout);
        let answered = timeout(longest, builder.send()).await.map_err(|_| Cause::Timeout(longest))?;
        match answered {
            Ok(response) => Ok(response),
            Err(error) => Err(self.cause_before_answer(&error, url).await),
        }
    }

    /// Why no answer came. Of a certificate that isn't trusted, the issuer is looked up.
    async fn cause_before_answer(&self, error: &reqwest::Error, url: &Url) -> Cause {
        let (proxy, connect_timeout) = (self.0.proxy.as_ref(), self.0.connect_timeout);
        let way = Way { url, proxy: proxy.map(|(_, name)| name), connect_timeout };
        match way.cause(error) {
            Cause::Tls(insecure) if insecure.wants_names() => {
                let proxy = proxy.map(|(proxy, _)| proxy.clone());
                let longest = connect_timeout.min(LONGEST_LOOK);
                Cause::Tls(Insecure::with_names(insecure, certificate::names(url, proxy, longest).await))
            }
            cause => cause,
        }
    }

    fn refusal(&self, url: &Url, status: StatusCode, headers: &HeaderMap, body: &str) -> Cause {
        if let (true, Some(location)) = (status.is_redirection(), headers.get(LOCATION)) {
            let location = String::from_utf8_lossy(location.as_bytes());
            let target = self.0.base.join(&location).ok();
            let moved = target.as_ref().and_then(|target| moved(&self.0.base, url, target));
            // Only its place: the query may hold anything.
            let location = target.map_or_else(|| "nowhere".to_owned(), |target| self.place(&target));
            return Cause::Redirect { status, location, moved };
        }
        Cause::Status { status, body: Box::new(ErrorBody::parse(body).or_challenge(headers)) }
    }

    /// The URL for errors and the log.
    fn shown(&self, url: &Url) -> String {
        self.0.mask.masked(&self.place(url))
    }

    fn place(&self, url: &Url) -> String {
        if self.0.hides_paths { url.origin().ascii_serialization() } else { shown(url) }
    }

    fn resolve(&self, request: &Request) -> Result<Url, Cause> {
        let target = request.target.as_str();
        let base = &self.0.base;
        let text = if target.starts_with('/') {
            format!("{}{}{target}", base.origin().ascii_serialization(), base.path().trim_end_matches('/'))
        } else {
            target.to_owned()
        };
        let mut url = Url::parse(&text).map_err(|error| Cause::Invalid(format!("{error}")))?;
        if url.origin() != base.origin() || !url.username().is_empty() || url.password().is_some() {
            return Err(Cause::OtherHost { allowed: base.origin().ascii_serialization() });
        }
        // A URL parser takes `..` as a way up; an id that has it would reach another route.
        if path_of(&text).split('/').any(is_dots) {
            return Err(Cause::Unaskable);
        }
        if path_of(&text) != url.path() {
            return Err(Cause::Invalid("its path isn't a plain one".to_owned()));
        }
        if !request.query.is_empty() {
            url.set_query(Some(&request.query.join("&")));
        }
        Ok(url)
    }
}

fn parse_base(text: &str) -> Result<Url, Error> {
    let wrong = |why: &str| Error::new(Kind::Config, format!("the URL {text:?} can't be used: {why}"));
    let url = Url::parse(text.trim()).map_err(|error| wrong(&error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::new(Kind::Config, "the URL can't be used: it holds a user name or a password"));
    }
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return Err(wrong("it must start with https://").hint("for example https://example.okta.com"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it must end with the path"));
    }
    Ok(url)
}

/// The proxy of this value, and its name. One that can't be used is an error: the HTTP library would connect directly.
fn named_proxy(variable: &'static str, value: &OsStr) -> Result<(Proxy, ProxyName), Error> {
    // Without the value, which may hold a password.
    let wrong = |why: &str| {
        Error::new(Kind::Config, format!("the proxy in {variable} can't be used: {why}"))
            .hint("set it to http://HOST:PORT, or unset it to connect directly")
            .about(Topic::Proxy)
    };
    let url = proxy_url(value).ok_or_else(|| wrong("it isn't a URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it must start with http:// or https://"));
    }
    let name = ProxyName::of(variable, value).ok_or_else(|| wrong("it isn't a URL"))?;
    let proxy = Proxy::all(url).map_err(|_| wrong("it isn't a URL of a proxy"))?;
    Ok((proxy.no_proxy(NoProxy::from_env()), name))
}

/// Whether a URL parser takes a part of a path for the same or the upper folder, as it does with escaped dots too.
fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// The path of a URL as it's written.
fn path_of(url: &str) -> &str {
    let before_query = url.split(['?', '#']).next().unwrap_or_default();
    let authority = before_query.find("://").map_or(0, |scheme| scheme + 3);
    before_query[authority..].find('/').map_or("/", |path| &before_query[authority + path..])
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The URL for people: without its query, which may hold names.
fn shown(url: &Url) -> String {
    if !url.username().is_empty() || url.password().is_some() {
        return url.origin().ascii_serialization();
    }
    shortened(url.as_str().split(['?', '#']).next().unwrap_or_default(), LONGEST_URL)
}

/// The longest URL that is shown: it may hold an id of any length.
const LONGEST_URL: usize = 300;

/// The longest that a certificate is looked at after it was refused.
const LONGEST_LOOK: Duration = Duration::from_secs(5);

/// The base URL that a redirect leads to, if it is one of the same server: the same host, or the same but for `www.`, with the
/// same path. Any other place may be a sign-in page, which must not get the token.
fn moved(base: &Url, request: &Url, target: &Url) -> Option<String> {
    let host = |url: &Url| url.host_str().map(|host| host.trim_start_matches("www.").to_owned());
    let path = |url: &Url| url.path().trim_end_matches('/').to_owned();
    let is_plainer = base.scheme() == "https" && target.scheme() != "https";
    let has_login = !target.username().is_empty() || target.password().is_some();
    if host(target) != host(base) || path(target) != path(request) || is_plainer || has_login {
        return None;
    }
    let path = base.path().trim_end_matches('/');
    let found = format!("{}{path}", target.origin().ascii_serialization());
    (target.origin() != base.origin()).then_some(found)
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
