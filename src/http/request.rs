//! Requests, whether they may be repeated, and replies.

use std::fmt;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};

use super::budget::Size;
use super::cause::Cause;
use super::failure::Failure;
use super::mask::Mask;

/// How long the headers of an answer are waited for, unless the request says otherwise.
pub const TIMEOUT: Duration = Duration::from_mins(1);

/// Whether a request may be sent again after an answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Reads: repeated within the budget on anything that may pass.
    Always,
    /// Writes: repeated only when the server surely did nothing (429, or no connection); everything else comes back at
    /// once, since the caller must look at the current value before it writes again.
    Never,
    /// Sent once, whatever happens: reads that are only worth a moment.
    Once,
}

/// One request to the client's own server.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    /// A path below the client's base URL, starting with `/` and already percent-encoded (see [`segment`]), or a whole
    /// URL of the same origin.
    pub target: String,
    /// Percent-encoded `name=value` pairs.
    pub query: Vec<String>,
    pub headers: HeaderMap,
    /// Content type and bytes.
    pub body: Option<(&'static str, Vec<u8>)>,
    /// Until the headers of the answer are there, with connecting and sending; each repetition has it again. A body that keeps
    /// coming may take longer.
    pub timeout: Duration,
    pub repeat: Repeat,
    /// A status that comes back at once although it would be repeated.
    pub hand_back: Option<StatusCode>,
    /// Whether a good answer holds a secret, so that no error may show any of it.
    pub confidential: bool,
    /// How large the answer may be.
    pub size: Size,
    /// The statuses of a complete answer.
    pub complete: &'static [StatusCode],
    /// The listing that it reads a page of, by which the answer is recorded.
    pub page_of: Option<PageOf>,
}

impl fmt::Debug for Request {
    /// Without the target and the body, which may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

/// Which listing a request reads a page of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageOf {
    /// The same for all pages.
    pub listing: String,
    /// Whether the listing begins with it, so that earlier pages don't count.
    pub first: bool,
}

/// The statuses of a complete answer to each method. 202 says that nothing is done yet, 203 that a proxy has changed the
/// answer, and 206 that it's a part (RFC 9110, section 15.3). Creations are answered by 201 and deletions by 204
/// (docs/activepieces.md#creating-a-user and docs/activepieces.md#deletion-of-a-group), or by 200 from a proxy that gives
/// them a body.
fn complete(method: &Method) -> &'static [StatusCode] {
    match *method {
        Method::POST => &[StatusCode::CREATED, StatusCode::OK],
        Method::DELETE => &[StatusCode::NO_CONTENT, StatusCode::OK],
        _ => &[StatusCode::OK],
    }
}

impl Request {
    /// A request that is repeated if the method is a safe one.
    pub fn new(method: Method, target: impl Into<String>) -> Self {
        let repeat = if method.is_safe() { Repeat::Always } else { Repeat::Never };
        Self {
            complete: complete(&method),
            method,
            target: target.into(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: None,
            timeout: TIMEOUT,
            repeat,
            hand_back: None,
            confidential: false,
            size: Size::PAGE,
            page_of: None,
        }
    }

    pub fn get(target: impl Into<String>) -> Self {
        Self::new(Method::GET, target)
    }

    /// Adds a query parameter, percent-encoded: `+` as `%2B`, a space as `%20`.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.query.push(format!("{}={}", encoded(name), encoded(value)));
        self
    }

    /// Adds a query parameter whose value is percent-encoded already, such as a cursor from a server.
    #[must_use]
    pub fn raw_param(mut self, name: &str, value: &str) -> Self {
        self.query.push(format!("{name}={value}"));
        self
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    #[must_use]
    pub fn body(mut self, content_type: &'static str, bytes: Vec<u8>) -> Self {
        self.body = Some((content_type, bytes));
        self
    }

    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    #[must_use]
    pub fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    /// Sends the request without retries: not after a lost connection and not after a 429 either. Renewed credentials
    /// (a token, a DPoP nonce) are still tried, because the server did nothing until then.
    #[must_use]
    pub fn once(self) -> Self {
        self.repeat(Repeat::Once)
    }

    /// Takes no other status for a complete answer.
    #[must_use]
    pub fn complete(mut self, statuses: &'static [StatusCode]) -> Self {
        self.complete = statuses;
        self
    }

    /// Records the answer as a page of this listing.
    #[must_use]
    pub fn page_of(mut self, listing: String, first: bool) -> Self {
        self.page_of = Some(PageOf { listing, first });
        self
    }

    /// Lets the answer be this large.
    #[must_use]
    pub fn size(mut self, size: Size) -> Self {
        self.size = size;
        self
    }

    /// Keeps a good answer out of errors.
    #[must_use]
    pub fn confidential(mut self) -> Self {
        self.confidential = true;
        self
    }

    /// Lets this status come back at once instead of repeating the request.
    #[must_use]
    pub fn hand_back(mut self, status: StatusCode) -> Self {
        self.hand_back = Some(status);
        self
    }
}

/// What a complete answer says next to its body.
#[derive(Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub(super) method: Method,
    /// As errors show it.
    pub(super) url: String,
    pub(super) mask: Mask,
}

impl fmt::Debug for Reply {
    /// Without the headers, which may echo anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Reply {
    /// An answer that is well-formed but can't be true, such as a listing that contradicts itself.
    pub fn implausible(&self, why: impl Into<String>) -> Failure {
        let cause = Cause::Implausible(why.into()).masked(&self.mask);
        Failure::new(&self.method, self.url.clone(), cause, 1)
    }
}

/// A path segment, percent-encoded: only unreserved characters stay as they are.
pub fn segment(text: &str) -> String {
    encoded(text)
}

pub(super) fn encoded(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_encoded_and_raw_ones_are_not() {
        let request = Request::get("/x").param("search", "a eq \"ü+1\"").raw_param("after", "a%2Bb+c");
        assert_eq!(request.query, ["search=a%20eq%20%22%C3%BC%2B1%22", "after=a%2Bb+c"]);
    }

    #[test]
    fn only_safe_methods_are_repeated() {
        assert_eq!(Request::get("/x").repeat, Repeat::Always);
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert_eq!(Request::new(method, "/x").repeat, Repeat::Never);
        }
    }

    #[test]
    fn a_segment_keeps_nothing_that_a_url_would_read() {
        assert_eq!(segment("a/b?c#d e@f.g"), "a%2Fb%3Fc%23d%20e%40f.g");
    }
}
