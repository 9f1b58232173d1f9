//! Why a request failed, in words.

use std::time::Duration;

use reqwest::StatusCode;

use super::certificate::Insecure;
use super::error_body::{self, ErrorBody, is_page, page, snippet};
use super::mask::{Mask, shortened};
use super::server::ProxyName;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// No connection was made, so that the server did nothing.
    #[error("{0}")]
    Connect(String),
    /// The host's name couldn't be resolved.
    #[error("can't be found: {0}")]
    Dns(String),
    /// The proxy made no connection to the server.
    #[error("can't be reached: {} {why}", named(.proxy.as_ref()))]
    Proxy { proxy: Option<ProxyName>, is_login: bool, why: String },
    /// The server's certificate or its TLS isn't acceptable.
    #[error("{}", .0.text)]
    Tls(Insecure),
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
    #[error("answered {status} with {} instead of JSON{}", if *.html { "a web page" } else { "other text" }, quoted(.snippet))]
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
    Redirect {
        status: StatusCode,
        location: String,
        /// The base URL to write into the config, where it's one of the same server.
        moved: Option<String>,
    },
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
        let html = is_page(body);
        Self::NotJson { status, html, snippet: if html { page(body) } else { snippet(body) } }
    }

    /// The same without secrets in what the server wrote, and no longer than can be shown. Every cause passes here before
    /// it becomes part of an error or of the log.
    pub(super) fn masked(self, mask: &Mask) -> Self {
        let masked = |text: &str| shortened(&mask.masked(text), LONGEST);
        match self {
            Self::Connect(text) => Self::Connect(masked(&text)),
            Self::Dns(text) => Self::Dns(masked(&text)),
            Self::Proxy { proxy, is_login, why } => Self::Proxy { proxy, is_login, why: masked(&why) },
            Self::Tls(Insecure { flaw, text }) => Self::Tls(Insecure { flaw, text: masked(&text) }),
            Self::Cut(text) => Self::Cut(masked(&text)),
            Self::Truncated(text) => Self::Truncated(masked(&text)),
            Self::Unreadable(text) => Self::Unreadable(masked(&text)),
            Self::Implausible(text) => Self::Implausible(masked(&text)),
            Self::Oversized(text) => Self::Oversized(masked(&text)),
            Self::Invalid(text) => Self::Invalid(masked(&text)),
            Self::NotJson { status, html, snippet } => {
                Self::NotJson { status, html, snippet: error_body::shown(&mask.masked(&snippet)) }
            }
            Self::Redirect { status, location, moved } => {
                Self::Redirect { status, location: masked(&location), moved: moved.as_deref().map(masked) }
            }
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

fn quoted(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text:?}") }
}

fn named(proxy: Option<&ProxyName>) -> String {
    proxy.map_or_else(|| "the proxy".to_owned(), ProxyName::to_string)
}

pub(super) fn seconds(duration: &Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

fn colon(body: &ErrorBody) -> String {
    let text = body.to_string();
    if text.is_empty() { text } else { format!(": {text}") }
}
