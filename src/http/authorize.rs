//! The authorization of a request: none, one header for all requests, or a new one for each attempt.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};

use super::cause::Cause;
use super::failure::Failure;

/// How a client's requests are authorized.
#[derive(Clone, Debug, Default)]
pub enum Authorization {
    #[default]
    None,
    /// The whole value of the `Authorization` header, such as `Bearer sk-…`.
    Fixed(SecretString),
    /// Made for each attempt, and renewed where the server asks for it.
    Signed(Arc<dyn Authorize>),
}

/// Makes what lets one attempt in, and learns from the answers.
pub trait Authorize: fmt::Debug + Send + Sync {
    /// What lets an attempt in. It may need requests of its own, whose failure is then that of the request.
    fn sign<'a>(&'a self, method: &'a Method, url: &'a Url) -> BoxFuture<'a, Result<Signed, Failure>>;

    /// Takes note of what an answer says. Whether the attempt was refused for something that is mended by now, so that
    /// the request is worth to be sent again at once; a server that refuses so has done nothing.
    fn learn(&self, signed: &Signed, headers: &HeaderMap, cause: Option<&Cause>) -> bool;
}

/// What lets one attempt in.
#[derive(Debug, Default)]
pub struct Signed {
    pub headers: HeaderMap,
    /// In place of the request's own body.
    pub body: Option<SecretString>,
    /// What no error may show, should the answer echo it.
    pub secrets: Vec<SecretString>,
}

impl Signed {
    /// Adds a header that no log shows, and keeps its secret part out of errors.
    pub fn header(&mut self, name: HeaderName, scheme: &str, secret: &SecretString) -> Result<(), String> {
        let text = format!("{scheme}{}", secret.expose_secret());
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| "the token or key holds a character that no header can carry".to_owned())?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        self.secrets.push(secret.clone());
        Ok(())
    }
}

impl Authorization {
    /// The header that is the same for all requests. A line break in it gives an HTML 400
    /// (`docs/okta.md#api-tokens`).
    pub(super) fn fixed(&self) -> Result<Signed, String> {
        let mut signed = Signed::default();
        if let Self::Fixed(value) = self {
            let value = value.expose_secret().trim();
            let (scheme, secret) = value.rsplit_once(' ').map_or(("", value), |(scheme, secret)| (scheme, secret));
            let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme} ") };
            signed.header(AUTHORIZATION, &scheme, &secret.into())?;
        }
        Ok(signed)
    }

    pub(super) async fn sign(&self, method: &Method, url: &Url) -> Result<Signed, Failure> {
        match self {
            Self::Signed(authorize) => authorize.sign(method, url).await,
            fixed => fixed.fixed().map_err(|why| Failure::unmade(method, url, why)),
        }
    }

    pub(super) fn learn(&self, signed: &Signed, headers: &HeaderMap, cause: Option<&Cause>) -> bool {
        matches!(self, Self::Signed(authorize) if authorize.learn(signed, headers, cause))
    }
}
