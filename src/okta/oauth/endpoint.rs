//! The org's token endpoint (`docs/okta.md#service-app-tokens`).

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::dpop::{self, PROOF, ProofKey};
use super::key::random_id;
use super::{ServiceApp, locked};
use crate::http::signals::Signals;
use crate::http::{Authorize, Cause, Client, Failure, Mask, Repeat, Request, Signed, segment};

const PATH: &str = "/oauth2/v1/token";
const FORM: &str = "application/x-www-form-urlencoded";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far the clocks may be apart before the server's is followed, in seconds.
const SAME_TIME: i64 = 5;

/// The answer with a token (RFC 6749, section 5.1).
#[derive(Debug, Deserialize)]
pub(super) struct TokenAnswer {
    pub access_token: SecretString,
    /// `Bearer` or `DPoP`.
    pub token_type: String,
    /// Seconds; 3600 with Okta.
    pub expires_in: u64,
}

/// Asks for tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    client: Client,
    assertions: Arc<Assertions>,
}

impl Tokens {
    pub(super) fn new(client: Client, assertions: Arc<Assertions>) -> Self {
        Self { client, assertions }
    }

    /// Asks for a token. It may be repeated, since every attempt has an assertion of its own.
    pub(super) async fn ask(&self) -> Result<TokenAnswer, Failure> {
        let request = Request::new(Method::POST, PATH).body(FORM, Vec::new()).repeat(Repeat::Always).confidential();
        let request = request.complete(&[StatusCode::OK]);
        let (answer, reply) = self.client.json::<TokenAnswer>(&request).await?;
        match (answer.token_type.to_lowercase().as_str(), self.assertions.has_proofs()) {
            ("dpop", true) | ("bearer", false) => Ok(answer),
            // A token that isn't bound to a key can be used by anyone who sees it (RFC 9449, section 5).
            ("bearer", true) => {
                Err(reply.implausible("it took a proof of a key and gave a token that is not bound to it"))
            }
            ("dpop", false) => Err(reply.implausible("its token is bound to a key, but no proof of one was sent")),
            _ => Err(reply.implausible("its token is of an unknown type")),
        }
    }
}

/// Authorizes requests for tokens: an assertion by the app's key in the body, and a proof of another key where it's asked for.
#[derive(Debug)]
pub(super) struct Assertions {
    app: ServiceApp,
    /// How far the server's clock is ahead, in seconds.
    ahead: AtomicI64,
    /// Made once the org has asked for a proof.
    proofs: OnceLock<ProofKey>,
    nonce: Mutex<Option<String>>,
    /// Whether the org has refused the scopes with the optional one among them.
    refused: AtomicBool,
    mask: Mask,
}

impl Assertions {
    pub(super) fn new(app: ServiceApp, mask: Mask) -> Self {
        Self {
            app,
            mask,
            ahead: AtomicI64::new(0),
            proofs: OnceLock::new(),
            nonce: Mutex::default(),
            refused: AtomicBool::new(false),
        }
    }

    /// The scopes to ask for.
    fn scopes(&self) -> String {
        let left_out = self.app.optional_scope.filter(|_| self.refused.load(Ordering::SeqCst));
        let scopes = self.app.scopes.iter().map(String::as_str).filter(|scope| Some(*scope) != left_out);
        scopes.collect::<Vec<_>>().join(" ")
    }

    /// A proof for this attempt.
    pub(super) fn proof(
        &self,
        method: &Method,
        url: &Url,
        nonce: Option<String>,
        token: Option<&SecretString>,
    ) -> Result<SecretString, String> {
        let key = self.proofs.get().ok_or("the token is bound to a key, but none was asked for")?;
        key.proof(method, url, self.now(), nonce, token)
    }

    /// Takes over the server's clock where this machine's is off; whether it was.
    pub(super) fn follow_clock(&self, headers: &HeaderMap) -> bool {
        let Some(date) = Signals::read(headers).date else { return false };
        let ahead = date - Timestamp::now().as_second();
        let off = (ahead - self.ahead.load(Ordering::SeqCst)).abs() > SAME_TIME;
        if off {
            tracing::debug!(seconds = ahead, "follows the server's clock, which is ahead by this");
            self.ahead.store(ahead, Ordering::SeqCst);
        }
        off
    }

    /// Seconds since 1970, by the server's clock as far as it's known.
    fn now(&self) -> i64 {
        Timestamp::now().as_second() + self.ahead.load(Ordering::SeqCst)
    }

    fn signed(&self, method: &Method, url: &Url) -> Result<Signed, String> {
        // Each attempt has a new one: Okta accepts a `jti` once (`docs/okta.md#service-app-tokens`).
        let assertion = self.app.key.assertion(&self.app, url.as_str(), self.now(), &random_id()?)?;
        self.mask.keep(&assertion);
        let body = format!(
            "grant_type=client_credentials&scope={}&client_assertion_type={}&client_assertion={}",
            segment(&self.scopes()),
            segment(ASSERTION_TYPE),
            assertion.expose_secret()
        );
        let mut signed = Signed { body: Some(body.into()), secrets: vec![assertion], ..Signed::default() };
        if self.has_proofs() {
            let proof = self.proof(method, url, locked(&self.nonce).clone(), None)?;
            signed.header(PROOF, "", &proof)?;
        }
        Ok(signed)
    }

    /// Whether proofs of a key are sent.
    fn has_proofs(&self) -> bool {
        self.proofs.get().is_some()
    }

    /// Makes the key of the proofs; whether there was none.
    fn begin_proofs(&self) -> bool {
        !self.has_proofs() && ProofKey::new().is_ok_and(|key| self.proofs.set(key).is_ok())
    }
}

impl Authorize for Assertions {
    fn sign<'a>(&'a self, method: &'a Method, url: &'a Url) -> BoxFuture<'a, Result<Signed, Failure>> {
        let signed = self.signed(method, url);
        Box::pin(std::future::ready(signed.map_err(|why| Failure::unmade(method, url, why))))
    }

    fn learn(&self, _: &Signed, headers: &HeaderMap, cause: Option<&Cause>) -> bool {
        let fresh = dpop::nonce(headers).is_some_and(|nonce| {
            let known = locked(&self.nonce).replace(nonce.clone());
            known != Some(nonce)
        });
        match cause.and_then(Cause::code) {
            // Without a nonce the org only says that the proof is missing, and asks for the nonce in the next answer.
            Some("use_dpop_nonce" | "invalid_dpop_proof") => self.begin_proofs() || fresh || self.follow_clock(headers),
            Some("invalid_client") => self.follow_clock(headers),
            Some("invalid_scope") if self.app.optional_scope.is_some() => !self.refused.swap(true, Ordering::SeqCst),
            _ => false,
        }
    }
}
