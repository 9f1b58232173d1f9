//! Errors of requests: which request failed, why, and what to do next.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use reqwest::{Method, StatusCode, Url};

use super::error_body::{self, ErrorBody, snippet};
use super::mask::{Mask, shortened};
use crate::error::{Error, Kind};

/// A request that failed for good. Its text names the method and the URL without the query, and no secret.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Failure(Box<Inner>);

#[derive(Debug)]
struct Inner {
    method: Method,
    url: String,
    cause: Cause,
    attempts: u32,
    /// Why it was given up, where the cause alone doesn't say.
    given_up: Option<GivenUp>,
}

/// Why a request isn't sent again that could be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// So many requests of the run had to be repeated already.
    Trouble(u64),
    /// The server asks to wait for this long.
    TooLong(Duration),
}

impl std::error::Error for Inner {}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.method, self.url, self.cause)?;
        if self.attempts > 1 {
            write!(f, "; gave up after {} attempts", self.attempts)?;
        }
        match self.given_up {
            None => Ok(()),
            Some(GivenUp::Trouble(repeated)) => {
                write!(f, "; gave up since {repeated} requests of this run had to be repeated already")
            }
            Some(GivenUp::TooLong(wait)) => {
                write!(f, "; gave up since the server asks to wait {} s before the next request", wait.as_secs())
            }
        }
    }
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// No connection was made, so that the server did nothing.
    #[error("got no connection: {0}")]
    Connect(String),
    /// The host's name couldn't be resolved.
    #[error("got no connection: the host name can't be resolved: {0}")]
    Dns(String),
    /// The server's certificate or its TLS isn't acceptable.
    #[error("got no secure connection: {0}")]
    Tls(String),
    /// The headers of the answer didn't come within the request's time.
    #[error("got no answer within {}", seconds(.0))]
    Timeout(Duration),
    /// The answer began, and for this long no more of it came.
    #[error("got an answer that stopped for {}", seconds(.0))]
    Stalled(Duration),
    /// The answer went on for longer than this.
    #[error("got an answer that did not end within {}", seconds(.0))]
    Endless(Duration),
    /// The connection was lost after the request had gone out.
    #[error("lost the connection before the answer: {0}")]
    Cut(String),
    /// The answer came more slowly than any real one; it was given up after this long.
    #[error("got an answer that came too slowly, and gave it up after {}", seconds(.0))]
    Slow(Duration),
    /// The answer is larger than any real one.
    #[error("got an answer that is too large: {0}")]
    Oversized(String),
    /// A status of success that doesn't say that this is the whole answer, such as 202 or 206.
    #[error("answered {0}, which is no complete answer to this request")]
    Incomplete(StatusCode),
    /// The answer broke off.
    #[error("got an incomplete answer: {0}")]
    Truncated(String),
    /// A good status, but no JSON where JSON was due.
    #[error("answered {status} with {} instead of JSON: {snippet:?}", if *.html { "a web page" } else { "other text" })]
    NotJson { status: StatusCode, html: bool, snippet: String },
    /// JSON of another shape than the one that was due.
    #[error("answered JSON of an unexpected shape: {0}")]
    Unreadable(String),
    /// A well-formed answer that can't be true, such as a listing that never ends.
    #[error("gave an answer that can't be used: {0}")]
    Implausible(String),
    /// An error status; the body is read in all the shapes that the two servers have.
    #[error("answered {status}{}", colon(.body))]
    Status { status: StatusCode, body: Box<ErrorBody> },
    /// A redirect, which is never followed, since it would carry the token away.
    #[error("answered {status}: a redirect to {location}, which is not followed")]
    Redirect { status: StatusCode, location: String },
    /// The URL isn't one of this client's server.
    #[error("was not sent: it isn't on {allowed}")]
    OtherHost { allowed: String },
    /// Part of the path is `.` or `..`, which a URL can't hold as a name: no entity has it as its id.
    #[error("was not sent: no entity can have \".\" or \"..\" as its id")]
    Unaskable,
    /// The answer isn't among those that were recorded.
    #[error("isn't in the snapshot")]
    NotRecorded,
    /// The request couldn't be built, since its path or a header isn't valid.
    #[error("was not sent: {0}")]
    Invalid(String),
}

impl Cause {
    pub(super) fn not_json(status: StatusCode, body: &str) -> Self {
        let start = body.trim_start().to_lowercase();
        let html = start.starts_with("<!doctype") || start.starts_with("<html") || start.starts_with("<head");
        Self::NotJson { status, html, snippet: snippet(body) }
    }

    /// The same without secrets in what the server wrote, and no longer than can be shown. Every cause passes here before
    /// it becomes part of an error or of the log.
    pub(super) fn masked(self, mask: &Mask) -> Self {
        let masked = |text: &str| shortened(&mask.masked(text), LONGEST);
        match self {
            Self::Connect(text) => Self::Connect(masked(&text)),
            Self::Dns(text) => Self::Dns(masked(&text)),
            Self::Tls(text) => Self::Tls(masked(&text)),
            Self::Cut(text) => Self::Cut(masked(&text)),
            Self::Truncated(text) => Self::Truncated(masked(&text)),
            Self::Unreadable(text) => Self::Unreadable(masked(&text)),
            Self::Implausible(text) => Self::Implausible(masked(&text)),
            Self::Oversized(text) => Self::Oversized(masked(&text)),
            Self::Invalid(text) => Self::Invalid(masked(&text)),
            Self::NotJson { status, html, snippet } => {
                Self::NotJson { status, html, snippet: error_body::shown(&mask.masked(&snippet)) }
            }
            Self::Redirect { status, location } => Self::Redirect { status, location: masked(&location) },
            Self::Status { status, body } => Self::Status { status, body: Box::new(body.masked(mask)) },
            nothing @ (Self::Timeout(_)
            | Self::Stalled(_)
            | Self::Endless(_)
            | Self::Slow(_)
            | Self::Incomplete(_)
            | Self::OtherHost { .. }
            | Self::NotRecorded
            | Self::Unaskable) => nothing,
        }
    }

    /// The same without anything of a good answer, which holds a secret.
    pub(super) fn without_answer(self) -> Self {
        match self {
            Self::NotJson { status, html, .. } => Self::NotJson { status, html, snippet: HIDDEN.to_owned() },
            Self::Unreadable(_) => Self::Unreadable(HIDDEN.to_owned()),
            other => other,
        }
    }

    /// The status of the answer, where there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::NotJson { status, .. }
            | Self::Status { status, .. }
            | Self::Redirect { status, .. }
            | Self::Incomplete(status) => Some(status.as_u16()),
            _ => None,
        }
    }

    /// The error code in the answer's body.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Status { body, .. } => body.code.as_deref(),
            _ => None,
        }
    }
}

/// The longest text of a cause.
const LONGEST: usize = 400;

/// Shown in place of an answer that may not be shown.
const HIDDEN: &str = "(not shown, since it may hold a token)";

/// The codes by which OAuth refuses an app, its scopes, or its proofs, with 400 too.
const OAUTH_REFUSALS: [&str; 6] =
    ["invalid_client", "invalid_scope", "unauthorized_client", "access_denied", "invalid_dpop_proof", "use_dpop_nonce"];

impl Failure {
    pub(super) fn new(method: &Method, url: String, cause: Cause, attempts: u32) -> Self {
        Self(Box::new(Inner { method: method.clone(), url, cause, attempts, given_up: None }))
    }

    /// The same with why it was given up.
    pub(super) fn given_up(mut self, why: GivenUp) -> Self {
        self.0.given_up = Some(why);
        self
    }

    /// A request that couldn't be made, and why.
    pub fn unmade(method: &Method, url: &Url, why: String) -> Self {
        Self::new(method, format!("{}{}", url.origin().ascii_serialization(), url.path()), Cause::Invalid(why), 1)
    }

    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// How often the request was sent.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The status of the answer, where there was one.
    pub fn status(&self) -> Option<u16> {
        self.0.cause.status()
    }

    /// The error code in the answer's body: `E0000007`, `23505`, `AUTHENTICATION`, `invalid_scope`.
    pub fn code(&self) -> Option<&str> {
        self.0.cause.code()
    }

    /// The message in the answer's body; empty where there is none.
    pub fn message(&self) -> &str {
        match &self.0.cause {
            Cause::Status { body, .. } => &body.message,
            _ => "",
        }
    }

    /// Whether Okta says that the entity itself doesn't exist: `404 E0000007` (`docs/okta.md#not-found`), or no entity can have
    /// such an id. Other 404s come from a wrong path, a proxy or a mistyped org and say nothing about the entity.
    pub fn is_not_found(&self) -> bool {
        let is_absent = self.status() == Some(404) && self.code() == Some("E0000007");
        is_absent || self.0.cause == Cause::Unaskable
    }

    /// Whether Okta says that the cursor of a listing is invalid or has expired (`400`, E0000029 or E0000031,
    /// `docs/okta.md#expired-cursors`).
    pub fn is_invalid_cursor(&self) -> bool {
        matches!(&self.0.cause, Cause::Status { status, body } if status.as_u16() == 400 && body.is_invalid_cursor())
    }

    /// Whether the server gave no answer at all: no connection was made, it was closed before any status came, or the time
    /// for an answer ran out. A server that is gone fails so, and one that refuses a request doesn't.
    pub fn is_unanswered(&self) -> bool {
        matches!(self.0.cause, Cause::Connect(_) | Cause::Dns(_) | Cause::Tls(_) | Cause::Timeout(_) | Cause::Cut(_))
    }

    /// Whether the server may have acted although no usable answer came: the current value must be read before the write is
    /// sent again. A 500 that names a violated constraint or a bad value (SQLSTATE classes 22 and 23,
    /// docs/activepieces.md#rules-for-clients) is an answer; other 500s may come after the work was done
    /// (docs/activepieces.md#creating-a-user).
    pub fn is_lost_answer(&self) -> bool {
        match &self.0.cause {
            Cause::Timeout(_)
            | Cause::Stalled(_)
            | Cause::Endless(_)
            | Cause::Slow(_)
            | Cause::Oversized(_)
            | Cause::Incomplete(_)
            | Cause::Cut(_)
            | Cause::Truncated(_)
            | Cause::NotJson { .. }
            | Cause::Unreadable(_)
            | Cause::Implausible(_) => true,
            Cause::Status { status, body } => {
                let refused = |code: &str| code.len() == 5 && (code.starts_with("22") || code.starts_with("23"));
                *status == StatusCode::REQUEST_TIMEOUT
                    || (status.is_server_error() && !body.code.as_deref().is_some_and(refused))
            }
            _ => false,
        }
    }

    /// Whether the server, or a proxy in front of it, had too much to do, or didn't answer in time. A 500 with a code is about
    /// its request alone, or about what fewer requests don't mend (docs/activepieces.md#load-and-outages,
    /// docs/activepieces.md#creating-a-user and docs/activepieces.md#rules-for-clients), unless the database says that it
    /// has no resources left (SQLSTATE class 53).
    pub fn is_overload(&self) -> bool {
        match &self.0.cause {
            Cause::Timeout(_)
            | Cause::Stalled(_)
            | Cause::Endless(_)
            | Cause::Slow(_)
            | Cause::Cut(_)
            | Cause::Truncated(_) => true,
            Cause::Status { status, body } => match status.as_u16() {
                408 | 429 | 502..=504 => true,
                500 => body.code.as_deref().is_none_or(|code| code.len() == 5 && code.starts_with("53")),
                _ => false,
            },
            _ => false,
        }
    }

    fn kind(&self) -> Kind {
        match (self.status(), self.code()) {
            // A feature that isn't there (with 401, as it was recorded), and an operation that the user's status forbids: no
            // fault of the token. With 403 it is about rights.
            (Some(401), Some("E0000015")) | (_, Some("E0000038")) => Kind::Failed,
            (status, code)
                if matches!(status, Some(401 | 403)) || code.is_some_and(|code| OAUTH_REFUSALS.contains(&code)) =>
            {
                Kind::Unauthorized
            }
            _ => Kind::Failed,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match &self.0.cause {
            _ if matches!(self.0.given_up, Some(GivenUp::Trouble(_))) => {
                Some("the server, or the network before it, is in trouble: run it again once that is over")
            }
            Cause::NotRecorded => {
                Some("the config asks for what the snapshot doesn't hold: export a new one with this config")
            }
            Cause::Dns(_) => Some("check the host name in the URL, and the network of this machine"),
            Cause::Connect(_) => {
                Some("check that the server runs, the port in the URL, and proxies and firewalls between")
            }
            Cause::Tls(_) => Some(
                "check the server's certificate; a CA that this machine does not trust is named by `ca_file` in the config",
            ),
            Cause::NotJson { html: true, .. } => Some(
                "a web page with a good status mostly means a wrong base URL; a proxy's sign-in page is the other cause",
            ),
            Cause::Incomplete(_) | Cause::Oversized(_) | Cause::Slow(_) => {
                Some("look for a proxy before the server that changes its answers")
            }
            Cause::Unreadable(_) => Some(
                "look for a proxy that changes answers; if there is none, this version does not know the server's version",
            ),
            Cause::Redirect { .. } => Some("put the address that the server redirects to into the config"),
            Cause::Status { status, body } => hint_of_status(status.as_u16(), body.code.as_deref()),
            _ => None,
        }
    }
}

fn hint_of_status(status: u16, code: Option<&str>) -> Option<&'static str> {
    Some(match (status, code) {
        (_, Some("E0000011" | "E0000004")) => {
            "the Okta token is mistyped, expired or revoked; a token dies after 30 days without use, and with its user"
        }
        (_, Some("E0000006")) => {
            "the token's user, or the service app, lacks an admin role or a scope for this, or a network zone blocks this machine"
        }
        (_, Some("insufficient_scope" | "invalid_scope")) => {
            "grant the service app the scope under Okta API Scopes in its settings, or leave it out of `scopes` in the config"
        }
        (_, Some("invalid_client")) => {
            "client_id, key_id and the key file must be those of one service app, which has the public key and is active"
        }
        (_, Some("invalid_dpop_proof" | "use_dpop_nonce")) => {
            "the org refused the proof of the token's key; check this machine's clock, and that no proxy changes headers"
        }
        (401, Some("E0000015")) => "the org doesn't have this feature; the token is not the cause",
        (_, Some("E0000015")) => {
            "the token's user, or the service app, lacks the right to this feature, or the org doesn't have it"
        }
        (404, Some("E0000007")) => "it was deleted in Okta meanwhile; run it again",
        (_, Some("AUTHENTICATION")) => "the Activepieces API key is unknown or was deleted",
        (_, Some("AUTHORIZATION" | "INVALID_BEARER_TOKEN")) => {
            "this takes an API key of the platform, starting with sk-, and not a user's token"
        }
        (402, _) => "the platform's plan doesn't include this feature",
        (403, _) => {
            "the server, or a proxy before it, refused the credentials or this machine's address; look at network zones too"
        }
        (401, _) => "the server, or a proxy before it, refused the credentials",
        (404, _) => "check the base URL: the server doesn't know this path, or this org or platform doesn't exist",
        (429, _) => "others use up the rate limit; try again later, or give the token a larger share of it",
        _ => return None,
    })
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let (kind, hint) = (failure.kind(), failure.hint());
        let error = Self::from_source(kind, failure);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// The innermost reasons of an error, without its own text, which holds the whole URL.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut parts = Vec::new();
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        if parts.last() != Some(&text) {
            parts.push(text);
        }
        source = error.source();
    }
    if parts.is_empty() { "unknown reason".to_owned() } else { parts.join(": ") }
}

pub(super) fn seconds(duration: &Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

fn colon(body: &ErrorBody) -> String {
    let text = body.to_string();
    if text.is_empty() { text } else { format!(": {text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, body: &str) -> Failure {
        let cause =
            Cause::Status { status: StatusCode::from_u16(status).unwrap(), body: Box::new(ErrorBody::parse(body)) };
        Failure::new(&Method::GET, "https://example.okta.com/api/v1/org".into(), cause, 1)
    }

    #[test]
    fn kinds_follow_the_code_before_the_status() {
        let okta = |code: &str| format!(r#"{{"errorCode":"{code}","errorSummary":"x"}}"#);
        let cases = [
            (401, okta("E0000011"), Kind::Unauthorized),
            (403, okta("E0000006"), Kind::Unauthorized),
            (401, okta("E0000015"), Kind::Failed),
            (403, okta("E0000015"), Kind::Unauthorized),
            (403, okta("E0000038"), Kind::Failed),
            (404, okta("E0000007"), Kind::Failed),
            (401, r#"{"code":"AUTHENTICATION","params":{"message":"x"}}"#.into(), Kind::Unauthorized),
            (402, r#"{"code":"FEATURE_DISABLED","params":{"message":"x"}}"#.into(), Kind::Failed),
            (400, r#"{"error":"invalid_scope"}"#.into(), Kind::Unauthorized),
            (403, "<html>".into(), Kind::Unauthorized),
            (500, String::new(), Kind::Failed),
        ];
        for (code, body, kind) in cases {
            assert_eq!(Error::from(status(code, &body)).kind, kind, "{code} {body}");
        }
    }

    #[test]
    fn the_text_says_which_request_and_why() {
        let failure = status(403, r#"{"errorCode":"E0000006","errorSummary":"no permission","errorId":"oae1"}"#);
        let text =
            "GET https://example.okta.com/api/v1/org answered 403 Forbidden: E0000006: no permission [errorId oae1]";
        assert_eq!(failure.to_string(), text);
        let error = Error::from(failure);
        assert_eq!(error.to_string(), text);
        assert_eq!(error.hints.len(), 1);
        let cause = Cause::Timeout(Duration::from_millis(1500));
        let failure = Failure::new(&Method::POST, "https://ap.example.com/x".into(), cause, 3);
        assert_eq!(
            failure.to_string(),
            "POST https://ap.example.com/x got no answer within 1.5 s; gave up after 3 attempts"
        );
    }

    #[test]
    fn a_lost_answer_is_one_after_which_the_server_may_have_acted() {
        let lost = |cause| Failure::new(&Method::POST, String::new(), cause, 1).is_lost_answer();
        assert!(lost(Cause::Timeout(Duration::ZERO)));
        assert!(lost(Cause::Stalled(Duration::ZERO)));
        assert!(lost(Cause::Cut(String::new())));
        assert!(lost(Cause::Truncated(String::new())));
        assert!(!lost(Cause::Connect(String::new())));
        assert!(!lost(Cause::Redirect { status: StatusCode::FOUND, location: String::new() }));
        let cases = [
            (500, r#"{"statusCode":500,"code":"ESOCKET","message":"connect ECONNREFUSED"}"#, true),
            (500, r#"{"statusCode":500,"code":"23505","message":"duplicate key"}"#, false),
            (500, r#"{"statusCode":500,"code":"22021","message":"NUL byte"}"#, false),
            (503, "", true),
            (408, "", true),
            (409, "", false),
            (429, "", false),
        ];
        for (code, body, expected) in cases {
            assert_eq!(status(code, body).is_lost_answer(), expected, "{code} {body}");
        }
    }

    #[test]
    fn a_server_that_is_gone_is_told_from_one_that_answers() {
        let unanswered = |cause| Failure::new(&Method::POST, String::new(), cause, 1).is_unanswered();
        let text = String::new;
        for cause in [Cause::Connect(text()), Cause::Dns(text()), Cause::Cut(text()), Cause::Timeout(Duration::ZERO)] {
            assert!(unanswered(cause.clone()), "{cause:?}");
        }
        for cause in [Cause::Truncated(text()), Cause::Stalled(Duration::ZERO), Cause::Invalid(text())] {
            assert!(!unanswered(cause.clone()), "{cause:?}");
        }
        assert!(!status(503, "").is_unanswered());
    }

    #[test]
    fn too_much_to_do_is_told_from_a_request_that_cannot_be_done() {
        let overload = |cause| Failure::new(&Method::POST, String::new(), cause, 1).is_overload();
        assert!(overload(Cause::Timeout(Duration::ZERO)) && overload(Cause::Cut(String::new())));
        assert!(!overload(Cause::Connect(String::new())));
        let cases = [
            (429, "{}", true),
            (503, "", true),
            (504, "<html>", true),
            (500, r#"{"statusCode":500}"#, true),
            (500, r#"{"statusCode":500,"code":"53300","message":"sorry, too many clients already"}"#, true),
            (500, r#"{"statusCode":500,"code":"23505","message":"duplicate key"}"#, false),
            (500, r#"{"statusCode":500,"code":"ESOCKET","message":"connect ECONNREFUSED"}"#, false),
            (409, "{}", false),
            (401, "{}", false),
        ];
        for (code, body, expected) in cases {
            assert_eq!(status(code, body).is_overload(), expected, "{code} {body}");
        }
    }

    #[test]
    fn only_oktas_own_404_means_not_found() {
        assert!(status(404, r#"{"errorCode":"E0000007","errorSummary":"x"}"#).is_not_found());
        assert!(!status(404, r#"{"errorCode":"E0000008","errorSummary":"x"}"#).is_not_found());
        assert!(!status(404, r#"{"status":404,"message":"x"}"#).is_not_found());
        assert!(!status(404, "<html>").is_not_found());
    }
}
