//! OAuth 2.0 service apps: access tokens by client credentials, with `private_key_jwt`, and with DPoP where the org
//! demands it.
//!
//! - `key` reads the app's private key and signs with it; `dpop` proves the possession of a token's own key.
//! - `endpoint` asks for tokens, and `scopes` says which are the least that a sync needs.
//! - Here a token is kept, used, and renewed. It's never written anywhere.

mod dpop;
mod endpoint;
mod key;
mod scopes;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};

pub use key::SigningKey;
pub use scopes::{Asked, SCHEMAS, USER_TYPES, USER_TYPES_ROUTE, least_scopes, scope_of, scopes_by_key};

use crate::error::Error;
use crate::http::error_body::challenge;
use crate::http::{Authorization, Authorize, Cause, Client, Failure, Mask, Settings, Signed};
use dpop::PROOF;
use endpoint::{Assertions, TokenAnswer, Tokens};

/// A service app of an org, as its settings page in Okta names it.
#[derive(Clone, Debug)]
pub struct ServiceApp {
    pub client_id: String,
    /// The `kid` of the public key that the app has.
    pub key_id: String,
    pub key: SigningKey,
    /// What is asked for; each has to be granted to the app.
    pub scopes: Vec<String>,
    /// One of them that is left out if the org refuses them (`docs/okta.md#one-refused-scope-refuses-the-token`).
    pub optional_scope: Option<&'static str>,
    /// Whether the route of user types has a token of its own, with the scope [`USER_TYPES`] only: it is asked for at the first request
    /// to that route, and a refusal fails no other request.
    pub user_types_apart: bool,
}

/// A token is renewed when so much of its life is left, but at most a tenth of it.
const RENEW_BEFORE: Duration = Duration::from_mins(1);

/// How many tokens in a row may be refused before the refusal is final.
const MOST_REFUSED: u32 = 2;

/// No token is taken to be valid for longer.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// Authorizes requests with access tokens, one for each set of scopes.
#[derive(Debug)]
pub struct AccessTokens {
    most: Access,
    user_types: Option<Access>,
}

/// The access token of one set of scopes, for all requests that need it.
struct Access {
    tokens: Tokens,
    assertions: Arc<Assertions>,
    mask: Mask,
    current: Mutex<Option<Arc<Token>>>,
    /// Held while a token is asked for, so that many requests at once ask once.
    asking: tokio::sync::Mutex<()>,
    /// The last nonce of the API; the token endpoint has its own (RFC 9449, section 8.2).
    nonce: Mutex<Option<String>>,
    /// How many tokens were refused since a request was last accepted.
    refused: AtomicU32,
}

struct Token {
    value: SecretString,
    is_bound: bool,
    renew_at: Instant,
}

impl AccessTokens {
    /// Authorizes the requests of a client with these settings; the token endpoint is reached in the same way.
    pub fn authorization(app: ServiceApp, settings: &Settings) -> Result<Authorization, Error> {
        let scopes = vec![USER_TYPES.to_owned()];
        let alone = ServiceApp { scopes, optional_scope: None, user_types_apart: false, ..app.clone() };
        let user_types = app.user_types_apart.then(|| Access::new(alone, settings)).transpose()?;
        Ok(Authorization::Signed(Arc::new(Self { most: Access::new(app, settings)?, user_types })))
    }

    /// The token for a route.
    fn for_route(&self, path: &str) -> &Access {
        self.user_types.as_ref().filter(|_| path == USER_TYPES_ROUTE).unwrap_or(&self.most)
    }

    /// The token that a request was sent with.
    fn of(&self, signed: &Signed) -> &Access {
        self.user_types.as_ref().filter(|access| access.is_current(signed)).unwrap_or(&self.most)
    }
}

impl Access {
    fn new(app: ServiceApp, settings: &Settings) -> Result<Self, Error> {
        let mask = settings.mask.clone();
        let assertions = Arc::new(Assertions::new(app, mask.clone()));
        let authorization = Authorization::Signed(Arc::clone(&assertions) as Arc<dyn Authorize>);
        let endpoint = Client::new(Settings { authorization, parallelism: 1, share: 1.0, ..settings.clone() })?;
        Ok(Self {
            tokens: Tokens::new(endpoint, Arc::clone(&assertions)),
            assertions,
            mask,
            current: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            nonce: Mutex::default(),
            refused: AtomicU32::new(0),
        })
    }

    async fn token(&self) -> Result<Arc<Token>, Failure> {
        let _asking = self.asking.lock().await;
        let valid = |token: &Arc<Token>| token.renew_at > Instant::now();
        if let Some(token) = locked(&self.current).clone().filter(valid) {
            return Ok(token);
        }
        let asked = Instant::now();
        let token = Arc::new(Token::new(self.tokens.ask().await?, asked));
        self.mask.keep(&token.value);
        tracing::debug!(bound = token.is_bound, "has a new access token");
        *locked(&self.current) = Some(Arc::clone(&token));
        Ok(token)
    }

    async fn signed(&self, method: &Method, url: &Url) -> Result<Signed, Failure> {
        let token = self.token().await?;
        let mut signed = Signed::default();
        let invalid = |why| Failure::unmade(method, url, why);
        let scheme = if token.is_bound { "DPoP " } else { "Bearer " };
        signed.header(AUTHORIZATION, scheme, &token.value).map_err(invalid)?;
        if token.is_bound {
            let nonce = locked(&self.nonce).clone();
            let proof = self.assertions.proof(method, url, nonce, Some(&token.value)).map_err(invalid)?;
            signed.header(PROOF, "", &proof).map_err(invalid)?;
        }
        Ok(signed)
    }

    /// Whether the token that was sent is the current one.
    fn is_current(&self, signed: &Signed) -> bool {
        let sent = signed.secrets.first().map(ExposeSecret::expose_secret);
        locked(&self.current).as_ref().is_some_and(|token| Some(token.value.expose_secret()) == sent)
    }

    /// Whether a request with a refused token is worth another attempt: there is a newer token, or a new one can be asked for.
    fn renewed(&self, signed: &Signed) -> bool {
        if !self.is_current(signed) {
            return true;
        }
        let again = self.refused.fetch_add(1, Ordering::SeqCst) < MOST_REFUSED;
        if again {
            *locked(&self.current) = None;
        }
        again
    }

    /// Learns from an answer; whether the request is worth another attempt.
    fn learn(&self, signed: &Signed, headers: &HeaderMap, cause: Option<&Cause>) -> bool {
        let nonce = dpop::nonce(headers);
        if nonce.is_some() {
            locked(&self.nonce).clone_from(&nonce);
        }
        let Some(cause) = cause else {
            self.refused.store(0, Ordering::SeqCst);
            return false;
        };
        match (challenge(headers, "error").as_deref(), cause.status(), cause.code()) {
            (Some("use_dpop_nonce"), ..) => nonce.is_some(),
            (Some("invalid_dpop_proof"), ..) => self.assertions.follow_clock(headers),
            // A feature that the org doesn't have; the token is not the cause (`docs/okta.md#a-401-that-is-no-refusal`).
            (_, _, Some("E0000015")) => false,
            (_, Some(401), _) => self.renewed(signed),
            _ => false,
        }
    }
}

impl Authorize for AccessTokens {
    fn sign<'a>(&'a self, method: &'a Method, url: &'a Url) -> BoxFuture<'a, Result<Signed, Failure>> {
        Box::pin(self.for_route(url.path()).signed(method, url))
    }

    fn learn(&self, signed: &Signed, headers: &HeaderMap, cause: Option<&Cause>) -> bool {
        self.of(signed).learn(signed, headers, cause)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("assertions", &self.assertions).finish_non_exhaustive()
    }
}

impl Token {
    fn new(answer: TokenAnswer, asked: Instant) -> Self {
        let life = Duration::from_secs(answer.expires_in).min(LONGEST_LIFE);
        Self {
            value: answer.access_token,
            is_bound: answer.token_type.eq_ignore_ascii_case("DPoP"),
            renew_at: asked + life.saturating_sub(RENEW_BEFORE.min(life / 10)),
        }
    }
}

/// After how long the token of an answer would be renewed; none where the body is no such answer.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn life_of_token(bytes: &[u8]) -> Option<Duration> {
    let (answer, now) = (serde_json::from_slice::<TokenAnswer>(bytes).ok()?, Instant::now());
    Some(Token::new(answer, now).renew_at - now)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
