//! DPoP (RFC 9449, `docs/okta.md#dpop`): proofs that the sender of a token has the key that it's bound to.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::key::{random_id, signed};

/// The header with the proof.
pub(super) const PROOF: HeaderName = HeaderName::from_static("dpop");
/// The header with the nonce that the next proofs are to have.
const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// An ES256 key that lives as long as the process, apart from the service app's own.
pub(super) struct ProofKey {
    key: EncodingKey,
    public: Jwk,
}

#[derive(Serialize)]
struct Claims<'a> {
    htm: &'a str,
    htu: &'a str,
    iat: i64,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
}

impl ProofKey {
    pub(super) fn new() -> Result<Self, String> {
        let failed = || "no key can be made".to_owned();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let key = EncodingKey::from_ec_der(pkcs8.map_err(|_| failed())?.as_ref());
        let public = Jwk::from_encoding_key(&key, Algorithm::ES256).map_err(|_| failed())?;
        Ok(Self { key, public })
    }

    /// A proof for one attempt (RFC 9449, section 4.2); `now` in seconds since 1970.
    pub(super) fn proof(
        &self,
        method: &Method,
        url: &Url,
        now: i64,
        nonce: Option<String>,
        token: Option<&SecretString>,
    ) -> Result<SecretString, String> {
        let mut target = url.clone();
        target.set_query(None);
        target.set_fragment(None);
        let hash = |token: &SecretString| {
            BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, token.expose_secret().as_bytes()).as_ref())
        };
        let header = Header {
            typ: Some("dpop+jwt".to_owned()),
            jwk: Some(self.public.clone()),
            ..Header::new(Algorithm::ES256)
        };
        let (htm, htu) = (method.as_str(), target.as_str());
        let claims = Claims { htm, htu, iat: now, jti: random_id()?, nonce, ath: token.map(hash) };
        signed(&header, &claims, &self.key)
    }
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProofKey")
    }
}

/// The nonce that an answer gives.
pub(super) fn nonce(headers: &HeaderMap) -> Option<String> {
    Some(headers.get(NONCE)?.to_str().ok()?.to_owned())
}
