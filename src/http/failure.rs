//! Errors of requests: which request failed, why, and what to do next.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode, Url};

use super::cause::Cause;
use super::hint::{Failed, host_in};
use super::server::Server;
use crate::error::{Error, Kind, Topic};

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
    /// How long all attempts took.
    elapsed: Duration,
    server: Arc<Server>,
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
        match &self.cause {
            // Not about this request, but about the server.
            Cause::Connect(_) | Cause::Dns(_) | Cause::Proxy { .. } | Cause::Tls(_) => {
                write!(f, "{} at {} {}", self.server.which, host_in(&self.url), self.cause)?;
            }
            cause => write!(f, "{} {} {cause}", self.method, self.url)?,
        }
        if self.attempts > 1 {
            write!(f, "; gave up after {} attempts", self.attempts)?;
            if self.elapsed >= WORTH_TELLING {
                write!(f, " in {} s", self.elapsed.as_secs())?;
            }
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

/// From this on the time of all attempts is told.
const WORTH_TELLING: Duration = Duration::from_secs(2);

/// The codes by which OAuth refuses an app, its scopes, or its proofs, with 400 too.
const OAUTH_REFUSALS: [&str; 6] =
    ["invalid_client", "invalid_scope", "unauthorized_client", "access_denied", "invalid_dpop_proof", "use_dpop_nonce"];

impl Failure {
    pub(super) fn new(method: &Method, url: String, cause: Cause, attempts: u32) -> Self {
        let (method, elapsed, server) = (method.clone(), Duration::ZERO, Arc::default());
        Self(Box::new(Inner { method, url, cause, attempts, elapsed, server, given_up: None }))
    }

    /// The same of this server, after all attempts took so long.
    pub(super) fn at(mut self, server: &Arc<Server>, elapsed: Duration) -> Self {
        (self.0.server, self.0.elapsed) = (Arc::clone(server), elapsed);
        self
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
        matches!(
            self.0.cause,
            Cause::Connect(_) | Cause::Dns(_) | Cause::Proxy { .. } | Cause::Tls(_) | Cause::Timeout(_) | Cause::Cut(_)
        )
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

    fn advice(&self) -> (Topic, Vec<String>) {
        let Inner { server, url, cause, given_up, .. } = &*self.0;
        let in_trouble = matches!(given_up, Some(GivenUp::Trouble(_)));
        Failed { server, url, cause, in_trouble }.advice()
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let (kind, (topic, hints)) = (failure.kind(), failure.advice());
        hints.into_iter().fold(Self::from_source(kind, failure).about(topic), Self::hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::error_body::ErrorBody;

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
        assert!(!lost(Cause::Redirect { status: StatusCode::FOUND, location: String::new(), moved: None }));
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
