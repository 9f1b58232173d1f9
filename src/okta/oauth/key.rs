//! The private key of a service app, and what it signs.

use std::fmt;

use aws_lc_rs::rand;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::ServiceApp;

/// How long an assertion is valid, in seconds. Okta accepts one hour at most (`docs/okta.md#service-app-tokens`).
const VALID_FOR: i64 = 300;

/// A private key that signs assertions: RSA of 2048 bits or more (RS256), or EC P-256 (ES256).
#[derive(Clone)]
pub struct SigningKey {
    key: EncodingKey,
    algorithm: Algorithm,
}

/// The claims of a client assertion (RFC 7523, section 3).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: &'a str,
}

impl SigningKey {
    /// Reads a key in PEM: PKCS#8, or PKCS#1 for RSA. The error says what is there instead, and what to do.
    pub fn from_pem(pem: &SecretString) -> Result<Self, String> {
        let text = pem.expose_secret().trim();
        let wrong = |what: &str, then: &str| Err(format!("{what}; {then}"));
        if text.contains("ENCRYPTED") {
            return wrong(
                "the key is encrypted with a passphrase",
                "keep it as a plain key in a file that only you can read",
            );
        }
        if text.contains("BEGIN EC PRIVATE KEY") {
            return wrong(
                "the key is in the SEC1 format",
                "convert it by `openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW`",
            );
        }
        if text.starts_with('{') {
            return wrong("it holds a JWK", "copy the private key from Okta in the PEM format");
        }
        if text.contains("PUBLIC KEY") || text.contains("CERTIFICATE") || !text.contains("PRIVATE KEY") {
            return wrong("it holds no private key", "it has to start with `-----BEGIN PRIVATE KEY-----`");
        }
        let rsa = EncodingKey::from_rsa_pem(text.as_bytes()).map(|key| Self { key, algorithm: Algorithm::RS256 });
        let ec = || EncodingKey::from_ec_pem(text.as_bytes()).map(|key| Self { key, algorithm: Algorithm::ES256 });
        let key = rsa.or_else(|_| ec()).ok().filter(|key| key.sign(&()).is_ok());
        key.ok_or_else(|| {
            "the key can't be used; it has to be RSA of at least 2048 bits, or EC of the curve P-256".into()
        })
    }

    /// An assertion that this app asks for a token at `audience`; `now` in seconds since 1970.
    pub(super) fn assertion(
        &self,
        app: &ServiceApp,
        audience: &str,
        now: i64,
        id: &str,
    ) -> Result<SecretString, String> {
        let client = app.client_id.as_str();
        let claims = Claims { iss: client, sub: client, aud: audience, iat: now, exp: now + VALID_FOR, jti: id };
        let header = Header { kid: Some(app.key_id.clone()), ..Header::new(self.algorithm) };
        signed(&header, &claims, &self.key)
    }

    fn sign(&self, claims: &impl Serialize) -> Result<SecretString, String> {
        signed(&Header::new(self.algorithm), claims, &self.key)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.algorithm)
    }
}

pub(super) fn signed(header: &Header, claims: &impl Serialize, key: &EncodingKey) -> Result<SecretString, String> {
    encode(header, claims, key).map(SecretString::from).map_err(|error| format!("its token can't be signed: {error}"))
}

/// 128 random bits in hexadecimal digits.
pub(super) fn random_id() -> Result<String, String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| "this machine gives no random numbers".to_owned())?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
