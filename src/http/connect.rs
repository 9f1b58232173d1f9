//! Why a request got no answer, in words for an admin: of all that the libraries say, the innermost reason.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::Url;

use super::cause::{Cause, seconds};
use super::certificate::Insecure;
use super::server::ProxyName;
use crate::error::without_number;

/// The way of a request to its server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way<'a> {
    pub url: &'a Url,
    /// The proxy that may be in between.
    pub proxy: Option<&'a ProxyName>,
    pub connect_timeout: Duration,
}

/// How the HTTP library begins what it says of a connection through a proxy.
const TUNNEL: &str = "tunnel error";
/// How rustls begins its texts, where its error isn't within reach.
const TLS_WORDS: [&str; 6] = [
    "certificate",
    "received fatal alert",
    "received corrupt message",
    "peer is incompatible",
    "peer misbehaved",
    "handshake",
];
/// How the resolvers of the systems say that a name doesn't exist, and that no server told.
const NO_SUCH_NAME: [&str; 5] = [
    "Name or service not known",
    "nodename nor servname",
    "No such host",
    "Name does not resolve",
    "No address associated",
];
const NO_RESOLVER: [&str; 2] = ["Temporary failure", "Try again"];

impl Way<'_> {
    /// The cause of an error that came before any answer.
    pub fn cause(&self, error: &reqwest::Error) -> Cause {
        let text = chain(error);
        let host = self.url.host_str().unwrap_or_default();
        match () {
            () if error.is_builder() => Cause::Invalid(text),
            () if text.contains(TUNNEL) => self.of_proxy(error, &text),
            () if !error.is_connect() => Cause::Cut(innermost(error)),
            () if error.is_timeout() => {
                let why = format!("accepted no connection within {}", seconds(&self.connect_timeout));
                // The proxy may have answered nothing, or waits for the server itself.
                Cause::Connect(self.proxy.map_or(why.clone(), |proxy| format!("{why}, or {proxy} made none")))
            }
            () if error.is_dns() => Cause::Dns(unresolved(host, &innermost(error))),
            () => match Insecure::of(error, host) {
                Some(insecure) => Cause::Tls(insecure),
                None if TLS_WORDS.iter().any(|words| text.contains(words)) => {
                    Cause::Tls(Insecure::other(&innermost(error)))
                }
                None => Cause::Connect(self.unconnected(error)),
            },
        }
    }

    /// The cause where the proxy made no connection to the server.
    fn of_proxy(&self, error: &reqwest::Error, text: &str) -> Cause {
        let is_login = text.contains("proxy authorization required");
        let why = match () {
            () if is_login => "wants a login (407 Proxy Authentication Required)".to_owned(),
            () if text.contains("unsuccessful") => "refused to connect to it".to_owned(),
            () if error.is_timeout() => format!("didn't answer within {}", seconds(&self.connect_timeout)),
            () if error.is_dns() => {
                let host = self.proxy.map(|proxy| proxy.host()).unwrap_or_default();
                format!("isn't found: {}", unresolved(host, &innermost(error)))
            }
            () => refusal(error),
        };
        Cause::Proxy { proxy: self.proxy.cloned(), is_login, why }
    }

    fn unconnected(&self, error: &reqwest::Error) -> String {
        let why = refusal(error);
        match self.proxy {
            // Requests without TLS go through a proxy as they are, and nothing tells whether this one would have.
            Some(proxy) if self.url.scheme() == "http" => format!("{why}, or {proxy} did"),
            _ => why,
        }
    }
}

/// What an address did to a connection, as a predicate.
fn refusal(error: &reqwest::Error) -> String {
    match io_error(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => "refused the connection".to_owned(),
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
            "can't be reached: this machine has no route to it".to_owned()
        }
        Some(io::ErrorKind::TimedOut) => "accepted no connection in time".to_owned(),
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted) => "closed the connection".to_owned(),
        _ => format!("made no connection: {}", innermost(error)),
    }
}

fn unresolved(host: &str, why: &str) -> String {
    let says = |words: &[&str]| words.iter().any(|words| why.contains(words));
    match () {
        () if says(&NO_SUCH_NAME) => format!("the name {host} doesn't exist in DNS"),
        () if says(&NO_RESOLVER) => format!("the name {host} can't be looked up, since no DNS server answers"),
        () => format!("the name {host} can't be looked up: {why}"),
    }
}

fn io_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<io::Error>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The reasons of an error, without its own text, which holds the whole URL.
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

/// The innermost reason of an error, without the system's number for it.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    let mut innermost = error.source();
    while let Some(source) = innermost.and_then(Error::source) {
        innermost = Some(source);
    }
    innermost.map_or_else(|| "unknown reason".to_owned(), without_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_told_from_a_silent_resolver() {
        let told = |why: &str| unresolved("a.example.com", why);
        let unknown = "failed to lookup address information: Name or service not known";
        assert_eq!(told(unknown), "the name a.example.com doesn't exist in DNS");
        let silent = "failed to lookup address information: Temporary failure in name resolution";
        assert!(told(silent).ends_with("no DNS server answers"), "{}", told(silent));
        assert!(told("something else").ends_with(": something else"));
    }
}
