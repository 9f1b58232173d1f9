//! Tokens and proofs against an org that answers from a script.

use super::*;
use crate::http::Request;
use crate::http::scripted::{Act, Server, answer, fast, json};

#[test]
fn what_is_no_usable_key_is_told_apart_and_not_shown() {
    let cases = [
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nS3CRET", "passphrase"),
        ("-----BEGIN EC PRIVATE KEY-----\nS3CRET", "openssl pkcs8"),
        ("{\"kty\":\"RSA\",\"d\":\"S3CRET\"}", "JWK"),
        ("-----BEGIN PUBLIC KEY-----\nS3CRET", "no private key"),
        ("S3CRET", "no private key"),
        ("-----BEGIN PRIVATE KEY-----\nUzNDUkVU\n-----END PRIVATE KEY-----", "can't be used"),
    ];
    for (pem, expected) in cases {
        let error = SigningKey::from_pem(&pem.into()).unwrap_err();
        assert!(error.contains(expected) && !error.contains("S3CRET"), "{error}");
    }
}

/// A service app with a new key, for an org at this URL.
fn client_of_app(url: &str) -> (Client, Mask) {
    let pkcs8 = aws_lc_rs::signature::EcdsaKeyPair::generate_pkcs8(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        &aws_lc_rs::rand::SystemRandom::new(),
    );
    let der = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, pkcs8.unwrap());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----");
    let app = ServiceApp {
        client_id: "0oa1".into(),
        key_id: "k".into(),
        key: SigningKey::from_pem(&pem.into()).unwrap(),
        scopes: vec!["okta.users.read".into()],
        optional_scope: None,
    };
    let settings = Settings { retry: fast(), ..Settings::new(url) };
    let authorization = AccessTokens::authorization(app, &settings).unwrap();
    (Client::new(Settings { authorization, ..settings.clone() }).unwrap(), settings.mask)
}

/// An answer with a token of this type.
fn token(kind: &str) -> Act {
    json(
        200,
        &format!(r#"{{"access_token": "eyJ-access-token-0123456789", "token_type": "{kind}", "expires_in": 3600}}"#),
    )
}

#[tokio::test]
async fn a_token_that_is_not_bound_to_the_key_that_was_proven_is_refused() {
    let nonce = || answer(400, &[("dpop-nonce", "n1")], r#"{"error": "use_dpop_nonce"}"#);
    let cases = [
        (vec![nonce(), token("Bearer")], "is not bound to it"),
        (vec![token("DPoP")], "no proof of one was sent"),
        (vec![token("MAC")], "of an unknown type"),
        (vec![json(201, "{}")], "answered 201 Created, which is no complete answer"),
    ];
    for (acts, why) in cases {
        let server = Server::script(acts).await;
        let failure = client_of_app(&server.url).0.send(&Request::get("/api/v1/users")).await.unwrap_err();
        assert!(failure.to_string().contains(why), "{failure}");
        assert!(server.lines().iter().all(|line| line.starts_with("POST ")), "no request carries the token");
    }
    for acts in [vec![token("Bearer"), json(200, "[]")], vec![nonce(), token("DPoP"), json(200, "[]")]] {
        let server = Server::script(acts).await;
        client_of_app(&server.url).0.send(&Request::get("/api/v1/users")).await.unwrap();
    }
}
