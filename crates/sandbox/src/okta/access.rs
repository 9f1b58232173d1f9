//! Authentication: API tokens, and access tokens of service apps, bound to a key by DPoP or not (Okta: Implement OAuth
//! for Okta with a service app; Configure DPoP; RFC 9449).

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::errors::{self, Refusal};
use super::page::parse_query;

/// How far the times in assertions and proofs may be off, in seconds.
const LEEWAY: i64 = 60;
/// The longest life of an assertion, in seconds.
const LONGEST: i64 = 3600;

/// A service app that the org knows.
#[derive(Clone, Debug)]
pub struct RegisteredApp {
    pub client_id: String,
    pub key_id: String,
    pub public_key: Jwk,
    /// The scopes that are granted to it.
    pub scopes: Vec<String>,
    /// Whether its tokens have to be bound to a key.
    pub demands_dpop: bool,
    /// How long its tokens live, in seconds; 3600 in a real org.
    pub token_seconds: i64,
}

/// What the org knows of tokens.
#[derive(Debug, Default)]
pub struct Access {
    pub apps: BTreeMap<String, RegisteredApp>,
    /// Those that are valid, by themselves.
    pub grants: BTreeMap<String, Grant>,
    /// Whether proofs for the API need a nonce too, as RFC 9449 allows.
    pub api_nonces: bool,
    /// A token is revoked after this many requests.
    pub requests_per_token: Option<u64>,
    /// The nonce changes after this many proofs.
    pub proofs_per_nonce: Option<u64>,
    /// How far the org's clock is ahead, in seconds.
    pub ahead: i64,
    nonces: u64,
    proofs: u64,
    used: BTreeSet<String>,
    /// How many tokens were given.
    pub given: u64,
}

/// A token that was given.
#[derive(Clone, Debug)]
pub struct Grant {
    scopes: Vec<String>,
    until: i64,
    requests: u64,
    /// The thumbprint of the key that it's bound to.
    bound_to: Option<String>,
}

#[derive(Deserialize)]
struct Assertion {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: Option<i64>,
    jti: Option<String>,
}

#[derive(Deserialize)]
struct Proof {
    htm: String,
    htu: String,
    iat: i64,
    jti: String,
    nonce: Option<String>,
    ath: Option<String>,
}

/// A token request that was granted: the token, its type, its scopes and how long it lives, in seconds.
pub struct Granted {
    pub token: String,
    pub kind: &'static str,
    pub scope: String,
    pub seconds: i64,
}

impl Access {
    /// The org's clock, in seconds since 1970.
    pub fn now(&self) -> i64 {
        Timestamp::now().as_second() + self.ahead
    }

    /// What proofs have to hold now.
    pub fn nonce(&self) -> String {
        format!("nonce-{}", self.nonces)
    }

    /// Answers a request for a token at `url` with this form.
    pub fn grant(&mut self, url: &str, headers: &HeaderMap, form: &str) -> Result<Granted, Refusal> {
        let form = parse_query(form);
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if field("grant_type") != "client_credentials" {
            return Err(errors::oauth(400, "unsupported_grant_type", "The authorization grant type is not supported."));
        }
        let app = self.authenticated(url, field("client_assertion_type"), field("client_assertion"))?;
        let bound_to = match headers.get("dpop").map(|proof| proof.to_str().unwrap_or_default()) {
            Some(proof) => Some(self.proven(proof, "POST", url, None, true)?),
            None if app.demands_dpop => {
                return Err(errors::oauth(400, "invalid_dpop_proof", "The DPoP proof JWT header is missing."));
            }
            None => None,
        };
        let scopes: Vec<String> = field("scope").split(' ').filter(|scope| !scope.is_empty()).map(Into::into).collect();
        if scopes.is_empty() || scopes.iter().any(|scope| !app.scopes.contains(scope)) {
            let why = "One or more scopes are not configured for the authorization server resource.";
            return Err(errors::oauth(400, "invalid_scope", why));
        }
        self.given += 1;
        let token = format!("eyJraWQiOiJzYW5kYm94In0.{:032x}.{:08}", fastrand::u128(..), self.given);
        let kind = if bound_to.is_some() { "DPoP" } else { "Bearer" };
        let grant = Grant { scopes: scopes.clone(), until: self.now() + app.token_seconds, requests: 0, bound_to };
        self.grants.insert(token.clone(), grant);
        Ok(Granted { token, kind, scope: scopes.join(" "), seconds: app.token_seconds })
    }

    /// The app whose key signed an assertion for this URL, which is used up by that.
    fn authenticated(&mut self, url: &str, kind: &str, assertion: &str) -> Result<RegisteredApp, Refusal> {
        let refused = |why: &str| errors::oauth(401, "invalid_client", why);
        let key_id = decode_header(assertion).ok().and_then(|header| header.kid);
        if kind != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || key_id.is_none() {
            return Err(refused("The client_assertion is not a valid JWT."));
        }
        let app = self.apps.values().find(|app| Some(&app.key_id) == key_id.as_ref()).cloned();
        let Some((app, claims)) =
            app.and_then(|app| Some((app.clone(), verified::<Assertion>(assertion, &app.public_key)?)))
        else {
            return Err(refused("The client_assertion signature is invalid."));
        };
        if claims.iss != app.client_id || claims.sub != app.client_id {
            return Err(refused("The client_assertion's issuer and subject must be the client id."));
        }
        if claims.aud != url {
            return Err(refused(
                "The audience claim for client_assertion must be the endpoint invoked for the request.",
            ));
        }
        let now = self.now();
        if claims.exp <= now {
            return Err(refused("The client_assertion token is expired."));
        }
        if claims.exp > now + LONGEST {
            return Err(refused("The client_assertion token has an expiration too far into the future."));
        }
        if claims.iat.is_some_and(|iat| iat > now + LEEWAY) {
            return Err(refused("The client_assertion token was issued in the future."));
        }
        if claims.jti.is_some_and(|jti| !self.used.insert(jti)) {
            return Err(refused("The client_assertion token has already been used."));
        }
        Ok(app)
    }

    /// The thumbprint of the key of a proof for this request, which is used up by that.
    fn proven(
        &mut self,
        proof: &str,
        method: &str,
        url: &str,
        token: Option<&str>,
        needs_nonce: bool,
    ) -> Result<String, Refusal> {
        let refused = |why: &str| errors::oauth(400, "invalid_dpop_proof", why);
        let header = decode_header(proof).map_err(|_| refused("The DPoP proof is not a valid JWT."))?;
        let key = header.jwk.filter(|_| header.typ.as_deref() == Some("dpop+jwt"));
        let key = key.ok_or_else(|| refused("The DPoP proof JWT header must have typ and jwk."))?;
        let claims: Proof = verified(proof, &key).ok_or_else(|| refused("The DPoP proof signature is invalid."))?;
        if claims.htm != method || claims.htu != url {
            return Err(refused("The DPoP proof JWT's 'htm' or 'htu' is invalid."));
        }
        if (claims.iat - self.now()).abs() > LEEWAY {
            return Err(refused("The DPoP proof JWT's 'iat' is not within the allowed time."));
        }
        if needs_nonce && claims.nonce != Some(self.nonce()) {
            return Err(errors::oauth(400, "use_dpop_nonce", "Authorization server requires nonce in DPoP proof."));
        }
        let hash = |token: &str| BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes()).as_ref());
        if claims.ath != token.map(hash) {
            return Err(refused("The DPoP proof JWT's 'ath' is invalid."));
        }
        if !self.used.insert(claims.jti) {
            return Err(refused("The DPoP proof JWT has already been used."));
        }
        self.proofs += 1;
        if self.proofs_per_nonce.is_some_and(|most| self.proofs.is_multiple_of(most)) {
            self.nonces += 1;
        }
        key.thumbprint(ThumbprintHash::SHA256).map_err(|_| refused("The DPoP proof JWT's key is invalid."))
    }

    /// Lets a request to the API in, by its access token and the scope of its route.
    pub fn admit(&mut self, parts: &Parts, host: &str, path: &[&str]) -> Result<(), Refusal> {
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let (scheme, token) = header("authorization").and_then(|value| value.split_once(' ')).unwrap_or_default();
        let resource = parts.uri.path();
        let scope = scope_of(path);
        let refused = |status, error, why| Err(errors::challenge(scheme, host, resource, scope, (status, error, why)));
        let grant = self.grants.get(token).filter(|grant| grant.until > self.now()).cloned();
        let Some(grant) = grant else {
            return refused(401, "invalid_token", "The access token is invalid or has expired.");
        };
        if grant.bound_to.is_some() != (scheme == "DPoP") {
            return refused(400, "invalid_dpop_proof", "The token's type doesn't fit the scheme.");
        }
        if let Some(bound_to) = &grant.bound_to {
            let url = format!("{host}{resource}");
            let proof = header("dpop").unwrap_or_default();
            match self.proven(proof, parts.method.as_str(), &url, Some(token), self.api_nonces) {
                Ok(key) if key == *bound_to => {}
                Ok(_) => return refused(400, "invalid_dpop_proof", "The token is bound to another key."),
                Err(refusal) if refusal.code == "use_dpop_nonce" => {
                    return refused(401, "use_dpop_nonce", "Resource server requires nonce in DPoP proof.");
                }
                Err(refusal) => return refused(400, "invalid_dpop_proof", &refusal.why),
            }
        }
        if grant.scopes.iter().any(|granted| granted == scope) {
            self.count(token);
            return Ok(());
        }
        refused(403, "insufficient_scope", "The access token provided does not contain the required scopes.")
    }
}

impl Access {
    /// Counts a request that was let in.
    fn count(&mut self, token: &str) {
        let Some(grant) = self.grants.get_mut(token) else { return };
        grant.requests += 1;
        if self.requests_per_token.is_some_and(|most| grant.requests >= most) {
            self.grants.remove(token);
        }
    }
}

/// The claims of a JWT that this key signed; times and audience are for the caller.
fn verified<T: DeserializeOwned>(token: &str, key: &Jwk) -> Option<T> {
    let mut validation = Validation::new(decode_header(token).ok()?.alg);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    Some(decode::<T>(token, &DecodingKey::from_jwk(key).ok()?, &validation).ok()?.claims)
}

/// The scope of a route below `/api/v1` (Okta API: the scopes of each route).
fn scope_of(path: &[&str]) -> &'static str {
    match path {
        ["users", _, "linkedObjects", ..] | ["meta", "schemas", "user", "linkedObjects"] => "okta.linkedObjects.read",
        ["users", ..] => "okta.users.read",
        ["groups", ..] => "okta.groups.read",
        ["apps", ..] => "okta.apps.read",
        ["mappings", ..] => "okta.profileMappings.read",
        ["meta", "types", ..] => "okta.userTypes.read",
        ["meta", ..] => "okta.schemas.read",
        _ => "okta.orgs.read",
    }
}

impl Refusal {
    /// The status as axum has it.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST)
    }
}
